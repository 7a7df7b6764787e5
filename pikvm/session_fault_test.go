package pikvm_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// steady paces reconnecting by 1s, 2s, 4s, ... 30s.
var steady = retry.Backoff{Jitter: retry.JitterNone}

// TestSessionReconnects: whatever ends a connection, the session tells, comes back, and has the new state.
func TestSessionReconnects(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fault func(f *fake)
		kind  errkit.Kind   // of the error
		code  int           // close code
		down  time.Duration // until the loss is known
		up    time.Duration // until there is a connection again
	}{
		{"close frame 1001", func(f *fake) { f.DropSockets(1001) }, errkit.Disconnected | errkit.Unavailable, 1001, 0, 0},
		{"close frame 1000", func(f *fake) { f.DropSockets(1000) }, errkit.Disconnected, 1000, 0, 0},
		{"reset", func(f *fake) { f.DropSockets(0) }, errkit.Disconnected, 0, 0, 0},
		{"end without close frame", func(f *fake) { f.network.DropAll() }, errkit.Disconnected, 0, 0, 0},
		{"device falls silent", func(f *fake) { f.SilenceSockets() }, errkit.Disconnected | errkit.Timeout, 0, 15 * time.Second, 0},
		{"link vanishes", func(f *fake) { f.network.HalfOpen() }, errkit.Disconnected | errkit.Timeout, 0, 15 * time.Second, 0},
		{"daemon restarts", func(f *fake) { f.Restart(4 * time.Second) }, errkit.Disconnected | errkit.Unavailable, 1001, 0, 7 * time.Second},
		{"message over the limit", func(f *fake) { f.EmitRaw(false, []byte(`{"event_type":"`+strings.Repeat("x", 1<<20)+`"}`)) }, errkit.TooLarge, 0, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				s := f.open(t, &pikvm.EventOptions{Backoff: steady})
				knowsATX(t, s)
				time.Sleep(12 * time.Second) // the connection has held
				synctest.Wait()
				sub := s.Subscribe(pikvm.EventATX, pikvm.EventConnected, pikvm.EventDisconnected)
				start := time.Now()
				tc.fault(f)

				lost := nextOf(t, sub, pikvm.EventDisconnected)
				ws, ok := errors.AsType[*pikvm.WebSocketError](lost.Err)
				if !ok || ws.Code != tc.code || !errors.Is(lost.Err, tc.kind) {
					t.Errorf("lost by %#v: %v", lost.Err, lost.Err)
				}
				if took := time.Since(start); took > tc.down+5*time.Second || took < tc.down-5*time.Second {
					t.Errorf("the loss was known after %v, want about %v", took, tc.down)
				}
				lostAt := time.Now()
				f.SetHostPower(true)
				if ev := next(t, sub); ev.Type != pikvm.EventConnected {
					t.Errorf("then came %s", ev.Type)
				}
				if took := time.Since(lostAt); took != tc.up {
					t.Errorf("connected after %v, want %v", took, tc.up)
				}
				if _, err := s.Wait(within(t, time.Minute), ledIs(true)); err != nil {
					t.Errorf("the state is not the new one: %v", err)
				}
				if got := s.Stats().Connections; got != 2 || s.Err() != nil {
					t.Errorf("%d connections, error %v", got, s.Err())
				}
			})
		})
	}
}

// TestSessionDropsStateOnReconnect: nobody is told what was true before the connection broke.
func TestSessionDropsStateOnReconnect(t *testing.T) {
	t.Parallel()
	inBubble(t, &pikvmtest.Options{Host: pikvmtest.HostOptions{PoweredOn: true}}, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		knowsATX(t, s)
		if err := f.Emit("gone", map[string]int{"x": 1}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		f.Restart(time.Hour)
		synctest.Wait()
		if state := s.State(); state.Live() || state.Raw("gone") == nil || !ledIs(true)(state) {
			t.Errorf("without a connection: live %v, %s", state.Live(), state.Raw(pikvm.EventATX))
		}
		if _, err := s.Wait(within(t, time.Minute), ledIs(true)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a state from before was believed: %v", err)
		}
		f.SetHostPower(false)
		f.SetDown(0)
		if _, err := s.Wait(within(t, time.Minute), ledIs(false)); err != nil {
			t.Error(err)
		}
		if raw := s.State().Raw("gone"); raw != nil {
			t.Errorf("still known: %s", raw)
		}
	})
}

// TestSessionGivesUp: what cannot get better ends the session, and everybody learns why.
func TestSessionGivesUp(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status int
		header http.Header
		want   *errkit.Class
	}{
		{"401", 401, nil, pikvm.ErrAuth},
		{"403", 403, nil, pikvm.ErrAuth},
		{"redirect", 301, http.Header{"Location": {"https://kvm.example/api/ws"}}, pikvm.ErrRedirect},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				s := f.open(t, nil)
				knowsATX(t, s)
				sub := s.Subscribe(pikvm.EventDisconnected)
				waited, iterated := make(chan error, 1), make(chan error, 1)
				go func() {
					_, err := s.Wait(t.Context(), func(*pikvm.State) bool { return false })
					waited <- err
				}()
				go func() {
					var last error
					for _, err := range s.Events(t.Context()) {
						last = err
					}
					iterated <- last
				}()
				synctest.Wait()
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/ws", Status: tc.status, Header: tc.header})
				f.DropSockets(1001)
				<-s.Done()
				final := s.Err()
				if !errors.Is(final, tc.want) || errors.Is(final, pikvm.ErrWebSocket) {
					t.Errorf("ended by %v, want %v", final, tc.want)
				}
				if ev := next(t, sub); ev.Type != pikvm.EventDisconnected {
					t.Errorf("what was left to read is %s", ev.Type)
				}
				_, nextErr := sub.Next(t.Context())
				_, pingErr := s.Ping(t.Context())
				_, lateErr := s.Subscribe().Next(t.Context())
				_, lateWait := s.Wait(t.Context(), func(*pikvm.State) bool { return true })
				for name, err := range map[string]error{
					"Wait": <-waited, "iterator": <-iterated, "Next": nextErr, "Ping": pingErr,
					"late Next": lateErr, "late Wait": lateWait,
				} {
					if err != final {
						t.Errorf("%s: error is %v", name, err)
					}
				}
				if err := s.Close(); err != nil || s.Err() != final {
					t.Errorf("after Close: %v, %v", err, s.Err())
				}
			})
		})
	}
}

// TestSessionLogsInAgain: a restarted daemon has forgotten the cookie; that is no reason to give up.
func TestSessionLogsInAgain(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, &pikvm.Options{Auth: pikvm.AuthCookie}, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		knowsATX(t, s)
		sub := s.Subscribe(pikvm.EventConnected)
		f.Restart(2 * time.Second)
		next(t, sub)
		if s.Err() != nil || s.Stats().Connections != 2 {
			t.Errorf("error %v, stats %+v", s.Err(), s.Stats())
		}
	})
}

// TestSessionGivesUpWithCookie: a refused cookie calls for one login; when that does not help, the session ends.
func TestSessionGivesUpWithCookie(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, path string // of what is refused
		logins     int    // the first included
	}{
		{"login refused", "/api/auth/login", 2},
		{"new cookie refused", "/api/ws", 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, &pikvm.Options{Auth: pikvm.AuthCookie}, func(t *testing.T, f *fake) {
				s := f.open(t, nil)
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: tc.path, Status: 403, Body: []byte(forbidden)})
				f.Restart(0)
				select {
				case <-s.Done():
				case <-time.After(time.Minute):
					t.Fatal("the session goes on")
				}
				if !errors.Is(s.Err(), pikvm.ErrAuth) {
					t.Errorf("ended by %v", s.Err())
				}
				logins := 0
				for _, r := range f.Requests() {
					if r.Path == "/api/auth/login" {
						logins++
					}
				}
				if logins != tc.logins {
					t.Errorf("%d logins, want %d", logins, tc.logins)
				}
			})
		})
	}
}

// TestSessionReconnectStorm: a device that drops every connection at once is not hammered.
func TestSessionReconnectStorm(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fault func(t *testing.T, f *fake)
	}{
		{"dropped after the handshake", func(t *testing.T, f *fake) {
			go func() {
				for f.WaitSockets(t.Context(), 1) == nil {
					f.DropSockets(1001)
				}
			}()
		}},
		{"refused", func(_ *testing.T, f *fake) { f.SetDown(24 * time.Hour); f.DropSockets(0) }},
		{"nobody listens", func(_ *testing.T, f *fake) { f.network.Refuse("kvm.example:80"); f.DropSockets(0) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				attempts := 0
				s := f.open(t, &pikvm.EventOptions{Backoff: steady, OnRetry: func(int, time.Duration, error) { attempts++ }})
				knowsATX(t, s)
				tc.fault(t, f)
				time.Sleep(10 * time.Minute)
				_ = s.Close()
				// 1+2+4+8+16 s, then one every 30 s.
				if attempts < 20 || attempts > 26 {
					t.Errorf("%d attempts in 10 minutes", attempts)
				}
			})
		})
	}
}

// TestSessionSilenceTimeoutOff: then a dead link stays.
func TestSessionSilenceTimeoutOff(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, &pikvm.EventOptions{SilenceTimeout: -1})
		knowsATX(t, s)
		f.network.HalfOpen()
		time.Sleep(time.Hour)
		if !s.Connected() {
			t.Error("the session noticed")
		}
	})
}
