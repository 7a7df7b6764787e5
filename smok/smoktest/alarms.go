package smoktest

import (
	"crypto/rand"
	"fmt"
	"maps"
	"time"
)

// ProvisionalKey is the member of an event's metadata that tells a repeated event from a new one.
const ProvisionalKey = "smok_provisional_uuid"

// Alarm is an event of a device, as it was posted last.
type Alarm struct {
	UUID      string
	Started   time.Time
	Ended     time.Time // zero while it has not
	Color     int       // 0 white, 1 yellow, 2 red
	Point     bool      // has no duration
	Token     string
	Group     string
	Message   string
	HandledBy string
	Metadata  map[string]string
	// Posts is how often it was posted.
	Posts int
}

// alarms are the alarms of a device.
type alarms struct {
	kept        kept[*Alarm]
	byUUID      map[string]*Alarm
	provisional map[string]*Alarm // by ProvisionalKey
}

func newAlarms() alarms {
	return alarms{byUUID: make(map[string]*Alarm), provisional: make(map[string]*Alarm)}
}

// Alarms returns the alarms of the device in the order in which they were raised.
func (d *Device) Alarms() []Alarm {
	return inspect(d, func(s *device) []Alarm {
		out := make([]Alarm, 0, len(s.alarms.kept.items))
		for _, a := range s.alarms.kept.items {
			alarm := *a
			alarm.Metadata = maps.Clone(a.Metadata)
			out = append(out, alarm)
		}
		return out
	})
}

// postAlarms raises alarms and updates those that have a uuid.
func postAlarms(c *call) (any, error) {
	events, err := decodeList(c, decodeEvent)
	if err != nil {
		return nil, err
	}
	uuids := make([]any, 0, len(events))
	for _, event := range events {
		c.device.counts.AlarmPosts++
		alarm := c.device.alarm(event, c.hub)
		posts := alarm.Posts + 1
		event.UUID = alarm.UUID
		*alarm = event
		alarm.Posts = posts
		uuids = append(uuids, map[string]any{"uuid": alarm.UUID})
	}
	return uuids, nil
}

func decodeEvent(f *fields) Alarm {
	a := Alarm{
		UUID: f.optionalText("uuid"), Started: f.seconds("started_on"), Color: int(f.integer("color", 0, 2)),
		Point: f.integer("alarm_type", 0, 1) == 1, Token: f.text("token"), Group: f.text("group"), Message: f.text("message"),
		HandledBy: f.optionalText("handled_by"), Metadata: f.texts("metadata"),
	}
	if f.has("ended_on") {
		a.Ended = f.seconds("ended_on")
	}
	return a
}

// alarm returns the alarm that an event is about, a new one if there is none yet.
func (s *device) alarm(event Alarm, h *Hub) *Alarm {
	provisional := event.Metadata[ProvisionalKey]
	if alarm := s.alarms.byUUID[event.UUID]; alarm != nil {
		return alarm
	}
	if alarm := s.alarms.provisional[provisional]; alarm != nil && event.UUID == "" && !h.opts.KeepDuplicateAlarms {
		return alarm
	}
	alarm := &Alarm{UUID: event.UUID}
	if alarm.UUID == "" {
		alarm.UUID = newUUID()
	}
	s.counts.Alarms++
	s.alarms.byUUID[alarm.UUID] = alarm
	if provisional != "" {
		s.alarms.provisional[provisional] = alarm
	}
	for _, gone := range s.alarms.kept.add(alarm, h.opts.MaxKept) {
		delete(s.alarms.byUUID, gone.UUID)
		if key := gone.Metadata[ProvisionalKey]; s.alarms.provisional[key] == gone {
			delete(s.alarms.provisional, key)
		}
	}
	return alarm
}

// newUUID returns a random UUID (RFC 9562, section 5.4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
