package backlog_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/backlog"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// peer takes what a backlog sends.
type peer struct {
	t       *testing.T
	store   *store.Store
	b       *backlog.Backlog
	batches [][]api.Series
	got     map[string][]int64
	refuse  func(path string, v int64) int // returns a status; 0 takes it
	fail    error                          // of every request
	after   func()                         // called in every request that is taken
	givenUp []int64
}

func newPeer(t *testing.T, opts backlog.Options) *peer {
	t.Helper()
	p := &peer{t: t, store: store.Memory(nil)}
	t.Cleanup(func() { _ = p.store.Close() })
	p.open(opts)
	return p
}

// open makes the backlog, as after a restart.
func (p *peer) open(opts backlog.Options) {
	p.t.Helper()
	p.got = make(map[string][]int64)
	opts.Store, opts.Send = p.store, p.send
	opts.GivenUp = func(v backlog.Value, _ error) { p.givenUp = append(p.givenUp, v.Sample.Value.(int64)) }
	var err error
	if p.b, err = backlog.New(opts); err != nil {
		p.t.Fatal(err)
	}
	if err := p.b.Scan(backlog.Mark{}, func(backlog.Value) {}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) send(_ context.Context, series []api.Series) error {
	p.batches = append(p.batches, series)
	if p.fail != nil {
		return p.fail
	}
	for _, s := range series {
		for _, sample := range s.Samples {
			if p.refuse != nil {
				if status := p.refuse(s.Path, sample.Value.(int64)); status != 0 {
					return smokerr.Response(errkit.Info{}, smokerr.ResponseError{StatusCode: status})
				}
			}
		}
	}
	for _, s := range series {
		for _, sample := range s.Samples {
			p.got[s.Path] = append(p.got[s.Path], sample.Value.(int64))
		}
	}
	if p.after != nil {
		p.after()
	}
	return nil
}

// add stores values from one number up to but without another.
func (p *peer) add(path string, permanent bool, from, to int) {
	p.t.Helper()
	var entries []store.Entry
	for i := from; i < to; i++ {
		e, err := backlog.Entry(&backlog.Value{Path: path, Sample: value.Sample{Time: at.Add(time.Duration(i) * time.Second), Value: int64(i)}})
		if err != nil {
			p.t.Fatal(err)
		}
		entries = append(entries, e)
	}
	if err := p.b.Append(p.t.Context(), permanent, entries); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) drain() {
	p.t.Helper()
	if err := p.b.Drain(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

// want checks that a pathpoint's values came, each once, from one number up to but without another.
func (p *peer) want(path string, from, to int) {
	p.t.Helper()
	var want []int64
	for i := from; i < to; i++ {
		want = append(want, int64(i))
	}
	got := slices.Sorted(slices.Values(p.got[path]))
	if d := cmp.Diff(want, got); d != "" {
		p.t.Errorf("%s (-want +got):\n%s", path, d)
	}
}

var noLink = smokerr.Response(errkit.Info{}, smokerr.ResponseError{StatusCode: smokerr.StatusNoReply})

func TestBatches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		opts   backlog.Options
		values int
		text   int // added to the path
		want   []int
	}{
		{"of 500 values", backlog.Options{}, 1100, 0, []int{500, 500, 100}},
		{"of so many bytes", backlog.Options{BatchBytes: 1000}, 200, 0, []int{87, 87, 26}},
		{"one value alone may be longer", backlog.Options{BatchBytes: 1000}, 2, 2000, []int{2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, test.opts)
			path := "W1" + strings.Repeat("x", test.text)
			p.add(path, false, 0, test.values)
			p.drain()
			var sizes []int
			for _, b := range p.batches {
				n := 0
				for _, s := range b {
					n += len(s.Samples)
				}
				sizes = append(sizes, n)
				body, err := api.AppendSeries(nil, &b[0])
				if err != nil || test.opts.BatchBytes > 0 && test.text == 0 && len(body) > test.opts.BatchBytes {
					t.Errorf("%d bytes, %v", len(body), err)
				}
			}
			if test.text > 0 {
				test.want = slices.Repeat([]int{1}, test.values)
			}
			if d := cmp.Diff(test.want, sizes); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			p.want(path, 0, test.values)
			if !slices.IsSorted(p.got[path]) {
				t.Error("not in order")
			}
		})
	}
}

func TestSeveralPathpointsInARequest(t *testing.T) {
	t.Parallel()
	p := newPeer(t, backlog.Options{})
	for i := range 10 {
		p.add("W1", false, i, i+1)
		p.add("W2", i%2 == 0, i, i+1)
	}
	p.drain()
	if len(p.batches) != 1 || len(p.batches[0]) != 2 {
		t.Errorf("%d batches of %d series", len(p.batches), len(p.batches[0]))
	}
	p.want("W1", 0, 10)
	p.want("W2", 0, 10)
	if n := p.store.Trend.Len() + p.store.Permanent.Len(); n != 0 || p.b.Waiting() != 0 {
		t.Errorf("%d records left, %d waiting", n, p.b.Waiting())
	}
}

// TestOneBadValueCostsNoOther: in the original it takes the whole batch with it.
func TestOneBadValueCostsNoOther(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 404, 413, 422} {
		p := newPeer(t, backlog.Options{})
		p.refuse = func(_ string, v int64) int {
			if v == 17 || v == 400 {
				return status
			}
			return 0
		}
		p.add("W1", false, 0, 450)
		p.drain()
		if d := cmp.Diff([]int64{17, 400}, p.givenUp); d != "" {
			t.Errorf("%d (-want +got):\n%s", status, d)
		}
		if len(p.got["W1"]) != 448 || !slices.IsSorted(p.got["W1"]) || p.b.GivenUp() != 2 || p.store.Trend.Len() != 0 {
			t.Errorf("%d: %d values, %d records left", status, len(p.got["W1"]), p.store.Trend.Len())
		}
	}
}

// TestATooLargeBatchIsSplit: the hub takes less than a batch at a time.
func TestATooLargeBatchIsSplit(t *testing.T) {
	t.Parallel()
	p := newPeer(t, backlog.Options{})
	sizes := 0
	p.refuse = func(string, int64) int { // asked for each value
		n := 0
		for _, s := range p.batches[len(p.batches)-1] {
			n += len(s.Samples)
		}
		sizes = max(sizes, n)
		if n > 100 {
			return 413
		}
		return 0
	}
	p.add("W1", false, 0, 450)
	p.drain()
	p.want("W1", 0, 450)
	if len(p.givenUp) > 0 || sizes != 450 {
		t.Errorf("given up %v", p.givenUp)
	}
}

// TestAHubThatRefusesEverything does not get all at once: it may be the hub.
func TestAHubThatRefusesEverything(t *testing.T) {
	t.Parallel()
	p := newPeer(t, backlog.Options{Refusals: 8})
	p.refuse = func(string, int64) int { return 404 }
	p.add("W1", false, 0, 100)
	if err := p.b.Drain(t.Context()); !errors.Is(err, smokerr.ErrClientFault) {
		t.Errorf("%v", err)
	}
	if len(p.givenUp) != 8 || p.b.Waiting() != 92 {
		t.Errorf("%d given up, %d wait", len(p.givenUp), p.b.Waiting())
	}
	p.refuse = nil
	p.drain()
	p.want("W1", 8, 100)
}

// TestNothingIsDroppedForTheLinkOrTheDevice: only a refusal of the values gives them up.
func TestNothingIsDroppedForTheLinkOrTheDevice(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 408, 425, 429, 500, 502, 503, smokerr.StatusNoReply} {
		p := newPeer(t, backlog.Options{})
		p.add("W1", false, 0, 10)
		p.fail = smokerr.Response(errkit.Info{}, smokerr.ResponseError{StatusCode: status})
		for range 3 {
			if err := p.b.Drain(t.Context()); !errors.Is(err, smokerr.ErrResponse) {
				t.Errorf("%d: %v", status, err)
			}
		}
		if p.fail = nil; len(p.batches) != 3 || len(p.givenUp) > 0 {
			t.Errorf("%d: %d requests, %d given up", status, len(p.batches), len(p.givenUp))
		}
		p.drain()
		p.want("W1", 0, 10)
	}
}

// TestTheLinkBreaksInTheMiddle: what was taken is not sent again, whatever a refusal has split.
func TestTheLinkBreaksInTheMiddle(t *testing.T) {
	t.Parallel()
	p := newPeer(t, backlog.Options{BatchValues: 10})
	p.add("W1", false, 0, 100)
	p.refuse = func(_ string, v int64) int {
		switch v {
		case 33:
			return 422
		case 37:
			return smokerr.StatusNoReply
		}
		return 0
	}
	if err := p.b.Drain(t.Context()); !errors.Is(err, smokerr.ErrNoLink) {
		t.Errorf("%v", err)
	}
	p.refuse = nil
	p.drain()
	got := slices.Sorted(slices.Values(p.got["W1"]))
	if len(got) != 99 || len(slices.Compact(got)) != 99 || p.givenUp[0] != 33 {
		t.Errorf("%v, given up %v", p.got["W1"], p.givenUp)
	}
}

// TestLiveValuesDoNotStarve: behind a long backlog, what is new goes out with the next request.
func TestLiveValuesDoNotStarve(t *testing.T) {
	t.Parallel()
	p := newPeer(t, backlog.Options{BatchValues: 100})
	p.fail = noLink
	p.add("W1", false, 0, 10_000)
	p.add("W2", true, 0, 1000)
	_ = p.b.Drain(t.Context())
	p.fail = nil
	next, waited := 10_000, 0
	p.after = func() {
		if next > 10_000 && !slices.Contains(p.got["W1"], int64(next-1)) {
			waited++
		}
		if next < 10_100 {
			p.add("W1", false, next, next+1)
			next++
		}
	}
	p.drain()
	p.after = nil
	p.want("W1", 0, next)
	p.want("W2", 0, 1000)
	if waited > 0 {
		t.Errorf("a new value was not in the next request, %d times", waited)
	}
	if next != 10_100 {
		t.Errorf("%d", next)
	}
	// the past is in its order, and so is the present
	var past, present []int64
	for _, v := range p.got["W1"] {
		if v < 10_000 {
			past = append(past, v)
		} else {
			present = append(present, v)
		}
	}
	if !slices.IsSorted(past) || !slices.IsSorted(present) {
		t.Error("not in order")
	}
	for i, b := range p.batches {
		n := 0
		for _, s := range b {
			n += len(s.Samples)
			if !slices.IsSortedFunc(s.Samples, func(a, b api.Sample) int { return a.Time.Compare(b.Time) }) {
				t.Errorf("batch %d is not in order", i)
			}
		}
		if n > 100 {
			t.Errorf("batch %d has %d values", i, n)
		}
	}
}

// TestManyOutages: each leaves a part of its own behind, up to a bound, and nothing is lost or comes twice.
func TestManyOutages(t *testing.T) {
	t.Parallel()
	p := newPeer(t, backlog.Options{BatchValues: 10})
	next, requests := 0, 0
	for range 60 {
		p.add("W1", false, next, next+45)
		next += 45
		requests = 0
		p.after = func() {
			if requests++; requests == 2 {
				p.fail = noLink
			}
		}
		if err := p.b.Drain(t.Context()); !errors.Is(err, smokerr.ErrNoLink) {
			t.Fatalf("%v", err)
		}
		p.fail = nil
	}
	p.after = nil
	got := p.got
	p.open(backlog.Options{BatchValues: 10}) // a restart
	p.got = got
	p.drain()
	p.want("W1", 0, next)
	if p.store.Trend.Len() != 0 {
		t.Errorf("%d records left", p.store.Trend.Len())
	}
}

// TestWhatTheHubHasIsKnownAfterARestart, also behind what it does not have.
func TestWhatTheHubHasIsKnownAfterARestart(t *testing.T) {
	t.Parallel()
	p := newPeer(t, backlog.Options{BatchValues: 10})
	p.fail = noLink
	p.add("W1", false, 0, 100)
	_ = p.b.Drain(t.Context())
	p.add("W1", false, 100, 103)
	requests := 0
	p.fail = nil
	p.after = func() {
		if requests++; requests == 1 {
			p.fail = noLink
		}
	}
	_ = p.b.Drain(t.Context())
	first := p.got["W1"]
	if !slices.Contains(first, 102) || slices.Contains(first, 50) {
		t.Fatalf("%v", first)
	}
	p.fail, p.after = nil, nil
	p.open(backlog.Options{BatchValues: 10})
	p.drain()
	if again := p.got["W1"]; len(again)+len(first) != 103 {
		t.Errorf("first %v, then %v", first, again)
	}
}

// TestAnotherLog: what was noted of a log that is gone is not taken for true of the one in its place.
func TestAnotherLog(t *testing.T) {
	t.Parallel()
	p := newPeer(t, backlog.Options{Retention: 1 << 20, MaxAge: 1000 * 24 * time.Hour})
	p.add("W1", false, 0, 100)
	p.drain()
	p.want("W1", 0, 100)
	p.store.Trend = store.NewLog(nil)
	p.open(backlog.Options{})
	p.add("W2", false, 200, 300)
	p.drain()
	p.want("W2", 200, 300)
}

func TestRecordsThatAreNoValues(t *testing.T) {
	t.Parallel()
	var damaged []error
	p := newPeer(t, backlog.Options{Damaged: func(err error) { damaged = append(damaged, err) }})
	p.add("W1", false, 0, 2)
	if err := p.b.Append(t.Context(), false, []store.Entry{{Payload: []byte("?"), Tag: 99}}); err != nil {
		t.Fatal(err)
	}
	p.add("W1", false, 2, 4)
	p.drain()
	p.want("W1", 0, 4)
	if len(damaged) != 1 || !errors.Is(damaged[0], smokerr.ErrCorrupt) || p.store.Trend.Len() != 0 {
		t.Errorf("%v, %d records left", damaged, p.store.Trend.Len())
	}
}

// TestAFullStoreWhileItWaits: what was dropped leaves a hole that is not waited for.
func TestAFullStoreWhileItWaits(t *testing.T) {
	t.Parallel()
	p := &peer{t: t, store: store.Memory(&store.MemoryOptions{MaxValues: 20 << 10})}
	t.Cleanup(func() { _ = p.store.Close() })
	p.open(backlog.Options{BatchValues: 10})
	p.fail = noLink
	for i := range 20 {
		p.add("W1", false, i*100, i*100+100)
		_ = p.b.Drain(t.Context())
		p.fail = nil
		p.after = func() { p.fail = noLink }
	}
	p.fail, p.after = nil, nil
	if n := p.b.Waiting(); n < 100 || n > p.store.Trend.Len() {
		t.Errorf("%d of %d wait", n, p.store.Trend.Len())
	}
	p.drain()
	got := slices.Sorted(slices.Values(p.got["W1"]))
	if len(got) != len(slices.Compact(slices.Clone(got))) || got[len(got)-1] != 1999 || p.store.Trend.Len() != 0 {
		t.Errorf("%d values up to %d, %d records left", len(got), got[len(got)-1], p.store.Trend.Len())
	}
	if n := len(got); n < 500 {
		t.Errorf("%d values", n)
	}
}

// wardless is a log that can set nothing aside.
type wardless struct{ store.Log }

var errFull = errors.New("no space left")

func (wardless) Quarantine(uint64, string) error { return errFull }

// TestARefusedValueThatCannotBeSetAside does not keep back what is behind it: on a full disk that would be for ever.
func TestARefusedValueThatCannotBeSetAside(t *testing.T) {
	t.Parallel()
	p := newPeer(t, backlog.Options{})
	p.store.Trend = wardless{p.store.Trend}
	p.open(backlog.Options{})
	p.add("W1", false, 0, 10)
	p.refuse = func(_ string, v int64) int {
		if v == 4 {
			return 422
		}
		return 0
	}
	p.drain()
	if d := cmp.Diff([]int64{0, 1, 2, 3, 5, 6, 7, 8, 9}, p.got["W1"]); d != "" || !slices.Equal(p.givenUp, []int64{4}) {
		t.Errorf("given up: %v, sent (-want +got):\n%s", p.givenUp, d)
	}
	if p.b.GivenUp() != 1 || p.store.Trend.Len() != 0 {
		t.Errorf("%d given up, %d records left", p.b.GivenUp(), p.store.Trend.Len())
	}
}
