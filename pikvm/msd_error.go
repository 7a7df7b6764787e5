package pikvm

import (
	"log/slog"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// ErrMSD reports that an operation on images did not reach its end: [MSDError].
var ErrMSD = Err.New("msd", "mass storage operation failed", 0)

// Steps of [MSDError].
const (
	StepCheck  = "check"  // looking before anything is done: nothing was sent
	StepRead   = "read"   // the source of an upload failed, ended early or goes on after its size
	StepWrite  = "write"  // the device stored something else than what was sent, or the target of a download failed
	StepList   = "list"   // the device does not list what it has stored, or still lists what it has removed
	StepDrive  = "drive"  // the drive does not show what was asked for
	StepVerify = "verify" // what was read back differs
)

// MSDError reports that an operation on images did not reach its end although the device refused nothing: the source of
// an upload is not what it was said to be (kind Invalid), there is no room (kinds Full and NotSent), or the device does
// not show the effect in time (kind Timeout) or at all (kind Conflict). What the device refuses keeps its own type.
type MSDError struct {
	errkit.Info
	Step   string // what was going on: [StepCheck] and the like
	Image  string // its name
	Reason string // what is wrong
	Limit  time.Duration
}

// Error returns one line with the step and the reason.
func (e *MSDError) Error() string {
	detail := e.Step + ": " + e.Reason
	if e.Limit > 0 {
		detail += " after " + e.Limit.String()
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns the fields for logs and reports.
func (e *MSDError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{
		slog.String("step", e.Step), slog.String("image", e.Image), slog.String("reason", e.Reason),
		slog.Duration("limit", e.Limit),
	}
}

// failure builds an MSDError.
func (m *MSD) failure(op, image, step, reason string, kind errkit.Kind, cause error) *MSDError {
	return &MSDError{
		Info: errkit.Info{Class: ErrMSD, Op: op, Target: m.c.target, Kind: kind, Err: errkit.CleanCause(cause)},
		Step: step, Image: image, Reason: reason,
	}
}

// foreseen builds the error by which the device would refuse what was not even sent.
func (m *MSD) foreseen(op string, class *errkit.Class, code, message string) error {
	return &APIError{
		Info: errkit.Info{Class: class, Op: op, Target: m.c.target, Kind: errkit.NotSent},
		Code: code, Message: message,
	}
}
