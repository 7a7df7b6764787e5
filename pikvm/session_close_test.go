package pikvm_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

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
		synctest.Wait()
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

// TestCloseFromCallbacks: code of the caller that runs inside a call may end the session and the client.
func TestCloseFromCallbacks(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(ctx context.Context, f *fake, s *pikvm.Session, end func()) error{
		"loop body": func(ctx context.Context, _ *fake, s *pikvm.Session, end func()) (last error) {
			for _, err := range s.Events(ctx) {
				last = err
				end()
			}
			return last
		},
		"predicate": func(ctx context.Context, _ *fake, s *pikvm.Session, end func()) error {
			_, err := s.Wait(ctx, func(*pikvm.State) bool { end(); return false })
			return err
		},
		"OnStep": func(ctx context.Context, f *fake, s *pikvm.Session, end func()) error {
			return f.client.ATX.PowerOn(ctx, &pikvm.PowerOptions{Session: s, OnStep: func(step pikvm.PowerStep) {
				if step.Name == "wait on" {
					end()
				}
			}})
		},
		"OnStep of an operation with its own session": func(ctx context.Context, f *fake, s *pikvm.Session, end func()) error {
			return f.client.ATX.PowerOn(ctx, &pikvm.PowerOptions{OnStep: func(step pikvm.PowerStep) {
				if step.Name == "wait on" {
					end()
				}
			}})
		},
	} {
		for what, end := range map[string]func(f *fake, s *pikvm.Session){
			"session": func(_ *fake, s *pikvm.Session) { _ = s.Close() },
			"client":  func(f *fake, _ *pikvm.Session) { _ = f.client.Close() },
		} {
			t.Run(what+" in "+name, func(t *testing.T) {
				t.Parallel()
				inBubble(t, nil, nil, func(t *testing.T, f *fake) {
					s := f.open(t, nil)
					knowsATX(t, s)
					returned := make(chan error, 1)
					go func() { returned <- call(t.Context(), f, s, func() { end(f, s) }) }()
					time.AfterFunc(time.Second, func() { _ = f.Emit("ocr", nil) }) // for the loop
					select {
					case err := <-returned:
						if err != nil && !errors.Is(err, pikvm.ErrClosed) {
							t.Errorf("error is %v", err)
						}
					case <-time.After(time.Minute):
						t.Fatal("the call does not return")
					}
				})
			})
		}
	}
}
