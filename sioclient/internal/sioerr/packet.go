package sioerr

import (
	"encoding/json"
	"log/slog"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// PacketError reports a packet that breaks the protocol. From a decoder its kind is errkit.Protocol; a packet of the
// caller that cannot be encoded has errkit.Invalid and errkit.NotSent.
type PacketError struct {
	errkit.Info
	Detail string // what is wrong
	Packet string // beginning of the packet, quoted, at most 64 bytes; empty if it may hold secrets
}

func (e *PacketError) Error() string {
	detail := e.Detail
	if e.Packet != "" {
		detail += ": " + e.Packet
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns the detail for structured logs.
func (e *PacketError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("detail", e.Detail)}
}

// DecodeError reports an argument of an event or of an acknowledgement that is not what it is read as. The connection
// goes on.
type DecodeError struct {
	errkit.Info
	Event string // the event, or the one that was acknowledged; may be empty
	Index int    // position of the argument, from 0
}

func (e *DecodeError) Error() string {
	detail := "argument " + strconv.Itoa(e.Index)
	if e.Event != "" {
		detail += " of " + strconv.Quote(e.Event)
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns event and position for structured logs.
func (e *DecodeError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("event", e.Event), slog.Int("index", e.Index)}
}

// InvalidError reports an option or an argument that cannot be used. Nothing was sent and nothing changed.
type InvalidError struct {
	errkit.Info
	Field  string // the option or the argument
	Reason string
}

func (e *InvalidError) Error() string { return errkit.Message(&e.Info, e.Field+": "+e.Reason) }

// ErrorAttrs returns field and reason for structured logs.
func (e *InvalidError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("field", e.Field), slog.String("reason", e.Reason)}
}

// AckTimeoutError reports that not all acknowledgements of a broadcast came in time. It is a [TimeoutError].
type AckTimeoutError struct {
	TimeoutError
	Responses []json.RawMessage // first arguments of those that came; null where there was none
	Expected  int               // how many clients got the broadcast
}

// As makes a *AckTimeoutError a *[TimeoutError] for errors.As.
func (e *AckTimeoutError) As(target any) bool {
	t, ok := target.(**TimeoutError)
	if ok {
		*t = &e.TimeoutError
	}
	return ok
}

func (e *AckTimeoutError) Error() string {
	return errkit.Message(&e.Info, e.Event+" "+strconv.Itoa(len(e.Responses))+" of "+strconv.Itoa(e.Expected))
}

// ErrorAttrs returns the counts for structured logs.
func (e *AckTimeoutError) ErrorAttrs() []slog.Attr {
	return append(e.TimeoutError.ErrorAttrs(), slog.Int("responses", len(e.Responses)), slog.Int("expected", e.Expected))
}
