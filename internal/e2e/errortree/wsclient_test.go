package errortree_test

import (
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/wsclient"
)

var wsclientTree = tree{
	pkg:  "wsclient",
	base: wsclient.Err,
	classes: map[string]*errkit.Class{
		"Err":                  wsclient.Err,
		"ErrCanceled":          wsclient.ErrCanceled,
		"ErrClosed":            wsclient.ErrClosed,
		"ErrConfig":            wsclient.ErrConfig,
		"ErrConnection":        wsclient.ErrConnection,
		"ErrDecode":            wsclient.ErrDecode,
		"ErrDrain":             wsclient.ErrDrain,
		"ErrExpired":           wsclient.ErrExpired,
		"ErrForbidden":         wsclient.ErrForbidden,
		"ErrGiveUp":            wsclient.ErrGiveUp,
		"ErrHandshake":         wsclient.ErrHandshake,
		"ErrKilled":            wsclient.ErrKilled,
		"ErrMaybeSent":         wsclient.ErrMaybeSent,
		"ErrMessageTooBig":     wsclient.ErrMessageTooBig,
		"ErrNotConnected":      wsclient.ErrNotConnected,
		"ErrProtocol":          wsclient.ErrProtocol,
		"ErrQueueFull":         wsclient.ErrQueueFull,
		"ErrRateLimited":       wsclient.ErrRateLimited,
		"ErrReconnect":         wsclient.ErrReconnect,
		"ErrReconnectDisabled": wsclient.ErrReconnectDisabled,
		"ErrReconnecting":      wsclient.ErrReconnecting,
		"ErrRefused":           wsclient.ErrRefused,
		"ErrShuttingDown":      wsclient.ErrShuttingDown,
		"ErrSpool":             wsclient.ErrSpool,
		"ErrSpoolClosed":       wsclient.ErrSpoolClosed,
		"ErrState":             wsclient.ErrState,
		"ErrTimeout":           wsclient.ErrTimeout,
		"ErrUnauthorized":      wsclient.ErrUnauthorized,
	},
	samples: []errkittest.Sample{
		sample("config", errkit.Invalid|errkit.NotSent, "wsclient: op: invalid argument: url",
			func(target string, cause error) error {
				return &wsclient.ConfigError{Info: info(wsclient.ErrConfig, "op", target, cause), Field: "url"}
			}, (*wsclient.ConfigError)(nil)),
		sample("connection", errkit.Connection|errkit.NotSent, "wsclient: op: connection failed",
			func(target string, cause error) error {
				i := info(wsclient.ErrConnection, "op", target, cause)
				return &wsclient.ConnectionError{Info: i, URL: i.Target}
			}, (*wsclient.ConnectionError)(nil)),
		sample("handshake", errkit.Connection|errkit.NotSent, "wsclient: op: upgrade refused: HTTP 418 I'm a teapot",
			func(target string, cause error) error {
				i := info(wsclient.ErrHandshake, "op", target, cause)
				return &wsclient.HandshakeError{
					ConnectionError: wsclient.ConnectionError{Info: i, URL: i.Target},
					StatusCode:      418, Status: "418 I'm a teapot",
				}
			}, (*wsclient.HandshakeError)(nil), (*wsclient.ConnectionError)(nil)),
		sample("closed", 0, `wsclient: op: connection closed: code 4000 "why"`,
			func(target string, cause error) error {
				return &wsclient.ClosedError{Info: info(wsclient.ErrClosed, "op", target, cause), Code: 4000, Reason: "why"}
			}, (*wsclient.ClosedError)(nil)),
		sample("not connected", errkit.NotReady|errkit.NotSent, "wsclient: op: not connected: code 1006",
			func(target string, cause error) error {
				return &wsclient.ClosedError{Info: info(wsclient.ErrNotConnected, "op", target, cause)}
			}, (*wsclient.ClosedError)(nil)),
		sample("timeout", errkit.Timeout, "wsclient: op: timed out: limit 1s",
			func(target string, cause error) error {
				return &wsclient.TimeoutError{Info: info(wsclient.ErrTimeout, "op", target, cause), Limit: time.Second}
			}, (*wsclient.TimeoutError)(nil)),
		sample("reconnect", errkit.Connection|errkit.Exhausted, "wsclient: op: reconnecting failed",
			func(target string, cause error) error {
				return &wsclient.ReconnectError{Info: info(wsclient.ErrReconnect, "op", target, cause)}
			}, (*wsclient.ReconnectError)(nil)),
		sample("reconnect disabled", errkit.Connection|errkit.Exhausted|errkit.Disconnected|errkit.Unsupported,
			"wsclient: op: reconnecting is switched off",
			func(target string, cause error) error {
				return &wsclient.ReconnectError{Info: info(wsclient.ErrReconnectDisabled, "op", target, cause)}
			}, (*wsclient.ReconnectError)(nil)),
		sample("protocol", errkit.Protocol, "wsclient: op: protocol violation: what",
			func(target string, cause error) error {
				return &wsclient.ProtocolError{Info: info(wsclient.ErrProtocol, "op", target, cause), ProtocolError: "what"}
			}, (*wsclient.ProtocolError)(nil)),
		sample("message too big", errkit.Protocol|errkit.TooLarge, "wsclient: op: message too big: 20 bytes, limit 10",
			func(target string, cause error) error {
				return &wsclient.MessageTooBigError{
					ProtocolError: wsclient.ProtocolError{Info: info(wsclient.ErrMessageTooBig, "op", target, cause)},
					Size:          20, Limit: 10,
				}
			}, (*wsclient.MessageTooBigError)(nil), (*wsclient.ProtocolError)(nil)),
		sample("queue full", errkit.Full, "wsclient: op: queue full: size 5, dropped 7",
			func(target string, cause error) error {
				return &wsclient.QueueFullError{
					Info: info(wsclient.ErrQueueFull, "op", target, cause), QueueSize: 5, DroppedCount: 7,
				}
			}, (*wsclient.QueueFullError)(nil)),
		sample("decode", errkit.Protocol, "wsclient: op: message cannot be decoded: feed.Trade",
			func(target string, cause error) error {
				return &wsclient.DecodeError{
					ProtocolError: wsclient.ProtocolError{Info: info(wsclient.ErrDecode, "op", target, cause)},
					Type:          "feed.Trade",
				}
			}, (*wsclient.DecodeError)(nil), (*wsclient.ProtocolError)(nil)),
		sample("drain", 0, "wsclient: op: messages left behind: 2 unsent, 1 unacknowledged",
			func(target string, cause error) error {
				return &wsclient.DrainError{Info: info(wsclient.ErrDrain, "op", target, cause), Unsent: 2, Unacked: 1}
			}, (*wsclient.DrainError)(nil)),
		sample("spool", 0, "wsclient: op: disk log failed: dir", func(target string, cause error) error {
			return &wsclient.SpoolError{Info: info(wsclient.ErrSpool, "op", target, cause), Path: "dir"}
		}, (*wsclient.SpoolError)(nil)),
		refused("unauthorized", wsclient.ErrUnauthorized, 401, "Unauthorized", errkit.Auth),
		refused("forbidden", wsclient.ErrForbidden, 403, "Forbidden", errkit.Denied),
		refused("rate limited", wsclient.ErrRateLimited, 429, "Too Many Requests", errkit.RateLimited),
		ended("reconnecting", wsclient.ErrReconnecting, "not connected", errkit.NotReady|errkit.NotSent),
		ended("shutting down", wsclient.ErrShuttingDown, "shutting down", errkit.Closed|errkit.NotSent),
		ended("killed", wsclient.ErrKilled, "connection killed", errkit.Disconnected),
		plain(wsclient.ErrSpoolClosed, "disk log closed", errkit.Closed|errkit.NotSent),
		sample("state", errkit.Conflict|errkit.NotSent, "wsclient: op: not allowed in this state: connected",
			func(target string, cause error) error {
				return &wsclient.StateError{
					Info: info(wsclient.ErrState, "op", target, cause), State: wsclient.StateConnected,
				}
			}, (*wsclient.StateError)(nil)),
		plain(wsclient.ErrMaybeSent, "message may have been sent", 0),
		plain(wsclient.ErrExpired, "message expired", errkit.Timeout|errkit.NotSent),
		plain(wsclient.ErrCanceled, "message canceled", errkit.Canceled|errkit.NotSent),
		plain(wsclient.ErrRefused, "refused by the peer", errkit.Denied),
		plain(wsclient.ErrGiveUp, "giving up", errkit.Exhausted),
	},
}

// refused is the sample of an upgrade that was answered with status.
func refused(name string, class *errkit.Class, status int, text string, kinds errkit.Kind) errkittest.Sample {
	return sample(name, errkit.Connection|errkit.NotSent|kinds,
		"wsclient: op: upgrade refused: HTTP "+strconv.Itoa(status)+" "+text,
		func(target string, cause error) error {
			i := info(class, "op", target, cause)
			return &wsclient.HandshakeError{
				ConnectionError: wsclient.ConnectionError{Info: i, URL: i.Target}, StatusCode: status,
			}
		}, (*wsclient.HandshakeError)(nil), (*wsclient.ConnectionError)(nil))
}

// ended is the sample of a connection that is not there.
func ended(name string, class *errkit.Class, text string, kinds errkit.Kind) errkittest.Sample {
	return sample(name, kinds, "wsclient: op: "+text+": code 1006", func(target string, cause error) error {
		return &wsclient.ClosedError{Info: info(class, "op", target, cause)}
	}, (*wsclient.ClosedError)(nil))
}

// plain is the sample of a class whose errors have no fields of their own.
func plain(class *errkit.Class, text string, kinds errkit.Kind) errkittest.Sample {
	return sample(text, kinds, "wsclient: op: "+text, func(target string, cause error) error {
		return class.Wrap("op", redact.URLString(target), cause)
	}, (*errkit.Basic)(nil))
}
