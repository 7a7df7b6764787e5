package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// PredicateDef is a statistic as the hub has configured it.
type PredicateDef struct {
	ID            string
	Online        bool            // it is to be evaluated
	Statistic     string          // name of its class
	Configuration json.RawMessage // a JSON object; nil if there is none
	VerboseName   string          // for people
	Group         string          // "B" if the hub says nothing
	Silencing     []Silencing
}

// Silencing is a part of the week in which a predicate raises no events. Stop is included, to the minute; if it comes
// before Start, the period runs over the end of the week.
type Silencing struct{ Start, Stop WeekTime }

// WeekTime is a minute of the week, in the local time of the device.
type WeekTime struct {
	Day    int // ISO 8601: 1 is Monday, 7 is Sunday
	Hour   int
	Minute int
}

// Predicates returns the predicates of the device. Of a predicate with a bad silencing period only that period is
// skipped. The list is complete if there was one and no entry of it was skipped: what is not in it is gone.
func (c *Client) Predicates(ctx context.Context) (predicates []PredicateDef, complete bool, err error) {
	k := &call{op: "hub.Predicates", method: http.MethodGet, path: "/v1/device/predicates"}
	complete, err = c.wholeList(ctx, k, "predicate", func(entry json.RawMessage) error {
		p, err := c.decodePredicate(k.op, entry)
		if err == nil {
			predicates = append(predicates, p)
		}
		return err
	})
	return predicates, complete, err
}

// defaultGroup is the group of events and predicates that the original client assumes.
const defaultGroup = "B"

func (c *Client) decodePredicate(op string, entry json.RawMessage) (PredicateDef, error) {
	d := struct {
		ID            text            `json:"predicate_id"`
		Online        truth           `json:"online"`
		Statistic     text            `json:"statistic"`
		Configuration json.RawMessage `json:"configuration"`
		VerboseName   text            `json:"verbose_name"`
		Group         text            `json:"group"`
		Silencing     json.RawMessage `json:"silencing"`
	}{Online: true, Group: defaultGroup}
	if err := json.Unmarshal(entry, &d); err != nil {
		return PredicateDef{}, err
	}
	switch {
	case d.ID == "":
		return PredicateDef{}, missing("predicate_id")
	case d.Statistic == "":
		return PredicateDef{}, missing("statistic")
	}
	p := PredicateDef{
		ID: string(d.ID), Online: bool(d.Online), Statistic: string(d.Statistic),
		VerboseName: string(d.VerboseName), Group: string(d.Group),
	}
	if !bytes.Equal(d.Configuration, []byte("null")) {
		p.Configuration = d.Configuration
	}
	err := c.entries(op, "silencing", d.Silencing, func(entry json.RawMessage) error {
		s, err := decodeSilencing(entry)
		if err == nil {
			p.Silencing = append(p.Silencing, s)
		}
		return err
	})
	return p, err
}

func decodeSilencing(entry json.RawMessage) (Silencing, error) {
	type weekTime struct {
		Day    integer `json:"day"`
		Hour   integer `json:"hour"`
		Minute integer `json:"minute"`
	}
	var d struct{ Start, Stop weekTime }
	if err := json.Unmarshal(entry, &d); err != nil {
		return Silencing{}, err
	}
	for _, t := range []weekTime{d.Start, d.Stop} {
		if t.Day < 1 || t.Day > 7 || t.Hour < 0 || t.Hour > 23 || t.Minute < 0 || t.Minute > 59 {
			return Silencing{}, errors.New("no minute of the week")
		}
	}
	week := func(t weekTime) WeekTime {
		return WeekTime{Day: int(t.Day), Hour: int(t.Hour), Minute: int(t.Minute)}
	}
	return Silencing{Start: week(d.Start), Stop: week(d.Stop)}, nil
}
