package pikvm

import (
	"strconv"
	"time"
)

// macroReport collects what is wrong with a macro.
type macroReport struct {
	strict     bool // extensions are wrong
	noPictures bool // nobody takes pictures

	readers map[string]func(*macroEvent) MacroStep // those of macroReaders, for a macro that is read

	problems []MacroProblem
	path     string // of the step that is looked at
	kind     string // type of it
	count    int    // steps so far
	depth    int    // of repetitions
}

// problem adds one. Reasons never hold values: a text may be a password.
func (r *macroReport) problem(reason string) {
	if len(r.problems) < maxMacroProblems {
		r.problems = append(r.problems, MacroProblem{Path: r.path, Type: r.kind, Reason: reason})
	}
}

// require adds a problem unless ok.
func (r *macroReport) require(ok bool, reason string) {
	if !ok {
		r.problem(reason)
	}
}

// extension adds a problem where extensions are wrong.
func (r *macroReport) extension() {
	r.require(!r.strict, "an extension, which the web interface does not know")
}

// delay checks the length of a wait.
func (r *macroReport) delay(name string, d time.Duration) {
	r.require(d >= 0 && d <= maxMacroDelay && d%time.Millisecond == 0, name+" is not 0 to 24h in whole milliseconds")
}

// within looks at something at a place of its own. It is false when there is no room for more.
func (r *macroReport) within(index int, look func()) bool {
	if r.count++; r.count > maxMacroSteps {
		if r.count == maxMacroSteps+1 {
			r.problem("more than 100000 steps")
		}
		return false
	}
	path, kind := r.path, r.kind
	r.kind = ""
	if r.path != "" {
		r.path += "."
	}
	r.path += strconv.Itoa(index)
	look()
	r.path, r.kind = path, kind
	return true
}

// steps checks the steps of a macro or of a repetition.
func (r *macroReport) steps(m Macro) {
	for i, step := range m {
		ok := r.within(i, func() {
			if step == nil {
				r.problem("nil")
				return
			}
			r.kind = step.Type()
			step.check(r)
		})
		if !ok {
			return
		}
	}
}

// nested looks at the steps of a repetition, unless they are too deep.
func (r *macroReport) nested(look func()) {
	if r.depth == maxMacroDepth {
		r.problem("more than 8 repetitions within each other")
		return
	}
	r.depth++
	look()
	r.depth--
}

// invalid returns the error of all problems, nil if there is none.
func (r *macroReport) invalid(op string) error {
	if len(r.problems) == 0 {
		return nil
	}
	return newInvalidMacroError(op, r.problems)
}
