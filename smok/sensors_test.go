package smok_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

const sensorsPath = "/v1/device/sensors"

// show returns what a sensor shows, or its error.
func show(s *smok.Sensor) any {
	sample, err := s.Get()
	if err != nil {
		return err
	}
	return sample.Value
}

func (w *world) sensor(d *smok.Device, tags ...string) *smok.Sensor {
	w.t.Helper()
	s, err := d.Sensor(tags...)
	w.must(err)
	return s
}

func TestSensorsAreFoundByTheirTags(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetSensors(
			smoktest.Sensor{FQTS: "outside temperature", Paths: []string{"W1"}, Type: "std.Number10"},
			smoktest.Sensor{FQTS: "b  a", Paths: []string{"W2"}, Type: "std.Number"}, // not canonical
		)
		d := w.device(smok.Options{})
		if _, err := d.Sensor("a"); !errors.Is(err, smok.ErrInstanceNotReady) {
			t.Errorf("before the first contact: %v", err)
		}
		if _, err := d.Sensors(); !errors.Is(err, smok.ErrInstanceNotReady) {
			t.Errorf("before the first contact: %v", err)
		}
		w.start(d)
		w.sleep(time.Second)
		for _, tags := range [][]string{{"temperature", "outside"}, {" temperature  outside "}, {"outside", "temperature", "outside"}} {
			if s := w.sensor(d, tags...); s.FQTS() != "outside temperature" || s.Type() != "std.Number10" {
				t.Errorf("%+v", s)
			}
		}
		if s := w.sensor(d, "a b"); s.Pathpoints()[0] != "W2" {
			t.Errorf("%+v", s)
		}
		if _, err := d.Sensor("outside"); !errors.Is(err, smok.ErrNotFound) {
			t.Errorf("%v", err)
		}
		all, err := d.Sensors()
		if err != nil || len(all) != 2 || all[0].FQTS() != "a b" {
			t.Errorf("%v, %v", all, err)
		}
	})
}

// TestSensorsAreReplacedAndKnownOffline: a list replaces the one before, also on disk, and is there after a restart.
func TestSensorsAreReplacedAndKnownOffline(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetSensors(
			smoktest.Sensor{FQTS: "a", Paths: []string{"W1"}, Type: "std.Number"},
			smoktest.Sensor{FQTS: "b", Paths: []string{"W1"}, Type: "std.Number"},
		)
		open := keptStore()
		d := w.run(smok.Options{Store: open()})
		w.sleep(time.Second)
		w.pump.SetSensors(
			smoktest.Sensor{FQTS: "b", Paths: []string{"W1"}, Type: "std.Number10"},
			smoktest.Sensor{FQTS: "c", Paths: []string{"W1"}, Type: "std.Number"},
		)
		w.sleep(6 * time.Minute)
		w.must(d.Close())
		w.hub.Down(smoktest.Both)
		for range 2 {
			d = w.device(smok.Options{Store: open(), Offline: true})
			got := make(map[string]string)
			all, err := d.Sensors()
			w.must(err)
			for _, s := range all {
				got[s.FQTS()] = s.Type()
			}
			if d := cmp.Diff(map[string]string{"b": "std.Number10", "c": "std.Number"}, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			w.must(d.Close())
		}
	})
}

// TestNoSensorsIsAnAnswer: a hub that has none makes the device ready, also after a restart.
func TestNoSensorsIsAnAnswer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		open := keptStore()
		d := w.run(smok.Options{Store: open()})
		w.sleep(time.Second)
		w.must(d.Close())
		d = w.device(smok.Options{Store: open(), Offline: true})
		if _, err := d.Sensor("a"); !errors.Is(err, smok.ErrNotFound) {
			t.Errorf("%v", err)
		}
	})
}

// TestSensorListsOfAnyShape: nothing that the hub answers takes away what is known.
func TestSensorListsOfAnyShape(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetSensors(smoktest.Sensor{FQTS: "a", Paths: []string{"W1"}, Type: "std.Number"})
		d := w.run(smok.Options{Intervals: smok.Intervals{Sensors: time.Minute}})
		w.sleep(time.Second)
		for _, body := range append(smoktest.WrongShapes(), "") {
			if body == "[]" {
				continue // which is an answer
			}
			w.hub.Inject(smoktest.Fault{Path: sensorsPath, Kind: smoktest.FaultAnswer, Status: 200, Body: []byte(body), Times: 1})
		}
		w.sleep(3 * time.Hour)
		if _, err := d.Sensor("a"); err != nil {
			t.Errorf("%v", err)
		}
		for _, err := range w.reported() {
			if !errors.Is(err, smok.Err) {
				t.Errorf("untyped: %v", err)
			}
		}
	})
}

func TestSensorShowsItsPathpoints(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetSensors(
			smoktest.Sensor{FQTS: "ten", Paths: []string{"W1"}, Type: "std.Number10"},
			smoktest.Sensor{FQTS: "two", Paths: []string{"W1", "W2"}, Type: "std.Number"},
			smoktest.Sensor{FQTS: "sum", Paths: []string{"rW{W1}+{W2}"}, Type: "std.Number"},
			smoktest.Sensor{FQTS: "text", Paths: []string{"u1"}, Type: "std.Unicode"},
			smoktest.Sensor{FQTS: "none", Paths: []string{"Wnone"}, Type: "std.Number"},
			smoktest.Sensor{FQTS: "bad", Paths: []string{"W1"}, Type: "std.Number(precision=__import__('os'))"},
			smoktest.Sensor{FQTS: "wrong", Paths: []string{"u1"}, Type: "std.Number"},
		)
		d := w.run(smok.Options{Provider: func(name string, _ smok.StorageLevel) (*smok.PathpointOptions, error) {
			if name == "Wnone" {
				return nil, smok.ErrNotFound
			}
			return nil, nil
		}})
		one, two, text := w.register(d, "W1", nil), w.register(d, "W2", nil), w.register(d, "u1", nil)
		w.sleep(time.Second)
		if err := show(w.sensor(d, "ten")); !errors.Is(err.(error), smok.ErrNotRead) {
			t.Errorf("%v", err)
		}
		ctx := t.Context()
		at := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
		w.must(one.Set(ctx, at, 215))
		w.must(two.Set(ctx, at.Add(time.Second), 3))
		w.must(text.Set(ctx, at, "on"))
		for tag, want := range map[string]any{"ten": 21.5, "two": int64(215), "sum": int64(218), "text": "on"} {
			if got := show(w.sensor(d, tag)); got != want {
				t.Errorf("%s shows %v, want %v", tag, got, want)
			}
		}
		if s, err := w.sensor(d, "two").Get(); err != nil || !s.Time.Equal(at.Add(time.Second)) {
			t.Errorf("%+v, %v", s, err)
		}
		for tag, class := range map[string]error{"none": smok.ErrNotFound, "bad": smok.ErrBadEntry, "wrong": smok.ErrType} {
			if err, _ := show(w.sensor(d, tag)).(error); !errors.Is(err, class) {
				t.Errorf("%s: %v", tag, err)
			}
		}
		w.must(two.SetError(ctx, at.Add(2*time.Second), smok.ReasonTimeout))
		if err, _ := show(w.sensor(d, "two")).(error); !errors.Is(err, smok.ErrOperationTimeout) {
			t.Errorf("%v", err)
		}
		bad := 0 // told once, not with every list
		w.sleep(time.Hour)
		for _, err := range w.reported() {
			if errors.Is(err, smok.ErrBadEntry) {
				bad++
			}
		}
		if bad != 1 {
			t.Errorf("the bad type was told %d times", bad)
		}
	})
}

func TestSensorReadsAndWritesItsPathpoints(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetSensors(
			smoktest.Sensor{FQTS: "ten", Paths: []string{"W1", "W2"}, Type: "std.Number10"},
			smoktest.Sensor{FQTS: "sum", Paths: []string{"rW{W1}+{W2}+{W1}"}, Type: "std.Number"},
		)
		reads := make(chan string, 16)
		written := make(chan any, 16)
		handler := func(name string, v int) *smok.PathpointOptions {
			return &smok.PathpointOptions{
				Read:  func(context.Context, smok.Advise) (any, error) { reads <- name; return v, nil },
				Write: func(_ context.Context, v any, _ smok.Advise) error { written <- v; return nil },
			}
		}
		d := w.run(smok.Options{})
		w.register(d, "W1", handler("W1", 10))
		w.register(d, "W2", handler("W2", 20))
		w.sleep(time.Second)
		ctx := t.Context()
		if s, err := w.sensor(d, "ten").Read(ctx, smok.Advised); err != nil || s.Value != 1.0 {
			t.Errorf("%+v, %v", s, err)
		}
		if len(reads) != 2 {
			t.Errorf("%d reads", len(reads))
		}
		if s, err := w.sensor(d, "sum").Read(ctx, smok.Advised); err != nil || s.Value != int64(40) {
			t.Errorf("%+v, %v", s, err)
		}
		if len(reads) != 4 { // W1 is there twice, and read once
			t.Errorf("%d reads", len(reads))
		}
		// 0.3/0.1 is 2.9999999999999996, and the original writes 2.
		w.must(w.sensor(d, "ten").Write(ctx, 0.3, smok.Advised))
		if v := <-written; v != int64(3) || len(written) != 0 {
			t.Errorf("%v was written", v)
		}
		w.must(w.sensor(d, "sum").Write(ctx, 3, smok.Advised)) // a computed pathpoint takes no value
		if err := w.sensor(d, "ten").Write(ctx, "much", smok.Advised); !errors.Is(err, smok.ErrType) || len(written) != 0 {
			t.Errorf("%v", err)
		}
		w.must(w.sensor(d, "ten").LogWrite(ctx, smok.SensorWrite{Who: "me", Value: "0.3", FQTS: "forged"}))
		w.sleep(time.Second)
		if all := w.pump.SensorWrites(); len(all) != 1 || all[0].FQTS != "ten" { // Write alone makes none
			t.Errorf("%+v", all)
		}
	})
}

func TestSensorArchive(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetSensors(
			smoktest.Sensor{FQTS: "s", Paths: []string{"W1", "W2"}, Type: "std.Number10"},
			smoktest.Sensor{FQTS: "wrong", Paths: []string{"u1"}, Type: "std.Number"},
		)
		d := w.run(smok.Options{})
		one, two, text := w.register(d, "W1", nil), w.register(d, "W2", nil), w.register(d, "u1", nil)
		w.sleep(time.Second)
		d.SetOffline(true)
		w.hub.Down(smoktest.REST)
		ctx := t.Context()
		from := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
		at := func(n int) time.Time { return from.Add(time.Duration(n) * time.Second) }
		for _, v := range []int{1, 3, 5} {
			w.must(one.Set(ctx, at(v), 10*v))
		}
		w.must(two.Set(ctx, at(2), 0))
		w.must(two.Set(ctx, at(3), 0))
		w.must(two.SetError(ctx, at(9), smok.ReasonTimeout))
		w.must(text.Set(ctx, at(1), "x"))
		rows := func(tag string) (all []smok.Sample) {
			for s, err := range w.sensor(d, tag).Archive(from, time.Time{}) {
				w.must(err)
				all = append(all, s)
			}
			return all
		}
		want := []smok.Sample{
			{Time: at(2), Value: 1.0}, {Time: at(3), Value: 3.0}, {Time: at(5), Value: 5.0}, {Time: at(9), Reason: smok.ReasonTimeout},
		}
		if d := cmp.Diff(want, rows("s")); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if d := cmp.Diff([]smok.Sample{{Time: at(1), Reason: smok.ReasonType}}, rows("wrong")); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		w.reported()
	})
}

func TestSensorsAreOff(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{Disable: smok.Areas{Sensors: true}})
		if _, err := d.Sensor("a"); !errors.Is(err, smok.ErrUnavailable) {
			t.Error(err)
		}
		w.pump.SetSensors(smoktest.Sensor{FQTS: "a", Paths: []string{"W1"}, Type: "std.Number"})
		d = w.run(smok.Options{Disable: smok.Areas{Pathpoints: true}})
		w.sleep(time.Second)
		if _, err := w.sensor(d, "a").Get(); !errors.Is(err, smok.ErrUnavailable) {
			t.Error(err)
		}
	})
}

// TestSensorsAreStoredInTheEnd: when the store could not take them at once, nor that one is gone.
func TestSensorsAreStoredInTheEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		gone := smoktest.Sensor{FQTS: "gone", Paths: []string{"W1"}, Type: "std.Number"}
		first := smoktest.Sensor{FQTS: "first", Paths: []string{"W1"}, Type: "std.Number"}
		w.pump.SetSensors(first, gone)
		m.full = true
		p := m.boot(smok.Options{}, nil)
		w.sleep(20 * time.Minute)
		p.stuck.Store(false)
		w.sleep(20 * time.Minute)
		p.stuck.Store(true)
		w.pump.SetSensors(first, smoktest.Sensor{FQTS: "late", Paths: []string{"W1"}, Type: "std.Number"})
		w.sleep(20 * time.Minute)
		names := func(d *smok.Device) (names []string) {
			all, err := d.Sensors()
			w.must(err)
			for _, s := range all {
				names = append(names, s.FQTS())
			}
			return names
		}
		if d := cmp.Diff([]string{"first", "late"}, names(p.device)); d != "" {
			t.Errorf("while the store is full (-want +got):\n%s", d)
		}
		p.stuck.Store(false)
		w.sleep(20 * time.Minute)
		p.kill()
		p.bury()
		m.full = false
		p = m.boot(smok.Options{Offline: true}, nil)
		if d := cmp.Diff([]string{"first", "late"}, names(p.device)); d != "" {
			t.Errorf("after the restart (-want +got):\n%s", d)
		}
	})
}
