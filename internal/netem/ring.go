package netem

// ring is a queue of bytes that grows with its contents and never shrinks.
type ring struct {
	buf  []byte
	head int // index of the first byte
	n    int // number of bytes
}

// push appends p.
func (r *ring) push(p []byte) {
	if r.n+len(p) > len(r.buf) {
		grown := make([]byte, max(2*len(r.buf), r.n+len(p), 512))
		r.peek(grown[:r.n])
		r.buf, r.head = grown, 0
	}
	if len(p) == 0 {
		return
	}
	tail := (r.head + r.n) % len(r.buf)
	copied := copy(r.buf[tail:], p)
	copy(r.buf, p[copied:])
	r.n += len(p)
}

// pop moves the first len(p) bytes to p. There must be that many.
func (r *ring) pop(p []byte) {
	r.peek(p)
	r.discard(len(p))
}

// peek copies the first len(p) bytes to p. There must be that many.
func (r *ring) peek(p []byte) {
	if len(p) == 0 {
		return
	}
	copied := copy(p, r.buf[r.head:])
	copy(p[copied:], r.buf)
}

// discard removes the first n bytes. There must be that many.
func (r *ring) discard(n int) {
	r.n -= n
	if r.n == 0 {
		r.head = 0
		return
	}
	r.head = (r.head + n) % len(r.buf)
}

// truncate removes all but the first n bytes. There must be that many.
func (r *ring) truncate(n int) { r.n = n }
