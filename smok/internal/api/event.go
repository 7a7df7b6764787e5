package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"
)

// Colors of an event.
const (
	ColorWhite  = 0
	ColorYellow = 1
	ColorRed    = 2
)

// Event is an alarm as the hub gets it.
type Event struct {
	UUID      string // given by the hub; empty for an event that it does not know yet
	StartedOn time.Time
	EndedOn   time.Time // zero while the event is open; seconds count
	Color     int       // ColorWhite, ColorYellow or ColorRed
	IsPoint   bool      // without duration
	Token     string    // what raised it: the statistic
	Group     string
	Message   string
	HandledBy string // the user who cares for it; empty if nobody does
	Metadata  map[string]string
}

// UploadEvents sends events and returns the ids that the hub has given them, in the same order. The list may be shorter
// than that of the events: the hub said nothing of those beyond. An id that is missing among others is empty. Nothing is
// sent if there are no events.
func (c *Client) UploadEvents(ctx context.Context, events []Event) ([]string, error) {
	if len(events) == 0 {
		return nil, nil
	}
	k := &call{op: "hub.UploadEvents", method: http.MethodPost, path: "/v1/device/alarms"}
	var err error
	if k.body, err = encodeList(k.op, events, writeEvent); err != nil {
		return nil, err
	}
	var uuids []string
	err = c.list(ctx, k, "event id", func(entry json.RawMessage) error {
		var d struct {
			UUID text `json:"uuid"`
		}
		err := json.Unmarshal(entry, &d)
		if err == nil && d.UUID == "" {
			err = missing("uuid")
		}
		uuids = append(uuids, string(d.UUID)) // the place counts, even without an id
		return err
	})
	if err != nil {
		return nil, err
	}
	return uuids[:min(len(uuids), len(events))], nil
}

// AppendEvent appends v to dst as it stands in the body of an upload.
func AppendEvent(dst []byte, v *Event) ([]byte, error) {
	return appendOne(dst, "hub.AppendEvent", v, writeEvent)
}

func writeEvent(e *encoder, v *Event) {
	members := 7
	for _, set := range []bool{v.UUID != "", v.HandledBy != "", !v.EndedOn.IsZero()} {
		if set {
			members++
		}
	}
	e.object(members)
	e.seconds("started_on", v.StartedOn)
	e.number("color", int64(v.Color))
	alarmType := int64(0)
	if v.IsPoint {
		alarmType = 1
	}
	e.number("alarm_type", alarmType)
	e.member("token", v.Token)
	e.member("group", v.Group)
	e.member("message", v.Message)
	e.key("metadata")
	e.object(len(v.Metadata))
	for _, key := range slices.Sorted(maps.Keys(v.Metadata)) {
		e.member(key, v.Metadata[key])
	}
	if v.UUID != "" {
		e.member("uuid", v.UUID)
	}
	if v.HandledBy != "" {
		e.member("handled_by", v.HandledBy)
	}
	if !v.EndedOn.IsZero() {
		e.seconds("ended_on", v.EndedOn)
	}
}
