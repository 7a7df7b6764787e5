package errortree_test

import (
	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
	"github.com/fieldlink-go/fieldlink/ngtt"
)

var ngttTree = tree{
	pkg:  "ngtt",
	base: ngtt.Err,
	classes: map[string]*errkit.Class{
		"Err":                     ngtt.Err,
		"ErrClosed":               ngtt.ErrClosed,
		"ErrConfiguration":        ngtt.ErrConfiguration,
		"ErrConnectionFailed":     ngtt.ErrConnectionFailed,
		"ErrDataStreamSyncFailed": ngtt.ErrDataStreamSyncFailed,
		"ErrInvalidCredentials":   ngtt.ErrInvalidCredentials,
		"ErrInvalidFrame":         ngtt.ErrInvalidFrame,
		"ErrJournal":              ngtt.ErrJournal,
		"ErrNotConnected":         ngtt.ErrNotConnected,
		"ErrOrderConnectionLost":  ngtt.ErrOrderConnectionLost,
		"ErrPanic":                ngtt.ErrPanic,
	},
	samples: []errkittest.Sample{
		sample("closed", errkit.Closed|errkit.NotSent, "ngtt: op: client closed",
			func(target string, cause error) error {
				return &errkit.Basic{Info: info(ngtt.ErrClosed, "op", target, cause)}
			}, (*errkit.Basic)(nil)),
		sample("journal", 0, "ngtt: op: journal failed",
			func(target string, cause error) error {
				return &errkit.Basic{Info: info(ngtt.ErrJournal, "op", target, cause)}
			}, (*errkit.Basic)(nil)),
		sample("panic", errkit.Internal, "ngtt: op: panic in the handler",
			func(target string, cause error) error {
				return &errkit.Basic{Info: info(ngtt.ErrPanic, "op", target, cause)}
			}, (*errkit.Basic)(nil)),
		link("connection", ngtt.ErrConnectionFailed, 0, "connection failed"),
		link("not connected", ngtt.ErrNotConnected, errkit.NotReady|errkit.NotSent, "not connected"),
		link("order", ngtt.ErrOrderConnectionLost, errkit.Disconnected|errkit.NotSent, "the order's connection is gone"),
		sample("rejected", errkit.Invalid, "ngtt: op: data refused by the hub: tid 7",
			func(target string, cause error) error {
				return &ngtt.DataStreamSyncFailedError{Info: info(ngtt.ErrDataStreamSyncFailed, "op", target, cause), TID: 7}
			}, (*ngtt.DataStreamSyncFailedError)(nil)),
		sample("frame", errkit.Protocol, "ngtt: op: invalid frame: why (type 1, tid 2, 3 bytes)",
			func(target string, cause error) error {
				return &ngtt.InvalidFrameError{
					Info: info(ngtt.ErrInvalidFrame, "op", target, cause), Type: 1, TID: 2, Length: 3, Reason: "why",
				}
			}, (*ngtt.InvalidFrameError)(nil)),
		sample("credentials", errkit.Auth|errkit.Invalid|errkit.NotSent, "ngtt: op: invalid credentials: key",
			func(target string, cause error) error {
				return &ngtt.InvalidCredentialsError{Info: info(ngtt.ErrInvalidCredentials, "op", target, cause), Field: "key"}
			}, (*ngtt.InvalidCredentialsError)(nil)),
		sample("configuration", errkit.Invalid|errkit.NotSent, "ngtt: op: wrong configuration: Addr: empty",
			func(target string, cause error) error {
				return &ngtt.ConfigurationError{
					Info: info(ngtt.ErrConfiguration, "op", target, cause), Field: "Addr", Reason: "empty",
				}
			}, (*ngtt.ConfigurationError)(nil)),
	},
}

// link returns a sample of a class that a ConnectionFailedError carries.
func link(name string, class *errkit.Class, kinds errkit.Kind, text string) errkittest.Sample {
	return sample(name, kinds, "ngtt: op: "+text+": io",
		func(target string, cause error) error {
			return &ngtt.ConnectionFailedError{Info: info(class, "op", target, cause), Reason: ngtt.ReasonIO}
		}, (*ngtt.ConnectionFailedError)(nil))
}
