package errkittest_test

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
)

var (
	wsErr                  = errkit.NewClass("wsclient", "", 0)
	wsErrConfig            = wsErr.New("config", "invalid argument", errkit.Invalid|errkit.NotSent)
	wsErrConnection        = wsErr.New("connection", "connection failed", errkit.Connection|errkit.NotSent)
	wsErrHandshake         = wsErrConnection.New("handshake", "upgrade refused", 0)
	wsErrClosed            = wsErr.New("closed", "connection closed", 0)
	wsErrNotConnected      = wsErrClosed.New("notconnected", "not connected", errkit.NotReady|errkit.NotSent)
	wsErrShutdown          = wsErrClosed.New("shutdown", "closed by its owner", errkit.Closed|errkit.NotSent)
	wsErrTimeout           = wsErr.New("timeout", "timed out", errkit.Timeout)
	wsErrReconnect         = wsErr.New("reconnect", "reconnecting failed", errkit.Connection|errkit.Exhausted)
	wsErrReconnectDisabled = wsErrReconnect.New("disabled", "reconnecting is switched off", errkit.Disconnected|errkit.Unsupported)
	wsErrProtocol          = wsErr.New("protocol", "protocol violation", errkit.Protocol)
	wsErrMessageTooBig     = wsErrProtocol.New("toobig", "message too big", errkit.TooLarge)
	wsErrQueueFull         = wsErr.New("queuefull", "queue full", errkit.Full)
)

type (
	wsConfig struct {
		errkit.Info
		Field string
	}
	wsConnection struct {
		errkit.Info
		URL string
	}
	wsHandshake struct {
		wsConnection
		StatusCode int
	}
	wsClosed struct {
		errkit.Info
		Code   int
		Reason string
		Remote bool
	}
	wsTimeout struct {
		errkit.Info
		Limit time.Duration
	}
	wsReconnect struct{ errkit.Info }
	wsProtocol  struct {
		errkit.Info
		ProtocolError string
	}
	wsMessageTooBig struct {
		wsProtocol
		Size, Limit int64
	}
	wsQueueFull struct {
		errkit.Info
		QueueSize    int
		DroppedCount uint64
	}
)

func (e *wsConfig) Error() string     { return errkit.Message(&e.Info, e.Field) }
func (e *wsConnection) Error() string { return errkit.Message(&e.Info, "") }
func (e *wsTimeout) Error() string    { return errkit.Message(&e.Info, "limit "+e.Limit.String()) }
func (e *wsReconnect) Error() string  { return errkit.Message(&e.Info, "") }
func (e *wsProtocol) Error() string   { return errkit.Message(&e.Info, e.ProtocolError) }

func (e *wsHandshake) Error() string {
	return errkit.Message(&e.Info, "HTTP "+strconv.Itoa(e.StatusCode))
}

func (e *wsClosed) Error() string {
	return errkit.Message(&e.Info, "code "+strconv.Itoa(e.Code)+" "+strconv.Quote(e.Reason))
}

func (e *wsMessageTooBig) Error() string {
	return errkit.Message(&e.Info, strconv.FormatInt(e.Size, 10)+" bytes, limit "+strconv.FormatInt(e.Limit, 10))
}

func (e *wsQueueFull) Error() string {
	return errkit.Message(&e.Info, "size "+strconv.Itoa(e.QueueSize)+", dropped "+strconv.FormatUint(e.DroppedCount, 10))
}

func (e *wsHandshake) As(target any) bool {
	p, ok := target.(**wsConnection)
	if ok {
		*p = &e.wsConnection
	}
	return ok
}

func (e *wsMessageTooBig) As(target any) bool {
	p, ok := target.(**wsProtocol)
	if ok {
		*p = &e.wsProtocol
	}
	return ok
}

func (e *wsClosed) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Int("code", e.Code), slog.String("reason", e.Reason), slog.Bool("remote", e.Remote)}
}

func (e *wsTimeout) ErrorAttrs() []slog.Attr { return []slog.Attr{slog.Duration("limit", e.Limit)} }

func (e *wsQueueFull) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Int("queue_size", e.QueueSize), slog.Uint64("dropped_count", e.DroppedCount)}
}

const feed = "wss://feed.example/ws"

// wsEnd is the row of a connection that the peer has ended.
func wsEnd(code int, kinds errkit.Kind) errkittest.Sample {
	return row("closed with "+strconv.Itoa(code), wsErrClosed, errkit.Disconnected|kinds, "receive", feed,
		"wsclient: receive wss://feed.example/ws: connection closed: code "+strconv.Itoa(code)+` "over": boom`,
		func(i errkit.Info) error {
			i.Kind |= errkit.CloseKind(code)
			return &wsClosed{i, code, "over", true}
		}, (*wsClosed)(nil))
}

var wsclientTree = errkittest.Module{
	Base: wsErr,
	Classes: []*errkit.Class{
		wsErr, wsErrConfig, wsErrConnection, wsErrHandshake, wsErrClosed, wsErrNotConnected, wsErrShutdown, wsErrTimeout,
		wsErrReconnect, wsErrReconnectDisabled, wsErrProtocol, wsErrMessageTooBig, wsErrQueueFull,
	},
	Samples: []errkittest.Sample{
		row("config", wsErrConfig, errkit.Invalid|errkit.NotSent, "dial", "", "wsclient: dial: invalid argument: URL",
			func(i errkit.Info) error { return &wsConfig{i, "URL"} }, (*wsConfig)(nil)),
		row("connection", wsErrConnection, errkit.Connection|errkit.NotSent, "connect", feed,
			"wsclient: connect wss://feed.example/ws: connection failed after 5 attempts: boom", func(i errkit.Info) error {
				i.Attempts = 5
				return &wsConnection{i, i.Target}
			}, (*wsConnection)(nil)),
		row("handshake", wsErrHandshake, errkit.Connection|errkit.NotSent|errkit.Unavailable, "connect", feed,
			"wsclient: connect wss://feed.example/ws: upgrade refused: HTTP 503: boom", func(i errkit.Info) error {
				i.Kind |= errkit.HTTPKind(503)
				return &wsHandshake{wsConnection{i, i.Target}, 503}
			}, (*wsHandshake)(nil), (*wsConnection)(nil)),
		wsEnd(1006, errkit.Connection),
		wsEnd(1008, errkit.Denied),
		wsEnd(1013, errkit.Unavailable|errkit.Busy),
		wsEnd(4000, 0),
		row("not connected", wsErrNotConnected, errkit.NotReady|errkit.NotSent, "send", "",
			`wsclient: send: not connected: code 1006 "not connected"`,
			func(i errkit.Info) error { return &wsClosed{Info: i, Code: 1006, Reason: "not connected"} }, (*wsClosed)(nil)),
		row("shutdown", wsErrShutdown, errkit.Closed|errkit.NotSent, "receive", "",
			`wsclient: receive: closed by its owner: code 1000 ""`,
			func(i errkit.Info) error { return &wsClosed{Info: i, Code: 1000} }, (*wsClosed)(nil)),
		row("timeout", wsErrTimeout, errkit.Timeout, "ping", feed, "wsclient: ping wss://feed.example/ws: timed out: limit 20s: boom",
			func(i errkit.Info) error { return &wsTimeout{i, 20 * time.Second} }, (*wsTimeout)(nil)),
		row("timeout of the connect", wsErrTimeout, errkit.Timeout|errkit.Connection|errkit.NotSent, "connect", feed,
			"wsclient: connect wss://feed.example/ws: timed out: limit 30s: boom", func(i errkit.Info) error {
				i.Kind |= errkit.Connection | errkit.NotSent
				return &wsTimeout{i, 30 * time.Second}
			}, (*wsTimeout)(nil)),
		row("reconnect", wsErrReconnect, errkit.Connection|errkit.Exhausted, "reconnect", feed,
			"wsclient: reconnect wss://feed.example/ws: reconnecting failed after 10 attempts: boom", func(i errkit.Info) error {
				i.Attempts = 10
				return &wsReconnect{i}
			}, (*wsReconnect)(nil)),
		row("reconnect disabled", wsErrReconnectDisabled,
			errkit.Connection|errkit.Exhausted|errkit.Disconnected|errkit.Unsupported, "reconnect", feed,
			"wsclient: reconnect wss://feed.example/ws: reconnecting is switched off: boom",
			func(i errkit.Info) error { return &wsReconnect{i} }, (*wsReconnect)(nil)),
		row("protocol", wsErrProtocol, errkit.Protocol, "receive", feed,
			"wsclient: receive wss://feed.example/ws: protocol violation: reserved bit: boom",
			func(i errkit.Info) error { return &wsProtocol{i, "reserved bit"} }, (*wsProtocol)(nil)),
		row("message too big", wsErrMessageTooBig, errkit.Protocol|errkit.TooLarge, "receive", feed,
			"wsclient: receive wss://feed.example/ws: message too big: 2048 bytes, limit 1024: boom",
			func(i errkit.Info) error { return &wsMessageTooBig{wsProtocol{Info: i}, 2048, 1024} },
			(*wsMessageTooBig)(nil), (*wsProtocol)(nil)),
		row("queue full, receive", wsErrQueueFull, errkit.Full, "receive", "", "wsclient: receive: queue full: size 100, dropped 7",
			func(i errkit.Info) error { return &wsQueueFull{i, 100, 7} }, (*wsQueueFull)(nil)),
		row("queue full, send", wsErrQueueFull, errkit.Full|errkit.NotSent, "send", "", "wsclient: send: queue full: size 100, dropped 0",
			func(i errkit.Info) error {
				i.Kind |= errkit.NotSent
				return &wsQueueFull{i, 100, 0}
			}, (*wsQueueFull)(nil)),
	},
}
