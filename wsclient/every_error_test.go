//go:build !js

package wsclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	neturl "net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// secret is in everything that is nobody's business.
const secret = "S3CRET"

// output collects everything that a manager says.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	errs []error
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) say(what any) { fmt.Fprintf(o, "%+v\n", what) }

func (o *output) err(err error) {
	if err == nil {
		return
	}
	o.say(err)
	o.say(errkit.Detail(err))
	o.mu.Lock()
	defer o.mu.Unlock()
	o.errs = append(o.errs, err)
}

func (o *output) Add(name string, _ uint64)      { o.say(name) }
func (o *output) Set(name string, _ float64)     { o.say(name) }
func (o *output) Observe(name string, _ float64) { o.say(name) }

// listen adds the output to options.
func (o *output) listen(opts *wsclient.Options) {
	opts.Logger = slog.New(slog.NewJSONHandler(o, &slog.HandlerOptions{Level: slog.LevelDebug}))
	opts.Metrics = o
	opts.Hooks = wsclient.Hooks{
		OnStateChange:   func(c wsclient.StateChange) { o.say(c); o.err(c.Err) },
		OnAttempt:       func(a wsclient.Attempt) { o.say(a); o.err(a.LastErr) },
		OnAttemptFailed: func(f wsclient.AttemptFailure) { o.say(f); o.err(f.Err) },
		OnConnect:       func(c wsclient.ConnectInfo) { o.say(c) },
		OnDisconnect:    func(i wsclient.DisconnectInfo) { o.say(i); o.err(i.Err) },
		OnGiveUp:        func(err error) { o.err(err) },
	}
}

func TestEC10Secrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const address = "ws://user:" + secret + "@peer.test/feed?token=" + secret + "&x=1"
		foreign := &neturl.Error{Op: "Get", URL: "https://auth.test/?key=" + secret, Err: errors.New("boom")}
		closed := func(s *wstest.Session) error {
			return errors.Join(s.Upgrade(nil), s.Send(wstest.CloseFrame(1008, "go away")), s.Discard())
		}
		answer := func(status int) wstest.Script {
			return func(s *wstest.Session) error {
				return s.Answer(status, http.Header{"Location": {"http://other.test/?token=" + secret}}, secret)
			}
		}
		for name, c := range map[string]struct {
			peer wstest.Script
			set  func(*wsclient.DialOptions)
		}{
			"refused":      {},
			"unauthorized": {peer: answer(401)},
			"not found":    {peer: answer(404)},
			"busy":         {peer: answer(503)},
			"redirect":     {peer: answer(302)},
			"no HTTP":      {peer: func(s *wstest.Session) error { return s.Raw([]byte(secret + "\r\n\r\n")) }},
			"silent":       {peer: func(s *wstest.Session) error { return s.Hold() }},
			"closed":       {peer: closed},
			"reset": {peer: func(s *wstest.Session) error {
				return errors.Join(s.Upgrade(nil), s.RST())
			}},
			"bad frame": {peer: func(s *wstest.Session) error {
				return errors.Join(s.Upgrade(nil), s.Raw(bytes.Repeat([]byte{0xFF}, 64)), s.Discard())
			}},
			"URLFunc fails": {set: func(o *wsclient.DialOptions) {
				o.URLFunc = func(context.Context, wsclient.Attempt) (string, error) { return "", foreign }
			}},
			"URLFunc returns nonsense": {set: func(o *wsclient.DialOptions) {
				o.URLFunc = func(context.Context, wsclient.Attempt) (string, error) { return "ftp://" + secret, nil }
			}},
			"URLFunc returns no address": {set: func(o *wsclient.DialOptions) {
				o.URLFunc = func(context.Context, wsclient.Attempt) (string, error) { return secret, nil }
			}},
			"URLFunc returns another address": {set: func(o *wsclient.DialOptions) {
				o.URLFunc = func(context.Context, wsclient.Attempt) (string, error) { return address + "&sig=" + secret, nil }
			}},
			"HeaderFunc fails": {set: func(o *wsclient.DialOptions) {
				o.HeaderFunc = func(context.Context, wsclient.Attempt) (http.Header, error) { return nil, foreign }
			}},
			"HeaderFunc returns nonsense": {set: func(o *wsclient.DialOptions) {
				o.HeaderFunc = func(context.Context, wsclient.Attempt) (http.Header, error) {
					return http.Header{"X-Token": {secret + "\n"}}, nil
				}
			}},
			"DialFunc fails": {set: func(o *wsclient.DialOptions) {
				o.DialFunc = func(context.Context, wsclient.Attempt) (*wsconn.Conn, error) { return nil, foreign }
			}},
			"proxy refuses": {set: func(o *wsclient.DialOptions) {
				o.Proxy = http.ProxyURL(&neturl.URL{Scheme: "http", Host: "proxy.test:80", User: neturl.UserPassword("user", secret)})
			}},
		} {
			network := netem.New(nil)
			if c.peer != nil {
				script(t, network, "peer.test:80", c.peer)
			}
			script(t, network, "proxy.test:80", answer(407))
			o := at(network, wsclient.ReconnectOptions{MaxAttempts: 3})
			o.Dial.Header = http.Header{"Authorization": {secret}}
			if c.set != nil {
				c.set(&o.Dial)
			}
			var said output
			said.listen(&o)
			m, err := wsclient.New(address, &o)
			if err != nil {
				t.Fatal(err)
			}
			said.err(m.Connect(t.Context()))
			<-m.Done()
			said.err(m.Err())
			said.err(m.Send(t.Context(), wsclient.Text, []byte(secret)))
			_, err = m.Receive(t.Context())
			said.err(err)
			said.say(m.URL())
			said.say(m.Stats())
			m.Close()
			synctest.Wait()
			for line := range strings.Lines(said.text.String()) {
				if strings.Contains(line, secret) {
					t.Errorf("%s: a secret is in: %s", name, line)
				}
			}
			if len(said.errs) < 6 {
				t.Errorf("%s: %d errors, which shows too little", name, len(said.errs))
			}
			for _, err := range said.errs {
				if !errors.Is(err, wsclient.Err) {
					t.Errorf("EC-11, %s: %T: %v does not match wsclient.Err", name, err, err)
				}
			}
		}
		for _, bad := range []string{secret, "ftp://" + secret, "ws://:" + secret, "ws://peer.test:" + secret, "ws://peer.test/%zz" + secret} {
			if _, err := wsclient.New(bad, nil); err == nil || strings.Contains(err.Error(), secret) || !errors.Is(err, wsclient.Err) {
				t.Errorf("New(%q) gives %v", bad, err)
			}
		}
	})
}

// calls are those of a manager that return an error.
var calls = map[string]func(context.Context, *wsclient.Manager) error{
	"Connect":   func(ctx context.Context, m *wsclient.Manager) error { return m.Connect(ctx) },
	"Reconnect": func(ctx context.Context, m *wsclient.Manager) error { return m.Reconnect(ctx) },
	"Disconnect": func(ctx context.Context, m *wsclient.Manager) error {
		return m.Disconnect(ctx, nil)
	},
	"Disconnect, wrong": func(ctx context.Context, m *wsclient.Manager) error {
		return m.Disconnect(ctx, &wsclient.DisconnectOptions{Reason: wsclient.ReasonServerClosed})
	},
	"ScheduleReconnect": func(_ context.Context, m *wsclient.Manager) error { return m.ScheduleReconnect(time.Hour) },
	"ScheduleReconnect, wrong": func(_ context.Context, m *wsclient.Manager) error {
		return m.ScheduleReconnect(-1)
	},
	"WaitReconnectWindow": func(ctx context.Context, m *wsclient.Manager) error {
		_, err := m.WaitReconnectWindow(ctx, func() (bool, time.Duration) { return false, time.Hour })
		return err
	},
	"WaitReconnectWindow, nil": func(ctx context.Context, m *wsclient.Manager) error {
		_, err := m.WaitReconnectWindow(ctx, nil)
		return err
	},
	"WaitState": func(ctx context.Context, m *wsclient.Manager) error {
		_, err := m.WaitState(ctx, wsclient.StateConnecting)
		return err
	},
	"Send": func(ctx context.Context, m *wsclient.Manager) error { return m.Send(ctx, wsclient.Text, []byte("x")) },
	"Send, no text": func(ctx context.Context, m *wsclient.Manager) error {
		return m.Send(ctx, wsclient.Text, []byte{0xFF})
	},
	"Enqueue": func(ctx context.Context, m *wsclient.Manager) error {
		_, err := m.Enqueue(ctx, wsclient.Outgoing{Type: wsclient.Text})
		return err
	},
	"Receive": func(ctx context.Context, m *wsclient.Manager) error {
		_, err := m.Receive(ctx)
		return err
	},
	"Messages": func(ctx context.Context, m *wsclient.Manager) (last error) {
		for _, err := range m.Messages(ctx) {
			last = err
		}
		return last
	},
	"Events": func(ctx context.Context, m *wsclient.Manager) (last error) {
		for _, err := range m.Events(ctx) {
			last = err
		}
		return last
	},
	"Subscribe": func(ctx context.Context, m *wsclient.Manager) error { return m.Subscribe(ctx, wsclient.Channel("x")) },
	"Subscribe, wrong": func(ctx context.Context, m *wsclient.Manager) error {
		return m.Subscribe(ctx, wsclient.Subscription{})
	},
	"Unsubscribe": func(ctx context.Context, m *wsclient.Manager) error { return m.Unsubscribe(ctx, "x") },
	"SendJSON":    func(ctx context.Context, m *wsclient.Manager) error { return wsclient.SendJSON(ctx, m, 1) },
	"SendJSON, wrong": func(ctx context.Context, m *wsclient.Manager) error {
		return wsclient.SendJSON(ctx, m, func() {})
	},
	"ReceiveJSON": func(ctx context.Context, m *wsclient.Manager) error {
		_, err := wsclient.ReceiveJSON[int](ctx, m)
		return err
	},
	"Stream": func(ctx context.Context, m *wsclient.Manager) (last error) {
		for _, err := range wsclient.Stream[int](ctx, m, nil) {
			last = err
		}
		return last
	},
	"Request": func(ctx context.Context, m *wsclient.Manager) error {
		_, err := wsclient.Request(ctx, m, 1, func(string) bool { return false }, nil)
		return err
	},
	"Start":    func(ctx context.Context, m *wsclient.Manager) error { return m.Start(ctx) },
	"Run":      func(ctx context.Context, m *wsclient.Manager) error { return m.Run(ctx) },
	"Shutdown": func(ctx context.Context, m *wsclient.Manager) error { return m.Shutdown(ctx) },
	"Close":    func(_ context.Context, m *wsclient.Manager) error { return m.Close() },
	"Err":      func(_ context.Context, m *wsclient.Manager) error { return m.Err() },
}

// Every call, in every state, with contexts of every kind: what fails, fails with an error of the module, which also
// tells of the context if that was the reason.
func TestEC11EveryError(t *testing.T) {
	states := map[string]func(t *testing.T, network *netem.Network, m *wsclient.Manager){
		"new": func(*testing.T, *netem.Network, *wsclient.Manager) {},
		"connected": func(t *testing.T, _ *netem.Network, m *wsclient.Manager) {
			if err := m.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"reconnecting": func(t *testing.T, network *netem.Network, m *wsclient.Manager) {
			if err := m.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			network.Refuse("peer.test:80")
			network.ResetAll()
			time.Sleep(2 * time.Second)
		},
		"connecting": func(t *testing.T, network *netem.Network, m *wsclient.Manager) {
			network.Blackhole("peer.test:80")
			if err := m.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"given up": func(t *testing.T, network *netem.Network, m *wsclient.Manager) {
			network.FailDial("peer.test:80", errBoom)
			if err := m.Connect(t.Context()); err == nil {
				t.Fatal("connected")
			}
		},
		"killed": func(t *testing.T, _ *netem.Network, m *wsclient.Manager) {
			if err := m.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			m.Kill()
		},
		"closed": func(_ *testing.T, _ *netem.Network, m *wsclient.Manager) { m.Close() },
	}
	contexts := map[string]func(t *testing.T) context.Context{
		"cancelled": func(t *testing.T) context.Context {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx
		},
		"a minute": func(t *testing.T) context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			t.Cleanup(cancel)
			return ctx
		},
	}
	failed := map[string]bool{}
	for stateName, reach := range states {
		for contextName, newContext := range contexts {
			for name, call := range calls {
				synctest.Test(t, func(t *testing.T) {
					network := netem.New(nil)
					serve(t, network, "peer.test:80", wstest.Options{Handler: idle})
					o := at(network, wsclient.ReconnectOptions{Backoff: steady, MaxAttempts: 3, MaxInitialAttempts: 2})
					o.Dial.HandshakeTimeout = 10 * time.Second
					if name == "Enqueue" {
						o.Send.Mode = wsclient.SendQueued
					}
					var said output
					said.listen(&o)
					m, err := wsclient.New(peerURL, &o)
					if err != nil {
						t.Fatal(err)
					}
					defer m.Close()
					reach(t, network, m)
					ctx := newContext(t)
					if err := call(ctx, m); err != nil {
						said.err(err)
						failed[name] = true
						for _, c := range []error{context.Canceled, context.DeadlineExceeded} {
							if errors.Is(err, c) && ctx.Err() == nil {
								t.Errorf("%s, %s, %s: %v tells of a context that is not done", name, stateName, contextName, err)
							}
						}
						if contextName == "cancelled" && errors.Is(err, errkit.Canceled) && !errors.Is(err, context.Canceled) {
							t.Errorf("%s, %s: %v does not tell of the context", name, stateName, err)
						}
					}
					synctest.Wait()
					said.mu.Lock()
					defer said.mu.Unlock()
					for _, err := range said.errs {
						if !errors.Is(err, wsclient.Err) || !strings.HasPrefix(err.Error(), "wsclient: ") {
							t.Errorf("%s, %s, %s: %T: %v is not of this module", name, stateName, contextName, err, err)
						}
					}
				})
			}
		}
	}
	cannot := []string{"Close", "Shutdown", "Unsubscribe"} // not without something queued, or a codec that fails
	for name := range calls {
		if !failed[name] && !slices.Contains(cannot, name) {
			t.Errorf("%s has never failed", name)
		}
	}
}
