package errortree_test

import (
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
	"github.com/fieldlink-go/fieldlink/wsclient"
)

var wsclientTree = tree{
	pkg:  "wsclient",
	base: wsclient.Err,
	classes: map[string]*errkit.Class{
		"Err":                  wsclient.Err,
		"ErrClosed":            wsclient.ErrClosed,
		"ErrConfig":            wsclient.ErrConfig,
		"ErrConnection":        wsclient.ErrConnection,
		"ErrHandshake":         wsclient.ErrHandshake,
		"ErrMessageTooBig":     wsclient.ErrMessageTooBig,
		"ErrNotConnected":      wsclient.ErrNotConnected,
		"ErrProtocol":          wsclient.ErrProtocol,
		"ErrQueueFull":         wsclient.ErrQueueFull,
		"ErrReconnect":         wsclient.ErrReconnect,
		"ErrReconnectDisabled": wsclient.ErrReconnectDisabled,
		"ErrTimeout":           wsclient.ErrTimeout,
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
	},
}
