package backlog

import "slices"

// span is a part of a log: the records with numbers from From up to but without To.
type span struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	At   int64  `json:"at"` // the time of the last record, in microseconds since 1970, to know it again
}

// spans are the parts of a log that the hub has: in order, apart from each other.
type spans []span

// add adds a span that overlaps no other, but may touch them.
func (s *spans) add(n span) {
	if n.From >= n.To {
		return
	}
	all := *s
	i, _ := slices.BinarySearchFunc(all, n.From, func(e span, from uint64) int {
		if e.From < from {
			return -1
		}
		return 1
	})
	if i < len(all) && all[i].From == n.To {
		n.To, n.At = all[i].To, all[i].At
		all = slices.Delete(all, i, i+1)
	}
	if i > 0 && all[i-1].To == n.From {
		all[i-1].To, all[i-1].At = n.To, n.At
		*s = all
		return
	}
	*s = slices.Insert(all, i, n)
}

// gap returns the first part that is not in s, from number at on. Its end is 0 if it has none.
func (s spans) gap(at uint64) (from, to uint64) {
	for _, e := range s {
		if at < e.From {
			return at, e.From
		}
		at = max(at, e.To)
	}
	return at, 0
}

// last returns where the part begins that has no end.
func (s spans) last(at uint64) uint64 {
	if len(s) == 0 {
		return at
	}
	return max(at, s[len(s)-1].To)
}

// cut takes out what is before number at.
func (s *spans) cut(at uint64) {
	all := *s
	for len(all) > 0 && all[0].To <= at {
		all = all[1:]
	}
	if len(all) > 0 {
		all[0].From = max(all[0].From, at)
	}
	*s = slices.Clone(all)
}

// count returns how many numbers are in s.
func (s spans) count() (n uint64) {
	for _, e := range s {
		n += e.To - e.From
	}
	return n
}
