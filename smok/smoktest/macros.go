package smoktest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Macro is a set of values to write, and when.
type Macro struct {
	ID          string
	Commands    []Command
	Occurrences []Occurrence
}

// Command is one value of a [Macro].
type Command struct {
	Path  string
	Value any
}

// Occurrence is a time, to the second, at which a macro is to be executed.
type Occurrence struct {
	Time      time.Time
	Completed bool
	Confirmed int // how often the device has said so
}

func cloneMacros(macros []Macro) []Macro {
	macros = slices.Clone(macros)
	for i := range macros {
		macros[i].Commands = slices.Clone(macros[i].Commands)
		macros[i].Occurrences = slices.Clone(macros[i].Occurrences)
	}
	return macros
}

// SetMacros replaces the macros of the device.
func (d *Device) SetMacros(macros ...Macro) {
	macros = cloneMacros(macros)
	d.change(func(s *device) { s.macros = macros })
}

// Macros returns the macros of the device with what it has confirmed.
func (d *Device) Macros() []Macro {
	return inspect(d, func(s *device) []Macro { return cloneMacros(s.macros) })
}

// getOccurrences answers with the macros that occur in a window, both ends included.
func getOccurrences(c *call) (any, error) {
	first, last, ok := strings.Cut(c.args[0], "-")
	start, err := strconv.ParseInt(first, 10, 64)
	stop, err2 := strconv.ParseInt(last, 10, 64)
	if !ok || err != nil || err2 != nil || start > stop {
		return nil, bad("not a window of two times in seconds")
	}
	out := []any{}
	for _, m := range c.device.macros {
		occurrences := []any{}
		for _, o := range m.Occurrences {
			if at := o.Time.Unix(); at >= start && at <= stop {
				occurrences = append(occurrences, map[string]any{"timestamp": at, "completed": o.Completed})
			}
		}
		if len(occurrences) == 0 {
			continue
		}
		commands := make([]any, 0, len(m.Commands))
		for _, command := range m.Commands {
			commands = append(commands, map[string]any{"path": command.Path, "value": command.Value})
		}
		out = append(out, map[string]any{"macro_id": m.ID, "commands": commands, "occurrences": occurrences})
	}
	return out, nil
}

// postMacro takes note that an occurrence was executed.
func postMacro(c *call) (any, error) {
	at, err := strconv.ParseInt(c.args[1], 10, 64)
	if err != nil {
		return nil, bad("not a time in seconds")
	}
	for _, m := range c.device.macros {
		for i := range m.Occurrences {
			if o := &m.Occurrences[i]; m.ID == c.args[0] && o.Time.Unix() == at {
				o.Completed = true
				o.Confirmed++
				c.device.counts.Macros++
				return nil, nil
			}
		}
	}
	return nil, refuse(http.StatusNotFound, "no such occurrence")
}
