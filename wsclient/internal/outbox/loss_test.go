package outbox_test

import (
	"sync/atomic"
	"testing"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/outbox"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// While OnLoss does not return, losses wait for it, but not without bound: the others are counted.
func TestSlowOnLoss(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		maxBytes int64
		most     uint64 // losses that may be told of
	}{
		{"many", 0, 1 + 1024 + 2*2},
		{"large", 8, 1 + 16},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var told atomic.Uint64
			pass, inside := make(chan struct{}), make(chan struct{})
			b := outbox.New(outbox.Config{
				MaxMessages: 1, MaxBytes: c.maxBytes, Policy: outbox.DropOldest,
				OnLoss: func(outbox.Loss) {
					if told.Add(1) == 1 {
						close(inside)
						<-pass
					}
				},
			})
			done := make(chan struct{})
			go func() {
				defer close(done)
				for range 2 { // the second one takes the place of the first
					if err := b.Put(t.Context(), wsconn.Text, []byte("0"), nil); err != nil {
						t.Error(err)
					}
				}
			}()
			<-inside
			put(t, b, 1, 5000)
			close(pass)
			<-done
			s := b.Stats()
			if s.Untold == 0 || told.Load() > c.most || told.Load()+s.Untold != s.Dropped {
				t.Errorf("told of %d and not of %d, of %d", told.Load(), s.Untold, s.Dropped)
			}
			b.Close(errEnd)
		})
	}
}
