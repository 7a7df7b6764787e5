package ngtt_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// Shutdown waits for the handler and for orders that are answered elsewhere, sends what is queued over a slow network,
// and knows in the end that the hub has read it.
func TestShutdownFlushesAcks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{Prefetch: 50})
		b.network.Latency(netem.Both, 300*time.Millisecond)
		journal := ngtt.NewMemoryJournal()
		orders, handler := held()
		c := b.client(ngtt.Options{Handler: handler, Journal: journal})
		b.hub.Enqueue(device, bodies(0, 50)...)
		for range 49 {
			_ = (<-orders).Ack(t.Context())
		}
		last := <-orders
		shut := make(chan error, 1)
		go func() { shut <- c.Shutdown(context.Background()) }()
		time.Sleep(time.Minute)
		b.hub.Enqueue(device, body("too late"))
		select {
		case err := <-shut:
			t.Fatalf("did not wait for the last order: %v", err)
		default:
		}
		if err := last.Ack(t.Context()); err != nil {
			t.Error(err)
		}
		if err := errors.Join(<-shut, <-c.result); err != nil {
			t.Error(err)
		}
		if n := b.hub.Counts(device); n.Confirmed != 50 {
			t.Errorf("%+v", n)
		}
		if journal.Len() != 0 {
			t.Errorf("%d orders without a proof", journal.Len())
		}
		if s := c.Stats(); s.State != ngtt.StateIdle || s.Executed != 50 {
			t.Errorf("%+v", s)
		}
	})
}

// A second Shutdown waits for the first one; when its own time is up, it ends both.
func TestShutdownTwice(t *testing.T) {
	for name, patient := range map[string]bool{"patient": true, "impatient": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, ngtttest.Options{})
				orders, handler := held()
				c := b.client(ngtt.Options{Handler: handler})
				b.hub.Enqueue(device, body("W1"))
				order := <-orders
				first, second := make(chan error, 1), make(chan error, 1)
				go func() { first <- c.Shutdown(t.Context()) }()
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if patient {
					ctx = t.Context()
				}
				go func() { second <- c.Shutdown(ctx) }()
				time.Sleep(2 * time.Minute)
				if !patient {
					if err := <-second; !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%v", err)
					}
					if err := <-c.result; err != nil {
						t.Errorf("Run: %v", err)
					}
					if err := <-first; !errors.Is(err, ngtt.ErrClosed) {
						t.Errorf("the first call: %v", err)
					}
					return
				}
				if err := order.Ack(t.Context()); err != nil {
					t.Error(err)
				}
				if err := errors.Join(<-first, <-second); err != nil {
					t.Error(err)
				}
				if n := b.hub.Counts(device); n.Confirmed != 1 {
					t.Errorf("%+v", n)
				}
			})
		})
	}
}

// What still waits for the handler stays with the hub.
func TestShutdownLeavesTheQueueToTheHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		release := make(chan struct{})
		done := newExecuted()
		c := b.client(ngtt.Options{Handler: func(ctx context.Context, o *ngtt.Order) {
			<-release
			done.add(pathOf(t, o))
			_ = o.Ack(ctx)
		}})
		b.hub.Enqueue(device, bodies(0, 5)...)
		synctest.Wait()
		go func() {
			time.Sleep(time.Second)
			close(release)
		}()
		if err := c.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if n := b.hub.Counts(device); n.Confirmed != 1 || n.Waiting != 4 || len(done.paths()) != 1 {
			t.Errorf("%+v, executed %v", n, done.paths())
		}
	})
}

// A Shutdown that has no more time says so and leaves nothing behind.
func TestShutdownWithoutTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		orders, handler := held()
		c := b.client(ngtt.Options{Handler: handler})
		b.hub.Enqueue(device, body("W1"))
		order := <-orders
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := c.Shutdown(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ngtt.Err) {
			t.Errorf("%v", err)
		}
		if err := <-c.result; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := order.Ack(t.Context()); !errors.Is(err, ngtt.ErrClosed) {
			t.Errorf("Ack after Close: %v", err)
		}
	})
}

// A hub that no longer answers holds up a Shutdown for a few seconds, not for ever.
func TestShutdownOfADeadLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		orders, handler := held()
		c := b.client(ngtt.Options{Handler: handler})
		b.hub.Enqueue(device, body("W1"))
		order := <-orders
		b.network.HalfOpen()
		_ = order.Ack(t.Context())
		began := time.Now()
		if err := c.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if after := time.Since(began); after > 10*time.Second {
			t.Errorf("took %v", after)
		}
	})
}

func TestAfterCloseEverythingIsErrClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		c := b.client(ngtt.Options{Handler: ignore})
		c.states.await(t, ngtt.StateConnected, 1)
		for range 2 {
			if err := errors.Join(c.Close(), c.Shutdown(t.Context())); err != nil {
				t.Error(err)
			}
		}
		if err := <-c.result; err != nil {
			t.Errorf("Run: %v", err)
		}
		for name, err := range map[string]error{
			"Run":            c.Run(t.Context()),
			"StreamLogs":     c.StreamLogs(t.Context(), nil),
			"SyncPathpoints": c.SyncPathpoints(t.Context(), nil),
		} {
			if !errors.Is(err, ngtt.ErrClosed) || !errors.Is(err, errkit.Closed) || !errors.Is(err, errkit.NotSent) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	for name, hang := range map[string]bool{"connected": false, "dialling": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, ngtttest.Options{})
				if hang {
					b.network.Blackhole("")
				}
				client, err := ngtt.New(b.cred, &ngtt.Options{
					Addr: "hub.test", RootCAs: b.hub.RootCAs(), DialContext: b.network.DialContext, Handler: ignore,
				})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				result := make(chan error, 1)
				go func() { result <- client.Run(ctx) }()
				synctest.Wait()
				if err := client.Run(ctx); !errors.Is(err, ngtt.ErrConfiguration) {
					t.Errorf("the second Run: %v", err)
				}
				cancel()
				if err := <-result; !errors.Is(err, context.Canceled) || !errors.Is(err, ngtt.Err) || !errors.Is(err, errkit.Canceled) {
					t.Errorf("%v", err)
				}
				if err := client.Run(t.Context()); !errors.Is(err, ngtt.ErrClosed) {
					t.Errorf("Run again: %v", err)
				}
			})
		})
	}
}

func TestCloseWithoutRun(t *testing.T) {
	b := newBench(t, ngtttest.Options{})
	client, err := ngtt.New(b.cred, &ngtt.Options{Addr: "hub.test", RootCAs: b.hub.RootCAs()})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(client.Shutdown(t.Context()), client.Close()); err != nil {
		t.Error(err)
	}
}

func TestUploads(t *testing.T) {
	for name, tc := range map[string]struct {
		reply wire.Type
		class error
	}{
		"taken":    {wire.TypeDataStreamConfirm, nil},
		"declined": {wire.TypeDataStreamReject, ngtt.ErrDataStreamSyncFailed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, ngtttest.Options{DataStreamReply: tc.reply})
				c := b.client(ngtt.Options{})
				c.states.await(t, ngtt.StateConnected, 1)
				for want := range uint16(3) {
					err := c.SyncPathpoints(t.Context(), map[string]any{"W1": 5})
					if (err != nil) != (tc.class != nil) || tc.class != nil && !errors.Is(err, tc.class) {
						t.Errorf("%v", err)
					}
					if failed, ok := errors.AsType[*ngtt.DataStreamSyncFailedError](err); ok && failed.TID != want+1 {
						t.Errorf("tid %d", failed.TID)
					}
				}
				if err := c.StreamLogs(t.Context(), []string{"one"}); err != nil {
					t.Error(err)
				}
				synctest.Wait()
				uploads := b.hub.Uploads(device)
				if len(uploads) != 4 || uploads[3].Type != wire.TypeLogs || uploads[3].TID != 0 {
					t.Fatalf("%+v", uploads)
				}
				if got := string(uploads[3].Body); got != "\x41\x83one" {
					t.Errorf("logs %q", got)
				}
			})
		})
	}
}

func TestUploadsThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{DataStreamReply: 99})
		b.network.Refuse("")
		c := b.client(ngtt.Options{MaxBody: 1000})
		c.states.await(t, ngtt.StateDisconnected, 1)
		for _, err := range []error{c.SyncPathpoints(t.Context(), nil), c.StreamLogs(t.Context(), nil)} {
			wantFailure(t, err, ngtt.ReasonNotConnected, true)
			if !errors.Is(err, ngtt.ErrNotConnected) || !errors.Is(err, errkit.NotSent) {
				t.Errorf("%v", err)
			}
		}
		b.network.Allow("")
		c.states.await(t, ngtt.StateConnected, 1)

		if err := c.SyncPathpoints(t.Context(), func() {}); !errors.Is(err, ngtt.Err) || !errors.Is(err, errkit.Invalid) {
			t.Errorf("what cannot be encoded: %v", err)
		}
		if err := c.StreamLogs(t.Context(), make([]byte, 1000)); !errors.Is(err, ngtt.ErrInvalidFrame) ||
			!errors.Is(err, errkit.TooLarge) || !errors.Is(err, errkit.NotSent) {
			t.Errorf("a body above the limit: %v", err)
		}
		synctest.Wait()
		if got := len(b.hub.Uploads(device)); got != 0 {
			t.Errorf("%d uploads were sent", got)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.SyncPathpoints(ctx, nil); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errkit.NotSent) {
			t.Errorf("without an answer: %v", err)
		}
		pending := make(chan error, 1)
		go func() { pending <- c.SyncPathpoints(t.Context(), nil) }()
		synctest.Wait()
		b.conn().Cut()
		err := <-pending
		wantFailure(t, err, ngtt.ReasonPeerClosed, false)
		c.states.await(t, ngtt.StateConnected, 2)
		go func() { pending <- c.SyncPathpoints(t.Context(), nil) }()
		synctest.Wait()
		_ = c.Close()
		err = <-pending
		wantFailure(t, err, ngtt.ReasonClosing, false)
		if !errors.Is(err, errkit.Closed) {
			t.Errorf("%v", err)
		}
	})
}

// An order that was left does not hold up Shutdown. It has the same ID when the next client gets it, which executes it.
func TestLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		journal := ngtt.NewMemoryJournal()
		orders, handler := held()
		c := b.client(ngtt.Options{Handler: handler, Journal: journal})
		b.hub.Enqueue(device, body("W1"), body("W2"))
		done, left := <-orders, <-orders
		if err := done.Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
		left.Leave()
		if err := left.Ack(t.Context()); err != nil {
			t.Errorf("after Leave: %v", err)
		}
		if err := errors.Join(c.Shutdown(t.Context()), <-c.result); err != nil {
			t.Fatal(err)
		}
		if n := b.hub.Counts(device); n.Confirmed != 1 {
			t.Errorf("%+v", n)
		}
		b.client(ngtt.Options{Handler: handler, Journal: journal})
		again := <-orders
		if !again.Redelivered || again.ID != left.ID || again.ID == done.ID || pathOf(t, again) != "W2" {
			t.Errorf("%+v after %+v", again, left)
		}
		if err := again.Ack(t.Context()); err != nil {
			t.Error(err)
		}
		b.wait(func(n ngtttest.Counts) bool { return n.Confirmed == 2 })
	})
}
