package link

// maxID is the highest transaction id of the device's own requests; 0 is for frames without an answer. The upper half of
// the space is left alone, as the original client does.
const maxID = 0x8000

// ids gives out transaction ids round-robin, so that an answer that comes too late is not taken for that of a newer
// request. The zero value is ready to use; it is not safe for concurrent use.
type ids struct {
	live map[uint16]struct{}
	last uint16
}

// take returns a free id, false if there is none.
func (s *ids) take() (uint16, bool) {
	if len(s.live) == maxID {
		return 0, false
	}
	if s.live == nil {
		s.live = make(map[uint16]struct{})
	}
	for {
		s.last = s.last%maxID + 1
		if _, taken := s.live[s.last]; !taken {
			s.live[s.last] = struct{}{}
			return s.last, true
		}
	}
}

func (s *ids) free(id uint16) { delete(s.live, id) }
