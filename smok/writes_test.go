package smok_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

const writesPath = "/v1/device/sensor/write_log"

// written returns the values in the write log of the hub.
func (w *world) written() (all []string) {
	for _, e := range w.pump.SensorWrites() {
		all = append(all, e.Value)
	}
	return all
}

func (w *world) logWrite(d *smok.Device, values ...string) {
	w.t.Helper()
	for _, v := range values {
		w.must(d.LogSensorWrite(w.t.Context(), smok.SensorWrite{FQTS: "a b", Who: "me", Value: v, Reason: "why"}))
	}
}

func (w *world) wantWritten(want ...string) {
	w.t.Helper()
	if d := cmp.Diff(want, w.written()); d != "" {
		w.t.Errorf("write log (-want +got):\n%s", d)
	}
}

func TestSensorWriteReachesTheHubWithAllItsFields(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		at := time.Now()
		w.logWrite(d, "5")
		w.must(d.LogSensorWrite(t.Context(), smok.SensorWrite{
			Time: at.Add(-time.Hour), FQTS: "c", HRSensor: "the pump", HRValue: "on", Value: "1",
		}))
		w.sleep(time.Second)
		want := []smoktest.SensorWrite{
			{Time: at, Who: "me", ReadableFQTS: "a b", ReadableValue: "5", FQTS: "a b", Value: "5", Reason: "why"},
			{Time: at.Add(-time.Hour), ReadableFQTS: "the pump", ReadableValue: "on", FQTS: "c", Value: "1"},
		}
		if d := cmp.Diff(want, w.pump.SensorWrites(), cmpopts.IgnoreFields(smoktest.SensorWrite{}, "Request"), cmpopts.EquateApproxTime(time.Millisecond)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		for name, bad := range map[string]smok.SensorWrite{
			"no sensor": {Value: "1"}, "large": {FQTS: "a", Value: strings.Repeat("x", 64<<10)}, "text": {FQTS: "a", Value: "\xff"},
		} {
			if err := d.LogSensorWrite(t.Context(), bad); !errors.Is(err, smok.ErrInvalidArgument) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestSensorWritesOutliveEverything: they are stored before the call returns, and go out in order, after a restart too.
func TestSensorWritesOutliveEverything(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		open := keptStore()
		d := w.device(smok.Options{Store: open(), Offline: true})
		w.logWrite(d, "1", "2")
		w.must(d.Close())
		w.wantWritten()
		w.hub.Inject(smoktest.Fault{Path: writesPath, Kind: smoktest.FaultAnswer, Status: 503, Times: 2})
		d = w.run(smok.Options{Store: open()})
		w.logWrite(d, "3")
		w.sleep(time.Minute)
		w.wantWritten("1", "2", "3")
		w.must(d.Close())
		w.run(smok.Options{Store: open()})
		w.sleep(time.Hour)
		w.wantWritten("1", "2", "3")
	})
}

func TestSensorWritesGoOutAtShutdown(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		w.logWrite(d, "1")
		w.must(d.Close())
		w.wantWritten("1")
	})
}

func TestSensorWritesInBatches(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{Offline: true})
		var want []string
		for i := range 450 {
			want = append(want, fmt.Sprint(i))
		}
		w.logWrite(d, want...)
		d.SetOffline(false)
		w.sleep(time.Second)
		w.wantWritten(want...)
		requests := 0
		for _, r := range w.hub.Requests() {
			if r.Path == writesPath {
				requests++
			}
		}
		if requests != 3 {
			t.Errorf("%d requests", requests)
		}
	})
}

// TestRefusedSensorWritesCostOnlyThemselves: the original drops the whole list.
func TestRefusedSensorWritesCostOnlyThemselves(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{Offline: true})
		w.logWrite(d, "1", "2", "bad", "3", "4")
		for _, skip := range []int{0, 1, 1} { // five, the later three, the first one of those
			w.hub.Inject(smoktest.Fault{Path: writesPath, Kind: smoktest.FaultAnswer, Status: 400, Skip: skip, Times: 1})
		}
		d.SetOffline(false)
		w.sleep(time.Hour)
		w.wantWritten("1", "2", "3", "4")
		if errs := w.reported(); len(errs) != 1 || !errors.Is(errs[0], smok.ErrSync) {
			t.Errorf("reported %v", errs)
		}
	})
}

// TestAHubThatRefusesEverySensorWrite is left alone for a while: it may be none, or a wrong version of one.
func TestAHubThatRefusesEverySensorWrite(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{Offline: true})
		var all []string
		for i := range 150 {
			all = append(all, fmt.Sprint(i))
		}
		w.logWrite(d, all...)
		fault := w.hub.Inject(smoktest.Fault{Path: writesPath, Kind: smoktest.FaultAnswer, Status: 404})
		d.SetOffline(false)
		for told := 0; told < 32; told += len(w.reported()) {
			w.sleep(time.Millisecond)
		}
		fault.Remove()
		w.sleep(time.Minute)
		refused := len(all) - len(w.written())
		if refused < 32 || refused > 2*32 { // the first delay is random, and may be next to nothing
			t.Fatalf("%d were given up", refused)
		}
		w.wantWritten(all[refused:]...)
	})
}

// TestSensorWritesOfARefusedDevice: 401 and 403 are about the device, not about the data.
func TestSensorWritesOfARefusedDevice(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.hub.Inject(smoktest.Fault{Path: writesPath, Kind: smoktest.FaultAnswer, Status: 403, Times: 2})
		d := w.run(smok.Options{})
		w.logWrite(d, "1")
		w.sleep(time.Minute)
		w.wantWritten()
		w.sleep(3 * time.Hour)
		w.wantWritten("1")
	})
}

func TestSensorWritesAreOff(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{Disable: smok.Areas{SensorWrites: true}})
		if err := d.LogSensorWrite(t.Context(), smok.SensorWrite{FQTS: "a"}); !errors.Is(err, smok.ErrUnavailable) {
			t.Error(err)
		}
	})
}
