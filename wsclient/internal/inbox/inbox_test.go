package inbox_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/inbox"
)

var errEnd = errors.New("end")

func newInts(cfg inbox.Config) *inbox.Queue[int] {
	return inbox.New(cfg, func(int) int { return 10 })
}

// drain takes everything and writes items as numbers and gaps as "-n".
func drain(t *testing.T, q *inbox.Queue[int]) []string {
	t.Helper()
	q.End(errEnd)
	defer q.End(nil)
	var got []string
	for {
		v, gap, err := q.Get(t.Context())
		switch {
		case errors.Is(err, errEnd):
			return got
		case err != nil:
			t.Fatal(err)
		case gap.Dropped > 0:
			got = append(got, "-"+strconv.FormatUint(gap.Dropped, 10))
		default:
			got = append(got, strconv.Itoa(v))
		}
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		cfg  inbox.Config
		put  int
		want []string
		then inbox.Stats
	}{
		{
			"drop newest",
			inbox.Config{MaxMessages: 3},
			8,
			[]string{"0", "1", "2", "-5"},
			inbox.Stats{HighWater: 3, Dropped: 5, Gaps: 1},
		},
		{
			"drop oldest",
			inbox.Config{MaxMessages: 3, Policy: inbox.DropOldest},
			8,
			[]string{"-5", "5", "6", "7"},
			inbox.Stats{HighWater: 3, Dropped: 5, Gaps: 1},
		},
		{
			"fail",
			inbox.Config{MaxMessages: 3, Policy: inbox.Fail},
			4,
			[]string{"0", "1", "2", "-1"},
			inbox.Stats{HighWater: 3, Dropped: 1, Gaps: 1},
		},
		{
			"block",
			inbox.Config{MaxMessages: 3, Policy: inbox.Block},
			5,
			[]string{"0", "1", "2"},
			inbox.Stats{HighWater: 3},
		},
		{
			"bytes drop newest",
			inbox.Config{MaxBytes: 39},
			5,
			[]string{"0", "1", "2", "-2"},
			inbox.Stats{HighWater: 3, Dropped: 2, Gaps: 1},
		},
		{
			"bytes drop oldest",
			inbox.Config{MaxBytes: 39, Policy: inbox.DropOldest},
			5,
			[]string{"-2", "2", "3", "4"},
			inbox.Stats{HighWater: 3, Dropped: 2, Gaps: 1},
		},
		{
			"larger than the bound",
			inbox.Config{MaxBytes: 5},
			2,
			[]string{"0", "-1"},
			inbox.Stats{HighWater: 1, Dropped: 1, Gaps: 1},
		},
		{
			"no gaps",
			inbox.Config{MaxMessages: 3, NoGaps: true},
			8,
			[]string{"0", "1", "2"},
			inbox.Stats{HighWater: 3, Dropped: 5, Gaps: 1},
		},
		{
			"no gaps, drop oldest",
			inbox.Config{MaxMessages: 3, NoGaps: true, Policy: inbox.DropOldest},
			8,
			[]string{"5", "6", "7"},
			inbox.Stats{HighWater: 3, Dropped: 5, Gaps: 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := c.cfg
			if cfg.MaxBytes > 0 && cfg.MaxMessages == 0 {
				cfg.MaxMessages = 100
			}
			q := newInts(cfg)
			var dropped uint64
			for i := range c.put {
				n, full := q.Put(i)
				dropped += uint64(n)
				if wantFull := i >= 3 && (cfg.Policy == inbox.Block || cfg.Policy == inbox.Fail); full != wantFull {
					t.Errorf("put %d: full %v, want %v", i, full, wantFull)
				}
			}
			if dropped != c.then.Dropped {
				t.Errorf("Put told of %d losses, want %d", dropped, c.then.Dropped)
			}
			if diff := cmp.Diff(c.want, drain(t, q)); diff != "" {
				t.Errorf("items -want +got\n%s", diff)
			}
			if diff := cmp.Diff(c.then, q.Stats()); diff != "" {
				t.Errorf("stats -want +got\n%s", diff)
			}
		})
	}
}

// Without a bound on items, empty ones must not be taken for ever.
func TestEmptyItemsAreBounded(t *testing.T) {
	t.Parallel()
	q := inbox.New(inbox.Config{MaxBytes: 6400}, func(int) int { return 0 })
	for i := range 200 {
		q.Put(i)
	}
	if s := q.Stats(); s.Depth != 100 || s.Dropped != 100 {
		t.Errorf("%+v, want 100 waiting and 100 dropped", s)
	}
}

// model is the queue written down as plainly as possible.
type model struct {
	cfg     inbox.Config
	items   []int // -n for n items lost at this place; items are positive
	dropped uint64
	gaps    uint64
	high    int
}

func (m *model) depth() (n int) {
	for _, v := range m.items {
		if v > 0 {
			n++
		}
	}
	return n
}

func (m *model) put(v int) (dropped int, full bool) {
	if m.depth() < m.cfg.MaxMessages {
		m.items = append(m.items, v)
		m.high = max(m.high, m.depth())
		return 0, false
	}
	switch m.cfg.Policy {
	case inbox.Block:
		return 0, true
	case inbox.DropOldest:
		m.dropped++
		if m.items[0] < 0 {
			m.items[0]--
			m.items = append(m.items[:1], m.items[2:]...)
		} else {
			m.gaps++
			m.items[0] = -1
		}
		m.put(v)
		return 1, false
	}
	m.lose()
	return 1, m.cfg.Policy == inbox.Fail
}

func (m *model) putLast(v int) (dropped int) {
	if m.depth() > m.cfg.MaxMessages {
		m.lose()
		return 1
	}
	m.items = append(m.items, v)
	m.high = max(m.high, m.depth())
	return 0
}

func (m *model) lose() {
	m.dropped++
	if n := len(m.items); n > 0 && m.items[n-1] < 0 {
		m.items[n-1]--
		return
	}
	m.gaps++
	m.items = append(m.items, -1)
}

func (m *model) get() (v int, gap uint64) {
	v, m.items = m.items[0], m.items[1:]
	if v < 0 {
		return 0, uint64(-v)
	}
	return v, 0
}

func TestAgainstModel(t *testing.T) {
	t.Parallel()
	rounds := 200_000
	if testing.Short() {
		rounds = 20_000
	}
	for policy := inbox.DropNewest; policy <= inbox.Fail; policy++ {
		t.Run(strconv.Itoa(int(policy)), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(1, uint64(policy)))
			cfg := inbox.Config{MaxMessages: 1 + rng.IntN(8), Policy: policy}
			q, m := newInts(cfg), &model{cfg: cfg}
			for i := 1; i <= rounds; i++ {
				switch op := rng.IntN(20); {
				case op < 10:
					wantDropped, wantFull := m.put(i)
					if dropped, full := q.Put(i); dropped != wantDropped || full != wantFull {
						t.Fatalf("put %d: %d %v, want %d %v", i, dropped, full, wantDropped, wantFull)
					}
				case op == 19 && policy != inbox.DropOldest:
					want := m.putLast(i)
					if dropped := q.PutLast(i); dropped != want {
						t.Fatalf("put last %d: %d, want %d", i, dropped, want)
					}
				case len(m.items) > 0:
					want, wantGap := m.get()
					if v, gap, err := q.Get(t.Context()); err != nil || v != want || gap.Dropped != wantGap {
						t.Fatalf("get: %d %d %v, want %d %d", v, gap.Dropped, err, want, wantGap)
					}
				}
				want := inbox.Stats{
					Depth: m.depth(), Bytes: 10 * int64(m.depth()), HighWater: m.high, Dropped: m.dropped, Gaps: m.gaps,
				}
				if got := q.Stats(); got != want {
					t.Fatalf("after %d: %+v, want %+v", i, got, want)
				}
			}
		})
	}
}

func TestEndAndReopen(t *testing.T) {
	t.Parallel()
	q := newInts(inbox.Config{MaxMessages: 1})
	q.Put(1)
	q.Put(9)
	q.End(errEnd)
	q.End(errEnd)
	if err := q.Err(); !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	if v, _, err := q.Get(t.Context()); v != 1 || err != nil {
		t.Fatal(v, err)
	}
	if _, gap, err := q.Get(t.Context()); gap.Dropped != 1 || err != nil {
		t.Fatal(gap, err)
	}
	for range 3 {
		if _, _, err := q.Get(t.Context()); !errors.Is(err, errEnd) {
			t.Fatal(err)
		}
	}
	q.End(nil)
	q.Put(2)
	if v, _, err := q.Get(t.Context()); v != 2 || err != nil {
		t.Fatal(v, err)
	}
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newInts(inbox.Config{MaxMessages: 10})
		var ends atomic.Int32
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if _, _, err := q.Get(t.Context()); errors.Is(err, errEnd) {
					ends.Add(1)
				}
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := q.Get(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		stop := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(stop) })
		if _, _, err := q.GetOr(t.Context(), stop); !errors.Is(err, inbox.ErrNothing) {
			t.Error(err)
		}
		q.Put(1)
		q.Put(2)
		q.Put(3)
		synctest.Wait()
		if s := q.Stats(); s.Depth != 0 {
			t.Errorf("%d items left with consumers waiting", s.Depth)
		}
		q.End(errEnd)
		wg.Wait()
		if n := ends.Load(); n != 2 {
			t.Errorf("%d consumers saw the end, want 2", n)
		}
	})
}

func TestStoppedGetReturnsWhatIsThere(t *testing.T) {
	t.Parallel()
	q := newInts(inbox.Config{MaxMessages: 10})
	stop := make(chan struct{})
	close(stop)
	for i := range 100 {
		q.Put(i)
		if v, _, err := q.GetOr(t.Context(), stop); v != i || err != nil {
			t.Fatal(v, err)
		}
		if _, _, err := q.GetOr(t.Context(), stop); !errors.Is(err, inbox.ErrNothing) {
			t.Fatal(err)
		}
	}
}

func TestWaitRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newInts(inbox.Config{MaxMessages: 1, Policy: inbox.Block})
		q.Put(0)
		stop := make(chan struct{})
		results := make(chan bool)
		wait := func() {
			if _, full := q.Put(1); !full {
				t.Error("not full")
			}
			go func() { results <- q.WaitRoom(stop) }()
			synctest.Wait()
		}
		wait()
		if v, _, err := q.Get(t.Context()); v != 0 || err != nil {
			t.Error(v, err)
		}
		if !<-results {
			t.Error("no room after a Get")
		}
		q.Put(1)
		wait()
		q.End(errEnd)
		if <-results {
			t.Error("room after the end")
		}
		q.End(nil)
		wait()
		close(stop)
		if <-results {
			t.Error("room after stop")
		}
	})
}

// A consumer that gives up at the very moment when something arrives takes nothing with it.
func TestCancelledGetLosesNothing(t *testing.T) {
	t.Parallel()
	rounds := 100_000
	if testing.Short() {
		rounds = 10_000
	}
	q := newInts(inbox.Config{MaxMessages: 10})
	var wg sync.WaitGroup
	cancels := make(chan context.CancelFunc)
	wg.Go(func() {
		for i := 1; i <= rounds; i++ {
			cancel := <-cancels
			q.Put(i)
			cancel()
		}
	})
	next := 1
	for range rounds {
		ctx, cancel := context.WithCancel(t.Context())
		cancels <- cancel
		v, _, err := q.Get(ctx)
		if err != nil {
			v, _, err = q.Get(t.Context())
		}
		if err != nil || v != next {
			t.Fatalf("got %d %v, want %d", v, err, next)
		}
		next++
	}
	wg.Wait()
}

// Consumers that come, go and give up, against two producers: every item arrives once, or is reported lost, and those of
// a producer come in order to each consumer.
func TestCompetingConsumers(t *testing.T) {
	t.Parallel()
	total := 300_000
	if testing.Short() {
		total = 30_000
	}
	for _, policy := range []inbox.Policy{inbox.Block, inbox.DropOldest, inbox.DropNewest} {
		q := newInts(inbox.Config{MaxMessages: 16, Policy: policy})
		var seen [8][]int
		var lost [8]uint64
		var wg sync.WaitGroup
		for c := range seen {
			wg.Go(func() {
				for i := 0; ; i++ {
					ctx, cancel := context.WithCancel(t.Context())
					if i%3 == 0 {
						go cancel()
					}
					v, gap, err := q.Get(ctx)
					cancel()
					switch {
					case errors.Is(err, errEnd):
						return
					case err != nil:
					case gap.Dropped > 0:
						lost[c] += gap.Dropped
					default:
						seen[c] = append(seen[c], v)
					}
				}
			})
		}
		var producers sync.WaitGroup
		for p := range 2 {
			producers.Go(func() {
				for i := p; i < total; i += 2 {
					for {
						if _, full := q.Put(i); !full {
							break
						}
						q.WaitRoom(nil)
					}
				}
			})
		}
		producers.Wait()
		q.End(errEnd)
		wg.Wait()
		var gone uint64
		arrived := make([]bool, total)
		for c, items := range seen {
			gone += lost[c] + uint64(len(items))
			last := [2]int{-1, -1}
			for _, v := range items {
				if v <= last[v%2] || arrived[v] {
					t.Fatalf("policy %d: %d after %d, or twice", policy, v, last[v%2])
				}
				last[v%2], arrived[v] = v, true
			}
		}
		if gone != uint64(total) {
			t.Errorf("policy %d: %d items seen or reported lost, want %d", policy, gone, total)
		}
	}
}
