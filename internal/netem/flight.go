package netem

import "time"

// payload is what an item carries across the wire.
type payload uint8

const (
	data payload = iota
	fin
	rst
)

// item is one thing on the wire.
type item struct {
	what payload
	n    int       // bytes, for data
	due  time.Time // when it arrives; zero is at once
}

// flight is the queue of things on the wire, in the order in which they arrive.
type flight struct {
	items []item
	head  int
}

func (f *flight) empty() bool { return f.head == len(f.items) }

// first returns the next item to arrive. There must be one.
func (f *flight) first() *item { return &f.items[f.head] }

func (f *flight) push(it item) {
	// Items before head are free. Moving the others down when they are the smaller half keeps both cost and size small.
	if f.head > 0 && 2*f.head >= len(f.items) {
		n := copy(f.items, f.items[f.head:])
		f.items, f.head = f.items[:n], 0
	}
	f.items = append(f.items, it)
}

func (f *flight) pop() { f.head++ }

func (f *flight) clear() { f.items, f.head = f.items[:0], 0 }
