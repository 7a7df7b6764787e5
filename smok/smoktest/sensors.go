package smoktest

import (
	"slices"
	"strings"
	"time"
)

// Sensor is the definition of a sensor.
type Sensor struct {
	FQTS  string   // tags, sorted, with one space between
	Paths []string // names of pathpoints
	Type  string
}

// SetSensors replaces the sensors of the device.
func (d *Device) SetSensors(sensors ...Sensor) {
	sensors = slices.Clone(sensors)
	for i := range sensors {
		sensors[i].Paths = slices.Clone(sensors[i].Paths)
	}
	d.change(func(s *device) { s.sensors = sensors })
}

func getSensors(c *call) (any, error) {
	out := make([]any, 0, len(c.device.sensors))
	for _, s := range c.device.sensors {
		out = append(out, map[string]any{"fqts": s.FQTS, "path": strings.Join(s.Paths, "~"), "type": s.Type})
	}
	return out, nil
}

// SensorWrite is an entry of the write log: who has written what to a sensor.
type SensorWrite struct {
	Time          time.Time
	Who           string
	ReadableFQTS  string // hr_sensor
	ReadableValue string // hr_value
	FQTS          string
	Value         string
	Reason        string
	Request       uint64 // number of the request that brought it
}

// SensorWrites returns the write log in the order in which it came. Nothing in it tells a repetition from a second write.
func (d *Device) SensorWrites() []SensorWrite {
	return inspect(d, func(s *device) []SensorWrite { return s.writes.snapshot() })
}

func putSensorWrites(c *call) (any, error) {
	writes, err := decodeList(c, func(f *fields) SensorWrite {
		return SensorWrite{
			Time: f.unix("timestamp", 1000), Who: f.text("who"), ReadableFQTS: f.text("hr_sensor"),
			ReadableValue: f.text("hr_value"), FQTS: f.text("fqts"), Value: f.text("value"), Reason: f.text("reason"),
			Request: c.req.Number,
		}
	})
	if err != nil {
		return nil, err
	}
	c.device.counts.Writes += len(writes)
	for _, w := range writes {
		c.device.writes.add(w, c.hub.opts.MaxKept)
	}
	return nil, nil
}
