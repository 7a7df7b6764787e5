package retry_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

const (
	clients = 1000
	outage  = 60 * time.Second
	watched = 90 * time.Second // the outage and what follows
	period  = 10 * time.Second // between the calls of one client
)

// strategy is one way to retry.
type strategy struct {
	name    string
	backoff retry.Backoff
	budget  func() func() *retry.Budget // called once a run, and its result once a client
}

func strategies() []strategy {
	free := func() func() *retry.Budget { return func() *retry.Budget { return nil } }
	return []strategy{
		{"naive", retry.Backoff{Multiplier: 1, Jitter: retry.JitterNone}, free},
		{"jitter", retry.Backoff{}, free},
		{"budget each", retry.Backoff{}, func() func() *retry.Budget {
			return func() *retry.Budget { return retry.NewBudget(nil) }
		}},
		{"shared budget", retry.Backoff{}, func() func() *retry.Budget {
			shared := retry.NewBudget(nil)
			return func() *retry.Budget { return shared }
		}},
	}
}

// tenth is the resolution of the load: within a second, a herd looks like a crowd.
const tenth = time.Second / 10

// load is what the destination sees, by the tenth of a second.
type load struct {
	mu      sync.Mutex
	calls   [watched / tenth]int // first attempts
	retries [watched / tenth]int
}

func (l *load) count(at time.Duration, retried bool) {
	if at >= watched {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if retried {
		l.retries[at/tenth]++
	} else {
		l.calls[at/tenth]++
	}
}

func (l *load) second(n int) (calls, retries int) {
	const tenths = int(time.Second / tenth)
	return sum(l.calls[n*tenths : (n+1)*tenths]), sum(l.retries[n*tenths : (n+1)*tenths])
}

func (l *load) inOutage() (calls, retries int) {
	return sum(l.calls[:outage/tenth]), sum(l.retries[:outage/tenth])
}

// ratio is how many times the calls made during the outage the destination saw in that time.
func (l *load) ratio() float64 {
	calls, retries := l.inOutage()
	return float64(calls+retries) / float64(calls)
}

// peak is the number of retries in the busiest tenth of a second.
func (l *load) peak() int { return slices.Max(l.retries[:]) }

func sum(numbers []int) (total int) {
	for _, n := range numbers {
		total += n
	}
	return total
}

// simulate lets a thousand clients call a destination that refuses everything for a minute. At the beginning each
// of them has a call under way, and all of these fail within a millisecond. With steady calls, each client makes
// another one every ten seconds, whatever became of those before, on a schedule of its own. A call makes at most
// six attempts. The run is the same every time: every call has its own random source, and no two clients act at
// the same instant.
func simulate(t *testing.T, s strategy, steady bool) *load {
	t.Helper()
	seen := new(load)
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		bucket := s.budget()
		call := func(budget *retry.Budget, seed1, seed2 uint64) {
			policy := &retry.Policy{MaxAttempts: 6, Backoff: s.backoff, Budget: budget}
			policy.Backoff.Rand = rand.New(rand.NewPCG(seed1, seed2)).Float64
			retried := false
			_ = retry.Do(t.Context(), policy, func(context.Context) error {
				at := time.Since(begin)
				seen.count(at, retried)
				retried = true
				if at < outage {
					return errkit.Connection | errkit.NotSent
				}
				return nil
			})
		}
		var wg sync.WaitGroup
		for client := range uint64(clients) {
			budget := bucket()
			wg.Go(func() {
				time.Sleep(time.Duration(client) * time.Microsecond)
				call(budget, client, 0)
			})
			if !steady {
				continue
			}
			wg.Go(func() {
				phase := rand.New(rand.NewPCG(client, 1)).Int64N(int64(period))
				time.Sleep(time.Duration(phase))
				for n := uint64(1); time.Since(begin) < watched; n++ {
					wg.Go(func() { call(budget, client, n) })
					time.Sleep(period)
				}
			})
		}
		wg.Wait()
	})
	return seen
}

// TestLoadOfAnOutage prints what a destination sees from a thousand clients while it is out of order (with -v),
// and holds the budget to its promise: at most 1.1 times the calls.
func TestLoadOfAnOutage(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, scenario := range []struct {
		name   string
		steady bool
	}{
		{"one call each", false},
		{"a call each every 10 s", true},
	} {
		t.Run(scenario.name, func(t *testing.T) {
			t.Parallel()
			var runs []*load
			for _, s := range strategies() {
				runs = append(runs, simulate(t, s, scenario.steady))
			}
			t.Log("\n" + perSecond(runs))

			naive, jitter, each, shared := runs[0], runs[1], runs[2], runs[3]
			row := summary(scenario.name, runs)
			t.Log("\n" + row)
			if !strings.Contains(string(readme), row) {
				t.Errorf("README.md does not have the row\n%s", row)
			}
			if got := shared.ratio(); got > 1.1 {
				t.Errorf("with a shared budget %.3f times the calls, want at most 1.1", got)
			}
			if naive.ratio() < 5 || jitter.ratio() < 5 {
				t.Errorf("%.3f and %.3f times the calls without a budget: no outage worth the name", naive.ratio(), jitter.ratio())
			}
			if naive.peak() < clients || jitter.peak() > clients/4 {
				t.Errorf("jitter leaves %d of %d retries in a tenth of a second", jitter.peak(), naive.peak())
			}
			// A bucket of one's own holds 100 retries: more than one client needs in a short outage.
			if each.ratio() != jitter.ratio() {
				t.Errorf("budget each: %.3f times the calls, jitter alone %.3f", each.ratio(), jitter.ratio())
			}
			if _, retries := shared.inOutage(); retries != 100 {
				t.Errorf("%d retries from a bucket that pays for 100", retries)
			}
		})
	}
}

// The promise does not depend on who makes the calls: a bucket allows 100 retries while nothing succeeds, so a
// thousand calls make at most 1,100 attempts, and 1,050 if they end in timeouts.
func TestBudgetBoundsALongOutage(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		err  error
		want int
	}{
		{name: "refused", err: errkit.Connection, want: 1100},
		{name: "timeouts", err: errkit.Timeout, want: 1050},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				policy := &retry.Policy{Budget: retry.NewBudget(nil)}
				attempts := 0
				for range 1000 {
					_ = retry.Do(t.Context(), policy, func(context.Context) error {
						attempts++
						return tc.err
					})
				}
				if attempts != tc.want {
					t.Errorf("%d attempts for 1000 calls, want %d", attempts, tc.want)
				}
			})
		})
	}
}

// perSecond renders the seconds as lines: the calls, then the requests of each strategy.
func perSecond(runs []*load) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%6s %6s", "second", "calls")
	for _, s := range strategies() {
		fmt.Fprintf(&b, " %13s", s.name)
	}
	for second := range int(watched / time.Second) {
		if second == int(outage/time.Second) {
			b.WriteString("\n       the outage ends")
		}
		calls, _ := runs[0].second(second)
		fmt.Fprintf(&b, "\n%6d %6d", second, calls)
		for _, run := range runs {
			calls, retries := run.second(second)
			fmt.Fprintf(&b, " %13d", calls+retries)
		}
	}
	return b.String()
}

// summary renders the table row of a scenario: for each strategy how many times the calls, and the peak.
func summary(name string, runs []*load) string {
	calls, _ := runs[0].inOutage()
	row := fmt.Sprintf("| %s | %d |", name, calls)
	for _, run := range runs {
		row += fmt.Sprintf(" %.2f (%d) |", run.ratio(), run.peak())
	}
	return row
}
