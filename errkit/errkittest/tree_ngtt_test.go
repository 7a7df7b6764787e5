package errkittest_test

import (
	"log/slog"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
)

var (
	ngttErr                     = errkit.NewClass("ngtt", "", 0)
	ngttErrConnectionFailed     = ngttErr.New("connection", "connection failed", 0)
	ngttErrDataStreamSyncFailed = ngttErr.New("rejected", "data rejected", errkit.Invalid)
	ngttErrInvalidFrame         = ngttErr.New("frame", "invalid frame", errkit.Protocol)
	ngttErrClosed               = ngttErr.New("closed", "connection closed", errkit.Closed|errkit.NotSent)
	ngttErrInvalidCredentials   = ngttErr.New("credentials", "credentials cannot be used", errkit.Auth|errkit.Invalid|errkit.NotSent)
)

type (
	ngttConnectionFailed struct {
		errkit.Info
		NoInternet bool
		Reason     string
	}
	ngttDataStreamSyncFailed struct {
		errkit.Info
		TID uint16
	}
	ngttInvalidFrame struct {
		errkit.Info
		Type, TID uint16
		Length    uint32
	}
	ngttInvalidCredentials struct {
		errkit.Info
		Field string
	}
)

func (e *ngttConnectionFailed) Error() string   { return errkit.Message(&e.Info, e.Reason) }
func (e *ngttInvalidCredentials) Error() string { return errkit.Message(&e.Info, e.Field) }

func (e *ngttDataStreamSyncFailed) Error() string {
	return errkit.Message(&e.Info, "transaction "+strconv.Itoa(int(e.TID)))
}

func (e *ngttInvalidFrame) Error() string {
	return errkit.Message(&e.Info, "packet type "+strconv.Itoa(int(e.Type)))
}

func (e *ngttConnectionFailed) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Bool("no_internet", e.NoInternet), slog.String("reason", e.Reason)}
}

func (e *ngttDataStreamSyncFailed) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Int("tid", int(e.TID))}
}

func (e *ngttInvalidFrame) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Int("type", int(e.Type)), slog.Int("tid", int(e.TID)), slog.Int64("length", int64(e.Length))}
}

func (e *ngttInvalidCredentials) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("field", e.Field)}
}

func ngttFailed(noInternet bool, reason string, kind errkit.Kind) func(errkit.Info) error {
	return func(i errkit.Info) error {
		i.Kind |= kind
		return &ngttConnectionFailed{i, noInternet, reason}
	}
}

// ngttLost is the row of a connection that failed.
func ngttLost(reason string, noInternet bool, kinds errkit.Kind) errkittest.Sample {
	return row(reason, ngttErrConnectionFailed, kinds, "connect", "ngtt.example:2408",
		"ngtt: connect ngtt.example:2408: connection failed: "+reason+": boom", ngttFailed(noInternet, reason, kinds), (*ngttConnectionFailed)(nil))
}

var ngttTree = errkittest.Module{
	Base: ngttErr,
	Classes: []*errkit.Class{
		ngttErr, ngttErrConnectionFailed, ngttErrDataStreamSyncFailed, ngttErrInvalidFrame, ngttErrClosed, ngttErrInvalidCredentials,
	},
	Samples: []errkittest.Sample{
		ngttLost("refused", true, errkit.Connection|errkit.NotSent),
		ngttLost("not connected", true, errkit.Connection|errkit.NotSent),
		ngttLost("ping timeout", false, errkit.Timeout|errkit.Disconnected),
		ngttLost("peer closed", false, errkit.Disconnected),
		ngttLost("ids exhausted", false, errkit.Full|errkit.NotSent),
		ngttLost("bad payload", false, errkit.Protocol|errkit.Disconnected),
		ngttLost("closing", false, errkit.Closed),
		row("rejected", ngttErrDataStreamSyncFailed, errkit.Invalid, "sync", "ngtt.example:2408",
			"ngtt: sync ngtt.example:2408: data rejected: transaction 7: boom",
			func(i errkit.Info) error { return &ngttDataStreamSyncFailed{i, 7} }, (*ngttDataStreamSyncFailed)(nil)),
		row("frame", ngttErrInvalidFrame, errkit.Protocol, "read", "ngtt.example:2408",
			"ngtt: read ngtt.example:2408: invalid frame: packet type 99: boom",
			func(i errkit.Info) error { return &ngttInvalidFrame{i, 99, 7, 12} }, (*ngttInvalidFrame)(nil)),
		row("closed", ngttErrClosed, errkit.Closed|errkit.NotSent, "sync", "", "ngtt: sync: connection closed", plain, plainType),
		row("credentials", ngttErrInvalidCredentials, errkit.Auth|errkit.Invalid|errkit.NotSent, "open", "",
			"ngtt: open: credentials cannot be used: certificate",
			func(i errkit.Info) error { return &ngttInvalidCredentials{i, "certificate"} }, (*ngttInvalidCredentials)(nil)),
	},
}
