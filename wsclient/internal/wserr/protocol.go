package wserr

import (
	"log/slog"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// ProtocolError reports that the peer broke the WebSocket protocol: a frame that cannot be, text that is not UTF-8, an
// answer to the upgrade that does not fit the request. The connection is over.
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

// MessageTooBigError reports a message above the read limit. It is a [ProtocolError] whose CloseCode is 1009; the
// connection is over.
type MessageTooBigError struct {
	ProtocolError
	Size  int64 // length that the peer announced so far, in bytes; 0 if unknown, as with compressed messages
	Limit int64 // the limit, in bytes
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
	return append(e.ProtocolError.ErrorAttrs(), slog.Int64("size", e.Size), slog.Int64("limit", e.Limit))
}
