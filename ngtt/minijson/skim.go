package minijson

// skimmer goes over a value without decoding it. It can go on where it ran out of input, and takes no recursion.
type skimmer struct {
	pos   int // where the next tag or key begins
	owed  int // keys and values that are yet to come: each takes a byte at least
	count int // elements so far
	depth int // how many containers may be open
	most  int // how many elements there may be
	begun bool
	open  []level
}

// level is an open list, object or map.
type level struct {
	kind kind
	left uint64 // keys and values to come
}

func (s *skimmer) reset(depth, most int) { *s = skimmer{depth: depth, most: most, open: s.open[:0]} }

// run goes on in b, which holds the bytes of the value that are there, and reports whether its end was reached: it is
// pos bytes long then. The value must fit into limit bytes. With whole nothing comes after b, and a value that does
// not fit is a truncated one. The reason is empty unless the value is wrong; pos is where, then.
func (s *skimmer) run(b []byte, limit int, whole, lenient bool) (done bool, reason Reason) {
	tooLong := ReasonSize
	if whole {
		tooLong = ReasonTruncated
	}
	for {
		for len(s.open) > 0 && s.open[len(s.open)-1].left == 0 {
			s.open = s.open[:len(s.open)-1]
		}
		if s.begun && len(s.open) == 0 {
			return true, ""
		}
		rest := b[s.pos:]
		it, reason := s.item(rest)
		if reason != "" {
			return false, reason
		}
		if whole && lenient && it.size > uint64(len(rest)) && len(rest) > 0 && mayBeShort(it.kind, rest[0]) {
			it.size = uint64(len(rest))
		}
		owed := max(0, s.owed-1) // this item is paid for
		switch {
		case it.size > uint64(max(0, limit-s.pos-owed)):
			return false, tooLong
		case it.size > uint64(len(rest)):
			return false, ""
		case it.kind == kindString && !validBytes(rest[it.head:it.size]):
			return false, ReasonUTF8
		case it.kind >= kindList && len(s.open) >= s.depth:
			return false, ReasonDepth
		case it.items > uint64(max(0, limit-s.pos-int(it.size)-owed)):
			return false, tooLong
		case int(it.count) > s.most-s.count:
			return false, ReasonCount
		}
		s.begun, s.owed = true, owed+int(it.items)
		s.pos += int(it.size)
		if len(s.open) > 0 {
			s.open[len(s.open)-1].left--
		}
		if it.kind >= kindList {
			s.open = append(s.open, level{it.kind, it.items})
			s.count += int(it.count)
		}
	}
}

// item is a key, a scalar value, or the head of a container.
type item struct {
	kind  kind
	head  int    // length of tag and length field
	size  uint64 // length with payload
	count uint32 // of a container: its elements
	items uint64 // of a container: its keys and values
}

// item looks at the item at the beginning of b. As long as b does not hold its head, that is its size.
func (s *skimmer) item(b []byte) (item, Reason) {
	if len(b) == 0 {
		return item{head: 1, size: 1}, ""
	}
	f, key := forms[b[0]], false
	if n := len(s.open); n > 0 {
		key = s.open[n-1].kind != kindList && s.open[n-1].left%2 == 0
		if key && s.open[n-1].kind == kindObject {
			return item{kind: kindString, head: 1, size: 1 + uint64(b[0])}, ""
		}
	}
	switch {
	case f.kind == kindUnknown:
		return item{}, ReasonUnknownTag
	case key && !f.kind.scalar():
		return item{}, ReasonKey
	}
	it := item{kind: f.kind, head: 1 + int(f.width)}
	it.size = uint64(it.head)
	if len(b) < it.head {
		return it, ""
	}
	n := uint32(f.n)
	if f.width > 0 {
		n = lengthField(b[1:], f.width)
	}
	switch f.kind {
	case kindList:
		it.count, it.items = n, uint64(n)
	case kindObject, kindMap:
		it.count, it.items = n, 2*uint64(n)
	default:
		it.size += uint64(n)
	}
	return it, ""
}
