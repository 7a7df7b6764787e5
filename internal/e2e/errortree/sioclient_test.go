package errortree_test

import (
	"encoding/json"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
	"github.com/fieldlink-go/fieldlink/sioclient"
)

var sioclientTree = tree{
	pkg:  "sioclient",
	base: sioclient.Err,
	classes: map[string]*errkit.Class{
		"Err":                  sioclient.Err,
		"ErrAckTimeout":        sioclient.ErrAckTimeout,
		"ErrAlreadyConnected":  sioclient.ErrAlreadyConnected,
		"ErrBadNamespace":      sioclient.ErrBadNamespace,
		"ErrBufferFull":        sioclient.ErrBufferFull,
		"ErrClosed":            sioclient.ErrClosed,
		"ErrConnectTimeout":    sioclient.ErrConnectTimeout,
		"ErrConnection":        sioclient.ErrConnection,
		"ErrConnectionRefused": sioclient.ErrConnectionRefused,
		"ErrDecode":            sioclient.ErrDecode,
		"ErrDisconnected":      sioclient.ErrDisconnected,
		"ErrEngine":            sioclient.ErrEngine,
		"ErrEngineVersion":     sioclient.ErrEngineVersion,
		"ErrHandler":           sioclient.ErrHandler,
		"ErrInvalid":           sioclient.ErrInvalid,
		"ErrNotSupported":      sioclient.ErrNotSupported,
		"ErrPacket":            sioclient.ErrPacket,
		"ErrReconnect":         sioclient.ErrReconnect,
		"ErrReserved":          sioclient.ErrReserved,
		"ErrSession":           sioclient.ErrSession,
		"ErrTimeout":           sioclient.ErrTimeout,
		"ErrTooLarge":          sioclient.ErrTooLarge,
	},
	samples: []errkittest.Sample{
		invalidField("invalid", sioclient.ErrInvalid, "invalid argument"),
		invalidField("reserved", sioclient.ErrReserved, "reserved event name"),
		namespaces("connection", sioclient.ErrConnection, 0, "connection failed"),
		namespaces("already connected", sioclient.ErrAlreadyConnected, errkit.Conflict|errkit.NotSent, "already connected"),
		namespaces("connect timeout", sioclient.ErrConnectTimeout, errkit.Timeout, "no answer in time"),
		sample("refused", errkit.Connection|errkit.Denied, "sioclient: op: connection refused: /admin: no",
			func(target string, cause error) error {
				return &sioclient.ConnectionRefusedError{
					ConnectionError: sioclient.ConnectionError{
						Info: info(sioclient.ErrConnectionRefused, "op", target, cause), Namespaces: refusing,
					},
					Message: "no", Data: refusalData,
				}
			}, (*sioclient.ConnectionRefusedError)(nil), (*sioclient.ConnectionError)(nil)),
		sample("timeout", errkit.Timeout, "sioclient: op: operation has timed out: measure after 2s",
			func(target string, cause error) error {
				return &sioclient.TimeoutError{
					Info: info(sioclient.ErrTimeout, "op", target, cause), Event: "measure", Limit: 2 * time.Second,
				}
			}, (*sioclient.TimeoutError)(nil)),
		sample("ack timeout", errkit.Timeout, "sioclient: op: operation has timed out: measure 1 of 3",
			func(target string, cause error) error {
				return &sioclient.AckTimeoutError{
					TimeoutError: sioclient.TimeoutError{
						Info: info(sioclient.ErrAckTimeout, "op", target, cause), Event: "measure", Limit: 2 * time.Second,
					},
					Responses: responses, Expected: 3,
				}
			}, (*sioclient.AckTimeoutError)(nil), (*sioclient.TimeoutError)(nil)),
		sample("namespace", errkit.Invalid|errkit.NotSent, "sioclient: op: not a connected namespace: /admin",
			func(target string, cause error) error {
				return &sioclient.BadNamespaceError{
					Info: info(sioclient.ErrBadNamespace, "op", target, cause), Namespace: "/admin",
				}
			}, (*sioclient.BadNamespaceError)(nil)),
		disconnected("disconnected", sioclient.ErrDisconnected, 0, "disconnected"),
		disconnected("reconnect", sioclient.ErrReconnect, errkit.Connection|errkit.Exhausted, "reconnecting failed"),
		siobasic("closed", sioclient.ErrClosed, errkit.Closed, "closed"),
		siobasic("handler", sioclient.ErrHandler, errkit.Internal, "panic in a handler"),
		siobasic("not supported", sioclient.ErrNotSupported, errkit.Unsupported|errkit.NotSent, "not supported"),
		engine("engine", sioclient.ErrEngine, 0, "transport failed"),
		engine("too large", sioclient.ErrTooLarge, errkit.TooLarge, "too large"),
		engine("version", sioclient.ErrEngineVersion, errkit.Unsupported, "other protocol revision"),
		sample("packet", errkit.Protocol, `sioclient: op: invalid packet: illegal attachments: "450-"`,
			func(target string, cause error) error {
				return &sioclient.PacketError{
					Info:   info(sioclient.ErrPacket, "op", target, cause),
					Detail: "illegal attachments", Packet: `"450-"`,
				}
			}, (*sioclient.PacketError)(nil)),
		sample("decode", errkit.Invalid, `sioclient: op: argument cannot be decoded: argument 1 of "measure"`,
			func(target string, cause error) error {
				return &sioclient.DecodeError{Info: info(sioclient.ErrDecode, "op", target, cause), Event: "measure", Index: 1}
			}, (*sioclient.DecodeError)(nil)),
		sample("session", 0, "sioclient: op: no such session",
			func(target string, cause error) error {
				return &sioclient.SessionError{Info: info(sioclient.ErrSession, "op", target, cause), SID: "secret"}
			}, (*sioclient.SessionError)(nil)),
		sample("buffer full", errkit.Full, "sioclient: op: buffer full: 3 messages, 70 bytes",
			func(target string, cause error) error {
				return &sioclient.BufferFullError{
					Info: info(sioclient.ErrBufferFull, "op", target, cause), Messages: 3, Bytes: 70,
				}
			}, (*sioclient.BufferFullError)(nil)),
	},
}

// What the samples hold is made once, so that making an error is one allocation.
var (
	refusing    = []string{"/admin"}
	unjoined    = []string{"/", "/admin"}
	refusalData = json.RawMessage(`{"code":401}`)
	responses   = []json.RawMessage{json.RawMessage("1")}
)

// siobasic returns a sample of a class without a type of its own.
func siobasic(name string, class *errkit.Class, kinds errkit.Kind, text string) errkittest.Sample {
	return sample(name, kinds, "sioclient: op: "+text, func(target string, cause error) error {
		return &errkit.Basic{Info: info(class, "op", target, cause)}
	}, (*errkit.Basic)(nil))
}

// invalidField returns a sample of a class that an InvalidError carries.
func invalidField(name string, class *errkit.Class, text string) errkittest.Sample {
	return sample(name, errkit.Invalid|errkit.NotSent, "sioclient: op: "+text+": event: connect",
		func(target string, cause error) error {
			return &sioclient.InvalidError{Info: info(class, "op", target, cause), Field: "event", Reason: "connect"}
		}, (*sioclient.InvalidError)(nil))
}

// namespaces returns a sample of a class that a ConnectionError carries.
func namespaces(name string, class *errkit.Class, kinds errkit.Kind, text string) errkittest.Sample {
	return sample(name, errkit.Connection|kinds, "sioclient: op: "+text+": /, /admin",
		func(target string, cause error) error {
			return &sioclient.ConnectionError{
				Info: info(class, "op", target, cause), Namespaces: unjoined,
			}
		}, (*sioclient.ConnectionError)(nil))
}

// disconnected returns a sample of a class that a DisconnectedError carries.
func disconnected(name string, class *errkit.Class, kinds errkit.Kind, text string) errkittest.Sample {
	return sample(name, errkit.Disconnected|kinds, "sioclient: op: "+text+": ping timeout",
		func(target string, cause error) error {
			return &sioclient.DisconnectedError{Info: info(class, "op", target, cause), Reason: sioclient.PingTimeout}
		}, (*sioclient.DisconnectedError)(nil))
}

// engine returns a sample of a class that an EngineError carries.
func engine(name string, class *errkit.Class, kinds errkit.Kind, text string) errkittest.Sample {
	return sample(name, kinds, "sioclient: op: "+text+`: polling status 400 "no"`,
		func(target string, cause error) error {
			return &sioclient.EngineError{
				Info: info(class, "op", target, cause), Transport: "polling", Status: 400, Code: 3, Message: "no",
			}
		}, (*sioclient.EngineError)(nil))
}
