package schedule_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/smok/internal/schedule"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// diary notes when an area ran, since the beginning of the test.
type diary struct {
	start time.Time
	mu    sync.Mutex
	runs  []time.Duration
}

func newDiary() *diary { return &diary{start: time.Now()} }

// note returns the number of the run, from 1.
func (d *diary) note() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.runs = append(d.runs, time.Since(d.start))
	return len(d.runs)
}

func (d *diary) all() []time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]time.Duration(nil), d.runs...)
}

func seconds(s ...float64) []time.Duration {
	all := make([]time.Duration, len(s))
	for i := range s {
		all[i] = time.Duration(s[i] * float64(time.Second))
	}
	return all
}

// even has no jitter: the delays are 1, 2, 4 s and so on, and 5 min, 10 min and so on when the hub refuses the device.
func even() *schedule.Options {
	return &schedule.Options{
		Backoff: retry.Backoff{Base: time.Second, Cap: 5 * time.Minute, Jitter: retry.JitterNone, MaxRetryAfter: time.Hour},
		Refused: retry.Backoff{Base: 5 * time.Minute, Cap: time.Hour, Jitter: retry.JitterNone},
		Rand:    func() float64 { return 0.5 },
	}
}

func start(t *testing.T, g *schedule.Group, area schedule.Area) *schedule.Loop {
	t.Helper()
	l, err := g.Go(area)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func stop(t *testing.T, g *schedule.Group) {
	t.Helper()
	if err := g.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestTheFirstRunIsAtOnceAndTheOthersAtTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, d := schedule.NewGroup(even()), newDiary()
		defer stop(t, g)
		l := start(t, g, schedule.Area{Name: "a", Every: time.Minute, Run: func(context.Context) error {
			d.note()
			time.Sleep(10 * time.Second)
			return nil
		}})
		synctest.Wait()
		if s := l.Status(); !s.Running || s.Runs != 0 || !s.Next.IsZero() {
			t.Errorf("during the first run: %+v", s)
		}
		select {
		case <-l.Synced():
			t.Error("synced before the first run ended")
		default:
		}
		time.Sleep(3 * time.Minute)
		if diff := cmp.Diff(seconds(0, 70, 140), d.all()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		<-l.Synced()
		want := schedule.Status{Area: "a", Runs: 3, Success: d.start.Add(150 * time.Second), Next: d.start.Add(210 * time.Second)}
		if diff := cmp.Diff([]schedule.Status{want}, g.Status()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestIntervalsHaveTenPercentJitter, so that many devices do not come together.
func TestIntervalsHaveTenPercentJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, d := schedule.NewGroup(nil), newDiary()
		defer stop(t, g)
		start(t, g, schedule.Area{Name: "a", Every: 100 * time.Second, Run: func(context.Context) error { d.note(); return nil }})
		time.Sleep(10 * time.Hour)
		var shortest, longest time.Duration = time.Hour, 0
		runs := d.all()
		for i := 1; i < len(runs); i++ {
			shortest, longest = min(shortest, runs[i]-runs[i-1]), max(longest, runs[i]-runs[i-1])
		}
		if shortest < 90*time.Second || shortest > 93*time.Second || longest > 110*time.Second || longest < 107*time.Second {
			t.Errorf("intervals from %v to %v", shortest, longest)
		}
	})
}

// TestWakeUpsAreLatched: one that comes during a run starts another one, and many are one.
func TestWakeUpsAreLatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, d := schedule.NewGroup(even()), newDiary()
		defer stop(t, g)
		l := start(t, g, schedule.Area{Name: "a", Every: time.Hour, Run: func(context.Context) error {
			d.note()
			time.Sleep(10 * time.Second)
			return nil
		}})
		time.Sleep(5 * time.Second)
		for range 100 {
			l.Wake()
		}
		time.Sleep(time.Minute) // until 65 s
		l.Wake()
		time.Sleep(time.Minute)
		if diff := cmp.Diff(seconds(0, 10, 65), d.all()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestOnlyWoken: an area without an interval runs first of all and then when it is woken.
func TestOnlyWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, d := schedule.NewGroup(even()), newDiary()
		defer stop(t, g)
		l := start(t, g, schedule.Area{Name: "a", Gather: time.Second, Run: func(context.Context) error { d.note(); return nil }})
		time.Sleep(time.Hour)
		if s := l.Status(); !s.Next.IsZero() {
			t.Errorf("got %+v", s)
		}
		l.Wake()
		time.Sleep(time.Second / 2)
		l.Wake() // gathered with the one before
		time.Sleep(time.Hour)
		if diff := cmp.Diff(seconds(0, 3601), d.all()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestDueSaysExactlyWhen.
func TestDueSaysExactlyWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, d := schedule.NewGroup(nil), newDiary()
		defer stop(t, g)
		next := []time.Duration{0, 7 * time.Second, -1}
		l := start(t, g, schedule.Area{
			Name: "a", Every: time.Second,
			Run: func(context.Context) error { d.note(); return nil },
			Due: func() time.Duration {
				if len(next) == 0 {
					panic("no idea")
				}
				n := next[0]
				next = next[1:]
				return n
			},
		})
		time.Sleep(time.Minute)
		if diff := cmp.Diff(seconds(0, 0, 7), d.all()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		l.Wake()
		time.Sleep(time.Hour)
		if got := len(d.all()); got < 10 {
			t.Errorf("%d runs: a Due that panics ended the loop", got)
		}
	})
}

// TestFailuresBackOff: the delays grow, are over with a success, and are not cut short by what is new.
func TestFailuresBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts, d := even(), newDiary()
		broken := errors.New("broken")
		var mu sync.Mutex
		var reported []time.Duration
		opts.OnResult = func(area string, err error, next time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			if area != "a" || err != nil && !errors.Is(err, broken) {
				t.Errorf("got %s, %v", area, err)
			}
			reported = append(reported, next)
		}
		g := schedule.NewGroup(opts)
		defer stop(t, g)
		l := start(t, g, schedule.Area{Name: "a", Every: 10 * time.Second, Run: func(context.Context) error {
			if n := d.note(); n <= 3 || n == 5 {
				return broken
			}
			return nil
		}})
		synctest.Wait()
		l.Wake()
		time.Sleep(6 * time.Second)
		if s := l.Status(); s.Failures != 3 || !errors.Is(s.Err, broken) || !s.Success.IsZero() || !s.Next.Equal(d.start.Add(7*time.Second)) {
			t.Errorf("got %+v", s)
		}
		time.Sleep(22*time.Second + time.Second/2)
		if diff := cmp.Diff(seconds(0, 1, 3, 7, 17, 18, 28), d.all()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		mu.Lock()
		defer mu.Unlock()
		if diff := cmp.Diff(seconds(1, 2, 4, 10, 1, 10, 10), reported); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestTheBackoffGrowsToFiveMinutes with jitter.
func TestTheBackoffGrowsToFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, d := schedule.NewGroup(nil), newDiary()
		defer stop(t, g)
		start(t, g, schedule.Area{Name: "a", Every: time.Second, Run: func(context.Context) error { d.note(); return errors.New("broken") }})
		time.Sleep(24 * time.Hour)
		runs := d.all()
		for i := 1; i < len(runs); i++ {
			delay := runs[i] - runs[i-1]
			most := min(time.Second<<min(i, 20), 5*time.Minute)
			if delay < most/2 || delay > most {
				t.Fatalf("the delay after failure %d is %v", i, delay)
			}
		}
		if len(runs) < 280 || len(runs) > 600 {
			t.Errorf("%d runs in a day", len(runs))
		}
	})
}

func response(status int, after time.Duration) error {
	return smokerr.Response(errkit.Info{Op: "test", RetryAfter: after}, smokerr.ResponseError{StatusCode: status})
}

// TestWhatTheHubSays: it can ask to wait, and a device that it refuses does not come back soon.
func TestWhatTheHubSays(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want []time.Duration
	}{
		{"asks to wait", response(503, 40*time.Second), seconds(0, 40, 80)},
		{"asks for too much", response(429, 3*time.Hour), seconds(0, 3600, 7200)},
		{"is not there", response(599, 0), seconds(0, 1, 3)},
		{"does not know the device", response(401, 0), seconds(0, 300, 900)},
		{"refuses the device", smokerr.Sync("sync", "logs", response(403, 0)), seconds(0, 300, 900)},
		{"refuses what was sent", response(422, 0), seconds(0, 1, 3)},
		{"has a certificate that nobody trusts", errkit.Auth, seconds(0, 300, 900)},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, d := schedule.NewGroup(even()), newDiary()
				start(t, g, schedule.Area{Name: "a", Every: time.Second, Run: func(context.Context) error {
					if d.note() == 3 {
						go stop(t, g)
					}
					return test.err
				}})
				time.Sleep(24 * time.Hour)
				if diff := cmp.Diff(test.want, d.all()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestRetryEndsTheDelay, for when the link is back.
func TestRetryEndsTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, d := schedule.NewGroup(even()), newDiary()
		defer stop(t, g)
		l := start(t, g, schedule.Area{Name: "a", Every: time.Hour, Run: func(context.Context) error {
			if d.note() == 1 {
				return response(401, 0)
			}
			return nil
		}})
		time.Sleep(10 * time.Second)
		l.Retry()
		time.Sleep(10 * time.Second)
		l.Retry() // there is nothing to end, and nothing is left of it
		time.Sleep(time.Minute)
		if diff := cmp.Diff(seconds(0, 10), d.all()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestNothingKillsALoop: panics and the end of the goroutine are reported and backed off from, and other areas do not
// notice. Nor do they notice one that hangs.
func TestNothingKillsALoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts, d := even(), newDiary()
		var mu sync.Mutex
		var reports []string
		opts.OnResult = func(area string, err error, _ time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				reports = append(reports, area+": "+err.Error())
				if !errors.Is(err, smokerr.ErrPanic) {
					t.Errorf("got %v", err)
				}
				panic("in the hook")
			}
		}
		g := schedule.NewGroup(opts)
		defer stop(t, g)
		l := start(t, g, schedule.Area{Name: "bad", Every: time.Second, Run: func(context.Context) error {
			switch d.note() {
			case 1:
				panic("boom")
			case 2:
				runtime.Goexit()
			case 3:
				panic(errors.New("nil map"))
			}
			return nil
		}})
		start(t, g, schedule.Area{Name: "hung", Every: time.Second, Run: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		other := newDiary()
		start(t, g, schedule.Area{Name: "good", Every: time.Second, Run: func(context.Context) error { other.note(); return nil }})
		time.Sleep(9*time.Second + time.Millisecond)
		if diff := cmp.Diff(seconds(0, 1, 3, 7, 8, 9), d.all()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := len(other.all()); got != 10 {
			t.Errorf("another area ran %d times in 9 seconds", got)
		}
		if s := l.Status(); s.Runs != 6 || s.Failures != 0 {
			t.Errorf("got %+v", s)
		}
		mu.Lock()
		defer mu.Unlock()
		all := strings.Join(reports, "\n")
		for _, part := range []string{"boom", "goroutine ended", "nil map"} {
			if !strings.Contains(all, part) {
				t.Errorf("%q is not in the reports:\n%s", part, all)
			}
		}
	})
}

// TestStop ends runs, waits for them and leaves nothing.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := schedule.NewGroup(even())
		start(t, g, schedule.Area{Name: "run", Every: time.Second, Run: func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(3 * time.Second)
			return ctx.Err()
		}})
		start(t, g, schedule.Area{Name: "interval", Every: time.Hour, Run: func(context.Context) error { return nil }})
		start(t, g, schedule.Area{Name: "woken", Run: func(context.Context) error { return nil }})
		start(t, g, schedule.Area{Name: "delay", Run: func(context.Context) error { return errors.New("broken") }})
		gather := start(t, g, schedule.Area{Name: "gather", Gather: time.Hour, Run: func(context.Context) error { return nil }})
		synctest.Wait()
		gather.Wake()
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.Stop(short); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, smokerr.Err) {
			t.Errorf("while a run goes on: %v", err)
		}
		begin := time.Now()
		if err := g.Stop(t.Context()); err != nil || time.Since(begin) != 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		for _, s := range g.Status() {
			if s.Running {
				t.Errorf("got %+v", s)
			}
		}
		if _, err := g.Go(schedule.Area{Name: "late", Run: func(context.Context) error { return nil }}); !errors.Is(err, smokerr.ErrClosed) {
			t.Errorf("after Stop: %v", err)
		}
	})
}

func TestAreasThatMeanNothing(t *testing.T) {
	t.Parallel()
	g := schedule.NewGroup(nil)
	defer stop(t, g)
	run := func(context.Context) error { return nil }
	for _, area := range []schedule.Area{{}, {Run: run, Every: -1}, {Run: run, Gather: -1}} {
		if _, err := g.Go(area); !errors.Is(err, smokerr.ErrInvalidArgument) {
			t.Errorf("got %v", err)
		}
	}
}
