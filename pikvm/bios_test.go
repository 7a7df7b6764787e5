package pikvm_test

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestEnterBIOS taps, over REST and over the socket, until the screen shows a menu; requests that fail do not stop it.
func TestEnterBIOS(t *testing.T) {
	t.Parallel()
	for name, socket := range map[string]bool{"REST": false, "socket": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				var opts pikvm.BIOSOptions
				if socket {
					s := f.open(t, &pikvm.EventOptions{Stream: true})
					knowsATX(t, s)
					opts.Input = s
				}
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultPage, Path: "/api/hid/events/send_key", Skip: 3, Times: 4})
				time.AfterFunc(12*time.Second, func() { f.SetScreenText("Boot Menu") })
				begin, last := time.Now(), 0
				opts.OnTap = func(taps int) { last = taps }
				err := f.client.EnterBIOS(t.Context(), pikvm.KeyF12, func(ctx context.Context) error {
					_, err := f.client.WaitForText(ctx, regexp.MustCompile("Boot Menu"), nil)
					return err
				}, &opts)
				took := time.Since(begin)
				if err != nil || took < 12*time.Second || took > 15*time.Second {
					t.Fatalf("after %v: %v", took, err)
				}
				synctest.Wait()
				presses := 0
				for _, ev := range f.HIDLog() {
					if ev.Name != "F12" {
						t.Errorf("event %+v", ev)
					} else if ev.Pressed {
						presses++
					}
				}
				if want := int(took / (300 * time.Millisecond)); last < want-6 || presses < last || presses > want+2 || len(f.Pressed()) != 0 {
					t.Errorf("%d taps and %d presses in %v, pressed %v", last, presses, took, f.Pressed())
				}
			})
		})
	}
	t.Run("nobody looks", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			last := 0
			err := f.client.EnterBIOS(t.Context(), pikvm.KeyDelete, nil, &pikvm.BIOSOptions{
				Interval: time.Second, Hold: 200 * time.Millisecond, Timeout: 9500 * time.Millisecond, OnTap: func(taps int) { last = taps },
			})
			if log := f.HIDLog(); err != nil || last != 10 || len(log) != 20 || log[1].Time.Sub(log[0].Time) != 200*time.Millisecond {
				t.Errorf("%d taps, %d events, %v", last, len(log), err)
			}
		})
	})
}

// TestEnterBIOSFails checks what stops the taps, and that the key is released.
func TestEnterBIOSFails(t *testing.T) {
	t.Parallel()
	never := func(ctx context.Context) error { <-ctx.Done(); return errUnseen }
	for name, tc := range map[string]struct {
		prepare func(f *fake, cancel func())
		until   func(context.Context) error
		want    error
		kind    errkit.Kind
		begun   bool
	}{
		"not seen": {func(*fake, func()) {}, never, errUnseen, errkit.Timeout, true},
		"gave up":  {func(*fake, func()) {}, func(context.Context) error { time.Sleep(time.Second); return errUnseen }, errUnseen, 0, true},
		"canceled": {func(_ *fake, cancel func()) { time.AfterFunc(2510*time.Millisecond, cancel) }, never, context.Canceled, errkit.Canceled, true},
		"client closed": {func(f *fake, _ func()) {
			time.AfterFunc(2200*time.Millisecond, func() { _ = f.client.Close() })
		}, never, pikvm.ErrClosed, errkit.Closed, true},
		"refused":       {func(f *fake, _ func()) { f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Status: 403}) }, never, pikvm.ErrAuth, errkit.Auth | errkit.NotSent, false},
		"never reached": {func(f *fake, _ func()) { f.network.Refuse("kvm.example:80") }, never, pikvm.ErrConnect, errkit.Timeout | errkit.NotSent, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				tc.prepare(f, cancel)
				err := f.client.EnterBIOS(ctx, pikvm.KeyDelete, tc.until, &pikvm.BIOSOptions{Timeout: 20 * time.Second})
				e, _ := errors.AsType[*pikvm.BIOSError](err)
				if e == nil || !errors.Is(err, tc.want) || !errors.Is(err, pikvm.ErrBIOS) || tc.kind != 0 && !errkit.KindOf(err).Has(tc.kind) ||
					errors.Is(err, errkit.NotSent) == tc.begun || e.Limit > 0 != tc.kind.Has(errkit.Timeout) {
					t.Errorf("error is %v (%v), %+v", err, errkit.KindOf(err), e)
				}
				if name != "client closed" && (len(f.Pressed()) != 0 || e.Stuck != nil) {
					t.Errorf("pressed %v", f.Pressed())
				}
			})
		})
	}
	c := newClient(t, kvmHTTP, &pikvm.Options{DialContext: noDial(t)})
	for _, err := range []error{
		c.EnterBIOS(t.Context(), "Del", nil, nil), c.EnterBIOS(t.Context(), pikvm.KeyDelete, nil, &pikvm.BIOSOptions{Interval: -1}),
		c.EnterBIOS(t.Context(), pikvm.KeyDelete, nil, &pikvm.BIOSOptions{Hold: -1}),
	} {
		if !errors.Is(err, pikvm.ErrConfiguration) {
			t.Error(err)
		}
	}
}

var errUnseen = errors.New("unseen")
