package pikvm_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// worked writes the keys and buttons that reached a host as "+KeyA -KeyA".
func worked(f *fake) string {
	var words []string
	for _, ev := range f.HIDLog() {
		word := "-" + ev.Name
		if ev.Pressed {
			word = "+" + ev.Name
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// TestChord checks the order and the times of chords, with devices too old for shortcuts.
func TestChord(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		chord string
		opts  *pikvm.ChordOptions
		want  string
		took  time.Duration
	}{
		{"ctrl+alt+del", nil, "+ControlLeft +AltLeft +Delete -Delete -AltLeft -ControlLeft", 100 * time.Millisecond},
		{"F12", &pikvm.ChordOptions{Hold: time.Second}, "+F12 -F12", 1020 * time.Millisecond},
		{"win + PrtSc", &pikvm.ChordOptions{Pace: -1}, "+MetaLeft +PrintScreen -PrintScreen -MetaLeft", 0},
	} {
		t.Run(tc.chord, func(t *testing.T) {
			t.Parallel()
			inBubble(t, &pikvmtest.Options{Version: "4.20"}, nil, func(t *testing.T, f *fake) {
				begin := time.Now()
				if err := f.client.HID.Chord(t.Context(), tc.chord, tc.opts); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin); took != tc.took {
					t.Errorf("took %v, want %v", took, tc.took)
				}
				if d := cmp.Diff(tc.want, worked(f)); d != "" {
					t.Errorf("keys (-want +got):\n%s", d)
				}
			})
		})
	}
	c := newClient(t, kvmHTTP, &pikvm.Options{DialContext: noDial(t)})
	for _, chord := range []string{"", "ctrl+", "ctrl+ctrl", "control+ctrl+a", "hyper+a"} {
		if err := c.HID.Chord(t.Context(), chord, nil); !errors.Is(err, pikvm.ErrConfiguration) {
			t.Errorf("%q: %v", chord, err)
		}
	}
	if err := c.HID.Chord(t.Context(), "a", &pikvm.ChordOptions{Hold: -1}); !errors.Is(err, pikvm.ErrConfiguration) {
		t.Error(err)
	}
}

// TestChordReleases checks that nothing stays pressed when a chord is canceled while it is held.
func TestChordReleases(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := f.client.HID.Chord(ctx, "ctrl+alt+f1", &pikvm.ChordOptions{Hold: time.Minute})
		e, _ := errors.AsType[*pikvm.TypingError](err)
		if e == nil || e.Typed != 0 || e.Total != 1 || e.Stuck != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%+v", err)
		}
		if d := cmp.Diff("+ControlLeft +AltLeft +F1 -F1 -AltLeft -ControlLeft", worked(f)); d != "" {
			t.Errorf("keys (-want +got):\n%s", d)
		}
	})
}

// TestEscapes checks names of keys within a text.
func TestEscapes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a<enter>b":       "+KeyA -KeyA +Enter -Enter +KeyB -KeyB",
		"<Ctrl+Alt+Del>":  "+ControlLeft +AltLeft +Delete -Delete -AltLeft -ControlLeft",
		"A<tab>":          "+ShiftLeft +KeyA -KeyA -ShiftLeft +Tab -Tab",
		"<<a>":            "+ShiftLeft +Comma -Comma -ShiftLeft +KeyA -KeyA +ShiftLeft +Period -Period -ShiftLeft",
		"<esc><esc>":      "+Escape -Escape +Escape -Escape",
		"<shift+insert>>": "+ShiftLeft +Insert -Insert -ShiftLeft +ShiftLeft +Period -Period -ShiftLeft",
	} {
		keys, down, err := pikvm.Keystrokes(text, pikvm.TypeOptions{Escapes: true})
		if d := cmp.Diff(want, spell(keys, down)); d != "" || err != nil {
			t.Errorf("%q (-want +got):\n%s%v", text, d, err)
		}
	}
	for text, place := range map[string]string{
		"a<": "character 2", "<enter": "character 1", "ab<nokey>": "character 3", "<>": "character 1", "<ctrl+ctrl>": "character 1",
		"ü<enter>ä": "character 1",
	} {
		_, _, err := pikvm.Keystrokes(text, pikvm.TypeOptions{Escapes: true})
		if e, _ := errors.AsType[*pikvm.ConfigurationError](err); e == nil || !strings.Contains(e.Reason, place) {
			t.Errorf("%q: %v", text, err)
		}
	}
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		var last [2]int
		err := f.client.HID.Type(t.Context(), "root<enter><<x>", &pikvm.TypeOptions{
			Escapes: true, Progress: func(done, total int) { last = [2]int{done, total} },
		})
		if err != nil || f.Typed() != "root\n<x>" || last != [2]int{8, 8} {
			t.Errorf("typed %q, %v, %v", f.Typed(), last, err)
		}
	})
}
