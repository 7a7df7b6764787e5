package ngtt_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// reports collects what OnError is told.
type reports chan error

func (r reports) add(err error) { r <- err }

// An order that cannot be decoded is refused and reported, and the link stays.
func TestPoisonOrderIsRejectedAndTheLinkStays(t *testing.T) {
	for name, poison := range map[string][]byte{
		"no MiniJSON":    ngtttest.Poison,
		"empty":          nil,
		"no list":        {0x50},
		"truncated list": {0x42, 0x08},
		"trailing bytes": {0x40, 0x08},
		"text":           {0x81, 'x'},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, ngtttest.Options{})
				done, reported := newExecuted(), make(reports, 10)
				b.client(ngtt.Options{Handler: done.ackAll(t), OnError: reported.add})
				b.hub.Enqueue(device, poison, body("W1"))
				b.wait(func(c ngtttest.Counts) bool { return c.Rejected == 1 && c.Confirmed == 1 })
				if n := b.hub.Counts(device); n.Connections != 1 || n.Delivered != 2 {
					t.Errorf("%+v", n)
				}
				err := <-reported
				invalid, ok := errors.AsType[*ngtt.InvalidFrameError](err)
				if !ok || invalid.Type != uint16(wire.TypeOrder) || invalid.Length != int64(len(poison)) || len(reported) != 0 {
					t.Errorf("%#v", err)
				}
			})
		})
	}
}

func TestPoisonOrderDropsTheConnectionOnDemand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		c := b.client(ngtt.Options{Handler: ignore, DropOnPoison: true})
		b.hub.Enqueue(device, ngtttest.Poison)
		status := c.states.await(t, ngtt.StateDisconnected, 1)
		wantFailure(t, status.Err, ngtt.ReasonProtocol, false)
		if !errors.Is(status.Err, ngtt.ErrInvalidFrame) {
			t.Errorf("%v", status.Err)
		}
	})
}

// A list without sections has nothing to be executed and is confirmed at once, whatever the form of its length.
func TestZeroSectionsAreConfirmedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		b.client(ngtt.Options{Handler: func(context.Context, *ngtt.Order) { t.Error("executed") }})
		b.hub.Enqueue(device, []byte{0x40}, []byte{0x07, 0}, []byte{0x0f, 0, 0}, []byte{0x10, 0, 0, 0, 0})
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 4 })
	})
}

func TestSectionsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		orders, handler := held()
		b.client(ngtt.Options{Handler: handler})
		long := append([]byte{0x0f, 1, 0}, make([]byte, 0, 512)...)
		for range 256 {
			long = append(long, 0x50)
		}
		b.hub.Enqueue(device, []byte{0x42, 0x50, 0x50}, []byte{0x07, 1, 0x50}, long)
		for _, want := range []int{2, 1, 256} {
			if o := <-orders; o.Sections != want {
				t.Errorf("%d sections, want %d", o.Sections, want)
			}
		}
	})
}

// Frames that no hub sends are skipped and shown, and the stream stays in step.
func TestUnknownAndWrongDirectionFramesAreSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		done := newExecuted()
		seen := make(chan wire.Type, 20)
		c := b.client(ngtt.Options{
			Handler: done.ackAll(t), OnUnknownFrame: func(f wire.Frame) { seen <- f.Type },
		})
		unknown := []wire.Type{
			wire.TypeOrderConfirm, wire.TypeLogs, wire.TypeDataStream, wire.TypeDataStreamConfirm,
			wire.TypeDataStreamReject, wire.TypeSyncBAOBRequest, wire.TypeSyncBAOBResponse, wire.TypeOrderReject,
			wire.TypeFetchOrders, 11, 0xffff,
		}
		for _, typ := range unknown {
			if err := b.conn().Send(wire.Frame{Type: typ, TID: 9, Body: []byte("some body")}); err != nil {
				t.Fatal(err)
			}
		}
		b.hub.Enqueue(device, body("W1"))
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 1 })
		for _, want := range unknown {
			if got := <-seen; got != want {
				t.Errorf("saw %v, want %v", got, want)
			}
		}
		if s := c.Stats(); s.UnknownFrames != int64(len(unknown)) || s.Connections != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestStrict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		c := b.client(ngtt.Options{Handler: ignore, Strict: true})
		_ = b.conn().Send(wire.Frame{Type: 11, TID: 3, Body: []byte("x")})
		status := c.states.await(t, ngtt.StateDisconnected, 1)
		wantFailure(t, status.Err, ngtt.ReasonProtocol, false)
		if invalid, ok := errors.AsType[*ngtt.InvalidFrameError](status.Err); !ok || invalid.Type != 11 || invalid.TID != 3 {
			t.Errorf("%v", status.Err)
		}
		c.states.await(t, ngtt.StateConnected, 2)
	})
}

// What breaks the stream ends the connection with a type that says so, and the next connection works.
func TestBrokenStreams(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil  func(*ngtttest.Conn)
		reason ngtt.Reason
		class  error
	}{
		"body above the limit": {func(c *ngtttest.Conn) {
			c.SendRaw(wire.AppendHeader(nil, wire.Header{Length: 16<<20 + 1, Type: wire.TypeOrder}))
		}, ngtt.ReasonProtocol, ngtt.ErrInvalidFrame},
		"length beyond reason": {func(c *ngtttest.Conn) {
			c.SendRaw([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
		}, ngtt.ReasonProtocol, ngtt.ErrInvalidFrame},
		"garbage":         {func(c *ngtttest.Conn) { c.SendRaw([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }, ngtt.ReasonProtocol, ngtt.ErrInvalidFrame},
		"half-closed":     {func(c *ngtttest.Conn) { c.CloseWrite() }, ngtt.ReasonPeerClosed, errkit.Disconnected},
		"cut":             {func(c *ngtttest.Conn) { c.Cut() }, ngtt.ReasonPeerClosed, errkit.Disconnected},
		"cut in a header": {func(c *ngtttest.Conn) { c.SendRaw([]byte{0, 0, 0}); c.CloseWrite() }, ngtt.ReasonPeerClosed, errkit.Disconnected},
		"cut in a body":   {func(c *ngtttest.Conn) { c.SendRaw([]byte{0, 0, 0, 9, 0, 1, 0, 1, 40}); c.CloseWrite() }, ngtt.ReasonPeerClosed, errkit.Disconnected},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, ngtttest.Options{})
				done := newExecuted()
				c := b.client(ngtt.Options{Handler: done.ackAll(t)})
				tc.spoil(b.conn())
				status := c.states.await(t, ngtt.StateDisconnected, 1)
				wantFailure(t, status.Err, tc.reason, false)
				if !errors.Is(status.Err, tc.class) {
					t.Errorf("%v is no %v", status.Err, tc.class)
				}
				b.hub.Enqueue(device, body("W1"))
				b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 1 })
			})
		})
	}
}

// The network ends in any way and the client comes back.
func TestCuts(t *testing.T) {
	for _, mode := range []netem.CutMode{netem.FIN, netem.RST, netem.Silence, netem.Swallow} {
		t.Run(mode.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, ngtttest.Options{})
				done := newExecuted()
				c := b.client(ngtt.Options{Handler: done.ackAll(t)})
				c.states.await(t, ngtt.StateConnected, 1)
				b.network.Cut(mode)
				b.hub.Enqueue(device, body("W1"))
				b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 1 })
				if done.get("W1") != 1 {
					t.Error("executed more than once")
				}
			})
		})
	}
}

// The hub's bytes come one by one, each in a record of its own, or a hundred frames in one write.
func TestSplitAndCoalescedOrders(t *testing.T) {
	for name, faults := range map[string]ngtttest.Faults{"split at every byte": {Chunk: 1}, "coalesced": {}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, ngtttest.Options{Prefetch: 100})
				b.hub.SetFaults(faults)
				done := newExecuted()
				b.client(ngtt.Options{Handler: done.ackAll(t)})
				b.hub.Enqueue(device, bodies(0, 100)...)
				b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 100 })
				if got := len(done.paths()); got != 100 {
					t.Errorf("%d executions", got)
				}
			})
		})
	}
}

// A slow handler stops the reading, not the pings; and the hub's silence while nobody reads is not held against it.
func TestBackPressureKeepsTheLinkAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{Prefetch: 100})
		var running atomic.Int32
		c := b.client(ngtt.Options{QueueOrders: 5, Handler: func(ctx context.Context, o *ngtt.Order) {
			if running.Add(1) != 1 {
				t.Error("two orders at a time")
			}
			time.Sleep(time.Minute)
			running.Add(-1)
			_ = o.Ack(ctx)
		}})
		b.hub.Enqueue(device, bodies(0, 50)...)
		time.Sleep(30 * time.Second)
		if s := c.Stats(); s.QueuedOrders != 5 || s.OrdersReceived > 7 {
			t.Errorf("%+v", s)
		}
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 50 })
		if n := b.hub.Counts(device); n.Connections != 1 {
			t.Errorf("%+v", n)
		}
	})
}

// A handler may wait for what only the next frame brings.
func TestHandlerUsesTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		var c *running
		started := make(chan struct{})
		c = b.client(ngtt.Options{Handler: func(ctx context.Context, o *ngtt.Order) {
			<-started
			if err := c.SyncPathpoints(ctx, nil); err != nil {
				t.Error(err)
			}
			_ = o.Ack(ctx)
		}})
		close(started)
		b.hub.Enqueue(device, bodies(0, 20)...)
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 20 })
	})
}

// The queue is bounded in bytes too, but one order always fits.
func TestQueueBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		orders := make(chan *ngtt.Order)
		c := b.client(ngtt.Options{QueueBytes: 10, Handler: func(_ context.Context, o *ngtt.Order) { orders <- o }})
		b.hub.Enqueue(device, bodies(0, 4)...)
		time.Sleep(time.Second)
		if s := c.Stats(); s.QueuedOrders != 1 {
			t.Errorf("%+v", s)
		}
		for range 4 {
			_ = (<-orders).Ack(t.Context())
		}
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 4 })
	})
}

func TestHandlerPanicIsReportedAndTheOrderRefused(t *testing.T) {
	for name, value := range map[string]any{"text": "boom", "error": errDisk} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, ngtttest.Options{})
				reported := make(reports, 10)
				b.client(ngtt.Options{OnError: reported.add, Handler: func(ctx context.Context, o *ngtt.Order) {
					if pathOf(t, o) == "W0" {
						panic(value)
					}
					_ = o.Ack(ctx)
				}})
				b.hub.Enqueue(device, bodies(0, 2)...)
				b.wait(func(c ngtttest.Counts) bool { return c.Rejected == 1 && c.Confirmed == 1 })
				err := <-reported
				if !errors.Is(err, ngtt.ErrPanic) || !errors.Is(err, errkit.Internal) {
					t.Errorf("%v", err)
				}
				if cause, ok := value.(error); ok && !errors.Is(err, cause) {
					t.Errorf("%v has lost its cause", err)
				}
			})
		})
	}
}

// A hub that reads slowly and answers late gets everything in the end, without a ping being missed.
func TestSlowHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{Prefetch: 100})
		b.hub.SetFaults(ngtttest.Faults{ReadPause: 100 * time.Millisecond, PongDelay: 5 * time.Second})
		done := newExecuted()
		b.client(ngtt.Options{Handler: done.ackAll(t)})
		b.hub.Enqueue(device, bodies(0, 500)...)
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 500 })
		if n := b.hub.Counts(device); n.Connections != 1 || len(done.paths()) != 500 {
			t.Errorf("%+v", n)
		}
	})
}
