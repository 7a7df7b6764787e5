package pikvm

import (
	"errors"
	"log/slog"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// ErrFleet reports that something failed on some devices of a [Fleet]: [FleetError].
var ErrFleet = Err.New("fleet", "failed on a device", 0)

// FleetError reports on which devices of a [Fleet] something failed. Its cause is all their errors joined: errors.Is and
// errors.As find what is in any of them. It has the kind NotSent only if all have.
type FleetError struct {
	errkit.Info
	Devices int            // of the fleet
	Failed  []FleetFailure // in the order of the devices
}

// FleetFailure is what failed on a device.
type FleetFailure struct {
	Name string
	Err  error
}

// Error returns one line with the number of devices, and the names and errors of the first ones.
func (e *FleetError) Error() string {
	const shown = 3
	detail := strconv.Itoa(len(e.Failed)) + " of " + strconv.Itoa(e.Devices) + " devices"
	for i, failed := range e.Failed {
		if i == shown {
			detail += "; and so on"
			break
		}
		detail += "; " + strconv.Quote(failed.Name) + ": " + failed.Err.Error()
	}
	line := e.Info
	if len(e.Failed) > 0 {
		line.Err = nil // it is in the detail
	}
	return errkit.Message(&line, detail)
}

// ErrorAttrs returns the fields for logs and reports.
func (e *FleetError) ErrorAttrs() []slog.Attr {
	names := make([]string, len(e.Failed))
	for i, failed := range e.Failed {
		names[i] = failed.Name
	}
	return []slog.Attr{slog.Int("devices", e.Devices), slog.Any("failed", names)}
}

// join makes all errors the cause.
func (e *FleetError) join() {
	all := make([]error, len(e.Failed))
	notSent := true
	for i, failed := range e.Failed {
		all[i] = failed.Err
		notSent = notSent && errors.Is(failed.Err, errkit.NotSent)
	}
	e.Err = errors.Join(all...)
	e.Kind = errkit.KindOf(e.Err) &^ errkit.NotSent
	if notSent {
		e.Kind |= errkit.NotSent
	} else {
		e.Err = &lastKeyOnly{e.Err}
	}
}
