package pikvm_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/internal/netem"
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

// TestEventsFirstConnection: the first failure is the caller's, typed as that of a request.
func TestEventsFirstConnection(t *testing.T) {
	t.Parallel()
	html := []byte("<html><body>502 Bad Gateway</body></html>")
	for _, tc := range []struct {
		name   string
		fault  pikvmtest.Fault
		class  *errkit.Class
		status int
		kind   errkit.Kind
	}{
		{"401", pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Status: 401}, pikvm.ErrAuth, 401, errkit.Auth},
		{"403", pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Status: 403}, pikvm.ErrAuth, 403, errkit.Auth},
		{"400", pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Status: 400, Body: []byte(`{"ok":false,"result":{"error":"ValidatorError","error_msg":"x"}}`)}, pikvm.ErrInvalidArgument, 400, errkit.Invalid},
		{"308", pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Status: 308, Header: http.Header{"Location": {"/api/ws"}}}, pikvm.ErrRedirect, 308, errkit.Unsupported},
		{"404", pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Status: 404}, pikvm.ErrNotFound, 404, errkit.NotFound},
		{"502 page", pikvmtest.Fault{Kind: pikvmtest.FaultPage, Status: 502, Body: html}, pikvm.ErrAPI, 502, errkit.Unavailable},
		{"200 page", pikvmtest.Fault{Kind: pikvmtest.FaultPage, Status: 200, Body: html}, pikvm.ErrResponse, 200, errkit.Protocol},
		{"reset", pikvmtest.Fault{Kind: pikvmtest.FaultReset}, pikvm.ErrConnect, 0, errkit.Connection},
		{"no answer", pikvmtest.Fault{Kind: pikvmtest.FaultHang}, pikvm.ErrConnectionTimeout, 0, errkit.Timeout},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				tc.fault.Path = "/api/ws"
				fault := f.Inject(tc.fault)
				_, err := f.client.Events(t.Context(), nil)
				if !errors.Is(err, tc.class) || !errors.Is(err, tc.kind) || errors.Is(err, pikvm.ErrWebSocket) {
					t.Errorf("error is %v, want %v of kind %v", err, tc.class, tc.kind)
				}
				if api, ok := errors.AsType[*pikvm.APIError](err); ok != (tc.status != 0) || ok && api.StatusCode != tc.status {
					t.Errorf("API error is %+v", api)
				}
				if fault.Hits() != 1 {
					t.Errorf("%d attempts, want 1", fault.Hits())
				}
			})
		})
	}
}

func TestEventsRetriesFirst(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		f.SetDown(5 * time.Second)
		start := time.Now()
		var pauses []time.Duration
		s := f.open(t, &pikvm.EventOptions{RetryFirst: true, Backoff: steady, OnRetry: func(attempt int, delay time.Duration, err error) {
			pauses = append(pauses, delay)
			if attempt != len(pauses)+1 || !errors.Is(err, pikvm.ErrAPI) {
				t.Errorf("attempt %d after %v", attempt, err)
			}
		}})
		if d := cmp.Diff([]time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, pauses); d != "" {
			t.Errorf("pauses (-want +got):\n%s", d)
		}
		if took := time.Since(start); took != 7*time.Second || !s.Connected() {
			t.Errorf("connected %v after %v", s.Connected(), took)
		}
	})
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		f.SetDown(time.Hour)
		_, err := f.client.Events(within(t, time.Minute), &pikvm.EventOptions{RetryFirst: true})
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errkit.Unavailable) {
			t.Errorf("error is %v, want the end of the context and the last refusal", err)
		}
	})
	inBubble(t, nil, &pikvm.Options{Password: "wrong"}, func(t *testing.T, f *fake) {
		if _, err := f.client.Events(t.Context(), &pikvm.EventOptions{RetryFirst: true}); !errors.Is(err, pikvm.ErrAuth) {
			t.Errorf("error is %v", err)
		}
		if n := len(f.Requests()); n != 1 {
			t.Errorf("%d requests with refused credentials", n)
		}
	})
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

// TestSessionCloses in every phase of its life: nothing is left, and Close comes back soon.
func TestSessionCloses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		phase func(f *fake)
		limit time.Duration
	}{
		{"connected", func(*fake) {}, 0},
		{"device silent", func(f *fake) { f.SilenceSockets() }, time.Second},
		{"link vanished", func(f *fake) { f.network.HalfOpen() }, time.Second},
		{"pause", func(f *fake) { f.SetDown(time.Hour); f.DropSockets(0); time.Sleep(time.Minute) }, 0},
		{"dialling", func(f *fake) {
			f.network.Blackhole("kvm.example:80")
			f.DropSockets(0)
			time.Sleep(5 * time.Second)
		}, 0},
		{"handshake", func(f *fake) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultHang, Path: "/api/ws"})
			f.DropSockets(0)
			time.Sleep(5 * time.Second)
		}, 0},
	} {
		for name, end := range map[string]func(f *fake, s *pikvm.Session) error{
			"session": func(_ *fake, s *pikvm.Session) error { return s.Close() },
			"client":  func(f *fake, _ *pikvm.Session) error { return f.client.Close() },
		} {
			t.Run(tc.name+" by "+name, func(t *testing.T) {
				t.Parallel()
				inBubble(t, nil, nil, func(t *testing.T, f *fake) {
					s := f.open(t, &pikvm.EventOptions{Backoff: steady})
					knowsATX(t, s)
					time.Sleep(12 * time.Second)
					synctest.Wait()
					sub := s.Subscribe(pikvm.EventOCR)
					tc.phase(f)
					synctest.Wait()
					start := time.Now()
					if err := end(f, s); err != nil {
						t.Error(err)
					}
					if took := time.Since(start); took > tc.limit {
						t.Errorf("closing took %v", took)
					}
					<-s.Done()
					_, waitErr := s.Wait(t.Context(), func(*pikvm.State) bool { return true })
					_, nextErr := sub.Next(t.Context())
					_, pingErr := s.Ping(t.Context())
					for name, err := range map[string]error{"Wait": waitErr, "Next": nextErr, "Ping": pingErr} {
						if !errors.Is(err, pikvm.ErrClosed) {
							t.Errorf("%s: error is %v", name, err)
						}
					}
					for _, err := range s.Events(t.Context()) {
						t.Errorf("iterator: %v", err)
					}
					if s.Err() != nil || s.Close() != nil || s.Connected() {
						t.Errorf("error %v, connected %v", s.Err(), s.Connected())
					}
				})
			})
		}
	}
}

// TestSessionClosesProperly: the device sees a close frame, not a broken connection.
func TestSessionClosesProperly(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		knowsATX(t, s)
		link, err := f.network.WaitLink(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		if err := f.WaitSockets(within(t, time.Second), 0); err != nil {
			t.Error("the device still has the socket")
		}
		if state := link.State(); !state.Closed() || state.Cut {
			t.Errorf("the link is %+v", state)
		}
	})
}

// TestSessionContexts: the caller's context ends a call, in every phase, and nothing else.
func TestSessionContexts(t *testing.T) {
	t.Parallel()
	for name, phase := range map[string]func(f *fake){
		"dial":      func(f *fake) { f.network.Blackhole("kvm.example:80") },
		"handshake": func(f *fake) { f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultHang}) },
		"pause":     func(f *fake) { f.SetDown(time.Hour) },
		"stall":     func(f *fake) { f.network.Stall(netem.Down) },
	} {
		t.Run("opening, "+name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				phase(f)
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(3*time.Second, cancel)
				start := time.Now()
				_, err := f.client.Events(ctx, &pikvm.EventOptions{RetryFirst: true, Backoff: retry.Backoff{Base: 10 * time.Second, Jitter: retry.JitterNone}})
				if !errors.Is(err, context.Canceled) || errors.Is(err, pikvm.ErrConnectionTimeout) || time.Since(start) != 3*time.Second {
					t.Errorf("error is %v after %v", err, time.Since(start))
				}
				f.network.Resume(netem.Both)
			})
		})
	}
	for name, call := range map[string]func(ctx context.Context, s *pikvm.Session) error{
		"Wait": func(ctx context.Context, s *pikvm.Session) error {
			_, err := s.Wait(ctx, func(*pikvm.State) bool { return false })
			return err
		},
		"Next": func(ctx context.Context, s *pikvm.Session) error {
			sub := s.Subscribe("never")
			defer sub.Close()
			_, err := sub.Next(ctx)
			return err
		},
		"iterator": func(ctx context.Context, s *pikvm.Session) (last error) {
			for _, err := range s.Events(ctx, "never") {
				last = err
			}
			return last
		},
		"Ping": func(ctx context.Context, s *pikvm.Session) error {
			_, err := s.Ping(ctx)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				s := f.open(t, nil)
				f.StallPings(true)
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				if err := call(ctx, s); !errors.Is(err, context.Canceled) || !errors.Is(err, errkit.Canceled) || errors.Is(err, errkit.Timeout) {
					t.Errorf("canceled: error is %v", err)
				}
				if err := call(within(t, time.Second), s); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, pikvm.ErrConnectionTimeout) {
					t.Errorf("deadline: error is %v", err)
				}
				if !s.Connected() || s.Err() != nil {
					t.Error("the session ended, too")
				}
			})
		})
	}
}
