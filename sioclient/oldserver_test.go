package sioclient_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/siotest"
)

// oldServer greets as a server of Socket.IO 2 does: it connects the main namespace by itself.
var oldServer = &siotest.PeerOptions{Greeting: []string{"40"}, Pong: true}

var speaksOld = &sioclient.Options{Version: sioclient.Version3}

func TestOldServerConnectsTheMainNamespaceByItself(t *testing.T) {
	for _, transport := range []string{engineio.WebSocket, engineio.Polling} {
		t.Run(transport, func(t *testing.T) {
			inBubble(t, oldServer, func(t *testing.T, w *world) {
				opts := *speaksOld
				opts.Engine.Transports = []string{transport}
				s := w.socket(w.manager(&opts), "/", &sioclient.SocketOptions{Auth: map[string]int{"ignored": 1}})
				if err := s.Connect(context.Background()); err != nil {
					t.Fatal(err)
				}
				if s.ID() != "session-1" {
					t.Errorf("id %q, want that of the transport", s.ID())
				}
				srv := w.accept()
				if srv.Protocol() != 3 {
					t.Errorf("EIO=%d, want 3", srv.Protocol())
				}
				result := call(context.Background(), s, "q", []byte{1})
				srv.want(`451-0["q",{"_placeholder":true,"num":0}]`, "bAQ==") // and no CONNECT before
				srv.send(`430["a"]`, `42["e",2]`)
				if a := <-result; a.err != nil || string(a.args.JSON()) != `["a"]` {
					t.Errorf("answer %s, %v", a.args.JSON(), a.err)
				}
				if e, err := s.Receive(context.Background()); err != nil || e.Name != "e" {
					t.Errorf("Receive = %v, %v", e, err)
				}
			})
		})
	}
}

func TestOldServerOtherNamespaces(t *testing.T) {
	inBubble(t, oldServer, func(t *testing.T, w *world) {
		m := w.manager(speaksOld)
		s := w.socket(m, "/custom", &sioclient.SocketOptions{Query: url.Values{"token": {"1"}}})
		result := w.connect(s)
		srv := w.accept()
		srv.want("40/custom?token=1,")
		srv.send("40/custom") // the comma may be missing
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		if s.ID() != "/custom#session-1" {
			t.Errorf("id %q", s.ID())
		}
		// The server took the main namespace for connected from the beginning.
		main := w.socket(m, "/", nil)
		if err := main.Connect(context.Background()); err != nil {
			t.Fatal(err)
		}
		srv.quiet()
		_ = main.Disconnect()
		srv.want("41")
		result = w.connect(main)
		srv.want("40")
		srv.send("40")
		if err := <-result; err != nil {
			t.Fatal(err)
		}
	})
}

func TestOldServerRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, namespace, packet, message, data string
	}{
		{"text", "/x", `44/x,"Invalid namespace"`, "Invalid namespace", ""},
		{"anything else", "/x", `44/x,{"c":1}`, "", `{"c":1}`},
		{"main namespace", "/", `44"Not authorized"`, "Not authorized", ""},
		{"main namespace, which the others need", "/x", `44"Not authorized"`, "Not authorized", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, &siotest.PeerOptions{Pong: true}, func(t *testing.T, w *world) {
				s := w.socket(w.manager(speaksOld), tc.namespace, nil)
				result := w.connect(s)
				srv := w.accept()
				srv.send(tc.packet)
				got := refusalOf(t, <-result)
				if got.Message != tc.message || got.Data != tc.data {
					t.Errorf("refusal %+v", got)
				}
			})
		})
	}
}

func TestOldServerReportsAnErrorLater(t *testing.T) {
	inBubble(t, oldServer, func(t *testing.T, w *world) {
		var errs []error
		s := w.socket(w.manager(speaksOld), "/", nil)
		s.OnError(func(err error) { errs = append(errs, err) })
		if err := s.Connect(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.accept().send(`44"something went wrong"`)
		synctest.Wait()
		if len(errs) != 1 || refusalOf(t, errs[0]).Message != "something went wrong" || !s.Connected() {
			t.Errorf("errors %v, connected %t", errs, s.Connected())
		}
	})
}

// TestOldServerEndsTheMainNamespace: either side can end it, and the others stay.
func TestOldServerEndsTheMainNamespace(t *testing.T) {
	for name, tc := range map[string]struct {
		end    func(main *sioclient.Socket, srv *session)
		reason string
	}{
		"by the server": {func(_ *sioclient.Socket, srv *session) { srv.send("41") }, "disconnect: io server disconnect"},
		"by this side": {func(main *sioclient.Socket, srv *session) {
			_ = main.Disconnect()
			srv.want("41")
		}, "disconnect: io client disconnect"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, oldServer, func(t *testing.T, w *world) {
				var mainLog, otherLog log
				m := w.manager(speaksOld)
				main, x := w.socket(m, "/", nil), w.socket(m, "/x", nil)
				mainLog.watch(main)
				otherLog.watch(x)
				if err := main.Connect(context.Background()); err != nil {
					t.Fatal(err)
				}
				srv := w.accept()
				result := w.connect(x)
				srv.want("40/x,")
				srv.send("40/x,")
				if err := <-result; err != nil {
					t.Fatal(err)
				}
				tc.end(main, srv)
				mainLog.want(t, "connect", tc.reason)
				otherLog.want(t, "connect")
				if err := x.Emit("still", 1); err != nil {
					t.Error(err)
				}
				srv.want(`42/x,["still",1]`)
				srv.send("41/x,")
				otherLog.want(t, "disconnect: io server disconnect")
				if main.Active() || m.Connected() {
					t.Error("something is still connected")
				}
			})
		})
	}
}

func TestOldServerIsFoundOut(t *testing.T) {
	t.Run("by its confirmation over WebSocket", func(t *testing.T) {
		var asked log
		opts := *oldServer
		opts.Refuse = func(_ http.ResponseWriter, r *http.Request) bool {
			asked.add(r.URL.Query().Get("EIO"))
			return false
		}
		inBubble(t, &opts, func(t *testing.T, w *world) {
			var l log
			s := w.socket(w.manager(nil), "/", nil)
			l.watch(s)
			start := time.Now()
			if err := s.Connect(context.Background()); err != nil {
				t.Fatal(err)
			}
			asked.want(t, "4", "3")
			if time.Since(start) != 0 {
				t.Error("there was a delay between the two")
			}
			l.want(t, "connect")
			w.network.ResetAll()
			time.Sleep(2 * time.Second) // longer than the delay before the next attempt
			asked.want(t, "3")          // from then on
		})
	})
	t.Run("by its refusal", func(t *testing.T) {
		opts := &siotest.PeerOptions{Greeting: []string{"40"}, Pong: true, Refuse: func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Query().Get("EIO") == "3" {
				return false
			}
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"code":5,"message":"Unsupported protocol version"}`))
			return true
		}}
		inBubble(t, opts, func(t *testing.T, w *world) {
			s := w.socket(w.manager(nil), "/", nil)
			if err := s.Connect(context.Background()); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func TestOldServerThatShouldBeANewOne(t *testing.T) {
	inBubble(t, oldServer, func(t *testing.T, w *world) {
		m := w.manager(&sioclient.Options{Version: sioclient.Version4})
		s := w.socket(m, "/", nil)
		err := s.Connect(context.Background())
		if !errors.Is(err, sioclient.ErrConnection) || !errors.Is(err, errkit.Unsupported) {
			t.Errorf("Connect = %v, want ErrConnection of kind Unsupported", err)
		}
		time.Sleep(time.Minute)
		if m.Stats().Attempts != 0 {
			t.Error("it tries again what cannot succeed")
		}
	})
}

func TestNewServerIsRemembered(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		srv.Cut()
		srv = w.accept()
		srv.want("40")
		srv.send(`40`) // a confirmation without an id, from a server that is known to be a new one
		synctest.Wait()
		if s.Active() || srv.Protocol() != 4 {
			t.Errorf("active %t, EIO=%d", s.Active(), srv.Protocol())
		}
	})
}

func TestOldServerGreetsAtOnce(t *testing.T) {
	for _, transport := range []string{engineio.WebSocket, engineio.Polling} {
		t.Run(transport, func(t *testing.T) {
			greeting := &siotest.PeerOptions{Greeting: []string{"40", `42["welcome"]`}, Pong: true}
			inBubble(t, greeting, func(t *testing.T, w *world) {
				opts := *speaksOld
				opts.Engine.Transports = []string{transport}
				s := w.socket(w.manager(&opts), "/", nil)
				if err := s.Connect(context.Background()); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				if e, err := s.Receive(ctx); err != nil || e.Name != "welcome" {
					t.Errorf("Receive = %v, %v, want the event that came with the open packet", e, err)
				}
			})
		})
	}
}
