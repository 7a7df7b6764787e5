package wsclient_test

import (
	"context"
	"errors"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// dials counts the dials of managers, successful or not.
func (w *world) dials(o *wsclient.Options) *int {
	n := new(int)
	attempt := o.Hooks.OnAttempt
	o.Hooks.OnAttempt = func(a wsclient.Attempt) {
		*n++
		if attempt != nil {
			attempt(a)
		}
	}
	return n
}

func TestRC03AttemptsUsedUp(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		o := wsclient.Options{Reconnect: wsclient.ReconnectOptions{MaxAttempts: 5, Backoff: steady}}
		dials := w.dials(&o)
		m := w.connect(o)
		time.Sleep(time.Minute)
		done := m.Done()

		received := make(chan error, 1)
		go func() {
			_, err := m.Receive(t.Context())
			received <- err
		}()
		w.net.Refuse(host)
		w.net.ResetAll()
		<-done
		synctest.Wait()
		if *dials != 1+5 {
			t.Errorf("%d dials after the first", *dials-1)
		}
		w.inState(m, wsclient.StateDisconnected)
		for name, err := range map[string]error{
			"Err": m.Err(), "Receive": <-received, "Send": m.Send(t.Context(), wsclient.Text, []byte("x")),
			"OnGiveUp": w.log.gaveUp[0],
		} {
			e := want[*wsclient.ReconnectError](t, err)
			if e.Attempts != 5 || e.Outage != 1 || e.Terminal || e.Disabled || !errors.Is(e, syscall.ECONNREFUSED) ||
				!errors.Is(e, syscall.ECONNRESET) {
				t.Errorf("%s: %#v", name, e)
			}
		}
		if _, err := m.Receive(t.Context()); !errors.Is(err, wsclient.ErrReconnect) {
			t.Errorf("receiving again: %v", err)
		}

		// A new Connect starts afresh.
		w.net.Allow(host)
		if err := m.Connect(t.Context()); err != nil || m.Err() != nil {
			t.Errorf("Connect: %v, Err: %v", err, m.Err())
		}
		select {
		case <-m.Done():
			t.Error("Done is closed while there is a connection")
		default:
		}
	})
}

func TestRC04ConnectAttemptsUsedUp(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		o := wsclient.Options{Reconnect: wsclient.ReconnectOptions{MaxAttempts: 5, Backoff: steady}}
		dials := w.dials(&o)
		m := w.manager(o)
		err := m.Connect(t.Context())
		if e := want[*wsclient.ConnectionError](t, err); e.Attempts != 6 || !errors.Is(e, syscall.ECONNREFUSED) ||
			e.Elapsed != 31*time.Second {
			t.Errorf("%#v", e)
		}
		synctest.Wait()
		if *dials != 6 {
			t.Errorf("%d dials", *dials)
		}
		w.inState(m, wsclient.StateDisconnected)
		if m.Err() != err {
			t.Errorf("Err: %v", m.Err())
		}
	})
}

func TestRC05NoRetry(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		o := wsclient.Options{Reconnect: wsclient.ReconnectOptions{MaxAttempts: wsclient.NoRetry}}
		dials := w.dials(&o)
		m := w.manager(o)
		if e := want[*wsclient.ConnectionError](t, m.Connect(t.Context())); e.Attempts != 1 {
			t.Errorf("%#v", e)
		}
		w.serve(idle)
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.net.ResetAll()
		<-m.Done()
		synctest.Wait()
		if e := want[*wsclient.ReconnectError](t, m.Err()); e.Attempts != 0 || !e.Disabled ||
			!errors.Is(e, wsclient.ErrReconnectDisabled) {
			t.Errorf("%#v", e)
		}
		if *dials != 2 {
			t.Errorf("%d dials", *dials)
		}
	})
}

func TestRC06ReconnectDisabled(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		srv := w.serve(idle)
		m := w.connect(wsclient.Options{Reconnect: wsclient.ReconnectOptions{Disabled: true}})
		srv.CloseConns(1001, "going away")
		_, err := m.Receive(t.Context())
		e := want[*wsclient.ReconnectError](t, err)
		if closed := want[*wsclient.ClosedError](t, e); closed.Code != 1001 {
			t.Errorf("%#v", closed)
		}
		w.inState(m, wsclient.StateDisconnected)
		if lost := w.log.lost(); len(lost) != 1 || lost[0].WillReconnect {
			t.Errorf("OnDisconnect: %+v", lost)
		}
	})
}

func TestRC07DialsTimeOut(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		m := w.connect(wsclient.Options{
			Dial:      wsclient.DialOptions{HandshakeTimeout: 7 * time.Second},
			Reconnect: wsclient.ReconnectOptions{MaxAttempts: 3, Strategy: wsclient.Immediate},
		})
		w.net.Blackhole(host)
		w.net.ResetAll()
		began := time.Now()
		<-m.Done()
		if took := time.Since(began); took != 21*time.Second {
			t.Errorf("gave up after %v", took)
		}
		w.inState(m, wsclient.StateDisconnected)
		e := want[*wsclient.ReconnectError](t, m.Err())
		if late := want[*wsclient.TimeoutError](t, e); e.Attempts != 3 || late.Op != "connect" || late.Limit != 7*time.Second {
			t.Errorf("%#v, %#v", e, late)
		}
		late := want[*wsclient.TimeoutError](t, m.Connect(t.Context()))
		if late.Attempts != 4 || late.Limit != 7*time.Second {
			t.Errorf("%#v", late)
		}
		if _, ok := errors.AsType[*wsclient.ConnectionError](error(late)); ok {
			t.Error("a timeout is a connection error")
		}
	})
}

func TestRC10Flapping(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		n := 0
		w.serve(func(c *wsconn.Conn) {
			n++
			up := time.Second
			if n == 6 {
				up = 11 * time.Second
			}
			time.Sleep(up)
			c.CloseNow()
		})
		w.connect(wsclient.Options{Reconnect: wsclient.ReconnectOptions{Backoff: steady, MaxAttempts: wsclient.Unlimited}})
		time.Sleep(time.Hour)
		var delays []time.Duration
		for _, l := range w.log.lost()[:9] {
			delays = append(delays, l.NextDelay)
		}
		s := time.Second
		if diff := cmp.Diff([]time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 0, s, 2 * s, 4 * s}, delays); diff != "" {
			t.Errorf("delays (-want +got):\n%s", diff)
		}
	})
}

func TestRC13Unauthorized(t *testing.T) {
	for name, tt := range map[string]struct {
		token   string // after the refresh
		refresh bool
		dials   int
		fails   bool
	}{
		"no refresh":    {fails: true, dials: 1},
		"refresh":       {refresh: true, token: "new", dials: 2},
		"refused twice": {refresh: true, token: "as bad", dials: 2, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.serveOpts(wstest.Options{Handler: idle, Request: func(rw http.ResponseWriter, r *http.Request) bool {
					if r.Header.Get("Authorization") == "new" {
						return true
					}
					rw.WriteHeader(http.StatusUnauthorized)
					return false
				}})
				token, refreshed := "old", 0
				o := wsclient.Options{Dial: wsclient.DialOptions{
					HeaderFunc: func(context.Context, wsclient.Attempt) (http.Header, error) {
						return http.Header{"authorization": {token}}, nil
					},
				}}
				if tt.refresh {
					o.Dial.AuthRefresh = func(_ context.Context, a wsclient.Attempt) error {
						token = tt.token
						refreshed++
						if a.LastStatus != http.StatusUnauthorized {
							t.Errorf("attempt: %+v", a)
						}
						return nil
					}
				}
				dials := w.dials(&o)
				m := w.manager(o)
				began := time.Now()
				err := m.Connect(t.Context())
				synctest.Wait()
				if *dials != tt.dials || time.Since(began) != 0 || (refreshed == 1) != tt.refresh {
					t.Errorf("%d dials in %v, %d refreshed", *dials, time.Since(began), refreshed)
				}
				if !tt.fails {
					if err != nil {
						t.Error(err)
					}
					return
				}
				e := want[*wsclient.HandshakeError](t, err)
				if e.StatusCode != http.StatusUnauthorized || e.Attempts != tt.dials || !errors.Is(err, wsclient.ErrUnauthorized) {
					t.Errorf("%#v", e)
				}
			})
		})
	}
}

// A close code that says the same is treated the same.
func TestRC13UnauthorizedClose(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		refusal := upgraded(func(s *wstest.Session) error {
			return errors.Join(s.Send(wstest.CloseFrame(4401, "token")), s.Discard())
		})
		peer := w.play(refusal, upgraded(discard))
		refreshed := 0
		m := w.manager(wsclient.Options{Dial: wsclient.DialOptions{
			AuthRefresh: func(context.Context, wsclient.Attempt) error { refreshed++; return nil },
		}})
		m.Start(t.Context())
		time.Sleep(time.Second)
		w.inState(m, wsclient.StateConnected)
		if refreshed != 1 || peer.Accepted() != 2 {
			t.Errorf("%d refreshed, %d connections", refreshed, peer.Accepted())
		}
	})
}

func TestRC21URLAndHeaderPerAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var paths []string
		w.serveOpts(wstest.Options{Handler: idle, Request: func(rw http.ResponseWriter, r *http.Request) bool {
			paths = append(paths, r.URL.Path+" "+r.Header.Get("X-Attempt")+" "+r.Header.Get("X-Static"))
			if len(paths) == 1 {
				rw.WriteHeader(http.StatusServiceUnavailable)
				return false
			}
			return true
		}})
		boom := errors.New("no token yet")
		var attempts []wsclient.Attempt
		m := w.manager(wsclient.Options{
			Reconnect: wsclient.ReconnectOptions{Backoff: steady},
			Dial: wsclient.DialOptions{
				HandshakeTimeout: 10 * time.Second,
				Header:           http.Header{"X-Static": {"s"}, "X-Attempt": {"none"}},
				URLFunc: func(ctx context.Context, a wsclient.Attempt) (string, error) {
					attempts = append(attempts, a)
					switch a.Number {
					case 1:
						return "", boom
					case 2: // slower than the attempt may be
						<-ctx.Done()
						return "", ctx.Err()
					}
					return "ws://user:S3CRET@" + host + "/" + string(rune('0'+a.Number)), nil
				},
				HeaderFunc: func(_ context.Context, a wsclient.Attempt) (http.Header, error) {
					return http.Header{"X-Attempt": {string(rune('0' + a.Number))}}, nil
				},
			},
		})
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if diff := cmp.Diff([]string{"/3 3 s", "/4 4 s"}, paths); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		if len(attempts) != 4 {
			t.Fatalf("asked %d times", len(attempts))
		}
		if a := attempts[1]; a.Number != 2 || !errors.Is(a.LastErr, boom) || a.LastStatus != 0 || a.Delay != time.Second {
			t.Errorf("second attempt: %+v", a)
		}
		late := want[*wsclient.TimeoutError](t, attempts[2].LastErr)
		if late.Limit != 10*time.Second {
			t.Errorf("third attempt: %+v", attempts[2])
		}
		if a := attempts[3]; a.LastStatus != http.StatusServiceUnavailable || a.Delay != 4*time.Second {
			t.Errorf("fourth attempt: %+v", a)
		}
		if diff := cmp.Diff([]time.Duration{0, time.Second, 13 * time.Second, 17 * time.Second}, w.log.at("attempt")); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
	})
}

func TestRC21GiveUp(t *testing.T) {
	for _, name := range []string{"URLFunc", "HeaderFunc", "AuthRefresh"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.serveOpts(wstest.Options{Handler: idle, Request: func(rw http.ResponseWriter, _ *http.Request) bool {
					rw.WriteHeader(http.StatusUnauthorized)
					return false
				}})
				revoked := errors.Join(errors.New("licence revoked"), wsclient.ErrGiveUp)
				var o wsclient.Options
				switch name {
				case "URLFunc":
					o.Dial.URLFunc = func(context.Context, wsclient.Attempt) (string, error) { return "", revoked }
				case "HeaderFunc":
					o.Dial.HeaderFunc = func(context.Context, wsclient.Attempt) (http.Header, error) { return nil, revoked }
				case "AuthRefresh":
					o.Dial.AuthRefresh = func(context.Context, wsclient.Attempt) error { return revoked }
				}
				m := w.manager(o)
				began := time.Now()
				err := m.Connect(t.Context())
				want[*wsclient.ConnectionError](t, err)
				if !errors.Is(err, wsclient.ErrGiveUp) || time.Since(began) != 0 {
					t.Errorf("%v after %v", err, time.Since(began))
				}
			})
		})
	}
}

// A bad address from the program cannot be cured by another attempt.
func TestRC21BadURL(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		m := w.manager(wsclient.Options{Dial: wsclient.DialOptions{
			URLFunc: func(context.Context, wsclient.Attempt) (string, error) { return "ftp://S3CRET@peer", nil },
		}})
		err := m.Connect(t.Context())
		if e := want[*wsclient.ConnectionError](t, err); e.Attempts != 1 || !errors.Is(err, wsclient.ErrConfig) {
			t.Errorf("%#v", e)
		}
	})
}
