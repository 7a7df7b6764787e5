package wserr

import (
	"log/slog"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// ProtocolError reports that the peer broke the WebSocket protocol: a frame that cannot be, text that is not UTF-8, an
// answer to the upgrade that does not fit the request. The connection is over, except after a [DecodeError].
type ProtocolError struct {
	errkit.Info
	ProtocolError string // what the peer did
	CloseCode     int    // the close code that told the peer; 0 if none was sent
}

func (e *ProtocolError) Error() string { return errkit.Message(&e.Info, e.ProtocolError) }

// ErrorAttrs returns the violation and the close code for structured logs.
func (e *ProtocolError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{
		slog.String("protocol_error", e.ProtocolError), slog.Int("close_code", e.CloseCode),
	}
}

// MessageTooBigError reports a message above a limit. It is a [ProtocolError]. Above the read limit its CloseCode is
// 1009 and the connection is over; a message that was to be sent was not, and nothing else happened.
type MessageTooBigError struct {
	ProtocolError
	Size      int64     // length that the peer announced so far, in bytes; 0 if unknown, as with compressed messages
	Limit     int64     // the limit, in bytes
	Direction Direction // empty if there is only one, as in a log on disk
}

func (e *MessageTooBigError) Error() string {
	detail := "limit " + strconv.FormatInt(e.Limit, 10)
	if e.Size > 0 {
		detail = strconv.FormatInt(e.Size, 10) + " bytes, " + detail
	}
	return errkit.Message(&e.Info, detail)
}

// As makes a *MessageTooBigError a *[ProtocolError] for errors.As.
func (e *MessageTooBigError) As(target any) bool {
	p, ok := target.(**ProtocolError)
	if ok {
		*p = &e.ProtocolError
	}
	return ok
}

// ErrorAttrs returns size and limit for structured logs.
func (e *MessageTooBigError) ErrorAttrs() []slog.Attr {
	return append(e.ProtocolError.ErrorAttrs(), slog.Int64("size", e.Size), slog.Int64("limit", e.Limit),
		slog.String("direction", string(e.Direction)))
}

// DecodeError reports a message that is not what the caller wants to read it as. It is a [ProtocolError], but one that
// ends nothing: the next message can be read.
type DecodeError struct {
	ProtocolError
	Type string // what it was to become: "feed.Trade"
	Data []byte // the message; never part of the text
}

// Decode returns a *[DecodeError] of op for data that was to become a typ.
func Decode(op, typ string, data []byte, cause error) error {
	return &DecodeError{
		ProtocolError: ProtocolError{Info: errkit.Info{Class: ErrDecode, Op: op, Err: errkit.CleanCause(cause)}},
		Type:          typ, Data: data,
	}
}

func (e *DecodeError) Error() string { return errkit.Message(&e.Info, e.Type) }

// As makes a *DecodeError a *[ProtocolError] for errors.As.
func (e *DecodeError) As(target any) bool {
	p, ok := target.(**ProtocolError)
	if ok {
		*p = &e.ProtocolError
	}
	return ok
}

// ErrorAttrs returns type and length for structured logs.
func (e *DecodeError) ErrorAttrs() []slog.Attr {
	return append(e.ProtocolError.ErrorAttrs(), slog.String("type", e.Type), slog.Int("size", len(e.Data)))
}
