package smok

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/sensor"
	"github.com/fieldlink-go/fieldlink/smok/internal/series"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

// Sensor is the hub's view of one pathpoint or several: what people see. It shows the definition of the moment when it was
// asked for. All methods may be called from several goroutines.
type Sensor struct {
	area  *sensors
	def   api.SensorDef
	typ   *sensor.Type
	wrong error // why the type cannot be read
}

// FQTS returns the canonical name: the tags, sorted, with one space between.
func (s *Sensor) FQTS() string { return s.def.FQTS }

// Pathpoints returns the names of the pathpoints that it shows, at least one.
func (s *Sensor) Pathpoints() []string { return slices.Clone(s.def.Pathpoints) }

// Type returns the name of its type, such as std.Number(precision=1).
func (s *Sensor) Type() string { return s.def.Type }

// Get returns the newest sample: the value of the first pathpoint as the type shows it, as old as the newest one of all
// pathpoints. The error of any of them is its error; see [Pathpoint.Get]. A pathpoint that the device does not have is a
// *[NotFoundError], a type that cannot be read an *[EntryError].
func (s *Sensor) Get() (Sample, error) {
	points, err := s.resolve("sensor.get")
	if err != nil {
		return Sample{}, err
	}
	row := series.Row{Samples: make([]Sample, len(points))}
	for i, p := range points {
		if row.Samples[i], err = p.Get(); err != nil {
			return Sample{}, err
		}
		if row.Samples[i].Time.After(row.Time) {
			row.Time = row.Samples[i].Time
		}
	}
	v, err := s.typ.ToSensor(row.Samples[0].Value)
	if err != nil {
		return Sample{}, smokerr.OperationFailed("sensor.get", s.def.FQTS, smokerr.ReasonType, row.Time, err)
	}
	return Sample{Time: row.Time, Value: v}, nil
}

// Read reads all pathpoints that can be read, in one section, waits for that and returns what the sensor shows then; see
// [Pathpoint.Read].
func (s *Sensor) Read(ctx context.Context, advise Advise) (Sample, error) {
	const op = "sensor.read"
	points, err := s.resolve(op)
	if err != nil {
		return Sample{}, err
	}
	f := formula{from: points}
	var section Section
	for _, p := range f.natives(nil) {
		if p.CanRead() {
			section.Orders = append(section.Orders, Order{Type: OrderRead, Path: p.name, Advise: advise})
		}
	}
	if err := s.area.execute(ctx, op, section); err != nil {
		return Sample{}, err
	}
	return s.Get()
}

// Write writes to the first pathpoint what makes the sensor show v, and waits for that; see [Pathpoint.Write]. A number is
// rounded to the nearest one that the pathpoint can hold. A value that the type does not know is an
// *[OperationFailedError] of reason [ReasonType]. The audit is not written; see [Sensor.LogWrite].
func (s *Sensor) Write(ctx context.Context, v any, advise Advise) error {
	const op = "sensor.write"
	points, err := s.resolve(op)
	if err != nil {
		return err
	}
	p := points[0]
	raw, err := s.typ.ToPathpoint(v, p.typ)
	if err != nil {
		return smokerr.OperationFailed(op, s.def.FQTS, smokerr.ReasonType, s.area.clock.now(), err)
	}
	return p.Write(ctx, raw, advise)
}

// LogWrite records for the hub that somebody has written the sensor; see [Device.LogSensorWrite]. The FQTS is that of the
// sensor.
func (s *Sensor) LogWrite(ctx context.Context, w SensorWrite) error {
	const op = "sensor.logWrite"
	if err := s.area.allow(op, s.area.opts.Disable.SensorWrites); err != nil {
		return err
	}
	w.FQTS = s.def.FQTS
	return s.area.writes.add(ctx, op, w)
}

// Archive yields what the sensor has shown from one time up to and with another: a sample for each moment at which one of
// its pathpoints has one, from when all of them have; see [Pathpoint.Archive].
func (s *Sensor) Archive(from, to time.Time) iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		points, err := s.resolve("sensor.archive")
		if err != nil {
			yield(Sample{}, err)
			return
		}
		all := make([]iter.Seq2[value.Sample, error], len(points))
		for i, p := range points {
			all[i] = p.Archive(from, to)
		}
		for row, err := range series.Merge(all...) {
			if err != nil {
				yield(Sample{}, err)
				return
			}
			if !yield(s.show(row), nil) {
				return
			}
		}
	}
}

// show returns what the sensor shows of a row. What fails is a sample without a value.
func (s *Sensor) show(row series.Row) Sample {
	for _, sample := range row.Samples {
		if !sample.OK() {
			return Sample{Time: row.Time, Reason: sample.Reason}
		}
	}
	v, err := s.typ.ToSensor(row.Samples[0].Value)
	if err != nil {
		return Sample{Time: row.Time, Reason: smokerr.ReasonType}
	}
	return Sample{Time: row.Time, Value: v}
}

// resolve returns the pathpoints.
func (s *Sensor) resolve(op string) ([]*Pathpoint, error) {
	if err := s.area.allow(op, s.area.opts.Disable.Pathpoints); err != nil {
		return nil, err
	}
	if s.wrong != nil {
		return nil, s.wrong
	}
	points := make([]*Pathpoint, len(s.def.Pathpoints))
	for i, name := range s.def.Pathpoints {
		p, err := s.area.points.get(op, name, Trend)
		if err != nil {
			return nil, err
		}
		points[i] = p
	}
	return points, nil
}
