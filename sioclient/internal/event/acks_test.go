package event_test

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// add makes an entry under the next id.
func add(a *event.Acks, f event.AckFunc) uint64 {
	id := a.Reserve()
	a.AddID(id, f)
	return id
}

func TestAckIDsBeginAtZero(t *testing.T) {
	t.Parallel()
	var a event.Acks
	for want := range uint64(3) {
		if id := a.Reserve(); id != want {
			t.Errorf("Reserve = %d, want %d", id, want)
		}
	}
}

func TestEveryAckEndsExactlyOnce(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	var a event.Acks
	ends := make([][]error, 4)
	for i := range ends {
		add(&a, func(_ packet.Args, err error) { ends[i] = append(ends[i], err) })
	}
	if !a.Resolve(0, packet.Args{}) || a.Resolve(0, packet.Args{}) || a.Fail(0, gone) {
		t.Error("an entry did not end exactly once")
	}
	if !a.Fail(1, gone) || !a.Remove(2) || a.Remove(2) {
		t.Error("Fail or Remove did not find its entry exactly once")
	}
	fail := a.Detach(func(id uint64) bool { return id == 3 })
	later := add(&a, func(packet.Args, error) {})
	fail(gone)
	if !a.Remove(later) {
		t.Error("an entry that came after Detach went with the others")
	}
	a.Detach(nil)(gone)
	if d := cmp.Diff([][]error{{nil}, {gone}, nil, {gone}}, ends, cmp.Comparer(func(a, b error) bool { return a == b })); d != "" {
		t.Errorf("ends (-want +got):\n%s", d)
	}
	if a.Len() != 0 {
		t.Errorf("Len = %d, want 0", a.Len())
	}
}

func TestAckIDsOfTheCaller(t *testing.T) {
	t.Parallel()
	var a event.Acks
	if !a.AddID(math.MaxUint64, func(packet.Args, error) {}) || a.AddID(math.MaxUint64, func(packet.Args, error) {}) {
		t.Error("AddID takes an id exactly once")
	}
	if !a.Resolve(math.MaxUint64, packet.Args{}) {
		t.Error("the largest id was not found")
	}
}

func TestClosedAcksEndAtOnce(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	var a event.Acks
	var got []error
	note := func(_ packet.Args, err error) { got = append(got, err) }
	add(&a, note)
	a.Close(gone)
	a.Close(errors.New("another"))
	if a.AddID(7, note) {
		t.Error("a closed table took an entry")
	}
	if len(got) != 2 || got[0] != gone || got[1] != gone {
		t.Errorf("ends = %v, want twice the first error", got)
	}
}

func TestAcksFromManyGoroutines(t *testing.T) {
	t.Parallel()
	var a event.Acks
	var wg sync.WaitGroup
	var ends, seen atomic.Int64
	for range 8 {
		wg.Go(func() {
			for range 500 {
				id := add(&a, func(packet.Args, error) { ends.Add(1) })
				seen.Add(int64(id))
				wg.Go(func() { a.Fail(id, errors.New("x")) })
				a.Resolve(id, packet.Args{})
			}
		})
	}
	wg.Wait()
	if ends.Load() != 4000 {
		t.Errorf("%d ends, want 4000", ends.Load())
	}
	if want := int64(4000 * 3999 / 2); seen.Load() != want {
		t.Errorf("sum of ids = %d, want %d: ids are not unique", seen.Load(), want)
	}
}
