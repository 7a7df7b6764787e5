package smok_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// counter is a pathpoint that counts its readings and remembers when they were.
type counter struct {
	mu    sync.Mutex
	times []time.Time
	fail  bool
	takes time.Duration
	point *smok.Pathpoint
}

func (c *counter) options() *smok.PathpointOptions {
	return &smok.PathpointOptions{Read: func(ctx context.Context, _ smok.Advise) (any, error) {
		c.mu.Lock()
		c.times = append(c.times, time.Now())
		n := len(c.times)
		c.mu.Unlock()
		if c.takes > 0 {
			select {
			case <-time.After(c.takes):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		if c.fail {
			return nil, smok.OperationFailed(smok.ReasonTimeout, time.Time{}, nil)
		}
		return n, nil
	}}
}

// forget begins to count anew.
func (c *counter) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.times = nil
}

// seen returns when the readings were.
func (c *counter) seen() []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.times)
}

// counters registers pathpoints W1, W2 and so on.
func (w *world) counters(d *smok.Device, n int) []*counter {
	all := make([]*counter, n)
	for i := range all {
		all[i] = &counter{}
		all[i].point = w.register(d, fmt.Sprintf("W%d", i+1), all[i].options())
	}
	return all
}

// wantAbout checks the number of readings; the first one may come late by the phase.
func (c *counter) wantAbout(t *testing.T, want int) {
	t.Helper()
	if n := len(c.seen()); n < want-1 || n > want+1 {
		t.Errorf("%s was read %d times, want about %d", c.point.Name(), n, want)
	}
}

// TestArchivingGoesOn: in the original a pathpoint is never read again after the first success.
func TestArchivingGoesOn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetArchives(
			smoktest.Archive{Interval: 10 * time.Second, Pathpoints: []string{"W1", "W2"}},
			smoktest.Archive{Interval: 10 * time.Second, Pathpoints: []string{"W3"}}, // the same interval again
			smoktest.Archive{Interval: time.Hour, Pathpoints: []string{"W1", "W4"}},  // the shorter interval counts
		)
		d := w.device(smok.Options{})
		all := w.counters(d, 5)
		all[1].fail = true
		w.start(d)
		w.sleep(10*time.Minute + time.Second)
		for i, want := range []int{60, 60, 60, 1, 0} {
			all[i].wantAbout(t, want)
		}
		if n := len(w.pump.Samples("W2")); n < 59 {
			t.Errorf("%d failures at the hub", n)
		}
		if all[0].point.Level() != smok.Permanent || all[4].point.Level() != smok.Trend {
			t.Errorf("%v, %v", all[0].point.Level(), all[4].point.Level())
		}
		if s := d.Status(); s.Archived != 4 {
			t.Errorf("%+v", s)
		}
	})
}

// TestAChangedIntervalIsNoticed: the original takes entries for equal that name the same pathpoint.
func TestAChangedIntervalIsNoticed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetArchives(smoktest.Archive{Interval: time.Hour, Pathpoints: []string{"W1", "W2"}})
		d := w.device(smok.Options{Intervals: smok.Intervals{Archives: time.Minute}})
		all := w.counters(d, 2)
		w.start(d)
		w.sleep(10 * time.Minute)
		all[0].wantAbout(t, 1)
		w.pump.SetArchives(smoktest.Archive{Interval: 10 * time.Second, Pathpoints: []string{"W1"}})
		w.sleep(2 * time.Minute)
		all[0].forget()
		w.sleep(10 * time.Minute)
		all[0].wantAbout(t, 60)
		all[1].wantAbout(t, 1)
		w.pump.SetArchives()
		w.sleep(2 * time.Minute)
		all[0].forget()
		w.sleep(10 * time.Minute)
		all[0].wantAbout(t, 0)
	})
}

// TestArchivingWithoutTheHub: from the stored list, from boot on.
func TestArchivingWithoutTheHub(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		dir := t.TempDir()
		w.pump.SetArchives(
			smoktest.Archive{Interval: time.Minute, Pathpoints: []string{"W1"}},
			smoktest.Archive{Interval: time.Minute, Pathpoints: []string{"W2"}},
		)
		d := w.run(smok.Options{Store: w.disk(dir, nil)})
		w.sleep(time.Second)
		w.must(d.Close())
		before := len(w.hub.Requests())
		d = w.device(smok.Options{Store: w.disk(dir, nil), Offline: true})
		all := w.counters(d, 2)
		w.start(d)
		w.sleep(time.Hour)
		all[0].wantAbout(t, 60)
		all[1].wantAbout(t, 60)
		if n := len(w.hub.Requests()); n != before {
			t.Errorf("%d requests while offline", n-before)
		}
		d.SetOffline(false)
		w.sleep(time.Minute)
		if n := len(w.pump.Samples("W1")); n < 58 {
			t.Errorf("%d samples at the hub", n)
		}
	})
}

// TestMissedReadingsAreLeftOut: a reading that takes longer than the interval does not pile up others behind it.
func TestMissedReadingsAreLeftOut(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetArchives(smoktest.Archive{Interval: time.Second, Pathpoints: []string{"W1", "W2"}})
		d := w.device(smok.Options{})
		all := w.counters(d, 2)
		all[0].takes = 25 * time.Second
		w.start(d)
		w.sleep(10 * time.Minute)
		all[0].wantAbout(t, 24)
		if n := len(all[1].seen()); n < 550 { // the slow one does not hold it up
			t.Errorf("the other one was read %d times", n)
		}
		if s := d.Status().Sections; s.Queued > 0 || s.Running > 2 {
			t.Errorf("%+v", s)
		}
	})
}

// TestFreshValuesAreNotReadAgain: a value that came from elsewhere counts.
func TestFreshValuesAreNotReadAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetArchives(smoktest.Archive{Interval: time.Minute, Pathpoints: []string{"W1"}})
		d := w.device(smok.Options{})
		c := w.counters(d, 1)[0]
		w.must(c.point.Set(t.Context(), time.Time{}, 1)) // or the first reading may come in the same moment
		w.start(d)
		for range 60 {
			w.sleep(30 * time.Second)
			w.must(c.point.Set(t.Context(), time.Time{}, 1))
		}
		w.sleep(30 * time.Second)
		c.wantAbout(t, 0)
		w.sleep(10 * time.Minute)
		c.wantAbout(t, 10)
	})
}

func TestAlignedArchiving(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetArchives(smoktest.Archive{Interval: 15 * time.Minute, Pathpoints: []string{"W1"}})
		var clock wallClock
		d := w.device(smok.Options{AlignArchives: true, Time: clock.now})
		c := w.counters(d, 1)[0]
		w.sleep(7 * time.Minute)
		w.start(d)
		w.sleep(time.Hour)
		clock.step(4 * time.Minute)
		w.sleep(time.Hour)
		var minutes []int
		for i, at := range c.seen() {
			if i >= 4 {
				at = at.Add(4 * time.Minute)
			}
			minutes = append(minutes, at.Round(time.Second).Minute())
		}
		if d := cmp.Diff([]int{15, 30, 45, 0, 15, 30, 45, 0}, minutes); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// TestReadingsAreSpread: a thousand pathpoints are not read at once, and yet without a thousand wake-ups.
func TestReadingsAreSpread(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const n = 1000
		var paths []string
		for i := range n {
			paths = append(paths, fmt.Sprintf("W%d", i+1))
		}
		w.pump.SetArchives(smoktest.Archive{Interval: 10 * time.Second, Pathpoints: paths})
		d := w.device(smok.Options{})
		all := w.counters(d, n)
		w.start(d)
		w.sleep(60 * time.Second)
		seconds := make(map[int64]int)
		total := 0
		for _, c := range all {
			total += len(c.seen())
			for _, at := range c.seen() {
				seconds[at.Unix()]++
			}
		}
		for second, count := range seconds {
			if count > n/4 {
				t.Errorf("%d readings in second %d", count, second)
			}
		}
		if total < 5*n || total > 7*n {
			t.Errorf("%d readings", total)
		}
		for _, s := range d.Status().Tasks {
			if s.Name == "archiving" && s.Runs > 60*5 {
				t.Errorf("%d runs", s.Runs)
			}
		}
	})
}

func TestArchivingAComputedPathpoint(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetArchives(smoktest.Archive{Interval: time.Minute, Pathpoints: []string{"rd{W1}/{W2}", "rx", "W404"}})
		d := w.device(smok.Options{Provider: func(string, smok.StorageLevel) (*smok.PathpointOptions, error) { return nil, smok.ErrNotFound }})
		all := w.counters(d, 2)
		w.start(d)
		w.sleep(10 * time.Minute)
		all[0].wantAbout(t, 10)
		all[1].wantAbout(t, 10)
		if len(w.reported()) == 0 {
			t.Error("nobody was told of the name that is none")
		}
	})
}

// TestTheListIsStoredInTheEnd: when the store could not take it at once.
func TestTheListIsStoredInTheEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		p := m.boot(smok.Options{}, nil)
		w.sleep(time.Minute)
		p.stuck.Store(true)
		w.pump.SetArchives(smoktest.Archive{Interval: time.Minute, Pathpoints: []string{"W1"}})
		w.sleep(20 * time.Minute)
		p.stuck.Store(false)
		w.sleep(20 * time.Minute)
		p.kill()
		p.bury()
		p = m.boot(smok.Options{Offline: true}, nil)
		if n := p.device.Status().Archived; n != 1 {
			t.Errorf("%d pathpoints are archived after the restart", n)
		}
	})
}
