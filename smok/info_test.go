package smok_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

var warsaw = smoktest.Info{
	VerboseName: "Pump", Facets: []string{"smoke"}, Timezone: "Europe/Warsaw", Units: "metric", Language: "pl",
	Slaves: []smoktest.Slave{{ID: "s1", Master: "pump", Configuration: "rapid 1", ResponsibleService: "rapid"}},
}

func TestDeviceInfo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetInfo(warsaw)
		d := w.device(smok.Options{})
		if zone, known := d.Timezone(); zone != time.UTC || known {
			t.Errorf("%v, %t before the first contact", zone, known)
		}
		if _, known := d.KnownInfo(); known {
			t.Error("known before the first contact")
		}
		got, err := d.Info(t.Context())
		w.must(err)
		want := &smok.DeviceInfo{
			DeviceID: "pump", VerboseName: "Pump", Facets: []string{"smoke"},
			Culture: smok.CultureContext{Timezone: "Europe/Warsaw", Units: "metric", Language: "pl"},
			Slaves:  []smok.SlaveDevice{{DeviceID: "s1", MasterController: "pump", Configuration: "rapid 1", ResponsibleService: "rapid"}},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if now := d.LocalTime(); now.Location().String() != "Europe/Warsaw" || !now.Equal(time.Now()) {
			t.Errorf("%v", now)
		}
	})
}

// TestTimezoneIsKnownOffline: after a restart, without the hub.
func TestTimezoneIsKnownOffline(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetInfo(warsaw)
		open := keptStore()
		d := w.run(smok.Options{Store: open()})
		w.sleep(time.Second)
		w.must(d.Close())
		w.hub.Down(smoktest.Both)
		d = w.run(smok.Options{Store: open(), Offline: true})
		if zone, known := d.Timezone(); zone.String() != "Europe/Warsaw" || !known {
			t.Errorf("%v, %t", zone, known)
		}
		if info, known := d.KnownInfo(); !known || info.VerboseName != "Pump" {
			t.Errorf("%+v, %t", info, known)
		}
		if _, err := d.Info(t.Context()); !errors.Is(err, smok.ErrSyncDisabled) {
			t.Errorf("%v", err)
		}
		if slaves, err := d.Slaves(); err != nil || len(slaves) != 1 {
			t.Errorf("%v, %v", slaves, err)
		}
	})
}

// TestUnknownTimezone: what the program does not know is reported once, and is UTC.
func TestUnknownTimezone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		info := warsaw
		info.Timezone = "Mars/Olympus"
		w.pump.SetInfo(info)
		d := w.run(smok.Options{})
		w.sleep(5 * time.Hour)
		if zone, known := d.Timezone(); zone != time.UTC || known {
			t.Errorf("%v, %t", zone, known)
		}
		if errs := w.reported(); len(errs) != 1 || !errors.Is(errs[0], smok.ErrBadEntry) {
			t.Errorf("reported %v", errs)
		}
		for _, name := range []string{"Local", ""} { // neither says anything
			info.Timezone = name
			w.pump.SetInfo(info)
			_, err := d.Info(t.Context())
			w.must(err)
			if zone, known := d.Timezone(); zone != time.UTC || known {
				t.Errorf("%q: %v, %t", name, zone, known)
			}
		}
	})
}

// TestInfoOfAnyShape: whatever the hub answers, the device keeps what it knows and goes on.
func TestInfoOfAnyShape(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetInfo(warsaw)
		d := w.run(smok.Options{})
		w.sleep(time.Second)
		fault := w.hub.Inject(smoktest.Fault{Path: "/v1/device", Kind: smoktest.FaultWrongShape})
		for range smoktest.WrongShapes() {
			if _, err := d.Info(t.Context()); !errors.Is(err, smok.ErrBadAnswer) {
				t.Errorf("%v", err)
			}
		}
		fault.Remove()
		if info, known := d.KnownInfo(); !known || info.VerboseName != "Pump" {
			t.Errorf("%+v, %t", info, known)
		}
	})
}

func TestSlaves(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetInfo(warsaw)
		d := w.device(smok.Options{})
		if _, err := d.Slaves(); !errors.Is(err, smok.ErrInstanceNotReady) {
			t.Errorf("before the first contact: %v", err)
		}
		w.start(d)
		w.sleep(time.Second)
		ctx := t.Context()
		slave, err := d.Slave("s1")
		w.must(err)
		if slave.Configuration != "rapid 1" || slave.ResponsibleService != "rapid" || slave.MasterController != "pump" {
			t.Errorf("%+v", slave)
		}
		if _, err := d.Slave("s2"); !errors.Is(err, smok.ErrNotFound) {
			t.Errorf("%v", err)
		}
		// The original, asked for the instrumentation first, leaves the link state as text.
		state, err := slave.Fetch(ctx)
		if err != nil || state.LinkState != nil || state.Instrumentation != "" {
			t.Errorf("%+v, %v", state, err)
		}
		w.must(slave.SetInstrumentation(ctx, "fine"))
		w.must(slave.SetLinkState(ctx, smok.LinkState{Status: true, FailedDevices: []int64{3}}))
		state, err = slave.Fetch(ctx)
		w.must(err)
		want := smok.SlaveState{LinkState: &smok.LinkState{Status: true, FailedDevices: []int64{3}}, Instrumentation: "fine"}
		if d := cmp.Diff(want, state); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		// The hub's state is asked for each time, not kept for ever.
		w.pump.SetSlave("s1", smoktest.SlaveState{LinkState: []byte(`{"status":false}`), Instrumentation: "new"})
		if state, err = slave.Fetch(ctx); err != nil || state.LinkState.Status || state.Instrumentation != "new" {
			t.Errorf("%+v, %v", state, err)
		}
		w.pump.SetSlave("s1", smoktest.SlaveState{LinkState: []byte(`{"status"`), Instrumentation: "x"})
		if state, err = slave.Fetch(ctx); err != nil || state.LinkState != nil || state.Instrumentation != "x" {
			t.Errorf("%+v, %v", state, err)
		}
		w.reported()
	})
}

// TestFailedSlaveReportsAreErrors: the original tries three times and says nothing.
func TestFailedSlaveReportsAreErrors(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetInfo(warsaw)
		d := w.run(smok.Options{})
		w.sleep(time.Second)
		slave, err := d.Slave("s1")
		w.must(err)
		d.SetOffline(true) // explicit calls go out all the same
		fault := w.hub.Inject(smoktest.Fault{Method: "PATCH", Kind: smoktest.FaultAnswer, Status: 500})
		ctx := t.Context()
		if err := slave.SetLinkState(ctx, smok.LinkState{}); !errors.Is(err, smok.ErrResponse) {
			t.Errorf("%v", err)
		}
		if err := slave.SetInstrumentation(ctx, "x"); !errors.Is(err, smok.ErrResponse) {
			t.Errorf("%v", err)
		}
		if n := fault.Hits(); n != 2 {
			t.Errorf("%d requests", n)
		}
		w.must(d.Close())
		if err := slave.SetInstrumentation(ctx, "x"); !errors.Is(err, smok.ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}
