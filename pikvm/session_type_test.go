package pikvm_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestSessionType types and chords over the socket: what was typed has arrived when the call returns.
func TestSessionType(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"4.197", "4.20"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			device := &pikvmtest.Options{Version: version, HID: pikvmtest.HIDOptions{Layout: "fr"}}
			inBubble(t, device, nil, func(t *testing.T, f *fake) {
				s := f.open(t, nil)
				knowsATX(t, s)
				const text = "Ô ça, Noël ?\n"
				last, begin := 0, time.Now()
				err := s.Type(t.Context(), text, &pikvm.TypeOptions{Layout: "fr", Progress: func(done, _ int) { last = done }})
				if d := cmp.Diff(text, f.Typed()); d != "" || err != nil || last != len([]rune(text)) {
					t.Errorf("typed (-want +got):\n%s%v, %d characters", d, err, last)
				}
				if took := time.Since(begin); took != time.Duration(len(f.HIDLog())-1)*20*time.Millisecond {
					t.Errorf("took %v for %d events", took, len(f.HIDLog()))
				}
				f.ClearHIDLog()
				if err := s.Chord(t.Context(), "ctrl+alt+f2", nil); err != nil {
					t.Error(err)
				}
				if d := cmp.Diff("+ControlLeft +AltLeft +F2 -F2 -AltLeft -ControlLeft", worked(f)); d != "" {
					t.Errorf("keys (-want +got):\n%s", d)
				}
			})
		})
	}
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			s := f.open(t, nil)
			for _, err := range []error{
				s.Type(t.Context(), "ä", nil), s.Type(t.Context(), "a", &pikvm.TypeOptions{Layout: "xx"}), s.Chord(t.Context(), "x+y+", nil),
			} {
				if !errors.Is(err, pikvm.ErrConfiguration) {
					t.Error(err)
				}
			}
			if len(f.HIDLog()) != 0 {
				t.Errorf("log is %v", f.HIDLog())
			}
		})
	})
}

// TestSessionTypeAlone checks that two texts at once do not mix.
func TestSessionTypeAlone(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		knowsATX(t, s)
		done := make(chan error, 2)
		for _, text := range []string{"AAAA", "bbbb"} {
			go func() { done <- s.Type(t.Context(), text, nil) }()
		}
		if err := errors.Join(<-done, <-done); err != nil {
			t.Error(err)
		}
		if got := f.Typed(); got != "AAAAbbbb" && got != "bbbbAAAA" {
			t.Errorf("typed %q", got)
		}
	})
}

// TestSessionTypeEnds checks that nothing stays pressed and nothing is silently lost when typing over the socket ends early.
func TestSessionTypeEnds(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		end  func(f *fake, s *pikvm.Session, cancel func())
		want error
	}{
		"canceled":       {func(_ *fake, _ *pikvm.Session, cancel func()) { cancel() }, context.Canceled},
		"connection cut": {func(f *fake, _ *pikvm.Session, _ func()) { f.network.ResetAll() }, pikvm.ErrWebSocket},
		"device restart": {func(f *fake, _ *pikvm.Session, _ func()) { f.Restart(0) }, pikvm.ErrWebSocket},
		"session closed": {func(_ *fake, s *pikvm.Session, _ func()) { _ = s.Close() }, pikvm.ErrClosed},
		"client closed":  {func(f *fake, _ *pikvm.Session, _ func()) { _ = f.client.Close() }, pikvm.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				s := f.open(t, nil)
				knowsATX(t, s)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(70*time.Millisecond, func() { tc.end(f, s, cancel) }) // while Shift and a letter are pressed
				err := s.Type(ctx, strings.Repeat("A", 100), nil)
				e, _ := errors.AsType[*pikvm.TypingError](err)
				if e == nil || e.Typed == 0 || e.Typed == e.Total || e.Stuck != nil || !errors.Is(err, tc.want) || errors.Is(err, errkit.NotSent) {
					t.Errorf("error is %v, want %v", err, tc.want)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if len(f.Pressed()) != 0 || len(f.Typed()) > 3 {
					t.Errorf("typed %q, pressed %v", f.Typed(), f.Pressed())
				}
			})
		})
	}
	t.Run("lost at the end", func(t *testing.T) { // what is written into a dead connection is not typed
		t.Parallel()
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			s := f.open(t, nil)
			knowsATX(t, s)
			f.network.Stall(netem.Both)
			err := s.Type(t.Context(), "abc", nil)
			if e, _ := errors.AsType[*pikvm.TypingError](err); e == nil || !errors.Is(err, pikvm.ErrWebSocket) {
				t.Errorf("error is %v", err)
			}
		})
	})
	t.Run("never begun", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			s := f.open(t, nil)
			f.network.Refuse("kvm.example:80")
			f.network.ResetAll()
			synctest.Wait()
			err := s.Chord(t.Context(), "ctrl+c", nil)
			if !errors.Is(err, pikvm.ErrNotConnected) || !errors.Is(err, errkit.NotSent) {
				t.Errorf("error is %v", err)
			}
		})
	})
}
