package sioerr

import (
	"encoding/json"
	"log/slog"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// ConnectionError reports that no connection to the server, or to one of its namespaces, came about.
type ConnectionError struct {
	errkit.Info
	Namespaces []string // those that failed; nil if the transport below did
}

func (e *ConnectionError) Error() string {
	return errkit.Message(&e.Info, strings.Join(e.Namespaces, ", "))
}

// ErrorAttrs returns the namespaces for structured logs.
func (e *ConnectionError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Any("namespaces", e.Namespaces)}
}

// ConnectionRefusedError reports that the server refused a client. On the server, a middleware or a connect handler
// returns one, made by sioclient.Refuse, and its Message and Data are what the client gets. It is a [ConnectionError].
type ConnectionRefusedError struct {
	ConnectionError
	Message string          // text from the server
	Data    json.RawMessage // further details, nil if there are none
}

func (e *ConnectionRefusedError) Error() string {
	detail := strings.Join(e.Namespaces, ", ")
	if e.Message != "" {
		if detail != "" {
			detail += ": "
		}
		detail += e.Message
	}
	return errkit.Message(&e.Info, detail)
}

// As makes a *ConnectionRefusedError a *[ConnectionError] for errors.As.
func (e *ConnectionRefusedError) As(target any) bool {
	c, ok := target.(**ConnectionError)
	if ok {
		*c = &e.ConnectionError
	}
	return ok
}

// ErrorAttrs returns namespaces and message for structured logs.
func (e *ConnectionRefusedError) ErrorAttrs() []slog.Attr {
	return append(e.ConnectionError.ErrorAttrs(), slog.String("message", e.Message))
}

// BadNamespaceError reports the use of a namespace that is not connected.
type BadNamespaceError struct {
	errkit.Info
	Namespace string
}

func (e *BadNamespaceError) Error() string { return errkit.Message(&e.Info, e.Namespace) }

// ErrorAttrs returns the namespace for structured logs.
func (e *BadNamespaceError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("namespace", e.Namespace)}
}

// DisconnectedError reports that the link ended before the operation was over, or that there was none to begin with;
// in the latter case it matches errkit.NotSent.
type DisconnectedError struct {
	errkit.Info
	Reason Reason // why the link ended, empty if there never was one
}

func (e *DisconnectedError) Error() string { return errkit.Message(&e.Info, string(e.Reason)) }

// ErrorAttrs returns the reason for structured logs.
func (e *DisconnectedError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("reason", string(e.Reason))}
}

// TimeoutError reports that an acknowledgement or an event did not come in time.
type TimeoutError struct {
	errkit.Info
	Event string        // the event that was waited for, or whose acknowledgement was
	Limit time.Duration // the time that was given, 0 if it was the deadline of a context
}

func (e *TimeoutError) Error() string {
	detail := e.Event
	if e.Limit > 0 {
		if detail != "" {
			detail += " "
		}
		detail += "after " + e.Limit.String()
	}
	return errkit.Message(&e.Info, detail)
}

// Timeout returns true: see [net.Error].
func (e *TimeoutError) Timeout() bool { return true }

// ErrorAttrs returns event and limit for structured logs.
func (e *TimeoutError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("event", e.Event), slog.Duration("limit", e.Limit)}
}
