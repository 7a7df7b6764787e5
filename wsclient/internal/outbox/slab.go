package outbox

const (
	leastSlab = 512
	mostSlab  = 16 << 10
)

// slab keeps copies of short messages side by side, to save allocations. The garbage collector frees a block when all
// messages in it are done.
type slab struct{ free []byte }

// copy returns a copy of p.
func (s *slab) copy(p []byte) []byte {
	if len(p) > mostSlab/4 {
		return append([]byte(nil), p...)
	}
	if len(p) > cap(s.free)-len(s.free) {
		s.free = make([]byte, 0, max(leastSlab, min(2*cap(s.free), mostSlab), len(p)))
	}
	n := len(s.free)
	s.free = append(s.free, p...)
	return s.free[n:len(s.free):len(s.free)]
}

// reset lets the block be used again from its beginning, because no message is left in it.
func (s *slab) reset() { s.free = s.free[:0] }
