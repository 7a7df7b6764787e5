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

// TestWaitSkipsWhatPilesUp: a slow predicate sees the newest states.
func TestWaitSkipsWhatPilesUp(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		knowsATX(t, s)
		const events = 300
		first, seen, last := true, 0, 0
		_, err := s.Wait(within(t, time.Minute), func(s *pikvm.State) bool {
			if first {
				first = false
				for n := 1; n <= events; n++ {
					if err := f.Emit("counter", map[string]int{"n": n}); err != nil {
						t.Error(err)
					}
				}
				synctest.Wait()
				return false
			}
			var counter struct{ N int }
			if s.Decode("counter", &counter) != nil || counter.N <= last {
				t.Errorf("after %d comes %d", last, counter.N)
			}
			seen, last = seen+1, counter.N
			return last == events
		})
		if err != nil || seen != 256 {
			t.Errorf("saw %d states, want 256; %v", seen, err)
		}
	})
}
