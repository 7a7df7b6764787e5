package smok_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

const pathpointsPath = "/v1/device/pathpoints"

// requests counts the requests with a method and a path.
func (w *world) requests(method, path string) (n int) {
	for _, r := range w.hub.Requests() {
		if r.Method == method && r.Path == path {
			n++
		}
	}
	return n
}

func TestDefinitionsReachTheHub(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		w.register(d, "W1", nil)
		if _, err := d.Register("W2", smok.Permanent, nil); err != nil {
			t.Fatal(err)
		}
		w.sleep(2 * time.Second)
		got := w.pump.Pathpoints()
		if len(got) != 2 || got[0].StorageLevel != smoktest.Trend || got[1].StorageLevel != smoktest.Permanent || !got[0].Registered {
			t.Errorf("%+v", got)
		}
		before := w.requests(http.MethodPut, pathpointsPath)
		for _, name := range []string{"W3", "W4", "W5"} {
			w.register(d, name, nil)
		}
		w.sleep(2 * time.Second)
		if n := w.requests(http.MethodPut, pathpointsPath) - before; n != 1 || len(w.pump.Pathpoints()) != 5 {
			t.Errorf("%d requests for three new ones, %d at the hub", n, len(w.pump.Pathpoints()))
		}
		// asking again for a level that it has is no change
		_, err := d.Pathpoint("W2", smok.Permanent)
		w.must(err)
		w.sleep(2 * time.Second)
		if n := w.requests(http.MethodPut, pathpointsPath) - before; n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestLevelsReachTheRegisteredObject: the original sets them on a new object that nobody has.
func TestLevelsReachTheRegisteredObject(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		dir := t.TempDir()
		w.pump.SetPathpoint("W1", smoktest.Permanent)
		w.pump.SetPathpoint("W9", smoktest.Permanent) // unknown here
		var told []smok.StorageLevel
		asked := 0
		opts := &smok.PathpointOptions{OnLevel: func(_ *smok.Pathpoint, level smok.StorageLevel) { told = append(told, level) }}
		d := w.device(smok.Options{Store: w.disk(dir, nil), Provider: func(string, smok.StorageLevel) (*smok.PathpointOptions, error) {
			asked++
			return nil, nil
		}})
		p := w.register(d, "W1", opts)
		w.start(d)
		w.sleep(2 * time.Second)
		if p.Level() != smok.Permanent || len(told) != 1 || told[0] != smok.Permanent {
			t.Errorf("%v, told %v", p.Level(), told)
		}
		all := d.Pathpoints()
		if len(all) != 2 || asked != 1 {
			t.Errorf("%d pathpoints, the provider was asked %d times", len(all), asked)
		}
		w.pump.SetPathpoint("W1", smoktest.Trend)
		w.sleep(2 * time.Hour)
		if p.Level() != smok.Trend || len(told) != 2 || asked != 1 {
			t.Errorf("%v, told %v, asked %d times", p.Level(), told, asked)
		}
		w.pump.SetPathpoint("W1", smoktest.Permanent)
		w.sleep(2 * time.Hour)
		w.must(d.Close())
		d = w.device(smok.Options{Store: w.disk(dir, nil), Offline: true})
		if p := w.register(d, "W1", nil); p.Level() != smok.Permanent {
			t.Errorf("after a restart without the hub: %v", p.Level())
		}
	})
}

// TestRefusedDefinitionsAreNotRepeated: in the original they are, in every round.
func TestRefusedDefinitionsAreNotRepeated(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		fault := w.hub.Inject(smoktest.Fault{Kind: smoktest.FaultAnswer, Status: 422, Method: http.MethodPut, Path: pathpointsPath})
		d := w.run(smok.Options{})
		w.sleep(30 * time.Minute)
		errs := w.reported()
		if fault.Hits() != 1 || len(errs) != 1 || !errors.Is(errs[0], smok.ErrClientFault) {
			t.Errorf("%d requests, reported %v", fault.Hits(), errs)
		}
		w.register(d, "W1", nil)
		w.sleep(time.Minute)
		if fault.Hits() != 2 {
			t.Errorf("%d requests after a change", fault.Hits())
		}
	})
}

// TestRegisteringLate: the hub's answer may come before the program has registered everything.
func TestRegisteringLate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetPathpoint("W1", smoktest.Permanent)
		d := w.run(smok.Options{})
		w.sleep(time.Second)
		early, err := d.Pathpoint("W1", smok.Trend)
		w.must(err)
		p := w.register(d, "W1", &smok.PathpointOptions{Read: func(context.Context, smok.Advise) (any, error) { return 3, nil }})
		if p != early || !early.CanRead() || p.Level() != smok.Permanent {
			t.Errorf("another object, or %v", p.Level())
		}
		if _, err := d.Register("W1", smok.Trend, nil); !errors.Is(err, smok.ErrInvalidArgument) {
			t.Errorf("twice: %v", err)
		}
	})
}

func TestProviderDeclinesWhatTheHubNames(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetPathpoint("W9", smoktest.Trend)
		w.pump.SetPathpoint("W1", smoktest.Permanent)
		d := w.run(smok.Options{Provider: func(string, smok.StorageLevel) (*smok.PathpointOptions, error) { return nil, smok.ErrNotFound }})
		p := w.register(d, "W1", nil)
		w.sleep(time.Minute)
		if errs := w.reported(); len(errs) > 0 || len(d.Pathpoints()) != 1 || p.Level() != smok.Permanent {
			t.Errorf("%v, %d pathpoints, %v", errs, len(d.Pathpoints()), p.Level())
		}
	})
}

// TestLevelsAreStoredInTheEnd: when the store could not take them at once.
func TestLevelsAreStoredInTheEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		opts := smok.Options{Intervals: smok.Intervals{Definitions: time.Minute}}
		w.pump.SetPathpoint("W1", int(smok.Permanent))
		p := m.boot(opts, func(p *process) {
			p.stuck.Store(true)
			w.register(p.device, "W1", nil)
		})
		w.sleep(20 * time.Minute)
		p.stuck.Store(false)
		w.sleep(20 * time.Minute)
		p.kill()
		p.bury()
		opts.Offline = true
		p = m.boot(opts, nil)
		if level := w.register(p.device, "W1", nil).Level(); level != smok.Permanent {
			t.Errorf("%v", level)
		}
	})
}
