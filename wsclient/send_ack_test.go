package wsclient_test

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// acking is the handler of a server that writes down what comes and answers as reply says: with nothing, with a message,
// or by closing the connection with a code.
func (r *record) acking(reply func(conn int, number, text string) any) func(*wsconn.Conn) {
	conns := 0
	return func(c *wsconn.Conn) {
		r.mu.Lock()
		conns++
		conn := conns
		r.mu.Unlock()
		for {
			typ, data, err := c.Read(nil)
			if err != nil {
				return
			}
			r.mu.Lock()
			r.msgs = append(r.msgs, wsconn.Message{Type: typ, Data: data})
			r.mu.Unlock()
			number, text, _ := strings.Cut(string(data), "|")
			switch answer := reply(conn, number, text).(type) {
			case string:
				if c.Write(wsconn.Text, []byte(answer)) != nil {
					return
				}
			case int:
				_ = c.Close(answer, "cannot bear this") // the client has closed then, too
				return
			}
		}
	}
}

func atLeastOnce(change func(*wsclient.AckOptions)) wsclient.SendOptions {
	ack := numbered()
	if change != nil {
		change(ack)
	}
	return wsclient.SendOptions{Mode: wsclient.SendAtLeastOnce, Ack: ack}
}

// fast connects again without delay.
var fast = wsclient.ReconnectOptions{Strategy: wsclient.Immediate}

func TestAcknowledgements_QU27(t *testing.T) {
	t.Parallel()
	t.Run("timeout", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			var r record
			times := 0
			w.serve(r.acking(func(_ int, number, text string) any {
				if text == "2" {
					if times++; times == 1 {
						return nil
					}
				}
				return "ack " + number
			}))
			m := w.connect(wsclient.Options{Send: atLeastOnce(func(a *wsclient.AckOptions) { a.Timeout = time.Second })})
			rs := enqueue(t, m, 1, 3)
			synctest.Wait()
			inReceipt(t, rs[0], wsclient.ReceiptAcked, nil)
			inReceipt(t, rs[1], wsclient.ReceiptWritten, nil)
			inReceipt(t, rs[2], wsclient.ReceiptAcked, nil)
			began := time.Now()
			<-rs[1].Done()
			if d := time.Since(began); d != time.Second {
				t.Errorf("sent again after %v", d)
			}
			diff(t, []string{"1|1", "2|2", "3|3", "2|2"}, r.texts())
			synctest.Wait() // the acknowledgement may be faster than the writer's account
			if s := m.Stats(); s.Resent != 1 || s.Acked != 3 || s.Connects != 1 {
				t.Errorf("%+v", s)
			}
		})
	})
	t.Run("timeout reconnects", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			var r record
			w.serve(r.acking(func(conn int, number, _ string) any {
				if conn == 1 {
					return nil
				}
				return "ack " + number
			}))
			m := w.connect(wsclient.Options{Reconnect: fast, Send: atLeastOnce(func(a *wsclient.AckOptions) {
				a.Timeout, a.OnTimeout = time.Second, wsclient.AckReconnect
			})})
			rs := enqueue(t, m, 1, 2)
			<-rs[1].Done()
			inReceipt(t, rs[1], wsclient.ReceiptAcked, nil)
			diff(t, []string{"1|1", "2|2", "1|1", "2|2"}, r.texts())
			synctest.Wait()
			losses := w.log.lost()
			if e := want[*wsclient.TimeoutError](t, losses[0].Err); len(losses) != 1 || e.Op != "ack" || e.Limit != time.Second {
				t.Errorf("losses %+v", losses)
			}
		})
	})
	t.Run("nack", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			var r record
			w.serve(r.acking(func(_ int, number, text string) any {
				if text == "2" {
					return "nack " + number
				}
				return "ack " + number
			}))
			var lost []wsclient.Lost
			o := atLeastOnce(func(a *wsclient.AckOptions) {
				extract := a.Extract
				a.Extract = func(m wsclient.Message) (wsclient.Ack, bool) {
					if id, ok := strings.CutPrefix(string(m.Data), "nack "); ok {
						return wsclient.Ack{IDs: []string{id}, Nack: true}, true
					}
					return extract(m)
				}
			})
			o.OnLoss = func(l wsclient.Lost) { lost = append(lost, l) }
			m := w.connect(wsclient.Options{Send: o})
			rs := enqueue(t, m, 1, 3)
			for _, r := range rs {
				<-r.Done()
			}
			inReceipt(t, rs[1], wsclient.ReceiptDropped, wsclient.ErrRefused)
			inReceipt(t, rs[2], wsclient.ReceiptAcked, nil)
			if len(lost) != 1 || string(lost[0].Data) != "2" || lost[0].Number != 2 || !errors.Is(lost[0].Err, wsclient.ErrRefused) {
				t.Errorf("lost %+v", lost)
			}
			if s := m.Stats(); s.OutboundRefused != 1 || s.Acked != 2 || s.MessagesReceived != 3 || s.InboundDepth != 0 {
				t.Errorf("%+v", s)
			}
		})
	})
	t.Run("cumulative", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			var r record
			w.serve(r.acking(func(_ int, number, text string) any {
				if text == "3" || text == "6" {
					return "ack " + number
				}
				return nil
			}))
			m := w.connect(wsclient.Options{Send: atLeastOnce(func(a *wsclient.AckOptions) {
				a.Cumulative, a.Window, a.Deliver = true, 4, true
			})})
			rs := enqueue(t, m, 1, 8)
			synctest.Wait()
			for i, r := range rs {
				state := wsclient.ReceiptAcked
				if i >= 6 {
					state = wsclient.ReceiptWritten
				}
				inReceipt(t, r, state, nil)
			}
			for _, answer := range []string{"ack 3", "ack 6"} { // as wanted
				msg, err := m.Receive(t.Context())
				if err != nil || string(msg.Data) != answer {
					t.Errorf("received %q, %v", msg.Data, err)
				}
			}
		})
	})
	t.Run("unknown id", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			var r record
			w.serve(r.acking(func(int, string, string) any { return "ack 77" }))
			m := w.connect(wsclient.Options{Send: atLeastOnce(nil)})
			rs := enqueue(t, m, 1, 2)
			synctest.Wait()
			inReceipt(t, rs[0], wsclient.ReceiptWritten, nil)
			if s := m.Stats(); s.OutboundDepth != 2 || s.Disconnects != 0 {
				t.Errorf("%+v", s)
			}
		})
	})
	t.Run("lost connection", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			var r record
			w.serve(r.acking(func(conn int, number, _ string) any {
				if conn == 1 {
					return nil
				}
				return "ack " + number
			}))
			m := w.connect(wsclient.Options{Reconnect: fast, Send: atLeastOnce(nil)})
			rs := enqueue(t, m, 1, 2)
			synctest.Wait()
			m.KillAndReconnect()
			<-rs[1].Done()
			diff(t, []string{"1|1", "2|2", "1|1", "2|2"}, r.texts())
			synctest.Wait() // see above
			if s := m.Stats(); s.Resent != 2 || s.Acked != 2 {
				t.Errorf("%+v", s)
			}
		})
	})
}

// Ids of the program's own, and what was sent first comes first after a loss, before anything new.
func TestUnacknowledgedComeFirst_QU27(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var r record
		w.serve(r.serve)
		m := w.connect(wsclient.Options{Reconnect: fast, Send: wsclient.SendOptions{
			Mode: wsclient.SendAtLeastOnce, Ack: &wsclient.AckOptions{
				ID:      func(o wsclient.Outgoing) string { return "id" + string(o.Data) },
				Extract: func(wsclient.Message) (wsclient.Ack, bool) { return wsclient.Ack{}, false },
				Window:  3,
			},
		}})
		enqueue(t, m, 1, 5)
		synctest.Wait()
		diff(t, numbers(1, 3), r.texts())
		m.KillAndReconnect()
		synctest.Wait()
		diff(t, slices.Concat(numbers(1, 3), numbers(1, 3)), r.texts())
		states := []wsclient.ReceiptState{}
		for _, p := range m.Pending() {
			states = append(states, p.State)
		}
		diff(t, []wsclient.ReceiptState{1, 1, 1, 0, 0}, states)
	})
}

func TestPoison_QU28(t *testing.T) {
	t.Parallel()
	for name, send := range map[string]wsclient.SendOptions{
		"acknowledged": atLeastOnce(nil),
		"cut":          queued,
	} {
		for _, code := range []int{1003, 1007, 1009} {
			t.Run(name+"/"+strconv.Itoa(code), func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T, w *world) {
					var r record
					bad := strings.Repeat("x", 300<<10) // more than fits on the wire
					if name == "cut" {
						w.play(upgraded(closesAtLong(code)))
					} else {
						w.serve(r.acking(func(_ int, number, text string) any {
							if text == bad {
								return code
							}
							return "ack " + number
						}))
					}
					m := w.manager(wsclient.Options{Reconnect: fast, Send: send})
					rs := enqueue(t, m, 1, 2)
					poison, err := m.Enqueue(t.Context(), text(bad))
					if err != nil {
						t.Fatal(err)
					}
					rs = append(rs, enqueue(t, m, 3, 4)...)
					if err := m.Connect(t.Context()); err != nil {
						t.Fatal(err)
					}
					<-poison.Done()
					if poison.State() != wsclient.ReceiptDropped {
						t.Errorf("the poison is %v", poison.State())
					}
					if e := want[*wsclient.ClosedError](t, poison.Err()); e.Code != code {
						t.Errorf("%v", e)
					}
					for _, r := range rs {
						<-r.Done()
						if s := r.State(); s != wsclient.ReceiptAcked && s != wsclient.ReceiptWritten {
							t.Errorf("receipt is %v", s)
						}
					}
					s := m.Stats()
					if s.Quarantined != 1 || s.ReactiveDisconnects != 3 || s.OutboundDepth != 0 {
						t.Errorf("%+v", s)
					}
				})
			})
		}
	}
}

// closesAtLong closes the connection as soon as the header of a long message comes.
func closesAtLong(code int) wstest.Script {
	return func(s *wstest.Session) error {
		for {
			var head [2]byte
			if _, err := io.ReadFull(s, head[:]); err != nil {
				return err
			}
			n := head[1] & 0x7f // RFC 6455, section 5.2
			if n == 127 {
				return s.Send(wstest.CloseFrame(code, "cannot bear this"))
			}
			if _, err := io.ReadFull(s, make([]byte, 4+n)); err != nil {
				return err
			}
		}
	}
}
