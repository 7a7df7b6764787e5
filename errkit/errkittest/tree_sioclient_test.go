package errkittest_test

import (
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
)

var (
	sioErr                  = errkit.NewClass("sioclient", "", 0)
	sioErrConnection        = sioErr.New("connection", "connection failed", errkit.Connection)
	sioErrAlreadyConnected  = sioErrConnection.New("already", "already connected", errkit.Conflict|errkit.NotSent)
	sioErrConnectTimeout    = sioErrConnection.New("timeout", "no answer in time", errkit.Timeout)
	sioErrConnectionRefused = sioErrConnection.New("refused", "connection refused", errkit.Denied)
	sioErrTimeout           = sioErr.New("timeout", "no answer in time", errkit.Timeout)
	sioErrBadNamespace      = sioErr.New("namespace", "not a connected namespace", errkit.Invalid|errkit.NotSent)
	sioErrDisconnected      = sioErr.New("disconnected", "disconnected", errkit.Disconnected)
	sioErrReconnect         = sioErrDisconnected.New("reconnect", "reconnecting failed", errkit.Connection|errkit.Exhausted)
	sioErrEngine            = sioErr.New("engine", "transport error", 0)
	sioErrTooLarge          = sioErrEngine.New("toolarge", "payload too large", errkit.TooLarge)
	sioErrPacket            = sioErr.New("packet", "invalid packet", 0)
	sioErrSession           = sioErr.New("session", "no such session", 0)
	sioErrInvalid           = sioErr.New("invalid", "invalid call", errkit.Invalid|errkit.NotSent)
)

type (
	sioConnection struct {
		errkit.Info
		Namespaces []string
	}
	sioConnectionRefused struct {
		sioConnection
		Message string
		Data    any
	}
	sioTimeout struct {
		errkit.Info
		Limit time.Duration
		Event string
	}
	sioBadNamespace struct {
		errkit.Info
		Namespace string
	}
	sioDisconnected struct {
		errkit.Info
		Reason string
	}
	sioEngine struct {
		errkit.Info
		Status, Code int
		Message      string
	}
	sioPacket struct {
		errkit.Info
		Detail, Packet string
	}
	sioSession struct {
		errkit.Info
		SID string
	}
)

func (e *sioConnection) Error() string {
	return errkit.Message(&e.Info, strings.Join(e.Namespaces, ", "))
}

func (e *sioConnectionRefused) Error() string { return errkit.Message(&e.Info, e.Message) }
func (e *sioTimeout) Error() string {
	return errkit.Message(&e.Info, e.Event+", limit "+e.Limit.String())
}
func (e *sioBadNamespace) Error() string { return errkit.Message(&e.Info, e.Namespace) }
func (e *sioDisconnected) Error() string { return errkit.Message(&e.Info, e.Reason) }
func (e *sioEngine) Error() string       { return errkit.Message(&e.Info, "HTTP "+strconv.Itoa(e.Status)) }
func (e *sioPacket) Error() string       { return errkit.Message(&e.Info, e.Detail) }
func (e *sioSession) Error() string      { return errkit.Message(&e.Info, "") }

func (e *sioConnectionRefused) As(target any) bool {
	p, ok := target.(**sioConnection)
	if ok {
		*p = &e.sioConnection
	}
	return ok
}

func (e *sioConnection) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Any("namespaces", e.Namespaces)}
}

func (e *sioConnectionRefused) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("message", e.Message), slog.Any("data", e.Data)}
}

func (e *sioEngine) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Int("status", e.Status), slog.Int("code", e.Code), slog.String("message", e.Message)}
}

const hub = "https://chat.example/socket.io/"

var sioclientTree = errkittest.Module{
	Base: sioErr,
	Classes: []*errkit.Class{
		sioErr, sioErrConnection, sioErrAlreadyConnected, sioErrConnectTimeout, sioErrConnectionRefused, sioErrTimeout,
		sioErrBadNamespace, sioErrDisconnected, sioErrReconnect, sioErrEngine, sioErrTooLarge, sioErrPacket, sioErrSession,
		sioErrInvalid,
	},
	Samples: []errkittest.Sample{
		row("connection", sioErrConnection, errkit.Connection, "connect", hub,
			"sioclient: connect https://chat.example/socket.io/: connection failed: /a, /b: boom",
			func(i errkit.Info) error { return &sioConnection{i, ab} }, (*sioConnection)(nil)),
		row("already connected", sioErrAlreadyConnected, errkit.Connection|errkit.Conflict|errkit.NotSent, "connect", "",
			"sioclient: connect: already connected",
			func(i errkit.Info) error { return &sioConnection{Info: i} }, (*sioConnection)(nil)),
		row("connect timeout", sioErrConnectTimeout, errkit.Connection|errkit.Timeout, "connect", hub,
			"sioclient: connect https://chat.example/socket.io/: no answer in time: boom",
			func(i errkit.Info) error { return &sioConnection{Info: i} }, (*sioConnection)(nil)),
		row("refused", sioErrConnectionRefused, errkit.Connection|errkit.Denied, "connect", hub,
			"sioclient: connect https://chat.example/socket.io/: connection refused: not you: boom",
			func(i errkit.Info) error { return &sioConnectionRefused{sioConnection{Info: i}, "not you", abData} },
			(*sioConnectionRefused)(nil), (*sioConnection)(nil)),
		row("timeout", sioErrTimeout, errkit.Timeout, "call", hub,
			"sioclient: call https://chat.example/socket.io/: no answer in time: slow, limit 1m0s: boom",
			func(i errkit.Info) error { return &sioTimeout{i, time.Minute, "slow"} }, (*sioTimeout)(nil)),
		row("namespace", sioErrBadNamespace, errkit.Invalid|errkit.NotSent, "emit", "",
			"sioclient: emit: not a connected namespace: /a",
			func(i errkit.Info) error { return &sioBadNamespace{i, "/a"} }, (*sioBadNamespace)(nil)),
		row("disconnected", sioErrDisconnected, errkit.Disconnected, "receive", hub,
			"sioclient: receive https://chat.example/socket.io/: disconnected: transport error: boom",
			func(i errkit.Info) error { return &sioDisconnected{i, "transport error"} }, (*sioDisconnected)(nil)),
		row("emit on a dead client", sioErrDisconnected, errkit.Disconnected|errkit.NotSent, "emit", "",
			"sioclient: emit: disconnected: server disconnect", func(i errkit.Info) error {
				i.Kind |= errkit.NotSent
				return &sioDisconnected{i, "server disconnect"}
			}, (*sioDisconnected)(nil)),
		row("reconnect", sioErrReconnect, errkit.Disconnected|errkit.Connection|errkit.Exhausted, "reconnect", hub,
			"sioclient: reconnect https://chat.example/socket.io/: reconnecting failed after 4 attempts: transport error: boom",
			func(i errkit.Info) error {
				i.Attempts = 4
				return &sioDisconnected{i, "transport error"}
			}, (*sioDisconnected)(nil)),
		row("engine", sioErrEngine, errkit.Invalid, "poll", hub,
			"sioclient: poll https://chat.example/socket.io/: transport error: HTTP 400: boom", func(i errkit.Info) error {
				i.Kind |= errkit.HTTPKind(400)
				return &sioEngine{i, 400, 1, "Session ID unknown"}
			}, (*sioEngine)(nil)),
		row("too large", sioErrTooLarge, errkit.TooLarge, "poll", hub,
			"sioclient: poll https://chat.example/socket.io/: payload too large: HTTP 413: boom",
			func(i errkit.Info) error { return &sioEngine{Info: i, Status: 413} }, (*sioEngine)(nil)),
		row("packet in", sioErrPacket, errkit.Protocol, "receive", hub,
			"sioclient: receive https://chat.example/socket.io/: invalid packet: unknown type 9: boom", func(i errkit.Info) error {
				i.Kind |= errkit.Protocol
				return &sioPacket{i, "unknown type 9", "9"}
			}, (*sioPacket)(nil)),
		row("packet out", sioErrPacket, errkit.Invalid|errkit.NotSent, "emit", "",
			"sioclient: emit: invalid packet: too many attachments", func(i errkit.Info) error {
				i.Kind |= errkit.Invalid | errkit.NotSent
				return &sioPacket{i, "too many attachments", ""}
			}, (*sioPacket)(nil)),
		row("session", sioErrSession, errkit.NotFound, "session", hub,
			"sioclient: session https://chat.example/socket.io/: no such session: boom", func(i errkit.Info) error {
				i.Kind |= errkit.NotFound
				return &sioSession{i, "a"}
			}, (*sioSession)(nil)),
		row("invalid", sioErrInvalid, errkit.Invalid|errkit.NotSent, "call", "", "sioclient: call: invalid call", plain, plainType),
	},
}

var (
	ab     = []string{"/a", "/b"}
	abData = any(ab)
)
