package budget

// heads knows the sizes of the oldest records of a log, so that they need not be read one by one.
type heads struct {
	list []head
}

type head struct {
	seq  uint64
	size int64
}

// ahead is how many records are looked at at once.
const ahead = 1000

// fill forgets what is gone for another reason, such as its age, and reads the oldest records if none are known.
func (h *heads) fill(l Log) error {
	oldest, err := l.PeekFrom(0, 1)
	if err != nil || len(oldest) == 0 {
		h.list = nil
		return err
	}
	h.removed(oldest[0].Seq - 1)
	if len(h.list) > 0 {
		return nil
	}
	records, err := l.PeekFrom(0, ahead)
	for _, r := range records {
		h.list = append(h.list, head{r.Seq, int64(len(r.Payload)) + frame})
	}
	return err
}

// removed forgets the records up to a number.
func (h *heads) removed(upTo uint64) {
	n := 0
	for n < len(h.list) && h.list[n].seq <= upTo {
		n++
	}
	h.list = h.list[n:]
}

// take returns the numbers of the fewest of the oldest records that make up so many bytes, as far as they are known.
func (h *heads) take(bytes int64) (first, last, n uint64) {
	for ; bytes > 0 && len(h.list) > 0; n++ {
		if n == 0 {
			first = h.list[0].seq
		}
		last = h.list[0].seq
		bytes -= h.list[0].size
		h.list = h.list[1:]
	}
	return first, last, n
}
