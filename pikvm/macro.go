package pikvm

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Macro is a script of input and waits, in the format of the recorder of PiKVM's web interface: what was recorded there runs
// here, and what is written here can be loaded there, as long as it has none of the extensions [MacroWaitText],
// [MacroWaitPower], [MacroScreenshot] and [MacroRepeat]. Run it with [Client.RunMacro].
//
// The JSON is an array of objects {"event_type": ..., "event": {...}}. [ParseMacro] and [LoadMacro] read it; encoding/json
// and [Macro.Save] write it.
type Macro []MacroStep

// MacroStep is one step of a macro: a value of one of the types MacroDelay, MacroRandomDelay, MacroPrint, MacroKey,
// MacroButton, MacroMove, MacroRandomMove, MacroMoveBy, MacroWheel, MacroATX, MacroSwitch and MacroPulse, or an extension.
type MacroStep interface {
	// Type returns the name of the step in the JSON, such as "delay".
	Type() string

	event() any // as it is written
	check(r *macroReport)
	run(ctx context.Context, r *macroRun) error
}

// Limits of a macro.
const (
	maxMacroSize     = 16 << 20 // bytes of JSON
	maxMacroSteps    = 100_000  // in all, those of repetitions counted once
	maxMacroDepth    = 8        // of repetitions within repetitions
	maxMacroDelay    = 24 * time.Hour
	maxMacroProblems = 100 // that are reported
)

// LoadMacro reads a macro from a file. See [ParseMacro].
func LoadMacro(path string) (Macro, error) {
	const op = "macro.Load"
	file, err := os.Open(path)
	if err != nil {
		return nil, macroFileError(op, err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(file, maxMacroSize+1))
	if err != nil {
		return nil, macroFileError(op, err)
	}
	return parseMacro(op, data)
}

// Save writes the macro to a file, which only its owner can read if it is new: texts may hold passwords.
func (m Macro) Save(path string) error {
	const op = "macro.Save"
	if err := m.validate(op, nil); err != nil {
		return err
	}
	data, err := json.MarshalIndent(m, "", "    ")
	if err == nil {
		err = os.WriteFile(path, append(data, '\n'), 0o600)
	}
	if err != nil {
		return macroFileError(op, err)
	}
	return nil
}

func macroFileError(op string, err error) error {
	return &ConfigurationError{
		Info:  errkit.Info{Class: ErrConfiguration, Op: op, Err: errkit.CleanCause(err)},
		Field: "path", Reason: "the file cannot be read or written",
	}
}

// ParseMacro reads a macro of at most 16 MiB and 100,000 steps. What is wrong with it is an [InvalidMacroError] with all
// problems; members that a step does not need are ignored. Extensions are taken: see [Macro.Validate] to refuse them.
func ParseMacro(data []byte) (Macro, error) { return parseMacro("macro.Parse", data) }

// MarshalJSON returns the macro as the web interface writes it.
func (m Macro) MarshalJSON() ([]byte, error) {
	type wire struct {
		Type  string `json:"event_type"`
		Event any    `json:"event"`
	}
	steps := make([]wire, len(m))
	for i, step := range m {
		if step != nil {
			steps[i] = wire{step.Type(), step.event()}
		}
	}
	return json.Marshal(steps)
}

// Validate returns an [InvalidMacroError] with everything that is wrong with the macro, as [Client.RunMacro] would with these
// options: nothing is sent. With nil options it does not matter whether somebody takes pictures.
func (m Macro) Validate(opts *MacroOptions) error { return m.validate("macro.Validate", opts) }

func (m Macro) validate(op string, opts *MacroOptions) error {
	r := new(macroReport)
	if opts != nil {
		r.strict, r.noPictures = opts.Strict, opts.Picture == nil
	}
	r.steps(m)
	return r.invalid(op)
}
