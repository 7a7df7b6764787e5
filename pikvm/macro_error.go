package pikvm

import (
	"log/slog"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
)

var (
	// ErrInvalidMacro reports a macro that cannot be run as it is: [InvalidMacroError].
	ErrInvalidMacro = ErrConfiguration.New("invalidmacro", "invalid macro", 0)

	// ErrMacro reports a macro that stopped on the way: [MacroError].
	ErrMacro = Err.New("macro", "macro stopped", 0)
)

// MacroProblem is one thing that is wrong with a macro.
type MacroProblem struct {
	// Path is the place of the step, counted from 0; within a repetition, its own place follows after a dot: "4" or "4.0".
	// It is empty for the macro as a whole.
	Path   string
	Type   string // of the step, empty if it is unknown
	Reason string // never a value of the macro
}

// String returns one line.
func (p MacroProblem) String() string {
	if p.Path == "" {
		return p.Reason
	}
	return stepName(p.Path, p.Type) + ": " + p.Reason
}

// stepName returns "step 4 (key)".
func stepName(path, kind string) string {
	name := "step " + path
	if kind != "" {
		name += " (" + kind + ")"
	}
	return name
}

// InvalidMacroError reports what is wrong with a macro: all of it, but for what exceeds 100 problems. It is a
// [ConfigurationError], whose Reason is the first problem: errors.As finds that, too.
type InvalidMacroError struct {
	ConfigurationError
	Problems []MacroProblem
}

// Error returns one line with the first problem and the number of the others.
func (e *InvalidMacroError) Error() string {
	detail := e.Reason
	if more := len(e.Problems) - 1; more > 0 {
		detail += " (and " + strconv.Itoa(more) + " more)"
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns the fields for logs and reports.
func (e *InvalidMacroError) ErrorAttrs() []slog.Attr {
	return append(e.ConfigurationError.ErrorAttrs(), slog.Int("problems", len(e.Problems)))
}

// As lets errors.As find the [ConfigurationError] that every InvalidMacroError is.
func (e *InvalidMacroError) As(target any) bool {
	p, ok := target.(**ConfigurationError)
	if ok {
		*p = &e.ConfigurationError
	}
	return ok
}

func newInvalidMacroError(op string, problems []MacroProblem) error {
	return &InvalidMacroError{
		ConfigurationError: ConfigurationError{
			Info:  errkit.Info{Class: ErrInvalidMacro, Op: op},
			Field: "macro", Reason: problems[0].String(),
		},
		Problems: problems,
	}
}

// MacroError reports that a macro stopped. Its cause says why and is matched as well; what the last step alone knows is
// hidden: it has the kind NotSent only if certainly no step before had any effect. All that the macro had pressed was
// released, but for Stuck and StuckButtons.
type MacroError struct {
	errkit.Info
	Loop         int    // in which it stopped, counted from 1
	Path         string // of the step: see [MacroProblem]
	Type         string // of the step
	Stuck        []Key  // keys that could not be released; nil if there are none. [HID.Reset] releases everything
	StuckButtons []MouseButton
}

// Error returns one line with the place.
func (e *MacroError) Error() string {
	detail := "at " + stepName(e.Path, e.Type)
	if e.Loop > 1 {
		detail += " of loop " + strconv.Itoa(e.Loop)
	}
	if len(e.Stuck)+len(e.StuckButtons) > 0 {
		detail += ", keys or buttons may still be pressed"
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns the fields for logs and reports.
func (e *MacroError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{
		slog.Int("loop", e.Loop), slog.String("step", e.Path), slog.String("type", e.Type),
		slog.Int("stuck", len(e.Stuck)+len(e.StuckButtons)),
	}
}
