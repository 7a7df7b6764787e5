package pikvm_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// TestSessionInputStorm: ten thousand events, each of which arrives once and in its place.
func TestSessionInputStorm(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		knowsATX(t, s)
		const rounds, letters = 5, 1000 // with two events for each letter, less than the log of the device holds
		for range rounds {
			f.ClearHIDLog()
			var want strings.Builder
			for i := range letters {
				letter := byte('a' + i%26)
				want.WriteByte(letter)
				key := pikvm.Key("Key" + strings.ToUpper(string(letter)))
				for _, stroke := range []pikvm.Stroke{pikvm.Press, pikvm.Release} {
					if err := s.Key(t.Context(), key, stroke); err != nil {
						t.Fatal(err)
					}
				}
			}
			synctest.Wait()
			if d := cmp.Diff(want.String(), f.Typed()); d != "" || len(f.HIDLog()) != 2*letters {
				t.Fatalf("%d events, typed (-want +got):\n%s", len(f.HIDLog()), d)
			}
		}
	})
}

// TestSessionInputFromEverywhere: shortcuts of many goroutines do not mix.
func TestSessionInputFromEverywhere(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		knowsATX(t, s)
		var all sync.WaitGroup
		for i := range 20 {
			key := pikvm.Key("Key" + string(rune('A'+i)))
			all.Go(func() {
				if err := s.Shortcut(t.Context(), pikvm.KeyControlLeft, key); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		synctest.Wait()
		log := f.strokes()
		if len(log) != 80 || len(f.Pressed()) != 0 {
			t.Fatalf("%d strokes, pressed %v", len(log), f.Pressed())
		}
		for i := 0; i < len(log); i += 4 {
			key := log[i+1].Name
			var names []string
			for _, stroke := range log[i : i+4] {
				names = append(names, stroke.Name)
			}
			if d := cmp.Diff([]string{"ControlLeft", key, key, "ControlLeft"}, names); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		}
	})
}
