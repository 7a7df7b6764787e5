package smok

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/sensor"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// Sensor returns the sensor with these tags, in any order; one text may hold several, with spaces between. A sensor that
// the hub has not defined is a *[NotFoundError]; before the hub has ever said which ones there are, be it in an earlier run
// of the program, the error is an *[InstanceNotReadyError].
func (d *Device) Sensor(tags ...string) (*Sensor, error) {
	const op = "sensor"
	if err := d.allow(op, d.opts.Disable.Sensors); err != nil {
		return nil, err
	}
	fqts := sensor.FQTSOf(tags...)
	d.sensors.mu.Lock()
	defer d.sensors.mu.Unlock()
	if !d.sensors.loaded {
		return nil, smokerr.InstanceNotReady(op, fqts)
	}
	def, ok := d.sensors.defs[fqts]
	if !ok {
		return nil, smokerr.NotFound(op, "sensor", fqts)
	}
	return d.sensors.show(def), nil
}

// Sensors returns all sensors, by ascending names; see [Device.Sensor].
func (d *Device) Sensors() ([]*Sensor, error) {
	const op = "sensors"
	if err := d.allow(op, d.opts.Disable.Sensors); err != nil {
		return nil, err
	}
	d.sensors.mu.Lock()
	defer d.sensors.mu.Unlock()
	if !d.sensors.loaded {
		return nil, smokerr.InstanceNotReady(op, "")
	}
	all := make([]*Sensor, 0, len(d.sensors.defs))
	for _, def := range d.sensors.defs {
		all = append(all, d.sensors.show(def))
	}
	slices.SortFunc(all, func(a, b *Sensor) int { return cmp.Compare(a.def.FQTS, b.def.FQTS) })
	return all, nil
}

// Names and limits of sensors.
const (
	sensorsName = "sensors"
	sensorsMark = "sensors.loaded" // the area of the note that the hub has said which ones there are
	markedKey   = "loaded"
	maxFQTS     = 1 << 10
)

// sensors is the area of the sensors' definitions.
type sensors struct {
	bare
	*host
	points *points
	writes *writes
	task   *task

	stored map[string]api.SensorDef // what the store has, nil before the first answer of the hub; of the task's goroutine

	mu     sync.Mutex
	loaded bool
	defs   map[string]api.SensorDef // by FQTS, which is canonical in them
}

func newSensors(h *host, p *points, w *writes) *sensors {
	s := &sensors{host: h, points: p, writes: w, defs: make(map[string]api.SensorDef)}
	s.task = &task{name: sensorsName, every: h.opts.Intervals.Sensors, run: s.sync}
	return s
}

func (s *sensors) name() string   { return sensorsName }
func (s *sensors) tasks() []*task { return []*task{s.task} }

func (s *sensors) load() error {
	_, err := s.store.Keyed.Get(sensorsMark, markedKey)
	if s.loaded = err == nil; err != nil {
		return ignoreMissing(err)
	}
	s.stored = s.defs
	return s.store.Keyed.Each(sensorsName, func(key string, raw []byte) error {
		var def api.SensorDef
		if err := json.Unmarshal(raw, &def); err != nil || def.FQTS != key || len(def.Pathpoints) == 0 {
			s.report(sensorsName, smokerr.Corrupt("sensors.load", sensorsName, cmp.Or(err, errors.New("no definition of this sensor"))))
			return nil
		}
		s.defs[key] = def
		return nil
	})
}

// show returns a sensor for the program.
func (s *sensors) show(def api.SensorDef) *Sensor {
	typ, err := sensor.ParseType(def.Type)
	if err != nil {
		err = smokerr.BadEntry("sensor", "type", 0, "", err)
	}
	return &Sensor{area: s, def: def, typ: typ, wrong: err}
}

// sync asks the hub which sensors there are. An answer that does not say everything takes none away.
func (s *sensors) sync(ctx context.Context) error {
	list, complete, err := s.api.Sensors(ctx)
	if err != nil {
		return smokerr.Sync("sync", sensorsName, err)
	}
	defs := make(map[string]api.SensorDef, len(list))
	for i, def := range list {
		def.FQTS = sensor.FQTS(def.FQTS)
		if _, twice := defs[def.FQTS]; twice || len(def.FQTS) > maxFQTS {
			s.report(sensorsName, smokerr.BadEntry("sync", "sensor", i, "its tags are there twice, or too long", nil))
			continue
		}
		defs[def.FQTS] = def
	}
	s.mu.Lock()
	before := s.defs
	s.mu.Unlock()
	for fqts, def := range before {
		if _, ok := defs[fqts]; !ok && !complete {
			defs[fqts] = def
		}
	}
	for fqts, def := range defs { // each is told once
		if show := s.show(def); show.wrong != nil && before[fqts].Type != def.Type {
			s.report(sensorsName, show.wrong)
		}
	}
	s.mu.Lock()
	s.defs, s.loaded = defs, true
	s.mu.Unlock()
	return s.keep(defs)
}

// keep stores what the store does not have.
func (s *sensors) keep(defs map[string]api.SensorDef) error {
	var changes []store.Change
	for fqts, def := range defs {
		if old, ok := s.stored[fqts]; ok && old.Type == def.Type && slices.Equal(old.Pathpoints, def.Pathpoints) {
			continue
		}
		raw, err := json.Marshal(def)
		if err != nil {
			return smokerr.Store("sensors.sync", sensorsName, err)
		}
		changes = append(changes, store.Change{Area: sensorsName, Key: fqts, Value: raw})
	}
	for fqts := range s.stored {
		if _, ok := defs[fqts]; !ok {
			changes = append(changes, store.Change{Area: sensorsName, Key: fqts, Delete: true})
		}
	}
	if s.stored == nil {
		changes = append(changes, store.Change{Area: sensorsMark, Key: markedKey})
	}
	if len(changes) > 0 {
		if err := s.store.Keyed.Apply(changes...); err != nil {
			return err
		}
	}
	s.stored = defs
	return nil
}
