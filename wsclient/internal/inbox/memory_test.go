package inbox_test

import (
	"runtime"
	"testing"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/inbox"
)

// The memory of a burst goes back once traffic is normal again.
func TestBurstMemoryIsReturned(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	q := inbox.New(inbox.Config{MaxBytes: 1 << 40}, func([10]int) int { return 80 })
	before := heap()
	const burst = 200_000
	for range burst {
		q.Put([10]int{})
	}
	if grown := heap() - before; grown < burst*80 {
		t.Fatalf("%d items need only %d bytes", burst, grown)
	}
	for range burst {
		if _, _, err := q.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		q.Put([10]int{})
		if _, _, err := q.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if now := heap(); now > before+1<<20 {
		t.Errorf("%d bytes are kept after the burst", now-before)
	}
	runtime.KeepAlive(q)
}
