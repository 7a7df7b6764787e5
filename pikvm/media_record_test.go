package pikvm_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// film is a target of recordings that keeps each frame.
type film struct {
	frames []pikvm.MediaFrame
	slow   time.Duration // that a frame takes
	fail   int           // the frame that is not written, from 1; 0 for none
	err    error         // of that; nil means that only half is written
}

func (w *film) Write(p []byte) (int, error) {
	time.Sleep(w.slow)
	if len(w.frames)+1 == w.fail {
		return len(p) / 2, w.err
	}
	w.frames = append(w.frames, pikvm.MediaFrame{Data: bytes.Clone(p), Key: bytes.HasPrefix(p, []byte{0, 0, 0, 1, 0x67})})
	return len(p), nil
}

// check compares what was written with what the recording tells of it, and looks whether it can be played.
func (w *film) check(t *testing.T, got pikvm.Recording) {
	t.Helper()
	want := pikvm.Recording{Frames: len(w.frames), Duration: got.Duration}
	last := 0
	for i, f := range w.frames {
		want.Bytes += int64(len(f.Data))
		n := frameNumber(f)
		if f.Key {
			want.Keys++
		} else if i == 0 || n != last%255+1 {
			t.Errorf("frame %d, number %d after %d, cannot be shown", i, n, last)
		}
		if i > 0 {
			want.Lost += uint64((n - last - 1 + 255) % 255)
		}
		last = n
	}
	if got != want {
		t.Errorf("recording is %+v, want %+v", got, want)
	}
}

// TestRecord records a device that nobody watched, for a while.
func TestRecord(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		var w film
		var told []pikvm.Recording
		got, err := f.client.Media.Record(t.Context(), &w, &pikvm.RecordOptions{
			Duration: 5 * time.Second, Progress: func(r pikvm.Recording) { told = append(told, r) },
		})
		if err != nil {
			t.Fatal(err)
		}
		w.check(t, got)
		if got.Frames < 149 || got.Frames > 151 || got.Lost != 0 || got.Duration >= 5*time.Second {
			t.Errorf("recording is %+v", got)
		}
		if len(told) != got.Frames || told[got.Frames-1] != got {
			t.Errorf("heard of %d frames", len(told))
		}
		f.leftAlone(t)
		if f.MediaClients() != 0 {
			t.Error("the stream is left")
		}
	})
}

// TestRecordWithSession opens no second viewer.
func TestRecordWithSession(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, &pikvm.EventOptions{Stream: true})
		var w film
		got, err := f.client.Media.Record(t.Context(), &w, &pikvm.RecordOptions{Session: s, Duration: time.Second})
		if err != nil || f.sockets() != 1 || f.Sockets() != 1 {
			t.Errorf("%d sockets, %v", f.sockets(), err)
		}
		w.check(t, got)
		_, err = f.client.Media.Record(t.Context(), &w, &pikvm.RecordOptions{Session: f.open(t, nil)})
		failure{
			Type: "ConfigurationError", Class: pikvm.ErrConfiguration, Kinds: errkit.Invalid | errkit.NotSent,
		}.check(t, err)
	})
}

// TestRecordSlowly: a slow writer loses frames, is told how many, and what it has written can be shown.
func TestRecordSlowly(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		w := film{slow: 50 * time.Millisecond}
		got, err := f.client.Media.Record(t.Context(), &w, &pikvm.RecordOptions{Duration: 20 * time.Second})
		if err != nil || got.Lost == 0 {
			t.Errorf("%+v, %v", got, err)
		}
		w.check(t, got)
	})
}

// TestRecordEnds: however it ends, what has been written is told and can be shown.
func TestRecordEnds(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	for name, tc := range map[string]struct {
		film  film
		phase func(f *fake)
		ctx   func(t *testing.T, f *fake) context.Context
		opts  pikvm.RecordOptions
		want  failure
		is    error
		none  bool // nothing is written
	}{
		"canceled": {
			ctx: func(t *testing.T, _ *fake) context.Context {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(3*time.Second, cancel)
				return ctx
			},
			want: failure{Type: "Basic", Class: pikvm.Err, Kinds: errkit.Canceled}, is: context.Canceled,
		},
		"deadline": {
			ctx:  func(t *testing.T, _ *fake) context.Context { return within(t, 3*time.Second) },
			want: failure{Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout},
			is:   context.DeadlineExceeded,
		},
		"closed": {
			ctx: func(t *testing.T, f *fake) context.Context {
				time.AfterFunc(3*time.Second, func() { _ = f.client.Close() })
				return t.Context()
			},
			want: failure{Type: "Basic", Class: pikvm.ErrClosed, Kinds: errkit.Closed}, is: pikvm.ErrClosed,
		},
		"writer fails": {
			film: film{fail: 20, err: full}, want: failure{Type: "Basic", Class: pikvm.Err}, is: full,
		},
		"writer takes half": {
			film: film{fail: 20}, want: failure{Type: "Basic", Class: pikvm.Err}, is: io.ErrShortWrite,
		},
		"daemon stops": {
			phase: func(f *fake) { time.AfterFunc(3*time.Second, func() { f.SetMedia(false) }) },
			want: failure{
				Type: "WebSocketError", Class: pikvm.ErrWebSocket, Kinds: errkit.Disconnected | errkit.Unavailable,
			},
			is: pikvm.ErrWebSocket,
		},
		"frames stop": {
			phase: func(f *fake) { time.AfterFunc(3*time.Second, func() { f.SilenceMedia() }) },
			opts:  pikvm.RecordOptions{StallTimeout: 5 * time.Second},
			want:  failure{Type: "ScreenError", Class: pikvm.ErrScreen, Kinds: errkit.Timeout}, is: errkit.Timeout,
		},
		"never a frame": {
			opts: pikvm.RecordOptions{StallTimeout: 100 * time.Millisecond},
			want: failure{Type: "ScreenError", Class: pikvm.ErrScreen, Kinds: errkit.Timeout}, is: errkit.Timeout, none: true,
		},
		"daemon absent": {
			phase: func(f *fake) { f.SetMedia(false) }, none: true,
			want: failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Unavailable, Status: 502}, is: errkit.Unavailable,
		},
		"viewer refused": {
			phase: func(f *fake) { f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/ws", Status: 401}) },
			none:  true, want: failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 401}, is: pikvm.ErrAuth,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				ctx := t.Context()
				if tc.phase != nil {
					tc.phase(f)
				}
				if tc.ctx != nil {
					ctx = tc.ctx(t, f)
				}
				w := tc.film
				got, err := f.client.Media.Record(ctx, &w, &tc.opts)
				tc.want.check(t, err)
				if !errors.Is(err, tc.is) {
					t.Errorf("does not match %v: %v", tc.is, err)
				}
				w.check(t, got)
				if (got.Frames == 0) != tc.none {
					t.Errorf("recording is %+v", got)
				}
				f.leftAlone(t)
			})
		})
	}
}
