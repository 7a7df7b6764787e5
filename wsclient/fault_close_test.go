package wsclient_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// A peer that has said goodbye and keeps the connection open holds up nobody.
func TestFI18PeerStaysAfterClose(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]wstest.Script{"reading": discard, "silent": hold} {
		for _, code := range []int{1001, 4000, 0} {
			t.Run(fmt.Sprint(name, " ", code), func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T, w *world) {
					w.play(upgraded(func(s *wstest.Session) error {
						return errors.Join(s.Send(wstest.CloseFrame(code, ""), wstest.Text("after")), end(s))
					}), upgraded(echoes))
					tr := w.try(wsclient.Options{Conn: wsconn.Options{CloseTimeout: 2 * time.Second}})
					began := time.Now()
					tr.connect()
					info := tr.loss(wsclient.ReasonServerClosed)
					e := want[*wsclient.ClosedError](t, info.Err)
					wanted := code
					if code == 0 {
						wanted = 1005 // RFC 6455, section 7.1.5
					}
					if e.Code != wanted || !e.Remote || errors.Is(e, wsclient.ErrProtocol) {
						t.Errorf("error: %#v", e)
					}
					synctest.Wait()
					if took := time.Since(began); took > 2*time.Second || w.open() != 0 {
						t.Errorf("%v later %d connections are open", took, w.open())
					}
					tr.recovers()
				})
			})
		}
	}
	t.Run("writes blocked", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			w.play(upgraded(func(s *wstest.Session) error {
				time.Sleep(time.Second)
				return errors.Join(s.Send(wstest.CloseFrame(1001, "")), s.Hold())
			}), upgraded(echoes))
			tr := w.try(wsclient.Options{}).connect()
			began := time.Now()
			err := tr.m.Send(t.Context(), wsconn.Binary, make([]byte, 1<<20))
			if e := want[*wsclient.ClosedError](t, err); e.Code != 1001 || !e.Remote {
				t.Errorf("Send: %v", err)
			}
			tr.loss(wsclient.ReasonServerClosed)
			synctest.Wait()
			if took := time.Since(began); took > 2*time.Second+200*time.Millisecond || w.open() > 1 {
				t.Errorf("%v later %d connections are open", took, w.open())
			}
			tr.recovers()
		})
	})
}

// Close takes CloseTimeout and a little more, whatever the peer and whatever else goes on. The library below takes five
// seconds.
func TestFI19CloseSilentPeer(t *testing.T) {
	t.Parallel()
	queued := wsclient.SendOptions{Mode: wsclient.SendQueued}
	for _, c := range []struct {
		name  string
		limit time.Duration // 0: the default, a second
		send  wsclient.SendOptions
		block bool // the peer takes no more data
		cut   bool // the peer has vanished
	}{
		{name: "idle"},
		{name: "short limit", limit: 50 * time.Millisecond},
		{name: "long limit", limit: 4 * time.Second},
		{name: "idle with a queue", send: queued},
		{name: "Send blocked", block: true},
		{name: "queue blocked", send: queued, block: true},
		{name: "vanished", cut: true},
		{name: "vanished, Send blocked", cut: true, block: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.play(upgraded(hold))
				tr := w.try(wsclient.Options{Send: c.send, Conn: wsconn.Options{CloseTimeout: c.limit}}).connect()
				if c.cut {
					w.net.Cut(netem.Silence)
				}
				if c.block {
					go tr.m.Send(t.Context(), wsconn.Binary, make([]byte, 1<<20))
					synctest.Wait()
				}
				limit := c.limit
				if limit == 0 {
					limit = time.Second
				}
				began := time.Now()
				tr.ends()
				if took := time.Since(began); took > limit+200*time.Millisecond {
					t.Errorf("took %v", took)
				}
				if w.open() != 0 || tr.m.State() != wsclient.StateClosed || tr.m.Err() != nil {
					t.Errorf("%d connections are open, state %v, %v", w.open(), tr.m.State(), tr.m.Err())
				}
			})
		})
	}
}

// What the peer sends after this side's close frame is of no interest to anybody.
func TestFI20DataAfterClose(t *testing.T) {
	t.Parallel()
	for name, p := range map[string][]byte{
		"a message":       wstest.Text("late").Bytes(),
		"a long message":  wstest.Binary(make([]byte, 2<<20)).Bytes(),
		"half a message":  wstest.Binary(make([]byte, 100)).Bytes()[:50],
		"not UTF-8":       wstest.Text("\xff").Bytes(),
		"garbage":         {0xFF, 0xFF, 0xFF, 0xFF},
		"a message, bye":  append(wstest.Text("late").Bytes(), wstest.CloseFrame(1000, "").Bytes()...),
		"pings, no bye":   append(wstest.Ping("1").Bytes(), wstest.Ping("2").Bytes()...),
		"another goodbye": wstest.CloseFrame(4000, "no, you").Bytes(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.play(upgraded(func(s *wstest.Session) error {
					for {
						f, err := s.Next()
						if err != nil {
							return err
						}
						if f.Opcode == wstest.OpClose {
							_ = s.Raw(p) // the client may not wait for all of it
							return s.Hold()
						}
					}
				}), upgraded(echoes))
				tr := w.try(wsclient.Options{}).connect()
				began := time.Now()
				if err := tr.m.Disconnect(t.Context(), nil); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took > 1200*time.Millisecond {
					t.Errorf("took %v", took)
				}
				info := <-tr.lost
				if info.Reason != wsclient.ReasonUserRequested || info.Err != nil || info.Close.Code != 1000 || info.Close.Remote {
					t.Errorf("OnDisconnect: %+v", info)
				}
				tr.connect()
				tr.works(2)
				if n := tr.m.Stats().Dropped; n != 0 {
					t.Errorf("%d messages dropped", n)
				}
				tr.ends()
			})
		})
	}
}

// Several causes at the same moment are one loss, whose first cause is told to everybody.
func TestFI21EverythingFailsAtOnce(t *testing.T) {
	t.Parallel()
	reasons := make(map[wsclient.DisconnectReason]int)
	for i := range 40 {
		inBubble(t, func(t *testing.T, w *world) {
			w.play(upgraded(hold), upgraded(echoes))
			tr := w.try(wsclient.Options{Conn: wsconn.Options{WriteTimeout: 4 * time.Second}}).connect()
			// After 30 s the ping of 20 s fails, the fifth deadline of a blocked write passes, the connection is reset, and
			// another write begins; in a third of the cases each, the reset comes first or last.
			time.AfterFunc(24375*time.Millisecond, func() { go tr.m.Send(t.Context(), wsconn.Binary, make([]byte, 1<<20)) })
			time.AfterFunc(30*time.Second+time.Duration(i%3-1), func() { w.net.Links()[0].Cut(netem.RST) })
			time.AfterFunc(30*time.Second, func() { go tr.m.Send(t.Context(), wsconn.Text, []byte("now")) })
			info := <-tr.lost
			reasons[info.Reason]++
			switch info.Reason {
			case wsclient.ReasonPingTimeout, wsclient.ReasonNetworkError, wsclient.ReasonWriteTimeout:
			default:
				t.Errorf("reason is %v", info.Reason)
			}
			<-tr.gained
			s := tr.m.Stats()
			if s.Disconnects != 1 || s.ReactiveDisconnects != 1 || s.DisconnectsByReason[info.Reason] != 1 ||
				len(s.DisconnectsByReason) != 1 || s.LastClose.Err != info.Err {
				t.Errorf("%+v", s)
			}
			tr.ends()
		})
	}
	if len(reasons) < 2 {
		t.Errorf("the first cause was always one of %v", reasons)
	}
	t.Logf("first causes: %v", reasons)
}
