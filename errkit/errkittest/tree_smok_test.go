package errkittest_test

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
)

var (
	smokErr                   = errkit.NewClass("smok", "", 0)
	smokErrInvalidCredentials = smokErr.New("credentials", "credentials cannot be used", errkit.Auth|errkit.Invalid|errkit.NotSent)
	smokErrInstanceNotReady   = smokErr.New("notready", "not attached to a device", errkit.NotReady|errkit.NotSent)
	smokErrUnavailable        = smokErr.New("unavailable", "switched off in this client", errkit.Unsupported|errkit.NotSent)
	smokErrResponse           = smokErr.New("response", "request failed", 0)
	smokErrOperationFailed    = smokErr.New("operation", "operation failed", 0)
	smokErrMalformed          = smokErrOperationFailed.New("malformed", "malformed value", errkit.Protocol)
	smokErrOperationTimeout   = smokErrOperationFailed.New("timeout", "operation timed out", errkit.Timeout)
	smokErrBadPathpoint       = smokErrOperationFailed.New("invalid", "no such pathpoint", errkit.NotFound)
	smokErrType               = smokErrOperationFailed.New("type", "value of a wrong type", errkit.Invalid)
	smokErrNotRead            = smokErrOperationFailed.New("notread", "never read", errkit.NotReady)
	smokErrSync               = smokErr.New("sync", "sync failed", 0)
	smokErrClosed             = smokErr.New("closed", "device closed", errkit.Closed|errkit.NotSent)
	smokErrInvalid            = smokErr.New("invalid", "invalid argument", errkit.Invalid|errkit.NotSent)
	smokErrNotFound           = smokErr.New("notfound", "not found", errkit.NotFound)
	smokErrMiniJSON           = smokErr.New("minijson", "MiniJSON", 0)
	smokErrEncode             = smokErrMiniJSON.New("encode", "value cannot be encoded", errkit.Invalid|errkit.NotSent)
	smokErrDecode             = smokErrMiniJSON.New("decode", "not MiniJSON", errkit.Protocol)
)

type (
	smokInvalidCredentials struct {
		errkit.Info
		Field string
	}
	smokInstanceNotReady struct{ errkit.Info }
	smokResponse         struct {
		errkit.Info
		StatusCode int
		Status     string
	}
	smokOperationFailed struct {
		errkit.Info
		Reason string
		Time   time.Time
	}
	smokNotRead struct{ smokOperationFailed }
	smokSync    struct {
		errkit.Info
		What string
	}
)

func (e *smokInvalidCredentials) Error() string { return errkit.Message(&e.Info, e.Field) }
func (e *smokInstanceNotReady) Error() string   { return errkit.Message(&e.Info, "") }
func (e *smokOperationFailed) Error() string    { return errkit.Message(&e.Info, e.Reason) }
func (e *smokSync) Error() string               { return errkit.Message(&e.Info, e.What) }

func (e *smokResponse) Error() string {
	return errkit.Message(&e.Info, "HTTP "+strconv.Itoa(e.StatusCode)+" "+strconv.Quote(e.Status))
}

func (e *smokNotRead) As(target any) bool {
	p, ok := target.(**smokOperationFailed)
	if ok {
		*p = &e.smokOperationFailed
	}
	return ok
}

func (e *smokInvalidCredentials) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("field", e.Field)}
}

func (e *smokResponse) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Int("status_code", e.StatusCode), slog.String("status", e.Status)}
}

func (e *smokOperationFailed) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("reason", e.Reason), slog.Time("time", e.Time)}
}

func (e *smokSync) ErrorAttrs() []slog.Attr { return []slog.Attr{slog.String("what", e.What)} }

func smokReply(code int, status string) func(errkit.Info) error {
	return func(i errkit.Info) error {
		if i.Kind |= errkit.HTTPKind(code); code >= 500 && code < 599 && code != 501 {
			i.Kind |= errkit.Unavailable // the service is asked again
		}
		return &smokResponse{i, code, status}
	}
}

func smokFailed(reason string, kind errkit.Kind) func(errkit.Info) error {
	return func(i errkit.Info) error {
		i.Kind |= kind
		return &smokOperationFailed{i, reason, time.Unix(1, 0).UTC()}
	}
}

var smokTree = errkittest.Module{
	Base: smokErr,
	Classes: []*errkit.Class{
		smokErr, smokErrInvalidCredentials, smokErrInstanceNotReady, smokErrUnavailable, smokErrResponse, smokErrOperationFailed,
		smokErrMalformed, smokErrOperationTimeout, smokErrBadPathpoint, smokErrType, smokErrNotRead, smokErrSync, smokErrClosed,
		smokErrInvalid, smokErrNotFound, smokErrMiniJSON, smokErrEncode, smokErrDecode,
	},
	Samples: []errkittest.Sample{
		row("credentials", smokErrInvalidCredentials, errkit.Auth|errkit.Invalid|errkit.NotSent, "open", "",
			"smok: open: credentials cannot be used: device_id",
			func(i errkit.Info) error { return &smokInvalidCredentials{i, "device_id"} }, (*smokInvalidCredentials)(nil)),
		row("not ready", smokErrInstanceNotReady, errkit.NotReady|errkit.NotSent, "pathpoint.Get", "",
			"smok: pathpoint.Get: not attached to a device",
			func(i errkit.Info) error { return &smokInstanceNotReady{i} }, (*smokInstanceNotReady)(nil)),
		row("unavailable", smokErrUnavailable, errkit.Unsupported|errkit.NotSent, "baobs", "",
			"smok: baobs: switched off in this client", plain, plainType),
		row("no such", smokErrResponse, errkit.NotFound, "get", "https://smok.example/v1/device",
			`smok: get https://smok.example/v1/device: request failed: HTTP 404 "no device": boom`, smokReply(404, "no device"), (*smokResponse)(nil)),
		row("server failed", smokErrResponse, errkit.Internal|errkit.Unavailable, "get", "https://smok.example/v1/device",
			`smok: get https://smok.example/v1/device: request failed: HTTP 500 "": boom`, smokReply(500, ""), (*smokResponse)(nil)),
		row("no reply", smokErrResponse, errkit.Connection, "get", "https://smok.example/v1/device",
			`smok: get https://smok.example/v1/device: request failed: HTTP 599 "": boom`, smokReply(599, ""), (*smokResponse)(nil)),
		row("operation, unknown reason", smokErrOperationFailed, errkit.Protocol, "read", "W1",
			"smok: read W1: operation failed: purple: boom", smokFailed("purple", errkit.Protocol), (*smokOperationFailed)(nil)),
		row("operation, malformed", smokErrMalformed, errkit.Protocol, "read", "W1",
			"smok: read W1: malformed value: malformed: boom", smokFailed("malformed", 0), (*smokOperationFailed)(nil)),
		row("operation, timeout", smokErrOperationTimeout, errkit.Timeout, "read", "W1",
			"smok: read W1: operation timed out: timeout: boom", smokFailed("timeout", 0), (*smokOperationFailed)(nil)),
		row("operation, invalid", smokErrBadPathpoint, errkit.NotFound, "read", "W1",
			"smok: read W1: no such pathpoint: invalid: boom", smokFailed("invalid", 0), (*smokOperationFailed)(nil)),
		row("operation, type", smokErrType, errkit.Invalid, "write", "W1",
			"smok: write W1: value of a wrong type: type: boom", smokFailed("type", 0), (*smokOperationFailed)(nil)),
		row("never read", smokErrNotRead, errkit.NotReady, "pathpoint.Get", "W1",
			"smok: pathpoint.Get W1: never read: boom",
			func(i errkit.Info) error { return &smokNotRead{smokOperationFailed{Info: i}} },
			(*smokNotRead)(nil), (*smokOperationFailed)(nil)),
		row("sync", smokErrSync, errkit.Connection, "sync", "https://smok.example",
			"smok: sync https://smok.example: sync failed: events: boom", func(i errkit.Info) error {
				i.Kind |= errkit.Connection
				return &smokSync{i, "events"}
			}, (*smokSync)(nil)),
		row("closed", smokErrClosed, errkit.Closed|errkit.NotSent, "sync", "", "smok: sync: device closed", plain, plainType),
		row("invalid", smokErrInvalid, errkit.Invalid|errkit.NotSent, "sensor.Add", "", "smok: sensor.Add: invalid argument", plain, plainType),
		row("not found", smokErrNotFound, errkit.NotFound, "metadata.Get", "key", "smok: metadata.Get key: not found: boom", plain, plainType),
		row("encode", smokErrEncode, errkit.Invalid|errkit.NotSent, "", "", "smok: value cannot be encoded", plain, plainType),
		row("decode", smokErrDecode, errkit.Protocol, "", "", "smok: not MiniJSON", plain, plainType),
	},
}

// contextDone returns a context whose deadline has passed.
func contextDone() (context.Context, context.CancelFunc) {
	return context.WithDeadline(context.Background(), time.Unix(0, 0))
}
