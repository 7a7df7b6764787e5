package wsclient_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

const url = "wss://feed.example/ws"

var errBoom = errors.New("boom")

// info is what a constructor fills in.
func info(class *errkit.Class, op, target string, kind errkit.Kind, cause error) errkit.Info {
	return errkit.Info{
		Class: class, Op: op, Target: redact.URLString(target),
		Kind: kind | errkit.TransportKind(cause), Err: errkit.CleanCause(cause),
	}
}

func connection(target string, cause error) error {
	i := info(wsclient.ErrConnection, "connect", target, 0, cause)
	return &wsclient.ConnectionError{Info: i, URL: i.Target}
}

func handshake(target string, cause error) error {
	i := info(wsclient.ErrHandshake, "connect", target, errkit.HTTPKind(503), cause)
	i.RetryAfter = time.Minute
	return &wsclient.HandshakeError{
		ConnectionError: wsclient.ConnectionError{Info: i, URL: i.Target},
		StatusCode:      503, Status: "503 Service Unavailable", Header: http.Header{}, Body: []byte("S3CRET"),
	}
}

func timeout(target string, cause error) error {
	return &wsclient.TimeoutError{Info: info(wsclient.ErrTimeout, "ping", target, 0, cause), Limit: 10 * time.Second}
}

func reconnect(target string, cause error) error {
	i := info(wsclient.ErrReconnect, "connect", target, 0, cause)
	i.Attempts = 5
	return &wsclient.ReconnectError{Info: i, Outage: 1}
}

func protocol(target string, cause error) error {
	return &wsclient.ProtocolError{
		Info:          info(wsclient.ErrProtocol, "receive", target, 0, cause),
		ProtocolError: "text message is not UTF-8", CloseCode: 1007,
	}
}

func tooBig(target string, cause error) error {
	return &wsclient.MessageTooBigError{
		ProtocolError: wsclient.ProtocolError{
			Info:          info(wsclient.ErrMessageTooBig, "receive", target, 0, cause),
			ProtocolError: "message too big", CloseCode: 1009,
		},
		Size: 2000, Limit: 1000, Direction: wsclient.Inbound,
	}
}

func queueFull(target string, cause error) error {
	return &wsclient.QueueFullError{
		Info:      info(wsclient.ErrQueueFull, "send", target, errkit.NotSent, cause),
		QueueSize: 1000, DroppedCount: 3,
	}
}

// Every type and every class keeps what errkit promises for them.
func TestErrors(t *testing.T) {
	errkittest.Run(t, errkittest.Module{
		Base: wsclient.Err,
		Classes: []*errkit.Class{
			wsclient.Err, wsclient.ErrConfig, wsclient.ErrConnection, wsclient.ErrHandshake, wsclient.ErrUnauthorized,
			wsclient.ErrForbidden, wsclient.ErrRateLimited, wsclient.ErrClosed, wsclient.ErrNotConnected,
			wsclient.ErrReconnecting, wsclient.ErrShuttingDown, wsclient.ErrKilled, wsclient.ErrTimeout,
			wsclient.ErrReconnect, wsclient.ErrReconnectDisabled, wsclient.ErrProtocol, wsclient.ErrMessageTooBig,
			wsclient.ErrDecode, wsclient.ErrQueueFull, wsclient.ErrDrain, wsclient.ErrSpool, wsclient.ErrSpoolClosed,
			wsclient.ErrState, wsclient.ErrMaybeSent, wsclient.ErrExpired, wsclient.ErrCanceled, wsclient.ErrGiveUp,
		},
		Samples: []errkittest.Sample{
			{
				Name: "config", Err: wserr.Config("connect", "url", "not a URL"), Class: wsclient.ErrConfig,
				Kinds: errkit.Invalid | errkit.NotSent, Types: []any{(*wsclient.ConfigError)(nil)},
				Text:   "wsclient: connect: invalid argument: url: not a URL",
				Build:  func(string, error) error { return wserr.Config("connect", "url", "not a URL") },
				Allocs: 2,
			},
			{
				Name: "connection", Err: connection(url, errBoom), Class: wsclient.ErrConnection,
				Kinds: errkit.Connection | errkit.NotSent, Types: []any{(*wsclient.ConnectionError)(nil)},
				Text:  "wsclient: connect wss://feed.example/ws: connection failed: boom",
				Build: connection,
			},
			{
				Name: "handshake", Err: handshake(url, nil), Class: wsclient.ErrHandshake,
				Kinds: errkit.Connection | errkit.NotSent | errkit.Unavailable,
				Types: []any{(*wsclient.HandshakeError)(nil), (*wsclient.ConnectionError)(nil)},
				Text:  "wsclient: connect wss://feed.example/ws: upgrade refused: HTTP 503 Service Unavailable",
				Build: handshake, Allocs: 4,
			},
			{
				Name: "closed by the peer", Err: wserr.Closed("receive", url, 1012, "service restart", errBoom),
				Class: wsclient.ErrClosed, Kinds: errkit.Disconnected | errkit.Unavailable,
				Types: []any{(*wsclient.ClosedError)(nil)},
				Text:  `wsclient: receive wss://feed.example/ws: connection closed: code 1012 "service restart"`,
				Build: func(target string, cause error) error {
					return wserr.Closed("receive", redact.URLString(target), 1012, "service restart", cause)
				},
			},
			{
				Name: "closed by the network", Err: wserr.Closed("receive", url, 1006, "", errBoom),
				Class: wsclient.ErrClosed, Kinds: errkit.Disconnected | errkit.Connection,
				Types: []any{(*wsclient.ClosedError)(nil)},
				Text:  "wsclient: receive wss://feed.example/ws: connection closed: code 1006: boom",
				Build: func(target string, cause error) error {
					return wserr.Closed("receive", redact.URLString(target), 1006, "", cause)
				},
			},
			{
				Name: "closed here", Err: wserr.ClosedHere("close", url, 1000, ""), Class: wsclient.ErrClosed,
				Kinds: errkit.Closed | errkit.NotSent, Types: []any{(*wsclient.ClosedError)(nil)},
				Text: "wsclient: close wss://feed.example/ws: connection closed: code 1000",
				Build: func(target string, _ error) error {
					return wserr.ClosedHere("close", redact.URLString(target), 1000, "")
				},
			},
			{
				Name: "not connected", Class: wsclient.ErrNotConnected, Err: notConnected(url, nil),
				Kinds: errkit.NotReady | errkit.NotSent, Types: []any{(*wsclient.ClosedError)(nil)},
				Text:  "wsclient: send wss://feed.example/ws: not connected: code 1006",
				Build: notConnected,
			},
			{
				Name: "timeout", Err: timeout(url, nil), Class: wsclient.ErrTimeout, Kinds: errkit.Timeout,
				Types: []any{(*wsclient.TimeoutError)(nil)},
				Text:  "wsclient: ping wss://feed.example/ws: timed out: limit 10s",
				Build: timeout,
			},
			{
				Name: "reconnect", Err: reconnect(url, errBoom), Class: wsclient.ErrReconnect,
				Kinds: errkit.Connection | errkit.Exhausted, Types: []any{(*wsclient.ReconnectError)(nil)},
				Text:  "wsclient: connect wss://feed.example/ws: reconnecting failed after 5 attempts: boom",
				Build: reconnect,
			},
			{
				Name: "reconnecting is off", Err: reconnectDisabled(url, errBoom), Class: wsclient.ErrReconnectDisabled,
				Kinds: errkit.Connection | errkit.Exhausted | errkit.Disconnected | errkit.Unsupported,
				Types: []any{(*wsclient.ReconnectError)(nil)},
				Text:  "wsclient: connect wss://feed.example/ws: reconnecting is switched off: boom",
				Build: reconnectDisabled,
			},
			{
				Name: "protocol", Err: protocol(url, nil), Class: wsclient.ErrProtocol, Kinds: errkit.Protocol,
				Types: []any{(*wsclient.ProtocolError)(nil)},
				Text:  "wsclient: receive wss://feed.example/ws: protocol violation: text message is not UTF-8",
				Build: protocol,
			},
			{
				Name: "too big", Err: tooBig(url, nil), Class: wsclient.ErrMessageTooBig,
				Kinds: errkit.Protocol | errkit.TooLarge,
				Types: []any{(*wsclient.MessageTooBigError)(nil), (*wsclient.ProtocolError)(nil)},
				Text:  "wsclient: receive wss://feed.example/ws: message too big: 2000 bytes, limit 1000",
				Build: tooBig,
			},
			{
				Name: "queue full", Err: queueFull(url, nil), Class: wsclient.ErrQueueFull,
				Kinds: errkit.Full | errkit.NotSent, Types: []any{(*wsclient.QueueFullError)(nil)},
				Text:  "wsclient: send wss://feed.example/ws: queue full: size 1000, dropped 3",
				Build: queueFull,
			},
			{
				Name: "lost twice", Class: wsclient.ErrReconnect,
				Err: &wsclient.ReconnectError{
					Info: info(wsclient.ErrReconnect, "connect", url, 0, errBoom), Terminal: true, Cause: errors.New("bang"),
				},
				Kinds: errkit.Connection | errkit.Exhausted, Types: []any{(*wsclient.ReconnectError)(nil)},
				Text: "wsclient: connect wss://feed.example/ws: reconnecting failed: boom",
				Build: func(target string, cause error) error {
					return &wsclient.ReconnectError{
						Info: info(wsclient.ErrReconnect, "connect", target, 0, cause), Terminal: true, Cause: errBoom,
					}
				},
			},
			{
				Name: "decode", Err: wserr.Decode("receive", "feed.Trade", nil, errBoom), Class: wsclient.ErrDecode,
				Kinds: errkit.Protocol, Types: []any{(*wsclient.DecodeError)(nil), (*wsclient.ProtocolError)(nil)},
				Text: "wsclient: receive: message cannot be decoded: feed.Trade: boom",
				Build: func(_ string, cause error) error {
					return wserr.Decode("receive", "feed.Trade", nil, cause)
				},
			},
			{
				Name: "drain", Err: drain(url, errBoom), Class: wsclient.ErrDrain, Types: []any{(*wsclient.DrainError)(nil)},
				Text:  "wsclient: shutdown wss://feed.example/ws: messages left behind: 3 unsent, 1 unacknowledged: boom",
				Build: drain,
			},
			{
				Name: "spool", Err: wserr.Spool("spool.append", "/var/spool", errBoom), Class: wsclient.ErrSpool,
				Kinds: errkit.Internal, Types: []any{(*wsclient.SpoolError)(nil)},
				Text:  "wsclient: spool.append: disk log failed: /var/spool: boom",
				Build: func(_ string, cause error) error { return wserr.Spool("spool.append", "/var/spool", cause) },
			},
			refusedWith(wsclient.ErrUnauthorized, 401, "401 Unauthorized", errkit.Auth),
			refusedWith(wsclient.ErrForbidden, 403, "403 Forbidden", errkit.Denied),
			refusedWith(wsclient.ErrRateLimited, 429, "429 Too Many Requests", errkit.RateLimited),
			without(wsclient.ErrReconnecting, "not connected", errkit.NotReady|errkit.NotSent),
			without(wsclient.ErrShuttingDown, "shutting down", errkit.Closed|errkit.NotSent),
			without(wsclient.ErrKilled, "connection killed", errkit.Disconnected),
			plain(wsclient.ErrSpoolClosed, "disk log closed", errkit.Closed|errkit.NotSent),
			{
				Name: "state", Err: wrongState(url, nil), Class: wsclient.ErrState,
				Kinds: errkit.Conflict | errkit.NotSent, Types: []any{(*wsclient.StateError)(nil)},
				Text:  "wsclient: schedule wss://feed.example/ws: not allowed in this state: connected",
				Build: wrongState,
			},
			plain(wsclient.ErrMaybeSent, "message may have been sent", 0),
			plain(wsclient.ErrExpired, "message expired", errkit.Timeout|errkit.NotSent),
			plain(wsclient.ErrCanceled, "message canceled", errkit.Canceled|errkit.NotSent),
			plain(wsclient.ErrGiveUp, "giving up", errkit.Exhausted),
		},
	})
}

func notConnected(target string, cause error) error {
	return &wsclient.ClosedError{Info: info(wsclient.ErrNotConnected, "send", target, 0, cause)}
}

func reconnectDisabled(target string, cause error) error {
	return &wsclient.ReconnectError{Info: info(wsclient.ErrReconnectDisabled, "connect", target, 0, cause)}
}

func wrongState(target string, cause error) error {
	return &wsclient.StateError{
		Info: info(wsclient.ErrState, "schedule", target, 0, cause), State: wsclient.StateConnected,
	}
}

func drain(target string, cause error) error {
	return &wsclient.DrainError{Info: info(wsclient.ErrDrain, "shutdown", target, 0, cause), Unsent: 3, Unacked: 1}
}

// refusedWith is the sample of an upgrade that was answered with status.
func refusedWith(class *errkit.Class, status int, text string, kinds errkit.Kind) errkittest.Sample {
	build := func(target string, cause error) error {
		i := info(class, "connect", target, errkit.HTTPKind(status), cause)
		return &wsclient.HandshakeError{
			ConnectionError: wsclient.ConnectionError{Info: i, URL: i.Target}, StatusCode: status, Status: text,
		}
	}
	return errkittest.Sample{
		Name: text, Err: build(url, nil), Class: class, Kinds: errkit.Connection | errkit.NotSent | kinds,
		Types: []any{(*wsclient.HandshakeError)(nil), (*wsclient.ConnectionError)(nil)},
		Text:  "wsclient: connect wss://feed.example/ws: upgrade refused: HTTP " + text,
		Build: build,
	}
}

// without is the sample of a call that needs a connection and has none.
func without(class *errkit.Class, text string, kinds errkit.Kind) errkittest.Sample {
	build := func(target string, cause error) error {
		return &wsclient.ClosedError{Info: info(class, "send", target, 0, cause)}
	}
	return errkittest.Sample{
		Name: class.Code(), Err: build(url, nil), Class: class, Kinds: kinds, Types: []any{(*wsclient.ClosedError)(nil)},
		Text: "wsclient: send wss://feed.example/ws: " + text + ": code 1006", Build: build,
	}
}

// plain is the sample of a class whose errors have no fields of their own.
func plain(class *errkit.Class, text string, kinds errkit.Kind) errkittest.Sample {
	build := func(target string, cause error) error { return class.Wrap("send", redact.URLString(target), cause) }
	return errkittest.Sample{
		Name: class.Code(), Err: build(url, nil), Class: class, Kinds: kinds, Types: []any{(*errkit.Basic)(nil)},
		Text: "wsclient: send wss://feed.example/ws: " + text, Build: build,
	}
}

// The zero values can be printed.
func TestZeroErrors(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"":                             &wsclient.ConnectionError{},
		"code 1006":                    &wsclient.ClosedError{},
		"size 0, dropped 0":            &wsclient.QueueFullError{},
		"limit 0":                      &wsclient.MessageTooBigError{},
		"limit 1s":                     &wsclient.TimeoutError{Limit: time.Second},
		"what the peer did":            &wsclient.ProtocolError{ProtocolError: "what the peer did"},
		"url":                          &wsclient.ConfigError{Field: "url"},
		"feed.Trade":                   &wsclient.DecodeError{Type: "feed.Trade"},
		"0 unsent, 0 unacknowledged":   &wsclient.DrainError{},
		"/var/spool":                   &wsclient.SpoolError{Path: "/var/spool"},
		"HTTP 503 Service Unavailable": &wsclient.HandshakeError{StatusCode: 503},
	} {
		if got := err.Error(); got != want {
			t.Errorf("%T prints %q, want %q", err, got, want)
		}
	}
}
