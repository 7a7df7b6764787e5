package wsclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// record is a server that writes down what it gets.
type record struct {
	mu   sync.Mutex
	msgs []wsconn.Message
	ends []error // of connections
}

func (r *record) serve(c *wsconn.Conn) {
	for {
		typ, data, err := c.Read(nil)
		r.mu.Lock()
		if err == nil {
			r.msgs = append(r.msgs, wsconn.Message{Type: typ, Data: data})
		} else {
			r.ends = append(r.ends, err)
		}
		r.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// texts returns the messages so far.
func (r *record) texts() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := []string{}
	for _, m := range r.msgs {
		all = append(all, string(m.Data))
	}
	return all
}

func (r *record) closes() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ends)
}

func numbers(from, to int) []string {
	all := []string{}
	for i := from; i <= to; i++ {
		all = append(all, strconv.Itoa(i))
	}
	return all
}

// enqueue accepts numbered messages.
func enqueue(t *testing.T, m *wsclient.Manager, from, to int) []*wsclient.Receipt {
	t.Helper()
	var rs []*wsclient.Receipt
	for i := from; i <= to; i++ {
		r, err := m.Enqueue(t.Context(), text(strconv.Itoa(i)))
		if err != nil {
			t.Fatal(err)
		}
		rs = append(rs, r)
	}
	return rs
}

func text(s string) wsclient.Outgoing { return wsclient.Outgoing{Type: wsclient.Text, Data: []byte(s)} }

// inReceipt checks the state of a receipt.
func inReceipt(t *testing.T, r *wsclient.Receipt, state wsclient.ReceiptState, target error) {
	t.Helper()
	if got := r.State(); got != state {
		t.Errorf("receipt is %v, want %v", got, state)
	}
	if err := r.Err(); !errors.Is(err, target) || (err != nil && !errors.Is(err, wsclient.Err)) {
		t.Errorf("receipt has error %v, want %v", err, target)
	}
}

func diff(t *testing.T, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

var queued = wsclient.SendOptions{Mode: wsclient.SendQueued}

func TestSendNotConnected_QU13(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var r record
		w.serve(r.serve)
		m := w.manager(wsclient.Options{})
		err := m.Send(t.Context(), wsclient.Text, []byte("too early"))
		if e := want[*wsclient.ClosedError](t, err); e.Code != 1006 || e.Reason != "Not connected" {
			t.Errorf("%+v", e)
		}
		if _, err := m.Enqueue(t.Context(), text("no queue")); !errors.Is(err, wsclient.ErrConfig) {
			t.Errorf("enqueue without a queue: %v", err)
		}
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		diff(t, []string{}, r.texts())
	})
}

func TestEnqueueWhileDown_QU14(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var r record
		w.serve(r.serve)
		m := w.manager(wsclient.Options{Send: queued, Subscribe: wsclient.SubscribeOptions{
			Initial: []wsclient.Subscription{{Key: "a", Payload: "sub a"}, {Key: "b", Payload: "sub b"}},
		}})
		rs := enqueue(t, m, 1, 10)
		for i, p := range m.Pending() {
			if string(p.Data) != strconv.Itoa(i+1) || p.Number != uint64(i+1) || p.State != wsclient.ReceiptQueued {
				t.Errorf("pending %+v", p)
			}
		}
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, r := range rs {
			<-r.Done()
			inReceipt(t, r, wsclient.ReceiptWritten, nil)
		}
		synctest.Wait()
		diff(t, append([]string{"sub a", "sub b"}, numbers(1, 10)...), r.texts())
	})
}

func TestFullQueue_QU15(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		overflow         wsclient.Overflow
		want             []string
		dropped, refused uint64
	}{
		{wsclient.OverflowDefault, numbers(1, 3), 0, 2},
		{wsclient.Fail, numbers(1, 3), 0, 2},
		{wsclient.Block, numbers(1, 3), 0, 0},
		{wsclient.DropNewest, numbers(1, 3), 2, 0},
		{wsclient.DropOldest, numbers(3, 5), 2, 0},
	} {
		t.Run(tc.overflow.String(), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				var r record
				w.serve(r.serve)
				var lost []string
				m := w.manager(wsclient.Options{Send: wsclient.SendOptions{
					Mode: wsclient.SendQueued, MaxMessages: 3, Overflow: tc.overflow,
					OnLoss: func(l wsclient.Lost) { lost = append(lost, string(l.Data)) },
				}})
				enqueue(t, m, 1, 3)
				for i := 4; i <= 5; i++ {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					r, err := m.Enqueue(ctx, text(strconv.Itoa(i)))
					cancel()
					switch tc.overflow {
					case wsclient.OverflowDefault, wsclient.Fail:
						if e := want[*wsclient.QueueFullError](t, err); e.QueueSize != 3 || e.Direction != wsclient.Outbound {
							t.Errorf("%+v", e)
						}
					case wsclient.Block:
						if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, wsclient.Err) {
							t.Errorf("error %v", err)
						}
					case wsclient.DropNewest:
						inReceipt(t, r, wsclient.ReceiptDropped, wsclient.ErrQueueFull)
					case wsclient.DropOldest:
						inReceipt(t, r, wsclient.ReceiptQueued, nil)
					}
				}
				if err := m.Connect(t.Context()); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				diff(t, tc.want, r.texts())
				s := m.Stats()
				if s.OutboundDropped != tc.dropped || len(lost) != int(tc.dropped) || s.OutboundDepth != 0 {
					t.Errorf("%v lost: %+v", lost, s)
				}
			})
		})
	}
}

func TestExpiry_QU16(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var r record
		w.serve(r.serve)
		m := w.manager(wsclient.Options{Send: wsclient.SendOptions{Mode: wsclient.SendQueued, TTL: time.Second}})
		early := enqueue(t, m, 1, 2)
		time.Sleep(2 * time.Second)
		for _, r := range early {
			<-r.Done() // without a connection
			inReceipt(t, r, wsclient.ReceiptExpired, wsclient.ErrExpired)
		}
		enqueue(t, m, 3, 3)
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		diff(t, []string{"3"}, r.texts())
		if s := m.Stats(); s.Expired != 2 {
			t.Errorf("%+v", s)
		}
	})
}

func TestCancel_QU17(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var r record
		w.serve(r.serve)
		m := w.manager(wsclient.Options{Send: queued})
		rs := enqueue(t, m, 1, 3)
		if !rs[1].Cancel() {
			t.Error("a message that waits cannot be taken back")
		}
		inReceipt(t, rs[1], wsclient.ReceiptDropped, wsclient.ErrCanceled)
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if rs[0].Cancel() || rs[1].Cancel() {
			t.Error("taken back too late")
		}
		inReceipt(t, rs[0], wsclient.ReceiptWritten, nil)
		diff(t, []string{"1", "3"}, r.texts())
	})
}

func TestEveryLength_QU18(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]wsclient.SendMode{"direct": wsclient.SendDirect, "queued": wsclient.SendQueued} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				var r record
				w.serve(r.serve)
				m := w.connect(wsclient.Options{Send: wsclient.SendOptions{Mode: mode, Overflow: overflowOf(mode)}})
				var sent []wsconn.Message
				for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536, 1 << 20} {
					for _, typ := range []wsclient.MessageType{wsclient.Text, wsclient.Binary} {
						data := bytes.Repeat([]byte{'a' + byte(n%26)}, n)
						if err := m.Send(t.Context(), typ, data); err != nil {
							t.Fatal(err)
						}
						sent = append(sent, wsconn.Message{Type: typ, Data: data})
					}
				}
				synctest.Wait()
				if len(r.msgs) != len(sent) {
					t.Fatalf("%d messages, want %d", len(r.msgs), len(sent))
				}
				for i, got := range r.msgs {
					if got.Type != sent[i].Type || !bytes.Equal(got.Data, sent[i].Data) {
						t.Errorf("message %d: %v of %d bytes, want %v of %d", i, got.Type, len(got.Data), sent[i].Type, len(sent[i].Data))
					}
				}
			})
		})
	}
}

func overflowOf(mode wsclient.SendMode) wsclient.Overflow {
	if mode == wsclient.SendDirect {
		return wsclient.OverflowDefault
	}
	return wsclient.Block
}

func TestCallerReusesBuffer_QU19(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]wsclient.SendMode{"direct": wsclient.SendDirect, "queued": wsclient.SendQueued} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				var r record
				w.serve(r.serve)
				m := w.connect(wsclient.Options{Send: wsclient.SendOptions{Mode: mode, Overflow: overflowOf(mode)}})
				buf := make([]byte, 0, 10<<10)
				var sent []string
				for i := range 300 {
					buf = append(fmt.Append(buf[:0], i), strings.Repeat("x", i*31%8000)...)
					sent = append(sent, string(buf))
					if err := m.Send(t.Context(), wsclient.Text, buf); err != nil {
						t.Fatal(err)
					}
					for j := range buf {
						buf[j] = '!'
					}
				}
				synctest.Wait()
				diff(t, sent, r.texts())
			})
		})
	}
}

func TestBadMessages(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var r record
		w.serve(r.serve)
		m := w.connect(wsclient.Options{Send: wsclient.SendOptions{
			Mode: wsclient.SendQueued, MaxMessage: 10, MaxBytes: 20, MaxMessages: wsclient.Unlimited,
		}})
		for _, o := range []wsclient.Outgoing{{}, {Type: 9}, {Type: wsclient.Text, Data: []byte{0xff}}} {
			_, err := m.Enqueue(t.Context(), o)
			want[*wsclient.ConfigError](t, err)
			want[*wsclient.ConfigError](t, m.Send(t.Context(), o.Type, o.Data))
		}
		_, err := m.Enqueue(t.Context(), text("eleven byte"))
		if e := want[*wsclient.MessageTooBigError](t, err); e.Size != 11 || e.Limit != 10 || e.Direction != wsclient.Outbound {
			t.Errorf("%+v", e)
		}
		enqueue(t, m, 1, 1)
		synctest.Wait()
		diff(t, []string{"1"}, r.texts())
	})
}

// connectTo makes a manager of a server on the loopback device.
func connectTo(t *testing.T, url string, o wsclient.Options) *wsclient.Manager {
	t.Helper()
	o.Dial.Proxy = noProxy
	m, err := wsclient.New(url, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	if err := m.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

// A panic of OnLoss is recovered and counted, and the losses after it are told.
func TestOnLossPanics(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var told []string
		m := w.manager(wsclient.Options{Send: wsclient.SendOptions{
			Mode: wsclient.SendQueued, MaxMessages: 1, Overflow: wsclient.DropOldest,
			OnLoss: func(l wsclient.Lost) {
				told = append(told, string(l.Data))
				panic("no good")
			},
		}})
		enqueue(t, m, 1, 3)
		diff(t, []string{"1", "2"}, told)
		if p := m.Stats().CallbackPanics; p != 2 {
			t.Errorf("%d panics", p)
		}
	})
}
