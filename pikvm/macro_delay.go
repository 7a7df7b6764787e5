package pikvm

import (
	"context"
	"math/rand/v2"
	"time"
)

// MacroDelay waits: "delay". Up to 24h, in whole milliseconds.
type MacroDelay struct{ Duration time.Duration }

// Type returns "delay".
func (MacroDelay) Type() string { return "delay" }

func readMacroDelay(e *macroEvent) MacroStep { return MacroDelay{e.millis("millis")} }

func (s MacroDelay) event() any { return map[string]int64{"millis": s.Duration.Milliseconds()} }

func (s MacroDelay) check(r *macroReport) { r.delay("millis", s.Duration) }

func (s MacroDelay) run(ctx context.Context, r *macroRun) error { return r.pause(ctx, s.Duration) }

// MacroRandomDelay waits for some time between two: "delay_random". Up to 24h, in whole milliseconds.
type MacroRandomDelay struct{ Min, Max time.Duration }

// Type returns "delay_random".
func (MacroRandomDelay) Type() string { return "delay_random" }

func readMacroRandomDelay(e *macroEvent) MacroStep {
	var s MacroRandomDelay
	e.object("range", func(e *macroEvent) { s.Min, s.Max = e.millis("min"), e.millis("max") })
	return s
}

func (s MacroRandomDelay) event() any {
	return newMacroRange(s.Min.Milliseconds(), s.Max.Milliseconds())
}

func (s MacroRandomDelay) check(r *macroReport) {
	r.delay("range.min", s.Min)
	r.delay("range.max", s.Max)
	r.require(s.Min <= s.Max, "range.min is over range.max")
}

func (s MacroRandomDelay) run(ctx context.Context, r *macroRun) error {
	return r.pause(ctx, s.Min+time.Duration(rand.Int64N(int64(s.Max-s.Min)+1))) //nolint:gosec // no secret
}

// macroRange is how two limits are written.
type macroRange struct {
	Range struct {
		Min int64 `json:"min"`
		Max int64 `json:"max"`
	} `json:"range"`
}

func newMacroRange(low, high int64) (r macroRange) {
	r.Range.Min, r.Range.Max = low, high
	return r
}
