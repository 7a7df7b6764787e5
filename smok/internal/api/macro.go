package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Macro is a set of pathpoints that are to be written at certain times.
type Macro struct {
	ID          string
	Commands    []MacroCommand // of two for the same pathpoint the later one counts
	Occurrences []MacroOccurrence
}

// MacroCommand is one pathpoint to write.
type MacroCommand struct {
	Path  string
	Value any // bool, int64, float64 or string
}

// MacroOccurrence is one time at which a macro is to be executed.
type MacroOccurrence struct {
	Time      time.Time
	Completed bool // the hub knows that it was executed
}

// Macros returns the macros that occur between from and to; whole seconds count. A macro whose entry is bad in part is
// skipped as a whole.
func (c *Client) Macros(ctx context.Context, from, to time.Time) ([]Macro, error) {
	k := &call{
		op: "hub.Macros", method: http.MethodGet,
		path: "/v1/device/macro/occurrences/" + unix(from) + "-" + unix(to),
	}
	var macros []Macro
	err := c.list(ctx, k, "macro", func(entry json.RawMessage) error {
		m, err := decodeMacro(entry)
		if err == nil {
			macros = append(macros, m)
		}
		return err
	})
	return macros, err
}

// MacroDone tells the hub that the macro was executed for the occurrence at this time.
func (c *Client) MacroDone(ctx context.Context, id string, at time.Time) error {
	k := &call{op: "hub.MacroDone", method: http.MethodPost}
	escaped, err := segment(k.op, "id", id)
	if err != nil {
		return err
	}
	k.path = "/v1/device/macros/" + escaped + "/" + unix(at)
	return c.send(ctx, k)
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func decodeMacro(entry json.RawMessage) (Macro, error) {
	var d struct {
		ID       text `json:"macro_id"`
		Commands []struct {
			Path  text            `json:"path"`
			Value json.RawMessage `json:"value"`
		} `json:"commands"`
		Occurrences []struct {
			Timestamp *seconds `json:"timestamp"`
			Completed truth    `json:"completed"`
		} `json:"occurrences"`
	}
	if err := json.Unmarshal(entry, &d); err != nil {
		return Macro{}, err
	}
	if d.ID == "" {
		return Macro{}, missing("macro_id")
	}
	m := Macro{ID: string(d.ID)}
	for _, command := range d.Commands {
		value, err := decodeValue(command.Value)
		switch {
		case err != nil:
			return Macro{}, err
		case command.Path == "":
			return Macro{}, missing("path of a command")
		}
		m.Commands = append(m.Commands, MacroCommand{Path: string(command.Path), Value: value})
	}
	for _, occurrence := range d.Occurrences {
		if occurrence.Timestamp == nil {
			return Macro{}, missing("timestamp of an occurrence")
		}
		m.Occurrences = append(m.Occurrences, MacroOccurrence{
			Time: occurrence.Timestamp.time(), Completed: bool(occurrence.Completed),
		})
	}
	return m, nil
}
