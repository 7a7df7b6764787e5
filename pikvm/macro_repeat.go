package pikvm

import "context"

// maxMacroRepeats bounds how often steps are repeated.
const maxMacroRepeats = 1_000_000

// MacroRepeat runs steps several times. It is an extension: "repeat", with the members count and steps.
type MacroRepeat struct {
	Count int // 1 to 1,000,000
	Steps Macro
}

// Type returns "repeat".
func (MacroRepeat) Type() string { return "repeat" }

func readMacroRepeat(e *macroEvent) MacroStep {
	s := MacroRepeat{Count: e.number("count")}
	if !e.has("steps") {
		e.report.problem("steps is missing")
		return s
	}
	e.report.nested(func() { s.Steps = e.report.read(e.members["steps"]) })
	return s
}

func (s MacroRepeat) event() any {
	return struct {
		Count int   `json:"count"`
		Steps Macro `json:"steps"`
	}{s.Count, s.Steps}
}

func (s MacroRepeat) check(r *macroReport) {
	s.checkCount(r)
	r.nested(func() { r.steps(s.Steps) })
}

// checkCount checks all but what the steps are.
func (s MacroRepeat) checkCount(r *macroReport) {
	r.extension()
	r.require(len(s.Steps) > 0, "steps is empty")
	r.require(s.Count >= 1 && s.Count <= maxMacroRepeats, "count is not 1 to 1000000")
}

func (s MacroRepeat) run(ctx context.Context, r *macroRun) error {
	for range s.Count {
		if err := r.steps(ctx, s.Steps); err != nil {
			return err
		}
	}
	return nil
}
