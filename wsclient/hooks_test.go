package wsclient_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestCB01Order(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		note := func(entry string) {
			w.log.mu.Lock()
			defer w.log.mu.Unlock()
			w.log.note(entry)
		}
		w.play(upgraded(func(s *wstest.Session) error {
			for range 3 {
				f, err := s.Next()
				if err != nil {
					return err
				}
				note("peer got " + string(f.Payload))
			}
			return s.RST()
		}), upgraded(discard))
		m := w.manager(wsclient.Options{
			Reconnect: wsclient.ReconnectOptions{Backoff: steady},
			Send:      wsclient.SendOptions{Mode: wsclient.SendQueued},
			Subscribe: wsclient.SubscribeOptions{Initial: []wsclient.Subscription{{Key: "a", Payload: []byte("subscription")}}},
			Hooks: wsclient.Hooks{OnHandshake: func(_ context.Context, c *wsclient.RawConn) error {
				note("handshake")
				if len(w.log.at("handshake")) == 1 {
					return c.Send(wsclient.Text, []byte("login"))
				}
				return nil
			}},
		})
		if err := m.Send(t.Context(), wsclient.Text, []byte("queued")); err != nil {
			t.Fatal(err)
		}
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		w.log.mu.Lock()
		defer w.log.mu.Unlock()
		var got, peer []string // the peer may see late what was sent early
		for _, e := range w.log.entries {
			if strings.HasPrefix(e, "peer") {
				peer = append(peer, e)
			} else {
				got = append(got, e)
			}
		}
		if diff := cmp.Diff([]string{
			"connecting", "attempt", "handshake", "connected", "connect",
			"reconnecting", "disconnect", "connecting", "attempt", "handshake", "connected", "connect",
		}, got); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"peer got login", "peer got subscription", "peer got queued"}, peer); diff != "" {
			t.Errorf("order on the network (-want +got):\n%s", diff)
		}
		if slices.Index(w.log.entries, "connect") > slices.Index(w.log.entries, "peer got queued") {
			t.Error("what was queued came before OnConnect")
		}
	})
}

func TestCB02HandshakeFails(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.play(upgraded(discard))
		refusal := errors.New("wrong password")
		calls := 0
		m := w.manager(wsclient.Options{
			Reconnect: wsclient.ReconnectOptions{Backoff: steady},
			Dial:      wsclient.DialOptions{HandshakeTimeout: 10 * time.Second},
			Hooks: wsclient.Hooks{OnHandshake: func(ctx context.Context, c *wsclient.RawConn) error {
				switch calls++; calls {
				case 1:
					return refusal
				case 2: // longer than the attempt may take
					_, _, err := c.Receive()
					return err
				case 3:
					<-ctx.Done()
					return nil
				case 4:
					panic("handshake")
				}
				return nil
			}},
		})
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		failed := w.log.failed
		if len(failed) != 4 {
			t.Fatalf("%d attempts failed: %+v", len(failed), failed)
		}
		if !errors.Is(failed[0].Err, refusal) || !errors.Is(failed[0].Err, wsclient.ErrConnection) {
			t.Errorf("the refusal: %v", failed[0].Err)
		}
		for _, f := range failed[1:3] {
			if e := want[*wsclient.TimeoutError](t, f.Err); e.Op != "connect" || e.Limit != 10*time.Second {
				t.Errorf("too long: %v", f.Err)
			}
		}
		want[*wsclient.ConnectionError](t, failed[3].Err)
		if diff := cmp.Diff([]time.Duration{0, time.Second, 13 * time.Second, 27 * time.Second, 35 * time.Second}, w.log.at("attempt")); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
		if w.open() != 1 {
			t.Errorf("%d connections are open", w.open())
		}
	})
}

// everyHook returns hooks that all call f with their name.
func everyHook(f func(name string)) wsclient.Hooks {
	return wsclient.Hooks{
		OnStateChange:   func(c wsclient.StateChange) { f("OnStateChange") },
		OnAttempt:       func(wsclient.Attempt) { f("OnAttempt") },
		OnAttemptFailed: func(wsclient.AttemptFailure) { f("OnAttemptFailed") },
		OnHandshake:     func(context.Context, *wsclient.RawConn) error { f("OnHandshake"); return nil },
		OnConnect:       func(wsclient.ConnectInfo) { f("OnConnect") },
		OnDisconnect:    func(wsclient.DisconnectInfo) { f("OnDisconnect") },
		OnGiveUp:        func(error) { f("OnGiveUp") },
		OnPong:          func(time.Duration) { f("OnPong") },
		OnAlert:         func(string, string, map[string]any) { f("OnAlert") },
	}
}

// hookNames are the hooks that a life as in liveThrough calls.
var hookNames = []string{
	"OnStateChange", "OnAttempt", "OnAttemptFailed", "OnHandshake", "OnConnect", "OnDisconnect", "OnGiveUp", "OnPong", "OnAlert",
}

// liveThrough lets everything happen that has a hook.
func liveThrough(t *testing.T, w *world, m *wsclient.Manager) {
	w.net.Refuse(host)
	m.Start(t.Context())
	time.Sleep(500 * time.Millisecond)
	w.net.Allow(host)
	time.Sleep(time.Minute) // connected, ping, overflow
	w.net.ResetAll()
	time.Sleep(time.Minute)
	w.net.Refuse(host)
	w.net.ResetAll()
	time.Sleep(time.Hour)
}

func liveOptions(h wsclient.Hooks) wsclient.Options {
	return wsclient.Options{
		Reconnect: wsclient.ReconnectOptions{Backoff: steady, MaxAttempts: 3},
		Receive:   wsclient.ReceiveOptions{MaxMessages: 1},
		Hooks:     h,
	}
}

func chatter(s *wstest.Session) error {
	return errors.Join(s.Send(wstest.Text("1"), wstest.Text("2"), wstest.Text("3")), s.Echo())
}

func TestCB03PanicInEachHook(t *testing.T) {
	for _, name := range hookNames {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.play(upgraded(chatter))
				panics := 0
				var once sync.Once
				h := everyHook(func(hook string) {
					if hook == name {
						if name == "OnHandshake" { // a part of the attempt, which fails then
							once.Do(func() { panic("boom") })
							return
						}
						panic("boom")
					}
				})
				h.OnPanic = func(callback string, value any) {
					if callback == name || callback == "Hooks."+name {
						panics++
					}
					if value != "boom" {
						t.Errorf("%s panicked with %v", callback, value)
					}
					panic("and again")
				}
				m := w.manager(liveOptions(h))
				liveThrough(t, w, m)
				synctest.Wait()
				if panics == 0 || m.Stats().CallbackPanics != uint64(panics) {
					t.Errorf("%d panics, %d counted", panics, m.Stats().CallbackPanics)
				}
				if s := m.Stats(); s.Connects != 2 || s.Disconnects != 2 {
					t.Errorf("counters: %+v", s)
				}
			})
		})
	}
}

func TestCB04HookBlocks(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.play(upgraded((*wstest.Session).Echo))
		release := make(chan struct{})
		m := w.manager(wsclient.Options{
			Send:  wsclient.SendOptions{Mode: wsclient.SendQueued},
			Hooks: wsclient.Hooks{OnConnect: func(wsclient.ConnectInfo) { <-release }},
		})
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.Send(t.Context(), wsclient.Text, []byte("hello"))
		if msg, err := m.Receive(t.Context()); err != nil || string(msg.Data) != "hello" {
			t.Errorf("received %q, %v", msg.Data, err)
		}
		for range 1000 { // more than the queue of hooks holds
			m.Reconnect(t.Context())
		}
		began := time.Now()
		m.Close()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("Close took %v", took)
		}
		if n := m.Stats().HooksSkipped; n == 0 {
			t.Error("no hook was left out")
		}
		close(release)
		synctest.Wait()
	})
}

// Of too many hooks that wait, changes of state are merged; no end of a connection goes untold.
func TestCB04HookTooSlow(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		release := make(chan struct{})
		var changes []wsclient.StateChange
		m := w.connect(wsclient.Options{Hooks: wsclient.Hooks{
			OnConnect:     func(wsclient.ConnectInfo) { <-release },
			OnStateChange: func(c wsclient.StateChange) { changes = append(changes, c) },
		}})
		for range 100 {
			if err := m.Reconnect(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		close(release)
		m.Close()
		if len(w.log.gained) != 101 || len(w.log.lost()) != 101 {
			t.Errorf("%d times OnConnect, %d times OnDisconnect", len(w.log.gained), len(w.log.lost()))
		}
		seen, at := 0, wsclient.StateDisconnected
		for _, c := range changes {
			seen += 1 + c.Skipped
			if int(c.Seq) != seen || c.From != at {
				t.Errorf("after %d changes, in state %v: %+v", seen, at, c)
			}
			at = c.To
		}
		if len(changes) == seen || at != wsclient.StateClosed || m.Stats().HooksSkipped == 0 {
			t.Errorf("%d of %d changes, the last one to %v", len(changes), seen, at)
		}
	})
}

func TestCB05HooksCallAnything(t *testing.T) {
	calls := map[string]func(context.Context, *wsclient.Manager){
		"Close":      func(_ context.Context, m *wsclient.Manager) { m.Close() },
		"Shutdown":   func(ctx context.Context, m *wsclient.Manager) { m.Shutdown(ctx) },
		"Disconnect": func(ctx context.Context, m *wsclient.Manager) { m.Disconnect(ctx, nil) },
		"Reconnect":  func(ctx context.Context, m *wsclient.Manager) { m.Reconnect(ctx) },
		"Kill":       func(_ context.Context, m *wsclient.Manager) { m.Kill() },
		"Send":       func(ctx context.Context, m *wsclient.Manager) { m.Send(ctx, wsclient.Text, []byte("x")) },
		"Stats":      func(_ context.Context, m *wsclient.Manager) { m.Stats(); m.ResetStats(); m.State() },
	}
	for call, f := range calls {
		for _, name := range hookNames {
			t.Run(call+" in "+name, func(t *testing.T) {
				inBubble(t, func(t *testing.T, w *world) {
					w.play(upgraded(chatter))
					var m *wsclient.Manager
					called := 0
					m = w.manager(liveOptions(everyHook(func(hook string) {
						if hook == name && called < 3 {
							called++
							ctx, cancel := context.WithTimeout(t.Context(), time.Second)
							defer cancel()
							f(ctx, m)
						}
					})))
					liveThrough(t, w, m)
					m.Close()
					synctest.Wait()
					if called == 0 {
						t.Error("the hook was not called")
					}
				})
			})
		}
	}
}

// What OnConnect does is its own business; that of old, an error in it, cost the connection.
func TestCB06OnConnectDoesNotKillTheConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.play(upgraded((*wstest.Session).Echo))
		m := w.connect(wsclient.Options{Hooks: wsclient.Hooks{OnConnect: func(wsclient.ConnectInfo) { panic("boom") }}})
		time.Sleep(time.Minute)
		w.inState(m, wsclient.StateConnected)
		if !slices.Equal(w.log.seen(), []wsclient.State{wsclient.StateConnecting, wsclient.StateConnected}) {
			t.Errorf("states: %v", w.log.seen())
		}
	})
}
