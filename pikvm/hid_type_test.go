package pikvm_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestType types every character of the layout, and checks the pace and the progress.
func TestType(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for c := ' '; c <= '~'; c++ {
		all.WriteRune(c)
	}
	for text, want := range map[string]string{
		all.String(): all.String(), "": "", "a\r\nB\n\tC": "a\nB\n\tC", "Hello": "Hello",
	} {
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			last := 0
			begin := time.Now()
			err := f.client.HID.Type(t.Context(), text, &pikvm.TypeOptions{Progress: func(done, total int) {
				if done <= last || total != len(text) {
					t.Errorf("%d of %d after %d", done, total, last)
				}
				last = done
			}})
			if err != nil || last != len(text) {
				t.Errorf("%q: %d characters, %v", text, last, err)
			}
			if d := cmp.Diff(want, f.Typed()); d != "" || len(f.Pressed()) != 0 {
				t.Errorf("typed (-want +got):\n%spressed %v", d, f.Pressed())
			}
			if took := time.Since(begin); text == "Hello" && took != 11*20*time.Millisecond {
				t.Errorf("took %v", took)
			}
		})
	}
	c := newClient(t, kvmHTTP, &pikvm.Options{DialContext: noDial(t)})
	if err := c.HID.Type(t.Context(), "a", &pikvm.TypeOptions{Layout: "xx"}); !errors.Is(err, pikvm.ErrConfiguration) {
		t.Error(err)
	}
	for _, text := range []string{"ä", "a\u2014", "a\rb", "\x1b", "a\xff"} {
		if err := c.HID.Type(t.Context(), text, nil); !errors.Is(err, pikvm.ErrConfiguration) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestTypeReleases checks that nothing stays pressed when typing is canceled, fails, or loses an answer.
func TestTypeReleases(t *testing.T) {
	t.Parallel()
	const path = "/api/hid/events/send_key"
	for name, tc := range map[string]struct {
		fault pikvmtest.Fault
		want  error
	}{
		"canceled": {pikvmtest.Fault{Path: "/nothing"}, context.Canceled},
		"refused":  {pikvmtest.Fault{Kind: pikvmtest.FaultPage, Path: path, Skip: 3, Times: 1}, errkit.Unavailable},
		"lost":     {pikvmtest.Fault{Kind: pikvmtest.FaultLost, Path: path, Skip: 3, Times: 1}, pikvm.ErrConnect},
		"hang":     {pikvmtest.Fault{Kind: pikvmtest.FaultHang, Path: path, Skip: 3, Times: 1}, pikvm.ErrConnectionTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				f.Inject(tc.fault)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if name == "canceled" {
					time.AfterFunc(70*time.Millisecond, cancel) // while Shift and a letter are pressed
				}
				err := f.client.HID.Type(ctx, "ABCDEF", nil)
				if !errors.Is(err, tc.want) || !errors.Is(err, pikvm.Err) {
					t.Errorf("error is %v, want %v", err, tc.want)
				}
				e, _ := errors.AsType[*pikvm.TypingError](err)
				if e == nil || e.Typed >= 2 || e.Total != 6 || e.Stuck != nil || errors.Is(err, errkit.NotSent) {
					t.Errorf("%+v", e)
				}
				if got := f.Typed(); !strings.HasPrefix("AB", got) || got == "" || len(f.Pressed()) != 0 {
					t.Errorf("typed %q, pressed %v", got, f.Pressed())
				}
				if err := f.client.HID.Type(t.Context(), "\nok", nil); err != nil || !strings.HasSuffix(f.Typed(), "\nok") {
					t.Errorf("afterwards: typed %q, %v", f.Typed(), err)
				}
			})
		})
	}
	t.Run("cut off", func(t *testing.T) { // what fails for certain is the last key alone
		t.Parallel()
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			err := f.client.HID.Type(t.Context(), "ab", &pikvm.TypeOptions{Progress: func(int, int) {
				f.network.Refuse("kvm.example:80")
				f.network.ResetAll()
			}})
			e, _ := errors.AsType[*pikvm.TypingError](err)
			if e == nil || e.Typed != 1 || e.Total != 2 || !errors.Is(err, pikvm.ErrConnect) ||
				errors.Is(err, errkit.NotSent) || errkit.KindOf(err).Has(errkit.NotSent) {
				t.Errorf("%+v", err)
			}
		})
	})
	t.Run("never begun", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			f.network.Refuse("kvm.example:80")
			err := f.client.HID.Type(t.Context(), "ab", nil)
			if _, begun := errors.AsType[*pikvm.TypingError](err); begun || !errors.Is(err, errkit.NotSent) {
				t.Errorf("%+v", err)
			}
		})
	})
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			time.AfterFunc(time.Second, func() { _ = f.client.Close() })
			err := f.client.HID.Type(t.Context(), strings.Repeat("x", 1000), nil)
			if !errors.Is(err, pikvm.ErrClosed) {
				t.Errorf("error is %v", err)
			}
		})
	})
}
