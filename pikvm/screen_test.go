package pikvm_test

import (
	"context"
	"errors"
	"image"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// sockets returns how many event sockets were asked for.
func (f *fake) sockets() (n int) {
	for _, r := range f.Requests() {
		if r.Path == "/api/ws" {
			n++
		}
	}
	return n
}

// leftAlone checks that nobody watches any more, and that the streamer stops in its time.
func (f *fake) leftAlone(t *testing.T) {
	t.Helper()
	if err := f.WaitSockets(within(t, time.Second), 0); err != nil {
		t.Errorf("%d viewers are left", f.Sockets())
	}
	begin := time.Now()
	if err := f.WaitStreamer(within(t, time.Minute), false); err != nil || time.Since(begin) > 10*time.Second {
		t.Errorf("the streamer still runs after %v", time.Since(begin))
	}
}

// TestScreenshot takes pictures of a device whose streamer does not run, in every form of events: it is started, and nobody
// goes on watching.
func TestScreenshot(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"4.197", "4.35", "4.20", "3.333"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			device := &pikvmtest.Options{Version: version, Streamer: pikvmtest.StreamerOptions{Text: "hello"}}
			inBubble(t, device, nil, func(t *testing.T, f *fake) {
				for range 2 {
					begin := time.Now()
					got, err := f.client.Screenshot(t.Context(), &pikvm.ScreenshotOptions{Preview: &pikvm.PreviewOptions{}})
					if err != nil {
						t.Fatal(err)
					}
					if !got.Online || got.Width != 1920 || sizeOf(t, got.JPEG) != image.Pt(384, 216) {
						t.Errorf("picture is %+v", got.SnapshotInfo)
					}
					if took := time.Since(begin); took != 500*time.Millisecond { // what the streamer needs
						t.Errorf("took %v", took)
					}
					f.leftAlone(t)
				}
			})
		})
	}
}

// TestScreenshotDisturbsNobody: a streamer that runs is used without a socket, and a session of the caller stays.
func TestScreenshotDisturbsNobody(t *testing.T) {
	t.Parallel()
	inBubble(t, watched(""), nil, func(t *testing.T, f *fake) {
		if _, err := f.client.Screenshot(t.Context(), &pikvm.ScreenshotOptions{Save: true}); err != nil || f.sockets() != 0 {
			t.Errorf("%d sockets, error %v", f.sockets(), err)
		}
		if _, err := f.client.Streamer.Snapshot(t.Context(), &pikvm.SnapshotOptions{Load: true}); err != nil {
			t.Errorf("not saved: %v", err)
		}
	})
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, &pikvm.EventOptions{Stream: true})
		if _, err := f.client.Screenshot(t.Context(), &pikvm.ScreenshotOptions{Session: s}); err != nil {
			t.Fatal(err)
		}
		if f.sockets() != 1 || f.Sockets() != 1 || !s.Connected() {
			t.Errorf("%d sockets, %d open", f.sockets(), f.Sockets())
		}
	})
}

// TestScreenshotCopes with what passes.
func TestScreenshotCopes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		phase func(f *fake)
		took  time.Duration // at most
	}{
		"no signal yet": {func(f *fake) {
			f.SetSignal(false)
			time.AfterFunc(12*time.Second, func() { f.SetSignal(true) })
		}, 13 * time.Second},
		"no picture although online": {func(f *fake) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultPage, Path: "/api/streamer/snapshot", Status: 503, Times: 4})
		}, 5 * time.Second},
		"connection lost": {func(f *fake) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultReset, Path: "/api/streamer/snapshot", Times: 2})
		}, 2 * time.Second},
		"socket refused": {func(f *fake) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultPage, Path: "/api/ws", Times: 2})
		}, 3 * time.Second},
		"no answer": {func(f *fake) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultHang, Path: "/api/streamer/snapshot", Times: 1})
		}, 12 * time.Second},
		"daemon away": {func(f *fake) { f.SetDown(5 * time.Second) }, 9 * time.Second},
		"daemon restarts": {func(f *fake) {
			f.SetSignal(false)
			time.AfterFunc(5*time.Second, func() { f.Restart(time.Second); f.SetSignal(true) })
		}, 12 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				tc.phase(f)
				begin := time.Now()
				if _, err := f.client.Screenshot(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin); took > tc.took {
					t.Errorf("took %v", took)
				}
				f.leftAlone(t)
			})
		})
	}
}

// TestScreenshotFails: each failure has its type, leaves nobody watching, and the client as it was.
func TestScreenshotFails(t *testing.T) {
	t.Parallel()
	const shot, ws = "/api/streamer/snapshot", "/api/ws"
	late := failure{Type: "ScreenError", Class: pikvm.ErrScreen, Kinds: errkit.Timeout, Status: 503}
	inject := func(kind pikvmtest.FaultKind, path string, status int, header http.Header) func(f *fake) {
		return func(f *fake) {
			f.Inject(pikvmtest.Fault{Kind: kind, Path: path, Status: status, Header: header, Times: 1})
		}
	}
	for name, tc := range map[string]struct {
		phase  func(f *fake)
		ctx    func(t *testing.T, f *fake) context.Context
		opts   pikvm.ScreenshotOptions
		want   failure
		reason string
		took   time.Duration
	}{
		"no signal": {
			phase: func(f *fake) { f.SetSignal(false) }, want: late, reason: "no signal from the host", took: 30 * time.Second,
		},
		"shorter limit": {
			phase: func(f *fake) { f.SetSignal(false) }, opts: pikvm.ScreenshotOptions{Timeout: 3 * time.Second},
			want: late, reason: "no signal from the host", took: 3 * time.Second,
		},
		"never online": {
			phase: func(f *fake) { f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultPage, Path: shot, Status: 503}) },
			want:  late, reason: "no picture", took: 30 * time.Second,
		},
		"deadline of the caller": {
			phase: func(f *fake) { f.SetSignal(false) },
			ctx:   func(t *testing.T, _ *fake) context.Context { return within(t, 7*time.Second) },
			want:  late, reason: "no signal from the host", took: 7 * time.Second,
		},
		"canceled": {
			phase: func(f *fake) { f.SetSignal(false) },
			ctx: func(t *testing.T, _ *fake) context.Context {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(4*time.Second, cancel)
				return ctx
			},
			want:   failure{Type: "ScreenError", Class: pikvm.ErrScreen, Kinds: errkit.Canceled, Status: 503},
			reason: "no signal from the host", took: 4 * time.Second,
		},
		"closed": {
			phase: func(f *fake) { f.SetSignal(false) },
			ctx: func(t *testing.T, f *fake) context.Context {
				time.AfterFunc(4*time.Second, func() { _ = f.client.Close() })
				return t.Context()
			},
			want: failure{Type: "Basic", Class: pikvm.ErrClosed, Kinds: errkit.Closed}, took: 4 * time.Second,
		},
		"not logged in": {
			phase: inject(pikvmtest.FaultAnswer, shot, 403, nil),
			want:  failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 403},
		},
		"socket not allowed": {
			phase: inject(pikvmtest.FaultAnswer, ws, 401, nil),
			want:  failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 401},
		},
		"H.264 instead of a picture": {
			phase: inject(pikvmtest.FaultAnswer, shot, 200, http.Header{"Content-Type": {"image/jpeg"}, "X-Ustreamer-Online": {"true"}}),
			want:  failure{Type: "ResponseError", Class: pikvm.ErrResponse, Kinds: errkit.Protocol, Status: 200},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				tc.phase(f)
				ctx := t.Context()
				if tc.ctx != nil {
					ctx = tc.ctx(t, f)
				}
				begin := time.Now()
				_, err := f.client.Screenshot(ctx, &tc.opts)
				if took := time.Since(begin); took != tc.took {
					t.Errorf("took %v, want %v", took, tc.took)
				}
				tc.want.check(t, err)
				if e, ok := errors.AsType[*pikvm.ScreenError](err); ok {
					if e.Reason != tc.reason || e.Want != "a picture" || (e.Limit > 0) != (ctx.Err() == nil) {
						t.Errorf("error is %+v: %v", e, err)
					}
					if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
						t.Errorf("does not match %v: %v", ctx.Err(), err)
					}
				}
				f.leftAlone(t)
				if name == "closed" {
					return
				}
				f.ClearFaults()
				f.SetSignal(true)
				if _, err := f.client.Screenshot(t.Context(), nil); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		})
	}
}

// TestScreenshotOffline takes the placeholder when that is allowed, but rather a picture that comes soon.
func TestScreenshotOffline(t *testing.T) {
	t.Parallel()
	for after, online := range map[time.Duration]bool{2 * time.Second: true, time.Minute: false} {
		inBubble(t, &pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{NoSignal: true}}, nil, func(t *testing.T, f *fake) {
			timer := time.AfterFunc(after, func() { f.SetSignal(true) })
			defer timer.Stop()
			got, err := f.client.Screenshot(t.Context(), &pikvm.ScreenshotOptions{AllowOffline: true})
			if err != nil || got.Online != online {
				t.Errorf("signal after %v: %+v, %v", after, got, err)
			}
		})
	}
}

// TestScreenSessions: a session that cannot keep the streamer running is refused, and one that has ended says why.
func TestScreenSessions(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		other := newClient(t, kvmHTTP, on(f.network, pikvm.Options{Password: "admin"}))
		foreign, err := other.Events(t.Context(), &pikvm.EventOptions{Stream: true})
		if err != nil {
			t.Fatal(err)
		}
		defer foreign.Close()
		for _, s := range []*pikvm.Session{foreign, f.open(t, nil)} {
			_, err := f.client.Screenshot(t.Context(), &pikvm.ScreenshotOptions{Session: s})
			failure{
				Type: "ConfigurationError", Class: pikvm.ErrConfiguration, Kinds: errkit.Invalid | errkit.NotSent,
			}.check(t, err)
		}
		s := f.open(t, &pikvm.EventOptions{Stream: true})
		f.SetSignal(false)
		time.AfterFunc(time.Second, func() { _ = s.Close() })
		if _, err := f.client.Screenshot(t.Context(), &pikvm.ScreenshotOptions{Session: s}); !errors.Is(err, pikvm.ErrClosed) {
			t.Errorf("closed meanwhile: %v", err)
		}
		if err := f.client.WaitSignal(t.Context(), true, &pikvm.WaitSignalOptions{Session: s}); !errors.Is(err, pikvm.ErrClosed) {
			t.Errorf("closed before: %v", err)
		}
	})
}

// TestWaitSignal waits for a signal and for its end, and does not believe what holds for a moment only.
func TestWaitSignal(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		ctx := t.Context()
		begin := time.Now()
		after := func(d time.Duration, on bool) {
			time.AfterFunc(time.Until(begin.Add(d)), func() { f.SetSignal(on) })
		}
		took := func(want time.Duration) {
			t.Helper()
			if got := time.Since(begin); got != want {
				t.Errorf("it is %v, want %v", got, want)
			}
		}
		if err := f.client.WaitSignal(ctx, true, nil); err != nil {
			t.Fatal(err)
		}
		took(2500 * time.Millisecond) // the streamer starts, the signal holds
		f.leftAlone(t)
		begin = time.Now()
		after(5*time.Second, false)
		after(6*time.Second, true) // not for long
		after(9*time.Second, false)
		if err := f.client.WaitSignal(ctx, false, nil); err != nil {
			t.Fatal(err)
		}
		took(11 * time.Second)
		begin = time.Now()
		after(5*time.Second, true)
		if err := f.client.WaitSignal(ctx, true, &pikvm.WaitSignalOptions{Hold: -1}); err != nil {
			t.Fatal(err)
		}
		took(5 * time.Second)
		begin = time.Now()
		after(2*time.Second, false)
		time.AfterFunc(time.Second, func() { f.Restart(10 * time.Second) }) // nobody tells meanwhile
		if err := f.client.WaitSignal(ctx, false, &pikvm.WaitSignalOptions{Hold: 5 * time.Second}); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(begin); got < 16*time.Second {
			t.Errorf("believed after %v", got)
		}
	})
}

// TestWaitSignalFails: it says what there is instead.
func TestWaitSignalFails(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		on     bool
		phase  func(f *fake)
		want   failure
		reason string
	}{
		"no signal": {
			true, func(f *fake) { f.SetSignal(false) },
			failure{Type: "ScreenError", Class: pikvm.ErrScreen, Kinds: errkit.Timeout},
			"no signal from the host",
		},
		"signal": {
			false, func(*fake) {}, failure{Type: "ScreenError", Class: pikvm.ErrScreen, Kinds: errkit.Timeout}, "there is one",
		},
		"daemon away": {
			true, func(f *fake) { f.SetDown(time.Hour) },
			failure{Type: "ScreenError", Class: pikvm.ErrScreen, Kinds: errkit.Timeout, Status: 502},
			"no picture",
		},
		"not logged in": {
			true, func(f *fake) { f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/ws", Status: 403}) },
			failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 403},
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				tc.phase(f)
				err := f.client.WaitSignal(within(t, time.Minute), tc.on, nil)
				tc.want.check(t, err)
				if e, ok := errors.AsType[*pikvm.ScreenError](err); ok && (e.Reason != tc.reason || !errors.Is(err, context.DeadlineExceeded)) {
					t.Errorf("error is %+v: %v", e, err)
				}
				synctest.Wait()
				f.leftAlone(t)
			})
		})
	}
}
