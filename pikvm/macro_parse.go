package pikvm

import (
	"encoding/json"
	"math"
	"time"
)

// parseMacro reads a macro and checks it.
func parseMacro(op string, data []byte) (Macro, error) {
	r := &macroReport{readers: macroReaders()}
	var m Macro
	if len(data) > maxMacroSize {
		r.problem("larger than 16 MiB")
	} else {
		m = r.read(data)
	}
	if err := r.invalid(op); err != nil {
		return nil, err
	}
	return m, nil
}

// read reads an array of steps and checks each that can be read.
func (r *macroReport) read(data []byte) Macro {
	var steps []json.RawMessage
	if json.Unmarshal(data, &steps) != nil || steps == nil {
		r.problem("not a JSON array")
		return nil
	}
	m := make(Macro, 0, min(len(steps), maxMacroSteps))
	for i, raw := range steps {
		ok := r.within(i, func() {
			if step := r.readStep(raw); step != nil {
				m = append(m, step)
			}
		})
		if !ok {
			break
		}
	}
	return m
}

// readStep reads a step; nil means that it could not be read, which is reported.
func (r *macroReport) readStep(raw json.RawMessage) MacroStep {
	var wire struct {
		Type  *string         `json:"event_type"`
		Event json.RawMessage `json:"event"`
	}
	if json.Unmarshal(raw, &wire) != nil || wire.Type == nil {
		r.problem("not an object with an event_type")
		return nil
	}
	read, ok := r.readers[*wire.Type]
	if !ok {
		r.problem("an event_type that there is not")
		return nil
	}
	r.kind = *wire.Type
	event := macroEvent{report: r}
	if json.Unmarshal(wire.Event, &event.members) != nil || event.members == nil {
		r.problem("event is not an object")
		return nil
	}
	before := len(r.problems)
	step := read(&event)
	if len(r.problems) > before {
		return nil
	}
	if _, nested := step.(MacroRepeat); nested { // whose steps were checked as they were read
		step.(MacroRepeat).checkCount(r)
	} else {
		step.check(r)
	}
	return step
}

// macroReaders read the events of the steps, by their types.
func macroReaders() map[string]func(*macroEvent) MacroStep {
	return map[string]func(*macroEvent) MacroStep{
		"delay":             readMacroDelay,
		"delay_random":      readMacroRandomDelay,
		"print":             readMacroPrint,
		"key":               readMacroKey,
		"mouse_button":      readMacroButton,
		"mouse_move":        readMacroMove,
		"mouse_move_random": readMacroRandomMove,
		"mouse_relative":    readMacroMoveBy,
		"mouse_wheel":       readMacroWheel,
		"atx_button":        readMacroATX,
		"gpio_switch":       readMacroSwitch,
		"gpio_pulse":        readMacroPulse,
		"wait_text":         readMacroWaitText,
		"wait_power":        readMacroWaitPower,
		"screenshot":        readMacroScreenshot,
		"repeat":            readMacroRepeat,
	}
}

// macroEvent is an object in the JSON of a step.
type macroEvent struct {
	report  *macroReport
	prefix  string // of the names in problems
	members map[string]json.RawMessage
}

// has reports whether an optional member is there.
func (e *macroEvent) has(name string) bool {
	raw, ok := e.members[name]
	return ok && string(raw) != "null"
}

// member reads a required member into value.
func (e *macroEvent) member(name, shape string, value any) bool {
	switch {
	case !e.has(name):
		e.report.problem(e.prefix + name + " is missing")
	case json.Unmarshal(e.members[name], value) != nil:
		e.report.problem(e.prefix + name + " is not " + shape)
	default:
		return true
	}
	return false
}

func (e *macroEvent) text(name string) (s string) {
	e.member(name, "a text", &s)
	return s
}

func (e *macroEvent) flag(name string) (b bool) {
	e.member(name, "true or false", &b)
	return b
}

// number reads a whole number that an int holds.
func (e *macroEvent) number(name string) int {
	n := e.whole(name)
	if n != int64(int(n)) {
		e.report.problem(e.prefix + name + " is too large")
		return 0
	}
	return int(n)
}

// whole reads a whole number, however it is written. One that no float64 holds exactly is none.
func (e *macroEvent) whole(name string) int64 {
	const exact = 1 << 53
	var f float64
	if !e.member(name, "a number", &f) {
		return 0
	}
	if f != math.Trunc(f) || math.Abs(f) > exact {
		e.report.problem(e.prefix + name + " is not a whole number")
		return 0
	}
	return int64(f)
}

// millis reads a time. What no time can be is far beyond every limit, and stays so.
func (e *macroEvent) millis(name string) time.Duration {
	const far = int64(math.MaxInt64 / time.Millisecond)
	return time.Duration(min(max(e.whole(name), -far), far)) * time.Millisecond
}

// object reads an object. If it is none, there is nothing in it to complain of.
func (e *macroEvent) object(name string, read func(*macroEvent)) {
	inner := macroEvent{report: e.report, prefix: e.prefix + name + "."}
	if e.member(name, "an object", &inner.members) {
		read(&inner)
	}
}

// point reads an object with x and y.
func (e *macroEvent) point(name string) (x, y int) {
	e.object(name, func(p *macroEvent) { x, y = p.number("x"), p.number("y") })
	return x, y
}
