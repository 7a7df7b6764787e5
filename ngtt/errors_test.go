package ngtt_test

import (
	"context"
	"errors"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/ngtt"
)

// TestErrors checks every class and every type of error against the rules of the house.
func TestErrors(t *testing.T) {
	boom := errors.New("boom")
	info := func(class *errkit.Class, target string, kind errkit.Kind, cause error) errkit.Info {
		return errkit.Info{
			Class: class, Op: "op", Target: redact.URLString(target), Kind: kind, Err: errkit.CleanCause(cause),
		}
	}
	sample := func(
		name string, class *errkit.Class, kinds errkit.Kind, typ any, text string,
		build func(target string, cause error) error,
	) errkittest.Sample {
		return errkittest.Sample{
			Name: name, Err: build("hub.test", boom), Class: class, Kinds: kinds, Types: []any{typ},
			Text: "ngtt: op hub.test" + text, Build: build,
		}
	}
	basic := func(name string, class *errkit.Class, kinds errkit.Kind, text string) errkittest.Sample {
		return sample(name, class, kinds, (*errkit.Basic)(nil), text, func(target string, cause error) error {
			return &errkit.Basic{Info: info(class, target, kinds, cause)}
		})
	}
	connection := func(
		name string, class *errkit.Class, kinds errkit.Kind, reason ngtt.Reason, hint, text string,
	) errkittest.Sample {
		return sample(name, class, kinds, (*ngtt.ConnectionFailedError)(nil), text,
			func(target string, cause error) error {
				return &ngtt.ConnectionFailedError{
					Info: info(class, target, kinds, cause), Reason: reason, NoInternet: true, Hint: hint,
				}
			})
	}
	errkittest.Run(t, errkittest.Module{
		Base: ngtt.Err,
		Classes: []*errkit.Class{
			ngtt.Err, ngtt.ErrConnectionFailed, ngtt.ErrNotConnected, ngtt.ErrOrderConnectionLost,
			ngtt.ErrDataStreamSyncFailed, ngtt.ErrInvalidFrame, ngtt.ErrInvalidCredentials, ngtt.ErrConfiguration,
			ngtt.ErrClosed, ngtt.ErrJournal, ngtt.ErrPanic,
		},
		Samples: []errkittest.Sample{
			basic("canceled", ngtt.Err, errkit.Canceled, ": boom"),
			basic("closed", ngtt.ErrClosed, errkit.Closed|errkit.NotSent, ": client closed: boom"),
			basic("journal", ngtt.ErrJournal, 0, ": journal failed: boom"),
			basic("panic", ngtt.ErrPanic, errkit.Internal, ": panic in the handler: boom"),
			connection("connection", ngtt.ErrConnectionFailed, errkit.Timeout|errkit.Connection, ngtt.ReasonTLS,
				"the clock says 1970", ": connection failed: tls (the clock says 1970): boom"),
			connection("not connected", ngtt.ErrNotConnected, errkit.NotReady|errkit.NotSent,
				ngtt.ReasonNotConnected, "", ": not connected: not connected: boom"),
			connection("order", ngtt.ErrOrderConnectionLost, errkit.Disconnected|errkit.NotSent,
				ngtt.ReasonPeerClosed, "", ": the order's connection is gone: closed by peer: boom"),
			sample("rejected", ngtt.ErrDataStreamSyncFailed, errkit.Invalid, (*ngtt.DataStreamSyncFailedError)(nil),
				": data refused by the hub: tid 7: boom", func(target string, cause error) error {
					return &ngtt.DataStreamSyncFailedError{Info: info(ngtt.ErrDataStreamSyncFailed, target, 0, cause), TID: 7}
				}),
			sample("frame", ngtt.ErrInvalidFrame, errkit.Protocol, (*ngtt.InvalidFrameError)(nil),
				": invalid frame: too long (type 1, tid 2, 3 bytes): boom", func(target string, cause error) error {
					return &ngtt.InvalidFrameError{
						Info: info(ngtt.ErrInvalidFrame, target, 0, cause), Type: 1, TID: 2, Length: 3, Reason: "too long",
					}
				}),
			sample("credentials", ngtt.ErrInvalidCredentials, errkit.Auth|errkit.Invalid|errkit.NotSent,
				(*ngtt.InvalidCredentialsError)(nil), ": invalid credentials: key: boom",
				func(target string, cause error) error {
					return &ngtt.InvalidCredentialsError{Info: info(ngtt.ErrInvalidCredentials, target, 0, cause), Field: "key"}
				}),
			sample("configuration", ngtt.ErrConfiguration, errkit.Invalid|errkit.NotSent,
				(*ngtt.ConfigurationError)(nil), ": wrong configuration: Addr: empty: boom",
				func(target string, cause error) error {
					return &ngtt.ConfigurationError{
						Info: info(ngtt.ErrConfiguration, target, 0, cause), Field: "Addr", Reason: "empty",
					}
				}),
		},
	})
}

// An error of a call whose context ended matches that context, and none of the SDK's own limits does.
func TestContextErrors(t *testing.T) {
	t.Parallel()
	cred := deviceOf(t, newAuthority(t))
	client, err := ngtt.New(cred, &ngtt.Options{Addr: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("power fails")
	cancel(reason)
	err = client.Run(ctx)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, errkit.Canceled) || !errors.Is(err, ngtt.Err) ||
		errkit.Transient(err) {
		t.Errorf("%v", err)
	}
}
