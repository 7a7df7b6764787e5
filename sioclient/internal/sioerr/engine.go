package sioerr

import (
	"log/slog"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Codes with which an Engine.IO server answers a request that it refuses.
const (
	CodeNone               = -1 // no code was given
	CodeUnknownTransport   = 0
	CodeUnknownSession     = 1
	CodeBadMethod          = 2
	CodeBadRequest         = 3
	CodeForbidden          = 4
	CodeUnsupportedVersion = 5
)

// EngineError reports trouble of the transport: a refused or strange answer, a broken connection, a heartbeat that did
// not come, a body or a message above the limit.
type EngineError struct {
	errkit.Info
	Transport string // polling or websocket
	Status    int    // HTTP status, 0 if there was none
	Code      int    // the server's number for the refusal, [CodeNone] if it gave none
	Message   string // the server's text
}

func (e *EngineError) Error() string {
	detail := e.Transport
	if e.Status != 0 {
		detail += " status " + strconv.Itoa(e.Status)
	}
	if e.Message != "" {
		detail += " " + strconv.Quote(e.Message)
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns transport, status and code for structured logs.
func (e *EngineError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{
		slog.String("transport", e.Transport), slog.Int("status", e.Status), slog.Int("code", e.Code),
	}
}

// SessionError reports a session that is not known or not there any more.
type SessionError struct {
	errkit.Info
	SID string // its id, which is no part of the text: it opens the session to whoever knows it
}

func (e *SessionError) Error() string { return errkit.Message(&e.Info, "") }

// BufferFullError reports a bounded buffer that had no room. From a call that sends, the message was not taken; as the
// cause of a disconnection, the peer did not read fast enough.
type BufferFullError struct {
	errkit.Info
	Messages, Bytes int // what waits in the buffer
}

func (e *BufferFullError) Error() string {
	return errkit.Message(&e.Info, strconv.Itoa(e.Messages)+" messages, "+strconv.Itoa(e.Bytes)+" bytes")
}

// ErrorAttrs returns messages and bytes for structured logs.
func (e *BufferFullError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Int("messages", e.Messages), slog.Int("bytes", e.Bytes)}
}
