package outbox

const (
	leastBlock = 512
	mostBlock  = 16 << 10
	mostSpares = 128
)

// slab keeps copies of short messages side by side in blocks. A block whose messages are all done is filled again, so
// that a busy queue needs no new memory. It is guarded by the mutex of the box.
type slab struct {
	filling *block
	spares  []*block
	low     int // the fewest spares since shrink looked
}

// block is memory for several messages.
type block struct {
	data  []byte
	users int // messages in it that are not done, and those among them that are being written once more
}

// copy returns a copy of p and the block that it is in, which is to be released; nil if it has memory of its own.
func (s *slab) copy(p []byte) ([]byte, *block) {
	if len(p) > mostBlock/4 {
		return append([]byte(nil), p...), nil
	}
	if b := s.filling; b == nil || len(p) > cap(b.data)-len(b.data) {
		s.filling = s.next(len(p))
	}
	b := s.filling
	n := len(b.data)
	b.data = append(b.data, p...)
	b.users++
	return b.data[n:len(b.data):len(b.data)], b
}

// next returns an empty block with room for n bytes.
func (s *slab) next(n int) *block {
	if last := len(s.spares) - 1; last >= 0 {
		b := s.spares[last]
		s.spares[last] = nil
		s.spares = s.spares[:last]
		s.low = min(s.low, last)
		return b
	}
	size := max(leastBlock, n)
	if s.filling != nil {
		size = max(size, min(2*cap(s.filling.data), mostBlock))
	}
	return &block{data: make([]byte, 0, size)}
}

// release says that a user of a block, which may be nil, is done with it.
func (s *slab) release(b *block) {
	if b == nil {
		return
	}
	if b.users--; b.users > 0 {
		return
	}
	b.data = b.data[:0]
	if b != s.filling && cap(b.data) == mostBlock && len(s.spares) < mostSpares {
		s.spares = append(s.spares, b)
	}
}

// shrink gives back half of the spares that were not needed since it last looked.
func (s *slab) shrink() {
	keep := len(s.spares) - (s.low+1)/2
	clear(s.spares[keep:])
	s.spares = s.spares[:keep]
	s.low = keep
}
