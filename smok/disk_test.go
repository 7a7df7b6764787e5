package smok_test

import (
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/diskstore"
)

// TestEverythingIsThereAfterARestart: on a disk. The event store of the original does not survive its first closed event,
// its store of BAOBs does not open a second time, and its stores of sensors and predicates fail on what they wrote.
func TestEverythingIsThereAfterARestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		dir := t.TempDir()
		open := func() *store.Store {
			s, err := diskstore.Open(dir, nil)
			w.must(err)
			return s
		}
		w.pump.SetInfo(warsaw)
		w.pump.SetSensors(smoktest.Sensor{FQTS: "a b", Paths: []string{"W1"}, Type: "std.Number10"})
		w.pump.SetPredicates(smoktest.Predicate{ID: "p", Statistic: "s"})
		w.pump.SetBAOB("theirs", 3, []byte("from the hub"))
		w.pump.SetMetadata("theirs", "v", time.Now())
		ctx := t.Context()
		var log diary
		d := w.device(smok.Options{Store: open()})
		register(w, d, counting(&log, "s"))
		w.start(d)
		w.sleep(time.Second)
		w.wantGet(d, "theirs", "v")
		closed := w.raise(d, "closed")
		_, err := d.CloseEvent(ctx, closed.Provisional)
		w.must(err)
		w.sleep(time.Second)
		d.SetOffline(true)
		w.raise(d, "open")
		w.setBAOB(d, "ours", "mine")
		w.must(d.Metadata().Set(ctx, "ours", "w"))
		w.logWrite(d, "1")
		w.must(d.Close())
		w.hub.Down(smoktest.Both)

		d = w.run(smok.Options{Store: open(), Offline: true})
		register(w, d, counting(&log, "s"))
		w.sleep(time.Second)
		log.want(t, "p tick 1", "p tick 2")
		if zone, _ := d.Timezone(); zone.String() != "Europe/Warsaw" {
			t.Errorf("zone %v", zone)
		}
		if s := w.sensor(d, "b a"); s.Type() != "std.Number10" {
			t.Errorf("%+v", s)
		}
		w.wantGet(d, "theirs", "v")
		w.wantGet(d, "ours", "w")
		w.wantHeld(d, map[string]string{"theirs": "3 from the hub", "ours": "0 mine"})
		if e, err := d.Event(closed.Provisional); err != nil || !e.Closed() || e.UUID == "" {
			t.Errorf("%+v, %v", e, err)
		}
		w.must(w.hub.Up(smoktest.Both))
		d.SetOffline(false)
		w.sleep(time.Minute)
		if n := w.posts(); n["open"] != 1 || n["closed"] == 0 {
			t.Errorf("%v", n)
		}
		w.wantAtHub("ours", "0 mine")
		w.wantMetadata("ours", "w")
		w.wantWritten("1")
	})
}

// TestAFullDiskIsNoReasonNotToStart: what fills it is sent, and nothing is forgotten meanwhile.
func TestAFullDiskIsNoReasonNotToStart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		w.hub.Down(smoktest.REST)
		opts := smok.Options{Intervals: smok.Intervals{Checkpoint: time.Minute}}
		p := m.boot(opts, nil)
		one, two := w.register(p.device, "W1", nil), w.register(p.device, "W2", nil)
		w.must(one.Set(t.Context(), time.Time{}, 1))
		w.must(two.Set(t.Context(), time.Time{}, 2))
		p.kill()
		p.bury()
		m.full = true
		p = m.boot(opts, nil)
		one = w.register(p.device, "W1", nil)
		if get(one) != int64(1) {
			t.Errorf("%v", get(one))
		}
		w.must(w.hub.Up(smoktest.REST))
		w.sleep(10 * time.Minute)
		w.wantSent("W1", int64(1))
		p.stuck.Store(false)
		w.sleep(10 * time.Minute)
		w.must(one.Set(t.Context(), time.Time{}, 3))
		w.sleep(5 * time.Minute)
		p.kill()
		p.bury()
		m.full = false
		p = m.boot(opts, nil)
		one, two = w.register(p.device, "W1", nil), w.register(p.device, "W2", nil)
		if get(one) != int64(3) || get(two) != int64(2) {
			t.Errorf("%v, %v", get(one), get(two))
		}
	})
}
