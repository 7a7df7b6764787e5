package smok_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// sent returns the values that the hub has of a pathpoint, in the order in which they came.
func (w *world) sent(path string) (all []any) {
	for _, s := range w.pump.Samples(path) {
		all = append(all, s.Value)
	}
	return all
}

func (w *world) wantSent(path string, want ...any) {
	w.t.Helper()
	if d := cmp.Diff(want, w.sent(path)); d != "" {
		w.t.Errorf("%s at the hub (-want +got):\n%s", path, d)
	}
}

func TestValuesReachTheHub(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		p := w.register(d, "W1", nil)
		ctx := t.Context()
		w.must(p.Set(ctx, time.Time{}, 7))
		w.sleep(time.Millisecond)
		w.must(p.Set(ctx, time.Time{}, 8))
		w.sleep(3 * time.Second)
		w.wantSent("W1", int64(7), int64(8))
		w.must(d.WaitSynced(ctx))
		if s := d.Status(); s.Link != smok.LinkUp || s.Values.Waiting != 0 || s.Pathpoints != 1 {
			t.Errorf("%+v", s)
		}
		if n := w.requests(http.MethodPost, pathpointsPath); n != 1 {
			t.Errorf("%d requests for what came within a second", n)
		}
	})
}

// TestTheLoopOutlivesEveryAnswer: in the original a 4xx, or anything that is no answer of the expected shape, ends the
// thread for good.
func TestTheLoopOutlivesEveryAnswer(t *testing.T) {
	for name, fault := range map[string]smoktest.Fault{
		"500":         {Kind: smoktest.FaultAnswer, Status: 500},
		"401":         {Kind: smoktest.FaultAnswer, Status: 401},
		"429":         {Kind: smoktest.FaultAnswer, Status: 429, RetryAfter: time.Minute},
		"reset":       {Kind: smoktest.FaultReset},
		"answer lost": {Kind: smoktest.FaultReset, AfterEffect: true},
		"hang":        {Kind: smoktest.FaultHang},
		"garbage":     {Kind: smoktest.FaultGarbage},
		"wrong shape": {Kind: smoktest.FaultWrongShape},
		"cut":         {Kind: smoktest.FaultTruncate, Bytes: 1},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				fault.Times = 3
				w.hub.Inject(fault)
				d := w.run(smok.Options{})
				p := w.register(d, "W1", nil)
				for i := range 5 {
					w.must(p.Set(t.Context(), time.Time{}, i))
					w.sleep(time.Minute)
				}
				w.sleep(2 * time.Hour)
				w.wantSent("W1", int64(0), int64(1), int64(2), int64(3), int64(4))
				if c := w.pump.Counts(); c.Conflicting > 0 {
					t.Errorf("%+v", c)
				}
				if s := d.Status(); s.Values.Waiting != 0 || s.Values.GivenUp != 0 || s.Link != smok.LinkUp {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// TestNewValuesDoNotSpin: in the original a link that is down makes the loop run without a pause.
func TestNewValuesDoNotSpin(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		p := w.register(d, "W1", nil)
		w.sleep(time.Minute)
		w.hub.ClearRequests()
		w.hub.Inject(smoktest.Fault{Kind: smoktest.FaultAnswer, Status: 503, Path: pathpointsPath, Method: http.MethodPost})
		for range 3600 {
			w.must(p.Set(t.Context(), time.Time{}, 1))
			time.Sleep(time.Second)
		}
		if n := w.requests(http.MethodPost, pathpointsPath); n < 10 || n > 40 {
			t.Errorf("%d requests in an hour", n)
		}
		w.hub.ClearFaults()
		w.sleep(10 * time.Minute)
		if c := w.pump.Counts(); c.Samples != 3600 || c.Repeated != 0 {
			t.Errorf("%+v", c)
		}
	})
}

func TestOneRefusedValue(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var paths []string
		d := w.device(smok.Options{Pathpoints: smok.PathpointSettings{OnGivenUp: func(path string, s smok.Sample, err error) {
			paths = append(paths, path)
			if s.Value != "bad" || !errors.Is(err, smok.ErrClientFault) {
				t.Errorf("%+v, %v", s, err)
			}
		}}})
		w.hub.Inject(smoktest.Fault{Kind: smoktest.FaultAnswer, Status: 422, Path: pathpointsPath, Method: http.MethodPost, Times: 2})
		bad, good := w.register(d, "u1", nil), w.register(d, "W1", nil)
		w.must(bad.Set(t.Context(), time.Time{}, "bad")) // the batch of two, then the half with it
		w.must(good.Set(t.Context(), time.Time{}, 1))
		w.start(d)
		w.sleep(time.Minute)
		w.wantSent("W1", int64(1))
		if diff := cmp.Diff([]string{"u1"}, paths); diff != "" || d.Status().Values.GivenUp != 1 {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestAfterARestart: what was accepted is sent, and the current values are known, also those that the hub has. The
// original's store in memory forgets them with every upload.
func TestAfterARestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		dir := t.TempDir()
		d := w.run(smok.Options{Store: w.disk(dir, nil)})
		a, b := w.register(d, "W1", nil), w.register(d, "W2", nil)
		w.must(a.Set(t.Context(), time.Time{}, 1))
		w.must(b.SetError(t.Context(), time.Time{}, smok.ReasonInvalid))
		w.sleep(10 * time.Minute) // sent, and written down
		if get(a) != int64(1) {
			t.Errorf("after the upload: %v", get(a))
		}
		w.hub.Down(smoktest.REST)
		at := time.Now()
		w.must(a.Set(t.Context(), at, 2))
		if err := d.Close(); !errors.Is(err, smok.ErrNoLink) {
			t.Errorf("the last attempt: %v", err)
		}

		d = w.device(smok.Options{Store: w.disk(dir, nil)})
		a, b = w.register(d, "W1", nil), w.register(d, "W2", nil)
		if get(a) != int64(2) {
			t.Errorf("%v", get(a))
		}
		if err := get(b).(error); !errors.Is(err, smok.ErrBadPathpoint) {
			t.Errorf("%v", err)
		}
		if err := a.Set(t.Context(), at, 3); !errors.Is(err, smok.ErrStale) {
			t.Errorf("the same time again: %v", err)
		}
		w.must(w.hub.Up(smoktest.REST))
		w.start(d)
		w.sleep(time.Minute)
		w.wantSent("W1", int64(1), int64(2))
		if c := w.pump.Counts(); c.Repeated != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// TestAfterAKill: nothing was closed, and nothing written down but the values themselves.
func TestAfterAKill(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := store.Memory(nil)
		d := w.device(smok.Options{Store: unclosed(s)})
		p := w.register(d, "W1", nil)
		w.must(p.Set(t.Context(), time.Time{}, 1))
		time.Sleep(time.Second)
		w.must(p.Set(t.Context(), time.Time{}, 2))

		d = w.run(smok.Options{Store: s})
		p = w.register(d, "W1", nil)
		if get(p) != int64(2) {
			t.Errorf("%v", get(p))
		}
		w.sleep(time.Minute)
		w.wantSent("W1", int64(1), int64(2))
	})
}

// unclosed returns a store whose parts stay open when it is closed.
func unclosed(s *store.Store) *store.Store {
	other := store.Memory(nil)
	other.Trend, other.Permanent = openLog{s.Trend}, openLog{s.Permanent}
	return other
}

type openLog struct{ store.Log }

func (openLog) Close() error { return nil }

// TestAFullStoreRefusesOrDropsAndSaysSo: nothing is taken that is not kept.
func TestAFullStoreRefusesOrDropsAndSaysSo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var lost uint64
		d := w.device(smok.Options{Offline: true, Store: store.Memory(&store.MemoryOptions{
			MaxValues: 10 << 10, OnReport: func(r store.Report) { lost += r.Records },
		})})
		p, err := d.Register("W1", smok.Permanent, nil)
		w.must(err)
		trend := w.register(d, "W2", nil)
		for i := range 1000 {
			w.must(p.Set(t.Context(), time.Time{}, i))
			time.Sleep(time.Millisecond)
		}
		w.sleep(time.Minute) // losses are told together
		if s := d.Status().Values; s.Waiting+int64(lost) != 1000 || s.Bytes > 10<<10 || lost == 0 {
			t.Errorf("%+v, %d lost", s, lost)
		}
		if err := trend.Set(t.Context(), time.Time{}, 1); !errors.Is(err, smok.ErrQueueFull) {
			t.Errorf("%v", err)
		}
		if err := get(trend).(error); !errors.Is(err, smok.ErrNotRead) {
			t.Errorf("a value that was refused is there: %v", err)
		}
	})
}

func TestAStoreThatFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := store.Memory(nil)
		d := w.device(smok.Options{Store: s})
		p := w.register(d, "W1", nil)
		w.must(s.Trend.Close())
		if err := p.Set(t.Context(), time.Time{}, 1); !errors.Is(err, smok.Err) {
			t.Errorf("%v", err)
		}
		if err := get(p).(error); !errors.Is(err, smok.ErrNotRead) {
			t.Errorf("a value that was not stored is there: %v", err)
		}
	})
}

func TestLiveValuesComeFirst(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.hub.Down(smoktest.REST)
		d := w.run(smok.Options{})
		p := w.register(d, "W1", nil)
		for i := range 5000 {
			w.must(p.Set(t.Context(), time.Time{}, i))
			time.Sleep(time.Second)
		}
		w.must(w.hub.Up(smoktest.REST))
		// each answer takes a second, and each second brings a value
		w.hub.Inject(smoktest.Fault{Kind: smoktest.FaultDelay, Delay: time.Second, Path: pathpointsPath, Method: http.MethodPost})
		w.sleep(time.Hour)
		w.hub.Down(smoktest.REST)
		for i := range 5000 {
			w.must(p.Set(t.Context(), time.Time{}, i))
			time.Sleep(time.Second)
		}
		w.must(w.hub.Up(smoktest.REST))
		start := time.Now()
		for w.pump.Counts().Samples == 5000 {
			time.Sleep(time.Second)
		}
		fresh := time.Now()
		w.must(p.Set(t.Context(), fresh, 1))
		w.sleep(3 * time.Second)
		all := w.pump.Samples("W1")
		found := false
		for _, s := range all {
			found = found || s.Time.Equal(fresh.Truncate(time.Millisecond))
		}
		if !found || len(all) > 8000 {
			t.Errorf("the link is back since %v: %d values at the hub, the newest among them: %v", fresh.Sub(start), len(all), found)
		}
		w.sleep(time.Hour)
		if c := w.pump.Counts(); c.Samples != 10_001 || c.Repeated != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// TestLiveValuesComeFirstAfterARestart: also if all that waits was written down before.
func TestLiveValuesComeFirstAfterARestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		dir := t.TempDir()
		d := w.device(smok.Options{Store: w.disk(dir, nil), Offline: true})
		p := w.register(d, "W1", nil)
		updates := make([]smok.Update, 5000)
		for i := range updates {
			updates[i] = smok.Update{Pathpoint: p, Time: time.Now().Add(time.Duration(i) * time.Second), Value: i}
		}
		w.must(d.Set(t.Context(), updates...))
		time.Sleep(2 * time.Hour)
		w.must(d.Close())
		w.hub.Inject(smoktest.Fault{Kind: smoktest.FaultDelay, Delay: time.Second, Path: pathpointsPath, Method: http.MethodPost})
		d = w.run(smok.Options{Store: w.disk(dir, nil)})
		p = w.register(d, "W1", nil)
		w.must(p.Set(t.Context(), time.Time{}, 6000))
		w.sleep(4 * time.Second)
		all := w.sent("W1")
		if !slices.Contains(all, any(int64(6000))) || len(all) > 4000 {
			t.Errorf("%d values are at the hub, the newest is not among them", len(all))
		}
	})
}
