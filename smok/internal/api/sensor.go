package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// SensorDef is the definition of a sensor.
type SensorDef struct {
	FQTS       string   // its tags, as the hub spells them
	Pathpoints []string // the pathpoints that it shows, at least one
	Type       string
}

// Sensors returns the sensors of the device. The list is complete if there was one and no entry of it was skipped: what is
// not in it is gone.
func (c *Client) Sensors(ctx context.Context) (sensors []SensorDef, complete bool, err error) {
	k := &call{op: "hub.Sensors", method: http.MethodGet, path: "/v1/device/sensors"}
	complete, err = c.wholeList(ctx, k, "sensor", func(entry json.RawMessage) error {
		s, err := decodeSensorDef(entry)
		if err == nil {
			sensors = append(sensors, s)
		}
		return err
	})
	return sensors, complete, err
}

func decodeSensorDef(entry json.RawMessage) (SensorDef, error) {
	var d struct {
		FQTS text `json:"fqts"`
		Path text `json:"path"`
		Type text `json:"type"`
	}
	if err := json.Unmarshal(entry, &d); err != nil {
		return SensorDef{}, err
	}
	switch {
	case strings.TrimSpace(string(d.FQTS)) == "":
		return SensorDef{}, missing("fqts")
	case d.Path == "":
		return SensorDef{}, missing("path")
	}
	s := SensorDef{FQTS: string(d.FQTS), Pathpoints: strings.Split(string(d.Path), "~"), Type: string(d.Type)}
	for _, path := range s.Pathpoints {
		if path == "" {
			return SensorDef{}, missing("name between two ~ of the path")
		}
	}
	return s, nil
}

// SensorWrite is the record of somebody having written a sensor.
type SensorWrite struct {
	Time     time.Time // milliseconds count
	Who      string
	HRSensor string // the sensor for people; empty means FQTS
	HRValue  string // the value for people; empty means Value
	FQTS     string
	Value    string
	Reason   string
}

// UploadSensorWrites sends records. Nothing is sent if there are none.
func (c *Client) UploadSensorWrites(ctx context.Context, writes []SensorWrite) error {
	k := &call{op: "hub.UploadSensorWrites", method: http.MethodPut, path: "/v1/device/sensor/write_log"}
	return upload(ctx, c, k, writes, writeSensorWrite)
}

// AppendSensorWrite appends w to dst as it stands in the body of an upload.
func AppendSensorWrite(dst []byte, w *SensorWrite) ([]byte, error) {
	return appendOne(dst, "hub.AppendSensorWrite", w, writeSensorWrite)
}

func writeSensorWrite(e *encoder, w *SensorWrite) {
	hrSensor, hrValue := w.HRSensor, w.HRValue
	if hrSensor == "" {
		hrSensor = w.FQTS
	}
	if hrValue == "" {
		hrValue = w.Value
	}
	e.object(7)
	e.key("timestamp")
	e.millis(w.Time)
	e.member("who", w.Who)
	e.member("hr_sensor", hrSensor)
	e.member("hr_value", hrValue)
	e.member("fqts", w.FQTS)
	e.member("value", w.Value)
	e.member("reason", w.Reason)
}
