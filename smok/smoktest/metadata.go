package smoktest

import (
	"net/http"
	"time"
)

// metadatum is one value of the metadata.
type metadatum struct {
	value string
	at    time.Time
}

// SetMetadata sets a value of the plain metadata, written at that time.
func (d *Device) SetMetadata(key, value string, at time.Time) {
	d.change(func(s *device) { s.metadata[key] = metadatum{value, at} })
}

// Metadata returns a value of the plain metadata and when it was written.
func (d *Device) Metadata(key string) (value string, at time.Time, ok bool) {
	m := inspect(d, func(s *device) metadatum {
		var m metadatum
		m, ok = s.metadata[key]
		return m
	})
	return m.value, m.at, ok
}

// DeleteMetadata removes a value of the plain metadata.
func (d *Device) DeleteMetadata(key string) {
	d.change(func(s *device) { delete(s.metadata, key) })
}

func getMetadata(c *call) (any, error) {
	m, ok := c.device.metadata[c.args[0]]
	if !ok {
		return nil, refuse(http.StatusNotFound, "no such key")
	}
	return map[string]any{"value": m.value, "timestamp": inSeconds(m.at)}, nil
}

// putMetadata sets a value unless there is a newer one; the device is not told which.
func putMetadata(c *call) (any, error) {
	f := newFields("body", c.doc)
	value, at := f.text("value"), f.seconds("unless_timestamp_higher")
	if err := f.end(); err != nil {
		return nil, err
	}
	c.device.counts.FloatTimes += f.floats
	key := c.args[0]
	if m, ok := c.device.metadata[key]; ok && m.at.After(at) {
		return nil, nil
	}
	if _, ok := c.device.metadata[key]; !ok && len(c.device.metadata) >= c.hub.opts.MaxKept {
		return nil, refuse(http.StatusInsufficientStorage, "too many keys")
	}
	c.device.metadata[key] = metadatum{value, at}
	return nil, nil
}

// deleteMetadata removes a value; one that is not there is as good as removed.
func deleteMetadata(c *call) (any, error) {
	delete(c.device.metadata, c.args[0])
	return nil, nil
}
