package netem

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestRing compares random operations with those on a slice.
func TestRing(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var r ring
	var want []byte
	next := byte(0)
	for range 100_000 {
		n := 0
		if len(want) > 0 {
			n = random.IntN(len(want) + 1)
		}
		switch op := random.IntN(10); {
		case op < 4:
			p := make([]byte, random.IntN(300))
			for i := range p {
				p[i] = next
				next++
			}
			r.push(p)
			want = append(want, p...)
		case op < 8:
			got := make([]byte, n)
			r.pop(got)
			if !bytes.Equal(got, want[:n]) {
				t.Fatalf("popped %v, want %v", got, want[:n])
			}
			want = want[n:]
		case op < 9:
			r.discard(n)
			want = want[n:]
		default:
			r.truncate(n)
			want = want[:n]
		}
		got := make([]byte, len(want))
		r.peek(got)
		if r.n != len(want) || !bytes.Equal(got, want) {
			t.Fatalf("holds %d bytes %v, want %v", r.n, got, want)
		}
	}
}

// TestFlight shows that a queue that never runs empty stays small.
func TestFlight(t *testing.T) {
	t.Parallel()
	var f flight
	in, out := 0, 0
	for range 10 {
		in++
		f.push(item{n: in})
	}
	for range 100_000 {
		in++
		f.push(item{n: in})
		out++
		if got := f.first().n; got != out {
			t.Fatalf("item %d came, want %d", got, out)
		}
		f.pop()
	}
	if cap(f.items) > 100 {
		t.Errorf("room for %d items, 11 were needed", cap(f.items))
	}
	f.clear()
	if !f.empty() {
		t.Error("not empty after clear")
	}
}
