package pikvm_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// TestWaitSeesEveryState: what is true for a moment only is not missed, in whatever goroutine the reader was.
func TestWaitSeesEveryState(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		knowsATX(t, s)
		got := make(chan []int, 1)
		go func() {
			var seen []int
			_, err := s.Wait(t.Context(), func(s *pikvm.State) bool {
				var counter struct{ N int }
				if s.Decode("counter", &counter) != nil {
					return false
				}
				if len(seen) == 0 {
					time.Sleep(time.Second) // all the others arrive meanwhile
				}
				seen = append(seen, counter.N)
				return counter.N == 100
			})
			if err != nil {
				t.Error(err)
			}
			got <- seen
		}()
		synctest.Wait()
		var want []int
		for n := 1; n <= 100; n++ {
			want = append(want, n)
			if err := f.Emit("counter", map[string]int{"n": n}); err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff(want, <-got); d != "" {
			t.Errorf("states seen (-want +got):\n%s", d)
		}
	})
}

// TestWaitLooksAtThePresent: what is true already needs no event.
func TestWaitLooksAtThePresent(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		knowsATX(t, s)
		f.network.Stall(netem.Both)
		start := time.Now()
		if _, err := s.Wait(t.Context(), ledIs(false)); err != nil || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		f.network.Resume(netem.Both)
	})
}
