package smok_test

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/diskstore"
)

// wallClock is a wall clock that can be set.
type wallClock struct {
	mu sync.Mutex
	by time.Duration
}

func (c *wallClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.by)
}

func (c *wallClock) step(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by += by
}

// TestAClockThatIsSetBackSilencesNothing: in the original a value from the future keeps all later ones out.
func TestAClockThatIsSetBackSilencesNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var clock wallClock
		var steps []smok.ClockStep
		clock.step(time.Hour)
		d := w.run(smok.Options{Time: clock.now, OnClockStep: func(s smok.ClockStep) { steps = append(steps, s) }})
		p := w.register(d, "W1", nil)
		w.must(p.Set(t.Context(), time.Time{}, 1))
		clock.step(-time.Second) // such as a leap second
		if err := p.Set(t.Context(), time.Time{}, 2); !errors.Is(err, smok.ErrStale) {
			t.Errorf("after a small step: %v", err)
		}
		clock.step(-time.Hour)
		w.must(p.Set(t.Context(), time.Time{}, 3))
		if err := p.Set(t.Context(), clock.now(), 4); !errors.Is(err, smok.ErrStale) {
			t.Errorf("equal times after the step: %v", err)
		}
		w.sleep(time.Minute)
		w.wantSent("W1", int64(1), int64(3))
		if len(steps) != 1 || steps[0].By.Round(time.Minute) != -time.Hour || !steps[0].Set {
			t.Errorf("%+v", steps)
		}
		if s := d.Status(); s.ClockSteps != 1 || !s.ClockSet {
			t.Errorf("%+v", s)
		}
	})
}

// TestAClockThatWasSetBackWhileOff: the current value of the last run is from the future.
func TestAClockThatWasSetBackWhileOff(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		dir := t.TempDir()
		var clock wallClock
		clock.step(time.Hour)
		d := w.device(smok.Options{Time: clock.now, Store: w.disk(dir, nil)})
		w.must(w.register(d, "W1", nil).Set(t.Context(), time.Time{}, 1))
		w.must(d.Close())
		clock.step(-time.Hour)
		d = w.device(smok.Options{Time: clock.now, Store: w.disk(dir, nil)})
		p := w.register(d, "W1", nil)
		if get(p) != int64(1) {
			t.Errorf("%v", get(p))
		}
		w.must(p.Set(t.Context(), time.Time{}, 2))
	})
}

// disk opens a store on disk.
func (w *world) disk(dir string, opts *diskstore.Options) *store.Store {
	w.t.Helper()
	s, err := diskstore.Open(dir, opts)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// set2026 is the step from the clock of a bubble, which counts as not set, to one that is right.
var set2026 = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC).Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))

// TestValuesFromBeforeTheClockWasSet wait, and get their right times.
func TestValuesFromBeforeTheClockWasSet(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var clock wallClock
		d := w.run(smok.Options{Time: clock.now, ClockFloor: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)})
		p, other := w.register(d, "W1", nil), w.register(d, "W2", nil)
		w.must(p.Set(t.Context(), time.Time{}, 1))
		right := time.Now().Add(set2026)
		w.sleep(time.Minute)
		w.must(p.Set(t.Context(), time.Time{}, 2))
		w.must(other.Set(t.Context(), time.Time{}, 1))
		if err := p.Set(t.Context(), time.Time{}, 2); !errors.Is(err, smok.ErrStale) {
			t.Errorf("equal: %v", err)
		}
		w.sleep(time.Minute)
		if w.pump.Counts().Samples != 0 || d.Status().ClockSet {
			t.Errorf("sent without a time: %+v", w.pump.Samples(""))
		}
		clock.step(set2026)
		w.sleep(2 * time.Minute)
		w.wantSent("W1", int64(1), int64(2))
		samples := w.pump.Samples("W1")
		if len(samples) != 2 || !samples[0].Time.Equal(right) || !samples[1].Time.Equal(right.Add(time.Minute)) {
			t.Errorf("%+v, want the times from %v", samples, right)
		}
		if s, err := p.Get(); err != nil || !s.Time.Equal(right.Add(time.Minute)) {
			t.Errorf("%+v, %v", s, err)
		}
		w.must(p.Set(t.Context(), time.Time{}, 3))
	})
}

// TestTimesThatNobodyKnows: the program ended before the clock was set.
func TestTimesThatNobodyKnows(t *testing.T) {
	for _, trust := range []bool{false, true} {
		inWorld(t, func(t *testing.T, w *world) {
			dir := t.TempDir()
			var clock wallClock
			var lost []string
			opts := func() smok.Options {
				return smok.Options{
					Time: clock.now, ClockFloor: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Store: w.disk(dir, nil), Offline: clock.by == 0,
					Pathpoints: smok.PathpointSettings{TrustClock: trust, OnGivenUp: func(path string, _ smok.Sample, _ error) { lost = append(lost, path) }},
				}
			}
			d := w.run(opts())
			w.must(w.register(d, "W1", nil).Set(t.Context(), time.Time{}, 1))
			w.must(d.Close())
			clock.step(set2026)
			d = w.run(opts())
			w.must(w.register(d, "W1", nil).Set(t.Context(), time.Time{}, 2))
			w.sleep(time.Minute)
			errs := w.reported()
			if trust {
				w.wantSent("W1", int64(1), int64(2))
				return
			}
			w.wantSent("W1", int64(2))
			if len(lost) != 1 || len(errs) != 1 || !errors.Is(errs[0], smok.ErrCorrupt) || d.Status().Values.GivenUp != 1 {
				t.Errorf("lost %v, reported %v, %+v", lost, errs, d.Status().Values)
			}
		})
	}
}

// TestTheTimesStayWhatTheyAre: when a request is repeated whose answer was lost, while the clock is set by a little.
func TestTheTimesStayWhatTheyAre(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var clock wallClock
		d := w.run(smok.Options{Time: clock.now, ClockFloor: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)})
		p := w.register(d, "W1", nil)
		for i := range 3 {
			time.Sleep(1234567 * time.Microsecond)
			w.must(p.Set(t.Context(), time.Time{}, i))
		}
		w.hub.Inject(smoktest.Fault{Kind: smoktest.FaultReset, AfterEffect: true, Path: pathpointsPath, Method: http.MethodPost, Times: 2})
		clock.step(set2026)
		for range 60 {
			w.sleep(time.Second)
			clock.step(20 * time.Millisecond)
		}
		w.wantSent("W1", int64(0), int64(1), int64(2))
		if c := w.pump.Counts(); c.Samples != 3 || c.Repeated == 0 {
			t.Errorf("%+v", c)
		}
		samples := w.pump.Samples("W1")
		if s, err := p.Get(); err != nil || !s.Time.Equal(samples[len(samples)-1].Time) {
			t.Errorf("%+v, %v, and the hub has %+v", s, err, samples)
		}
	})
}
