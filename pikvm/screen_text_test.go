package pikvm_test

import (
	"context"
	"errors"
	"image"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestWaitForText waits for a prompt on a device that nobody watches, through the dark time of a boot.
func TestWaitForText(t *testing.T) {
	t.Parallel()
	login := regexp.MustCompile(`(?m)^\w+ login:`)
	inBubble(t, &pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{OCRTime: 2 * time.Second}}, nil, func(t *testing.T, f *fake) {
		f.SetScreenText("booting\n")
		begin := time.Now()
		time.AfterFunc(20*time.Second, func() { f.SetSignal(false) })
		time.AfterFunc(40*time.Second, func() { f.SetSignal(true); f.SetScreenText("GNU/Linux tty1\n\nbox login:\n") })
		got, err := f.client.WaitForText(t.Context(), login, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.Text != "GNU/Linux tty1\n\nbox login:\n" || !got.Online || got.Width != 1920 {
			t.Errorf("read %+v", got)
		}
		if took := time.Since(begin); took < 42*time.Second || took > 46*time.Second {
			t.Errorf("took %v", took)
		}
		f.leftAlone(t)
	})
}

// TestWaitForTextRegion reads a part of the screen only, at the pace that was asked for.
func TestWaitForTextRegion(t *testing.T) {
	t.Parallel()
	inBubble(t, watched("ready\nwait\n"), nil, func(t *testing.T, f *fake) {
		looks := func() (n int) {
			for _, r := range f.Requests() {
				if r.Query.Get("ocr") == "1" {
					n++
				}
			}
			return n
		}
		ready := regexp.MustCompile("ready")
		second := &pikvm.WaitTextOptions{
			Region: image.Rect(0, 16, 1920, 32), Every: 5 * time.Second, Languages: []string{"eng"},
		}
		_, err := f.client.WaitForText(within(t, 29*time.Second), ready, second)
		failure{Type: "ScreenError", Class: pikvm.ErrScreen, Kinds: errkit.Timeout}.check(t, err)
		e, _ := errors.AsType[*pikvm.ScreenError](err)
		if e.Text != "wait\n" || e.Reason != "the text is another" || e.Want != `a text that matches "ready"` {
			t.Errorf("error is %+v", e)
		}
		if n := looks(); n != 6 || f.sockets() != 0 {
			t.Errorf("%d looks, %d sockets", n, f.sockets())
		}
		f.SetScreenText("\nready\n")
		if _, err := f.client.WaitForText(t.Context(), ready, second); err != nil || looks() != 7 {
			t.Errorf("%d looks, %v", looks(), err)
		}
	})
}

// TestWaitForTextFails where waiting cannot help, and when the caller or the client ends it.
func TestWaitForTextFails(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		phase func(f *fake)
		opts  pikvm.WaitTextOptions
		ctx   func(t *testing.T, f *fake) context.Context
		want  failure
		text  string
	}{
		"unknown language": {
			opts: pikvm.WaitTextOptions{Languages: []string{"xyz"}},
			want: failure{Type: "APIError", Class: pikvm.ErrInvalidArgument, Kinds: errkit.Invalid, Status: 400},
		},
		"no reader on the device": {
			phase: func(f *fake) {
				f.Inject(pikvmtest.Fault{
					Kind: pikvmtest.FaultAnswer, Path: "/api/streamer/snapshot", Status: 400,
					Body: []byte(`{"ok": false, "result": {"error": "OcrError", "error_msg": "Tesseract is not available"}}`),
				})
			},
			want: failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Invalid, Status: 400},
		},
		"never a picture": {
			phase: func(f *fake) { f.SetSignal(false) },
			ctx:   func(t *testing.T, _ *fake) context.Context { return within(t, time.Minute) },
			want:  failure{Type: "ScreenError", Class: pikvm.ErrScreen, Kinds: errkit.Timeout, Status: 503},
		},
		"canceled": {
			ctx: func(t *testing.T, _ *fake) context.Context {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(10300*time.Millisecond, cancel)
				return ctx
			},
			want: failure{Type: "ScreenError", Class: pikvm.ErrScreen, Kinds: errkit.Canceled}, text: "secret\n",
		},
		"closed": {
			ctx: func(t *testing.T, f *fake) context.Context {
				time.AfterFunc(10300*time.Millisecond, func() { _ = f.client.Close() })
				return t.Context()
			},
			want: failure{Type: "Basic", Class: pikvm.ErrClosed, Kinds: errkit.Closed},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, &pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{Text: "secret\n"}}, nil, func(t *testing.T, f *fake) {
				if tc.phase != nil {
					tc.phase(f)
				}
				ctx := t.Context()
				if tc.ctx != nil {
					ctx = tc.ctx(t, f)
				}
				_, err := f.client.WaitForText(ctx, regexp.MustCompile("login"+strings.Repeat("|x", 2000)), &tc.opts)
				tc.want.check(t, err)
				if e, ok := errors.AsType[*pikvm.ScreenError](err); ok && (e.Text != tc.text || !errors.Is(err, ctx.Err())) {
					t.Errorf("error is %+v: %v", e, err)
				}
				f.leftAlone(t)
			})
		})
	}
}
