package wserr

import (
	"log/slog"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// ReconnectError reports that a lost connection was not regained. Info.Attempts counts the dials of that outage, 0 if
// none was to be made; Info.Err is the failure of the last one, or, without any, what ended the connection.
type ReconnectError struct {
	errkit.Info
	Outage   int   // which loss of a connection it was, from 1
	Terminal bool  // whether the last failure forbade further attempts; otherwise their number was used up
	Disabled bool  // whether there were to be no attempts at all
	Cause    error // what ended the connection; nil if that is Info.Err
}

func (e *ReconnectError) Error() string { return errkit.Message(&e.Info, "") }

// Unwrap returns the failure of the last dial and what ended the connection.
func (e *ReconnectError) Unwrap() []error {
	var causes []error
	for _, err := range []error{e.Err, e.Cause} {
		if err != nil {
			causes = append(causes, err)
		}
	}
	return causes
}

// ErrorAttrs returns the outage and the reason of giving up for structured logs.
func (e *ReconnectError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{
		slog.Int("outage", e.Outage), slog.Bool("terminal", e.Terminal), slog.Bool("disabled", e.Disabled),
	}
}
