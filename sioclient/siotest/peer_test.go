package siotest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient/siotest"
)

// world is a network with a peer on it.
type world struct {
	t       *testing.T
	network *netem.Network
	peer    *siotest.Peer
	client  *http.Client
}

func inBubble(t *testing.T, opts *siotest.PeerOptions, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		listener, err := network.Listen("peer.test:80")
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{DialContext: network.DialContext}
		w := &world{t: t, network: network, peer: siotest.NewPeer(listener, opts), client: &http.Client{Transport: transport}}
		defer transport.CloseIdleConnections()
		defer func() {
			for range 2 {
				if err := w.peer.Close(); err != nil {
					t.Error(err)
				}
			}
		}()
		test(t, w)
	})
}

// ctx ends before a bubble would wait for ever.
func ctx(t *testing.T) context.Context {
	c, cancel := context.WithTimeout(context.Background(), time.Hour)
	t.Cleanup(cancel)
	return c
}

func (w *world) dial(opts *siotest.RawOptions) (client, server *siotest.Session) {
	w.t.Helper()
	var o siotest.RawOptions
	if opts != nil {
		o = *opts
	}
	o.DialContext = w.network.DialContext
	client, err := siotest.DialRaw(ctx(w.t), "ws://peer.test?a=b", &o)
	if err != nil {
		w.t.Fatal(err)
	}
	server, err = w.peer.Accept(ctx(w.t))
	if err != nil {
		w.t.Fatal(err)
	}
	return client, server
}

// request sends a polling request and returns status and body.
func (w *world) request(method, query, body string) (int, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(ctx(w.t), method, "http://peer.test/socket.io/?transport=polling&"+query, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	answer, err := w.client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.StatusCode, string(raw)
}

const opened = `0{"sid":"session-1","upgrades":[],"pingInterval":86400000,"pingTimeout":86400000,"maxPayload":1000000}`

func TestBothEndsOverWebSocket(t *testing.T) {
	for _, protocol := range []int{3, 4} {
		t.Run(map[int]string{3: "EIO=3", 4: "EIO=4"}[protocol], func(t *testing.T) {
			inBubble(t, &siotest.PeerOptions{Greeting: []string{"40"}}, func(t *testing.T, w *world) {
				client, server := w.dial(&siotest.RawOptions{Protocol: protocol})
				defer client.Cut()
				if err := client.Expect(ctx(t), opened, "40"); err != nil {
					t.Error(err)
				}
				if server.Protocol() != protocol || server.Transport() != "websocket" || server.Request().URL.Query().Get("a") != "b" {
					t.Errorf("protocol %d, transport %s, request %s", server.Protocol(), server.Transport(), server.Request().URL)
				}
				packets := []string{`451-["x",{"_placeholder":true,"num":0}]`, "bAQID", `42["é\u0000"]`, "2", "3probe"}
				if err := errors.Join(client.Send(packets...), server.Expect(ctx(t), packets...)); err != nil {
					t.Error(err)
				}
				if err := errors.Join(server.Send(packets...), client.Expect(ctx(t), packets...)); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestPolling(t *testing.T) {
	for _, tc := range []struct {
		name, query, open, post, poll string
	}{
		{"EIO=4", "EIO=4", opened + "\x1e40", "42[\"é\"]\x1ebAQ==", "42[\"ü\"]\x1ebAg=="},
		{"EIO=3", "EIO=3", "102:" + opened + "2:40", `7:42["é"]6:b4AQ==`, `7:42["ü"]6:b4Ag==`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, &siotest.PeerOptions{Greeting: []string{"40"}}, func(t *testing.T, w *world) {
				status, body := w.request("GET", tc.query, "")
				if d := cmp.Diff(tc.open, body); status != 200 || d != "" {
					t.Errorf("status %d, open (-want +got):\n%s", status, d)
				}
				server, err := w.peer.Accept(ctx(t))
				if err != nil {
					t.Fatal(err)
				}
				if status, body = w.request("POST", tc.query+"&sid=session-1", tc.post); status != 200 || body != "ok" {
					t.Errorf("POST: %d %q", status, body)
				}
				if err := server.Expect(ctx(t), `42["é"]`, "bAQ=="); err != nil {
					t.Error(err)
				}
				if err := errors.Join(server.Send(`42["ü"]`), server.Send("bAg==")); err != nil {
					t.Error(err)
				}
				if status, body = w.request("GET", tc.query+"&sid=session-1", ""); status != 200 || body != tc.poll {
					t.Errorf("GET: %d %q, want %q", status, body, tc.poll)
				}
				go func() {
					time.Sleep(time.Minute)
					server.Cut()
				}()
				if status, _ = w.request("GET", tc.query+"&sid=session-1", ""); status != 400 {
					t.Errorf("GET of a session that ends: %d", status)
				}
				if status, _ = w.request("GET", tc.query+"&sid=unknown", ""); status != 400 {
					t.Errorf("GET of an unknown session: %d", status)
				}
			})
		})
	}
}

func TestCloseTellsWhoPolls(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		w.request("GET", "EIO=4", "")
		server, err := w.peer.Accept(ctx(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(server.Send(`42["last"]`), server.Close(), server.Close()); err != nil {
			t.Error(err)
		}
		status, body := w.request("GET", "EIO=4&sid=session-1", "")
		if want := "42[\"last\"]\x1e1"; status != 200 || body != want {
			t.Errorf("GET: %d %q, want %q", status, body, want)
		}
		if status, _ = w.request("GET", "EIO=4&sid=session-1", ""); status != 400 {
			t.Errorf("GET of a session that has ended: %d", status)
		}
	})
}

func TestPongs(t *testing.T) {
	inBubble(t, &siotest.PeerOptions{Pong: true}, func(t *testing.T, w *world) {
		client, server := w.dial(&siotest.RawOptions{Pong: true})
		defer client.Cut()
		if err := errors.Join(client.Send("2", "2x"), client.Expect(ctx(t), opened, "3", "3x")); err != nil {
			t.Error(err)
		}
		if err := errors.Join(server.Send("2"), server.Expect(ctx(t), "3")); err != nil {
			t.Error(err)
		}
	})
}

func TestSessionsEnd(t *testing.T) {
	for name, end := range map[string]func(s *siotest.Session){
		"Close": func(s *siotest.Session) { _ = s.Close() },
		"Cut":   func(s *siotest.Session) { s.Cut() },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				client, server := w.dial(nil)
				defer client.Cut()
				if err := server.Send(`42["last"]`); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				end(server)
				<-client.Done()
				if err := client.Expect(ctx(t), opened, `42["last"]`); err != nil {
					t.Error(err)
				}
				if _, err := client.Receive(ctx(t)); !errors.Is(err, siotest.ErrEnded) {
					t.Errorf("Receive = %v, want ErrEnded", err)
				}
				if err := server.Send("2"); err == nil {
					t.Error("Send on a session that has ended: no error")
				}
			})
		})
	}
}

func TestExpectTellsWhatCame(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		client, _ := w.dial(nil)
		defer client.Cut()
		if err := client.Expect(ctx(t), "0{}"); err == nil || !strings.Contains(err.Error(), "session-1") {
			t.Errorf("Expect = %v", err)
		}
		short, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := client.Expect(short, "2"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Expect = %v", err)
		}
		if err := client.Send("b!"); err == nil {
			t.Error("Send of what is no base64: no error")
		}
	})
}

func TestRefuse(t *testing.T) {
	opts := &siotest.PeerOptions{Refuse: func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusForbidden)
		return true
	}}
	inBubble(t, opts, func(t *testing.T, w *world) {
		if status, _ := w.request("GET", "EIO=4", ""); status != 403 {
			t.Errorf("status %d", status)
		}
		short, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := w.peer.Accept(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Accept = %v", err)
		}
		_ = w.peer.Close()
		if _, err := w.peer.Accept(ctx(t)); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Accept = %v", err)
		}
	})
}
