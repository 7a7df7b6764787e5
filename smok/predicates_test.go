package smok_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

const predicatesPath = "/v1/device/predicates"

// diary is what statistics write down.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) write(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

// read returns the lines since the last call.
func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := d.lines
	d.lines = nil
	return lines
}

func (d *diary) want(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, d.read()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// tally is the state of a statistic that counts its ticks.
type tally struct {
	Ticks int
}

// counting returns a statistic that counts, and writes everything into the diary.
func counting(d *diary, name string) smok.Statistic[tally] {
	return smok.Statistic[tally]{
		Name: name,
		Tick: func(_ context.Context, p *smok.Predicate, s *tally) error {
			s.Ticks++
			d.write("%s tick %d", p.ID(), s.Ticks)
			return nil
		},
		Changed: func(_ context.Context, p *smok.Predicate, _ *tally, what smok.Change) error {
			d.write("%s changed %d: %s %s %s", p.ID(), what, p.VerboseName(), p.Group(), p.Configuration())
			return nil
		},
		Stopped: func(_ context.Context, p *smok.Predicate, s *tally, deleted bool) error {
			d.write("%s stopped after %d, deleted %t", p.ID(), s.Ticks, deleted)
			return nil
		},
	}
}

func register[S any](w *world, d *smok.Device, s smok.Statistic[S]) *smok.Registration {
	w.t.Helper()
	r, err := smok.RegisterStatistic(d, s)
	w.must(err)
	return r
}

func TestPredicatesTick(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetPredicates(
			smoktest.Predicate{ID: "p1", Statistic: "count", Group: "A"},
			smoktest.Predicate{ID: "p2", Statistic: "other", Group: "A"},
			smoktest.Predicate{ID: "p3", Statistic: "count", Group: "A", Offline: true},
		)
		d := w.run(smok.Options{Intervals: smok.Intervals{Ticks: 10 * time.Second}})
		var log diary
		register(w, d, counting(&log, "count"))
		w.sleep(time.Second)
		log.want(t, "p1 tick 1") // at once
		w.sleep(20 * time.Second)
		log.want(t, "p1 tick 2", "p1 tick 3")
		all, err := d.Predicates()
		w.must(err)
		if len(all) != 2 || all[0].ID() != "p1" || all[1].Statistic() != "other" {
			t.Errorf("%v", all)
		}
		// A statistic that comes later takes what waits for it, at once; in the original after the next tick.
		register(w, d, counting(&log, "other"))
		w.sleep(time.Second)
		log.want(t, "p2 tick 1")
	})
}

func TestFirstMatchingStatisticTakesThePredicate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		var log diary
		match := func(label string, want bool) smok.Statistic[tally] {
			return smok.Statistic[tally]{
				Match: func(statistic string, configuration json.RawMessage) bool {
					log.write("%s: %s %s", label, statistic, configuration)
					return want
				},
				Tick: func(_ context.Context, p *smok.Predicate, _ *tally) error { log.write("%s ticks", label); return nil },
			}
		}
		canceled := register(w, d, match("canceled", true))
		canceled.Cancel()
		register(w, d, match("no", false))
		register(w, d, smok.Statistic[tally]{
			Match: func(string, json.RawMessage) bool { panic("boom") },
			Tick:  func(context.Context, *smok.Predicate, *tally) error { return nil },
		})
		yes := register(w, d, match("yes", true))
		register(w, d, match("late", true))
		w.sleep(time.Second)
		w.pump.SetPredicates(smoktest.Predicate{ID: "p", Statistic: "s", Configuration: map[string]any{"a": 1}})
		w.sleep(6 * time.Minute)
		got := log.read()
		if d := cmp.Diff([]string{`no: s {"a":1}`, `yes: s {"a":1}`, "yes ticks"}, got[:3]); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		yes.Cancel() // it keeps what it has
		w.sleep(time.Minute)
		if got := log.read(); len(got) == 0 || slices.ContainsFunc(got, func(s string) bool { return s != "yes ticks" }) {
			t.Errorf("%q", got)
		}
	})
}

// TestPredicateChanges: each change is told once, and what does not change is not; the original reports a change of the
// group at the first refresh.
func TestPredicateChanges(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := smoktest.Predicate{ID: "p", Statistic: "count", Group: "A", VerboseName: "Fire", Configuration: map[string]any{"a": 1}}
		w.pump.SetPredicates(p)
		d := w.run(smok.Options{Intervals: smok.Intervals{Ticks: 24 * time.Hour}})
		var log diary
		register(w, d, counting(&log, "count"))
		w.sleep(time.Hour)
		log.want(t, "p tick 1")
		p.VerboseName, p.Configuration = "Smoke", map[string]any{"a": 2}
		w.pump.SetPredicates(p)
		w.sleep(time.Hour)
		log.want(t, `p changed 5: Smoke A {"a":2}`, "p tick 2")
		p.Group = "C"
		p.Silencing = []smoktest.Silence{{Start: smoktest.WeekTime{Day: 1}, Stop: smoktest.WeekTime{Day: 2}}}
		w.pump.SetPredicates(p)
		w.sleep(time.Hour)
		log.want(t, `p changed 10: Smoke C {"a":2}`, "p tick 3")

		p.Offline = true // the state is kept
		w.pump.SetPredicates(p)
		w.sleep(time.Hour)
		log.want(t, "p stopped after 3, deleted false")
		p.Offline = false
		w.pump.SetPredicates(p)
		w.sleep(time.Hour)
		log.want(t, "p tick 4")

		w.pump.SetPredicates() // the state is not kept
		w.sleep(time.Hour)
		log.want(t, "p stopped after 4, deleted true")
		w.pump.SetPredicates(p)
		w.sleep(time.Hour)
		log.want(t, "p tick 1")

		p.Statistic = "unknown" // another class: the old one has to go
		w.pump.SetPredicates(p)
		w.sleep(time.Hour)
		log.want(t, "p stopped after 1, deleted false")
	})
}

// TestPredicatesAfterRestart: definitions and states outlive the program, and work without the hub.
func TestPredicatesAfterRestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetPredicates(
			smoktest.Predicate{ID: "p", Statistic: "count", VerboseName: "Fire", Group: "C"},
			smoktest.Predicate{ID: "off", Statistic: "count", Offline: true},
		)
		open := keptStore()
		var log diary
		d := w.device(smok.Options{Store: open()})
		register(w, d, counting(&log, "count"))
		w.start(d)
		w.sleep(90 * time.Second)
		log.want(t, "p tick 1", "p tick 2")
		w.must(d.Close())
		log.want(t) // closing is no reason to stop
		w.hub.Down(smoktest.Both)
		d = w.run(smok.Options{Store: open(), Offline: true})
		w.sleep(time.Minute)
		all, err := d.Predicates()
		if err != nil || len(all) != 1 || all[0].VerboseName() != "Fire" || all[0].Group() != "C" {
			t.Errorf("%v, %v", all, err)
		}
		register(w, d, counting(&log, "count"))
		w.sleep(time.Second)
		log.want(t, "p tick 3")
	})
}

// TestPredicatesAreIsolated: one that fails, one that panics and one that hangs do not touch the others; in the original one
// that fails ends everything.
func TestPredicatesAreIsolated(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var all []smoktest.Predicate
		for _, id := range []string{"fails", "good", "hangs", "panics", "slow"} {
			all = append(all, smoktest.Predicate{ID: id, Statistic: "s"})
		}
		w.pump.SetPredicates(all...)
		open := keptStore()
		d := w.device(smok.Options{Store: open(), PredicateTimeout: 5 * time.Second})
		release := make(chan struct{})
		var log diary
		s := counting(&log, "s")
		count := s.Tick
		s.Tick = func(ctx context.Context, p *smok.Predicate, state *tally) error {
			_ = count(ctx, p, state)
			switch p.ID() {
			case "fails":
				return errors.New("no luck")
			case "panics":
				panic("boom")
			case "slow":
				<-ctx.Done()
				return ctx.Err()
			case "hangs":
				<-release
			}
			return nil
		}
		register(w, d, s)
		w.start(d)
		w.sleep(3*time.Minute + 30*time.Second)
		ticks := make(map[string]int)
		for _, line := range log.read() {
			ticks[strings.Fields(line)[0]]++
		}
		if d := cmp.Diff(map[string]int{"fails": 4, "good": 4, "hangs": 1, "panics": 4, "slow": 4}, ticks); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		var failed, panicked, late int
		for _, err := range w.reported() {
			switch {
			case errors.Is(err, smok.ErrPanic):
				panicked++
			case strings.Contains(err.Error(), "no luck"):
				failed++
			case strings.Contains(err.Error(), "goes on after its time"):
				late++
			}
			if !errors.Is(err, smok.Err) {
				t.Errorf("untyped: %v", err)
			}
		}
		if failed != 4 || panicked != 4 || late != 1 {
			t.Errorf("%d failed, %d panicked, %d late", failed, panicked, late)
		}
		close(release)
		w.sleep(time.Minute)
		if got := log.read(); !slices.Contains(got, "hangs tick 2") {
			t.Errorf("%q", got)
		}
		w.must(d.Close())

		d = w.run(smok.Options{Store: open(), Offline: true}) // the state of those that failed is kept too
		register(w, d, counting(&log, "s"))
		w.sleep(time.Second)
		if got := log.read(); !slices.Contains(got, "fails tick 6") || !slices.Contains(got, "panics tick 6") {
			t.Errorf("%q", got)
		}
	})
}

// TestShutdownWaitsForStatistics: for functions that heed their context, and not for ever for those that do not.
func TestShutdownWaitsForStatistics(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetPredicates(smoktest.Predicate{ID: "p", Statistic: "s"})
		d := w.device(smok.Options{})
		release, ended := make(chan struct{}), false
		register(w, d, smok.Statistic[tally]{Name: "s", Tick: func(ctx context.Context, _ *smok.Predicate, _ *tally) error {
			<-ctx.Done()
			<-release
			ended = true
			return nil
		}})
		w.start(d)
		w.sleep(time.Second)
		time.AfterFunc(3*time.Second, func() { close(release) })
		w.must(d.Close())
		if !ended {
			t.Error("it still runs")
		}
	})
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetPredicates(smoktest.Predicate{ID: "p", Statistic: "s"})
		d := w.device(smok.Options{})
		release := make(chan struct{})
		register(w, d, smok.Statistic[tally]{Name: "s", Tick: func(context.Context, *smok.Predicate, *tally) error {
			<-release
			return nil
		}})
		w.start(d)
		w.sleep(time.Second)
		if err := d.Close(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		close(release)
		synctest.Wait()
	})
}

// TestDamagedStateOfAPredicate: it begins anew, and that is told.
func TestDamagedStateOfAPredicate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetPredicates(smoktest.Predicate{ID: "p", Statistic: "s"})
		open := keptStore()
		d := w.device(smok.Options{Store: open()})
		register(w, d, smok.Statistic[string]{Name: "s", Tick: func(_ context.Context, _ *smok.Predicate, s *string) error {
			*s = "not a counter"
			return nil
		}})
		w.start(d)
		w.sleep(time.Second)
		w.must(d.Close())
		w.reported()
		d = w.run(smok.Options{Store: open(), Offline: true})
		var log diary
		register(w, d, counting(&log, "s"))
		w.sleep(time.Second)
		log.want(t, "p tick 1")
		if errs := w.reported(); len(errs) != 1 || !errors.Is(errs[0], smok.ErrCorrupt) {
			t.Errorf("reported %v", errs)
		}
	})
}

// TestResetPredicates lets them begin anew, with their state.
func TestResetPredicates(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetPredicates(smoktest.Predicate{ID: "p", Statistic: "s"})
		d := w.run(smok.Options{})
		var log diary
		register(w, d, counting(&log, "s"))
		w.sleep(time.Second)
		log.want(t, "p tick 1")
		w.hub.ClearRequests()
		w.must(d.ResetPredicates())
		w.sleep(time.Second)
		log.want(t, "p stopped after 1, deleted false", "p tick 2")
		if n := len(w.hub.Requests()); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestPredicateListsOfAnyShape: nothing that the hub answers takes away what is known, let alone its state.
func TestPredicateListsOfAnyShape(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetPredicates(smoktest.Predicate{ID: "p", Statistic: "s"})
		d := w.run(smok.Options{Intervals: smok.Intervals{Ticks: 24 * time.Hour, Predicates: time.Minute}})
		var log diary
		register(w, d, counting(&log, "s"))
		w.sleep(time.Second)
		log.want(t, "p tick 1")
		bodies := append(smoktest.WrongShapes(), "", `[{"predicate_id":"p"}]`, `[{"predicate_id":7,"statistic":"x","online":"?"}]`)
		for _, body := range bodies {
			if body == "[]" {
				continue // which is an answer
			}
			w.hub.Inject(smoktest.Fault{Path: predicatesPath, Kind: smoktest.FaultAnswer, Status: 200, Body: []byte(body), Times: 1})
		}
		for _, status := range []int{400, 404, 500, 503} {
			w.hub.Inject(smoktest.Fault{Path: predicatesPath, Kind: smoktest.FaultAnswer, Status: status, Times: 1})
		}
		w.sleep(5 * time.Hour)
		log.want(t)
		for _, err := range w.reported() {
			if !errors.Is(err, smok.Err) {
				t.Errorf("untyped: %v", err)
			}
		}
		if all, err := d.Predicates(); err != nil || len(all) != 1 {
			t.Errorf("%v, %v", all, err)
		}
	})
}

func TestPredicateRaisesEvents(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetPredicates(smoktest.Predicate{
			ID: "p", Statistic: "fire", VerboseName: "Fire in the hall", Group: "C", Configuration: map[string]any{"limit": 50},
		})
		d := w.run(smok.Options{})
		type state struct{ Event string }
		register(w, d, smok.Statistic[state]{Name: "fire", Tick: func(ctx context.Context, p *smok.Predicate, s *state) error {
			var config struct{ Limit int }
			if err := p.Decode(&config); err != nil {
				return err
			}
			if s.Event != "" {
				_, err := d.CloseEvent(ctx, s.Event)
				s.Event = ""
				return err
			}
			e, raised, err := p.OpenEvent(ctx, fmt.Sprint("above ", config.Limit), smok.Red)
			if raised {
				s.Event = e.Provisional
			}
			return err
		}})
		w.sleep(time.Second)
		a := w.pump.Alarms()[0]
		if a.Message != "Fire in the hall: above 50" || a.Token != "fire" || a.Group != "C" || a.Color != 2 || a.Point ||
			a.Metadata["predicate_id"] != "p" || !a.Ended.IsZero() {
			t.Errorf("%+v", a)
		}
		w.sleep(time.Minute)
		if a := w.pump.Alarms()[0]; a.Ended.Unix()-a.Started.Unix() != 60 {
			t.Errorf("%+v", a)
		}
		all, err := d.Predicates()
		w.must(err)
		e, raised, err := all[0].OpenEvent(t.Context(), "", smok.White)
		if e.Message != "Fire in the hall" || !raised || err != nil {
			t.Errorf("%+v, %t, %v", e, raised, err)
		}
	})
}

// TestSilencing: periods are in the time zone of the device, include their last minute, and go over the end of the week,
// which in the original they never do.
func TestSilencing(t *testing.T) {
	for _, tc := range []struct {
		name string
		wall string // in Warsaw, which is UTC+1 then; 2026-11-22 is a Sunday
		want bool
	}{
		{"inside", "2026-11-25 12:00:00", true},
		{"first minute", "2026-11-25 10:00:00", true},
		{"before", "2026-11-25 09:59:59", false},
		{"last minute", "2026-11-25 14:30:59", true},
		{"after", "2026-11-25 14:31:00", false},
		{"over the end of the week", "2026-11-22 12:00:00", true},
		{"and into the next one", "2026-11-23 05:59:00", true},
		{"but no longer", "2026-11-23 06:01:00", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				zone, err := time.LoadLocation("Europe/Warsaw")
				w.must(err)
				wall, err := time.ParseInLocation(time.DateTime, tc.wall, zone)
				w.must(err)
				w.pump.SetInfo(warsaw)
				w.pump.SetPredicates(smoktest.Predicate{ID: "p", Statistic: "s", Silencing: []smoktest.Silence{
					{Start: smoktest.WeekTime{Day: 3, Hour: 10}, Stop: smoktest.WeekTime{Day: 3, Hour: 14, Minute: 30}},
					{Start: smoktest.WeekTime{Day: 6, Hour: 22}, Stop: smoktest.WeekTime{Day: 1, Hour: 6}},
				}})
				d := w.run(smok.Options{Time: func() time.Time { return wall.UTC() }})
				w.sleep(time.Second)
				all, err := d.Predicates()
				w.must(err)
				_, raised, err := all[0].OpenEvent(t.Context(), "", smok.Red)
				if raised == tc.want || err != nil || all[0].Silenced() != tc.want {
					t.Errorf("raised %t, %v", raised, err)
				}
			})
		})
	}
}

// TestSilencingWaitsForTheClock: an alarm too many is better than one too few.
func TestSilencingWaitsForTheClock(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		always := []smoktest.Silence{{Start: smoktest.WeekTime{Day: 1}, Stop: smoktest.WeekTime{Day: 7, Hour: 23, Minute: 59}}}
		w.pump.SetPredicates(smoktest.Predicate{ID: "p", Statistic: "s", Silencing: always})
		var off atomic.Int64
		off.Store(int64(365 * 24 * time.Hour))
		d := w.run(smok.Options{
			ClockFloor: time.Now().Add(-time.Hour), Time: func() time.Time { return time.Now().Add(-time.Duration(off.Load())) },
		})
		w.sleep(time.Second)
		all, err := d.Predicates()
		w.must(err)
		if all[0].Silenced() {
			t.Error("silenced by a clock that is not set")
		}
		off.Store(0)
		if !all[0].Silenced() {
			t.Error("not silenced")
		}
	})
}

func TestStatisticArguments(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		tick := func(context.Context, *smok.Predicate, *int) error { return nil }
		if _, err := smok.RegisterStatistic(d, smok.Statistic[int]{Name: "s"}); !errors.Is(err, smok.ErrInvalidArgument) {
			t.Error(err)
		}
		if _, err := smok.RegisterStatistic(d, smok.Statistic[int]{Tick: tick}); !errors.Is(err, smok.ErrInvalidArgument) {
			t.Error(err)
		}
		off := w.device(smok.Options{Disable: smok.Areas{Predicates: true}})
		if _, err := smok.RegisterStatistic(off, smok.Statistic[int]{Name: "s", Tick: tick}); !errors.Is(err, smok.ErrUnavailable) {
			t.Error(err)
		}
		if _, err := off.Predicates(); !errors.Is(err, smok.ErrUnavailable) {
			t.Error(err)
		}
		// The original deadlocks when predicates are off and somebody waits.
		w.start(off)
		w.must(off.WaitSynced(t.Context()))
	})
}

// TestPredicatesAreStoredInTheEnd: when the store could not take them at once, nor that one is gone.
func TestPredicatesAreStoredInTheEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		first := smoktest.Predicate{ID: "first", Statistic: "count"}
		w.pump.SetPredicates(first, smoktest.Predicate{ID: "gone", Statistic: "count"})
		p := m.boot(smok.Options{}, nil)
		w.sleep(time.Minute)
		p.stuck.Store(true)
		w.pump.SetPredicates(first, smoktest.Predicate{ID: "late", Statistic: "count"})
		w.sleep(20 * time.Minute)
		p.stuck.Store(false)
		w.sleep(20 * time.Minute)
		p.kill()
		p.bury()
		p = m.boot(smok.Options{Offline: true}, nil)
		all, err := p.device.Predicates()
		if err != nil || len(all) != 2 || all[0].ID() != "first" || all[1].ID() != "late" {
			t.Errorf("%v, %v", all, err)
		}
	})
}
