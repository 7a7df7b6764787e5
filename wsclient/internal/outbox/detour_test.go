package outbox_test

import (
	"sync"
	"testing"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/outbox"
)

// A message that the disk did not take gets its number when it goes out, while somebody may ask for it.
func TestNumberOfDetour(t *testing.T) {
	t.Parallel()
	s := openSpool(t, t.TempDir(), nil)
	s.full.Store(true)
	b := outbox.New(outbox.Config{Spool: s, Fallback: true})
	r := put(t, b, 1, 1)[0]
	equal(t, uint64(0), r.Number())
	var wg sync.WaitGroup
	wg.Go(func() {
		for r.Number() == 0 {
		}
	})
	b.Up(1)
	equal(t, []string{"1"}, next(t, b))
	wg.Wait()
	b.Sent(1)
}
