package outbox_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/outbox"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// A call that waits for room gets it in the moment in which the box is sealed: either it was in time, and Empty waits
// for its message, or it is turned down.
func TestSealAgainstWaitForRoom(t *testing.T) {
	t.Parallel()
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			b := outbox.New(outbox.Config{MaxMessages: 1, Policy: outbox.Block})
			first := put(t, b, 1, 1)[0]
			result := make(chan error, 1)
			go func() { result <- b.Put(context.Background(), wsconn.Text, []byte("2"), nil) }()
			synctest.Wait()
			first.Cancel()
			b.Seal()
			err := <-result
			if err != nil && !errors.Is(err, wserr.ErrShuttingDown) {
				t.Fatal(err)
			}
			select {
			case <-b.Empty():
				if err == nil {
					t.Fatal("a message was accepted after the box was empty")
				}
			default:
				if err != nil {
					t.Fatal("the box is not empty")
				}
			}
			b.Close(errEnd)
		})
	}
}

// stuck is a spool whose Append waits for pass, and does not care for the context unless full is set.
type stuck struct {
	*faulty
	pass chan struct{}
	wait atomic.Bool // for room, as a spool that is full and blocks does
}

func (s *stuck) Append(ctx context.Context, e spool.Entry) (uint64, error) {
	if s.wait.Load() {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	<-s.pass
	return s.faulty.Append(context.WithoutCancel(ctx), e)
}

func TestSpoolStoresWhileTheBoxEnds(t *testing.T) {
	t.Parallel()
	appending := func(t *testing.T) (b *outbox.Box, s *stuck, r *outbox.Receipt, stored func()) {
		s = &stuck{faulty: openSpool(t, t.TempDir(), nil), pass: make(chan struct{})}
		b, r = outbox.New(outbox.Config{Spool: s}), new(outbox.Receipt)
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := b.Put(context.Background(), wsconn.Text, []byte("x"), r); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		return b, s, r, func() { close(s.pass); wg.Wait() }
	}
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b, s, r, stored := appending(t)
			b.Close(errEnd)
			stored()
			<-r.Done()
			equal(t, outbox.Queued, r.State())
			if !errors.Is(r.Err(), errEnd) {
				t.Errorf("got %v", r.Err())
			}
			equal(t, int64(1), s.Stats().Records)
			identity(t, b)
		})
	})
	t.Run("sealed", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b, _, r, stored := appending(t)
			b.Seal()
			select {
			case <-b.Empty():
				t.Error("empty while a message is on its way to the disk")
			default:
			}
			stored()
			b.Up(1)
			equal(t, []string{"x"}, next(t, b))
			b.Sent(1)
			<-b.Empty()
			equal(t, outbox.Written, r.State())
		})
	})
	t.Run("sealed and failed", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &stuck{faulty: openSpool(t, t.TempDir(), nil)}
			s.wait.Store(true)
			b := outbox.New(outbox.Config{Spool: s})
			result := make(chan error, 1)
			go func() { result <- b.Put(context.Background(), wsconn.Text, []byte("x"), nil) }()
			synctest.Wait()
			b.Seal()
			if err := <-result; !errors.Is(err, wserr.ErrShuttingDown) {
				t.Errorf("got %v", err)
			}
			<-b.Empty()
		})
	})
}

// The disk works again but is full, and its spool lets callers wait: Close does not.
func TestCloseDoesNotWaitForRoomOnTheDisk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &stuck{faulty: openSpool(t, t.TempDir(), nil), pass: make(chan struct{})}
		close(s.pass)
		s.full.Store(true)
		b := outbox.New(outbox.Config{Spool: s, Fallback: true})
		rs := put(t, b, 1, 3)
		s.wait.Store(true)
		b.Close(errEnd)
		for _, r := range rs {
			<-r.Done()
			equal(t, outbox.Queued, r.State())
		}
		equal(t, 3, len(b.Drain()))
		identity(t, b)
	})
}

// When all that there is cannot be sent, there is room, and the box is empty.
func TestGivenUpMessagesMakeRoom(t *testing.T) {
	t.Parallel()
	refuse := func(outbox.Message) string { panic("no id") }
	for name, cfg := range map[string]outbox.Config{
		"Wrap": {Wrap: func([]byte, outbox.Message) []byte { panic("no place for it") }},
		"ID":   {Ack: &outbox.Ack{Window: 8, ID: refuse}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg.MaxMessages, cfg.Policy = 1, outbox.Block
				b := outbox.New(cfg)
				stop := make(chan struct{})
				var wg sync.WaitGroup
				b.Up(1)
				wg.Go(func() { serve(b, stop) })
				for _, r := range put(t, b, 1, 5) {
					<-r.Done()
					equal(t, outbox.Dropped, r.State())
					if !errors.Is(r.Err(), wserr.ErrConfig) {
						t.Errorf("got %v", r.Err())
					}
				}
				b.Seal()
				<-b.Empty()
				close(stop)
				wg.Wait()
				equal(t, uint64(5), b.Stats().Quarantined)
				identity(t, b)
			})
		})
	}
}
