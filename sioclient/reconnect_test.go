package sioclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/siotest"
)

// hooks notes everything that hooks tell.
func (l *log) hooks() sioclient.Hooks {
	return sioclient.Hooks{
		OnOpen:             func() { l.add("open") },
		OnClose:            func(r sioclient.Reason, _ error) { l.add("close: " + string(r)) },
		OnError:            func(error) { l.add("error") },
		OnReconnectWait:    func(n int, d time.Duration) { l.add(fmt.Sprintf("wait %d %v", n, d)) },
		OnReconnectAttempt: func(n int) { l.add(fmt.Sprintf("attempt %d", n)) },
		OnReconnect:        func(n int) { l.add(fmt.Sprintf("reconnect %d", n)) },
		OnReconnectError:   func(error) { l.add("reconnect_error") },
		OnReconnectFailed:  func(error) { l.add("reconnect_failed") },
	}
}

func TestReconnectTellsWhatItDoes(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		var manager, socket log
		s := w.socket(w.manager(&sioclient.Options{Hooks: manager.hooks()}), "/", nil)
		socket.watch(s)
		w.open(s)
		manager.want(t, "open")
		socket.want(t, "connect")
		w.stop()
		synctest.Wait()
		time.Sleep(1500 * time.Millisecond)
		w.listen(nil)
		srv := w.accept()
		srv.want("40")
		srv.send(`40{"sid":"b"}`)
		manager.want(t,
			"close: transport close", "wait 1 1s", "attempt 1", "error", "reconnect_error",
			"wait 2 2s", "attempt 2", "open", "reconnect 2")
		socket.want(t, "disconnect: transport close", "connect_error", "connect")
		st := s.Manager().Stats()
		if st.Connections != 2 || st.Attempts != 2 || st.Reconnects != 1 {
			t.Errorf("stats %+v", st)
		}
		// A new outage begins to count anew.
		srv.Cut()
		manager.want(t, "close: transport close", "wait 1 1s")
	})
}

func TestDisconnectReasons(t *testing.T) {
	heartbeat := &siotest.PeerOptions{Open: func(int) string {
		return `{"sid":"x","upgrades":[],"pingInterval":5000,"pingTimeout":3000,"maxPayload":1000000}`
	}}
	for _, tc := range []struct {
		reason sioclient.Reason
		name   string
		end    func(w *world, s *sioclient.Socket, srv *session)
		back   bool
	}{
		{sioclient.TransportClose, "end of stream", func(_ *world, _ *sioclient.Socket, srv *session) { srv.Cut() }, true},
		{sioclient.TransportClose, "close frame", func(_ *world, _ *sioclient.Socket, srv *session) { _ = srv.Close() }, true},
		{sioclient.TransportClose, "close packet", func(_ *world, _ *sioclient.Socket, srv *session) { srv.send("1") }, true},
		{sioclient.TransportError, "reset", func(w *world, _ *sioclient.Socket, _ *session) { w.network.ResetAll() }, true},
		{sioclient.PingTimeout, "silence", func(w *world, _ *sioclient.Socket, _ *session) {
			w.network.Links()[0].Cut(netem.Swallow)
			time.Sleep(10 * time.Second)
		}, true},
		{sioclient.ParseError, "unknown type", func(_ *world, _ *sioclient.Socket, srv *session) { srv.send(`49["x"]`) }, true},
		{sioclient.ParseError, "bad JSON", func(_ *world, _ *sioclient.Socket, srv *session) { srv.send(`42["x"`) }, true},
		{sioclient.ParseError, "binary that nobody expects", func(_ *world, _ *sioclient.Socket, srv *session) { srv.send(`bAQID`) }, true},
		{sioclient.ParseError, "text in place of an attachment", func(_ *world, _ *sioclient.Socket, srv *session) {
			srv.send(`451-["x",{"_placeholder":true,"num":0}]`, `42["y"]`)
		}, true},
		{sioclient.ParseError, "reserved event", func(_ *world, _ *sioclient.Socket, srv *session) { srv.send(`42["disconnect"]`) }, true},
		{sioclient.IOServerDisconnect, "DISCONNECT", func(_ *world, _ *sioclient.Socket, srv *session) { srv.send("41") }, false},
		{sioclient.IOClientDisconnect, "Disconnect", func(_ *world, s *sioclient.Socket, _ *session) { _ = s.Disconnect() }, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, heartbeat, func(t *testing.T, w *world) {
				s, srv := w.connected(nil)
				var reasons []sioclient.Reason
				s.OnDisconnect(func(r sioclient.Reason, err error) {
					reasons = append(reasons, r)
					if wanted := tc.reason == sioclient.IOServerDisconnect || tc.reason == sioclient.IOClientDisconnect; (err == nil) != wanted {
						t.Errorf("error %v", err)
					}
					if tc.reason == sioclient.ParseError && !errors.Is(err, sioclient.ErrPacket) {
						t.Errorf("error %v, want ErrPacket", err)
					}
				})
				tc.end(w, s, srv)
				synctest.Wait()
				if d := cmp.Diff([]sioclient.Reason{tc.reason}, reasons); d != "" {
					t.Errorf("reasons (-want +got):\n%s", d)
				}
				if tc.reason.WillReconnect() != tc.back || s.Active() != tc.back {
					t.Errorf("WillReconnect %t, active %t, want %t", tc.reason.WillReconnect(), s.Active(), tc.back)
				}
				if tc.back {
					w.accept().want("40")
				}
			})
		})
	}
}

func TestAttemptsAreCountedExactly(t *testing.T) {
	for _, limit := range []int{1, 3} {
		t.Run(strconv.Itoa(limit), func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				s, _ := w.connected(&sioclient.Options{ReconnectionAttempts: limit})
				var final error
				s.OnConnectError(func(err error) { final = err })
				received := make(chan error, 1)
				go func() {
					_, err := s.Receive(context.Background())
					received <- err
				}()
				pending := call(context.Background(), s.Timeout(time.Hour), "q")
				synctest.Wait()
				w.stop()
				if a := <-pending; !errors.Is(a.err, sioclient.ErrDisconnected) {
					t.Errorf("Call = %v", a.err)
				}
				kept := call(context.Background(), s.Timeout(time.Hour), "q")
				err := <-received
				var de *sioclient.DisconnectedError
				if !errors.As(err, &de) || de.Attempts != limit || !errors.Is(err, sioclient.ErrReconnect) ||
					!errors.Is(err, errkit.Exhausted) || !errors.Is(err, sioclient.ErrConnection) {
					t.Errorf("Receive = %v, want ErrReconnect after %d attempts", err, limit)
				}
				if a := <-kept; !errors.Is(a.err, sioclient.ErrReconnect) {
					t.Errorf("Call = %v, want ErrReconnect", a.err)
				}
				synctest.Wait()
				if !errors.Is(final, sioclient.ErrReconnect) || s.Active() {
					t.Errorf("last connect error %v, active %t", final, s.Active())
				}
				if n := s.Manager().Stats().Attempts; n != uint64(limit) {
					t.Errorf("%d attempts, want %d", n, limit)
				}
				w.listen(nil)
				w.open(s) // it may be told to
			})
		})
	}
}

func TestNoReconnection(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(&sioclient.Options{DisableReconnection: true})
		srv.Cut()
		_, err := s.Receive(context.Background())
		var de *sioclient.DisconnectedError
		if !errors.As(err, &de) || de.Reason != sioclient.TransportClose || errors.Is(err, sioclient.ErrReconnect) {
			t.Errorf("Receive = %v, want the loss", err)
		}
		if s.Active() {
			t.Error("the socket is still active")
		}
	})
}

func TestServerThatAsksToWait(t *testing.T) {
	refusals := 0
	opts := &siotest.PeerOptions{Refuse: func(rw http.ResponseWriter, _ *http.Request) bool {
		refusals++
		if refusals == 1 {
			rw.Header().Set("Retry-After", "30")
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
		return refusals == 1
	}}
	inBubble(t, opts, func(t *testing.T, w *world) {
		var l log
		s := w.socket(w.manager(&sioclient.Options{Hooks: l.hooks()}), "/", nil)
		if err := s.Open(); err != nil {
			t.Fatal(err)
		}
		w.accept()
		l.want(t, "error", "wait 1 30s", "attempt 1", "open", "reconnect 1")
	})
}

func TestAttemptsThatAreGivenUp(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		var l log
		w.stop()
		s := w.socket(w.manager(&sioclient.Options{Hooks: l.hooks(), ReconnectionAttempts: 1}), "/", nil)
		if err := s.Open(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		l.want(t, "error", "wait 1 1s", "attempt 1", "error", "reconnect_error", "reconnect_failed")
	})
}

func TestCloseAtAnyMoment(t *testing.T) {
	for _, tc := range []struct {
		name string
		when func(w *world, s *sioclient.Socket)
	}{
		{"before anything", func(*world, *sioclient.Socket) {}},
		{"while it dials", func(w *world, s *sioclient.Socket) {
			w.network.Blackhole("peer.test:80")
			_ = s.Open()
		}},
		{"while the server opens", func(w *world, s *sioclient.Socket) {
			w.network.OnLink(func(l *netem.Link) { l.Stall(netem.Down) })
			_ = s.Open()
		}},
		{"while the namespace is asked for", func(w *world, s *sioclient.Socket) {
			_ = s.Open()
			w.accept()
		}},
		{"while it is connected", func(w *world, s *sioclient.Socket) { w.open(s) }},
		{"while the link is stalled", func(w *world, s *sioclient.Socket) {
			w.open(s)
			w.network.Links()[0].Stall(netem.Both)
			_ = s.Emit("x", make([]byte, 200_000))
		}},
		{"while it waits", func(w *world, s *sioclient.Socket) {
			w.open(s).Cut()
		}},
		{"while an attempt fails", func(w *world, s *sioclient.Socket) {
			w.open(s)
			w.stop()
			synctest.Wait()
			time.Sleep(time.Second)
		}},
		{"after the server threw it out", func(w *world, s *sioclient.Socket) { w.open(s).send("41") }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				m := w.manager(nil)
				s := w.socket(m, "/", nil)
				tc.when(w, s)
				synctest.Wait()
				waiting := make(chan error, 1)
				go func() { _, err := s.Receive(context.Background()); waiting <- err }()
				start := time.Now()
				for range 2 {
					if err := m.Close(); err != nil {
						t.Errorf("Close = %v", err)
					}
				}
				if took := time.Since(start); took > 10*time.Second {
					t.Errorf("Close took %v", took)
				}
				if err := <-waiting; !errors.Is(err, sioclient.ErrClosed) && !errors.Is(err, sioclient.ErrDisconnected) {
					t.Errorf("Receive = %v", err)
				}
				attempts := m.Stats().Attempts
				time.Sleep(time.Minute)
				if n := m.Stats().Attempts; n != attempts || m.Connected() {
					t.Errorf("%d attempts after Close", n-attempts)
				}
				for what, err := range map[string]error{
					"Open": s.Open(), "Connect": s.Connect(context.Background()), "Emit": s.Emit("x"),
				} {
					if !errors.Is(err, sioclient.ErrClosed) || !errors.Is(err, errkit.Closed) {
						t.Errorf("%s = %v, want ErrClosed", what, err)
					}
				}
				if _, err := m.Socket("/new", nil); !errors.Is(err, sioclient.ErrClosed) {
					t.Errorf("Socket = %v, want ErrClosed", err)
				}
				if _, err := s.Call(context.Background(), "x"); !errors.Is(err, sioclient.ErrClosed) {
					t.Errorf("Call = %v, want ErrClosed", err)
				}
			})
		})
	}
}

func TestCloseEndsConnect(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		m := w.manager(&sioclient.Options{RetryFirst: true})
		s := w.socket(m, "/", nil)
		w.stop()
		socket, alone := w.connect(s), make(chan error, 1)
		go func() { alone <- m.Connect(context.Background()) }()
		time.Sleep(time.Minute)
		_ = m.Close()
		for _, err := range []error{<-socket, <-alone} {
			if !errors.Is(err, sioclient.ErrClosed) {
				t.Errorf("Connect = %v, want ErrClosed", err)
			}
		}
	})
}

func TestCloseInAHandler(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		closed := make(chan error, 1)
		sioclient.On0(s, "bye", func() { closed <- s.Manager().Close() })
		srv.send(`42["bye"]`)
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

func TestCloseDoesNotWaitForHandlersThatHang(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		m := w.manager(nil)
		srv := w.open(w.socket(m, "/", nil))
		release := make(chan struct{})
		for _, name := range []string{"/a", "/b", "/c"} {
			s := w.socket(m, name, nil)
			s.On("hang", func(*sioclient.Event) error { <-release; return nil })
			if err := s.Open(); err != nil {
				t.Fatal(err)
			}
			srv.want("40" + name + ",")
			srv.send("40"+name+`,{"sid":"x"}`, "42"+name+`,["hang"]`)
		}
		synctest.Wait()
		start := time.Now()
		_ = m.Close()
		if took := time.Since(start); took > 1100*time.Millisecond {
			t.Errorf("Close took %v, want about a second for all of them", took)
		}
		close(release)
	})
}

func TestDisconnectStopsReconnecting(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, _ := w.connected(nil)
		w.stop()
		synctest.Wait()
		time.Sleep(10 * time.Second)
		_ = s.Disconnect()
		n := s.Manager().Stats().Attempts
		time.Sleep(time.Hour)
		if later := s.Manager().Stats().Attempts; later != n {
			t.Errorf("%d attempts after Disconnect", later-n)
		}
		w.listen(nil)
		w.open(s)
	})
}

func TestReopenAtOnceAfterDisconnect(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		for range 3 {
			_ = s.Disconnect()
			result := w.connect(s)
			srv.want("41")
			srv = w.accept()
			srv.want("40")
			srv.send(`40{"sid":"n"}`)
			if err := <-result; err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestHookThatPanicsEndsNothing(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(&sioclient.Options{Hooks: sioclient.Hooks{OnOpen: func() { panic("hook") }}})
		var errs []error
		s.OnError(func(err error) { errs = append(errs, err); panic("OnError") })
		s.OnDisconnect(func(sioclient.Reason, error) { panic("OnDisconnect") })
		srv.Cut()
		w.accept().want("40")
		synctest.Wait()
		if len(errs) != 1 || !errors.Is(errs[0], sioclient.ErrHandler) {
			t.Errorf("errors %v, want ErrHandler", errs)
		}
	})
}
