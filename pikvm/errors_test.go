package pikvm_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// kvm is the target of the samples.
const kvm = "https://kvm.local"

// infoOf returns the common part of a sample, as the client fills it.
func infoOf(class *errkit.Class, op, target string, kind errkit.Kind, cause error) errkit.Info {
	return errkit.Info{
		Class: class, Op: op, Target: redact.URLString(target), Kind: kind, Err: errkit.CleanCause(cause),
	}
}

// apiSample is a refusal of a class that has no type of its own.
func apiSample(class *errkit.Class, kinds, more errkit.Kind, status int, code, message, text string) errkittest.Sample {
	build := func(target string, cause error) error {
		return &pikvm.APIError{
			Info:       infoOf(class, "atx.Click", target, more, cause),
			StatusCode: status, Code: code, Message: message,
		}
	}
	return errkittest.Sample{
		Name: class.Code(), Err: build(kvm, nil), Class: class, Kinds: kinds, Types: []any{(*pikvm.APIError)(nil)},
		Text: text, Build: build, Allocs: 1,
	}
}

// TestErrors checks every class and every type of error against the rules of the house.
func TestErrors(t *testing.T) {
	boom := errors.New("boom")
	sample := func(
		name string, class *errkit.Class, kinds errkit.Kind, types []any, text string,
		build func(target string, cause error) error,
	) errkittest.Sample {
		return errkittest.Sample{
			Name: name, Err: build(kvm, boom), Class: class, Kinds: kinds, Types: types, Text: text, Build: build,
		}
	}
	api := func(class *errkit.Class, status int, cause error, target string) pikvm.APIError {
		return pikvm.APIError{Info: infoOf(class, "atx.State", target, 0, cause), StatusCode: status}
	}
	stuck := []pikvm.Key{pikvm.KeyShiftLeft}
	errkittest.Run(t, errkittest.Module{
		Base: pikvm.Err,
		Classes: []*errkit.Class{
			pikvm.Err, pikvm.ErrClosed, pikvm.ErrConfiguration, pikvm.ErrAPI, pikvm.ErrAuth, pikvm.ErrBusy,
			pikvm.ErrUnavailable, pikvm.ErrRedirect, pikvm.ErrResponse, pikvm.ErrDisabled, pikvm.ErrOffline,
			pikvm.ErrNotFound, pikvm.ErrExists, pikvm.ErrPrecondition, pikvm.ErrNotSupported, pikvm.ErrInvalidArgument,
			pikvm.ErrConnect, pikvm.ErrConnectionTimeout, pikvm.ErrWebSocket, pikvm.ErrNotConnected, pikvm.ErrPower,
			pikvm.ErrMSD, pikvm.ErrTyping, pikvm.ErrScreen,
		},
		Samples: []errkittest.Sample{
			sample("canceled", pikvm.Err, errkit.Canceled, []any{(*errkit.Basic)(nil)},
				"pikvm: atx.State https://kvm.local: request failed: boom",
				func(target string, cause error) error {
					return &errkit.Basic{Info: infoOf(pikvm.Err, "atx.State", target, errkit.Canceled, cause)}
				}),
			sample("closed", pikvm.ErrClosed, errkit.Closed|errkit.NotSent, []any{(*errkit.Basic)(nil)},
				"pikvm: atx.State https://kvm.local: client closed: boom",
				func(target string, cause error) error {
					return &errkit.Basic{Info: infoOf(pikvm.ErrClosed, "atx.State", target, errkit.NotSent, cause)}
				}),
			sample("configuration", pikvm.ErrConfiguration, errkit.Invalid|errkit.NotSent,
				[]any{(*pikvm.ConfigurationError)(nil)},
				"pikvm: New https://kvm.local: wrong configuration: User: empty: boom",
				func(target string, cause error) error {
					return &pikvm.ConfigurationError{
						Info: infoOf(pikvm.ErrConfiguration, "New", target, 0, cause), Field: "User", Reason: "empty",
					}
				}),
			apiSample(pikvm.ErrAPI, errkit.Unavailable, errkit.Unavailable, 502, "", "",
				"pikvm: atx.Click https://kvm.local: request refused: HTTP 502"),
			apiSample(pikvm.ErrBusy, errkit.Busy, 0, 409, "AtxIsBusyError",
				"Performing another ATX operation, please try again later",
				"pikvm: atx.Click https://kvm.local: busy: "+
					"Performing another ATX operation, please try again later (HTTP 409 AtxIsBusyError)"),
			apiSample(pikvm.ErrUnavailable, errkit.Unavailable, errkit.Unavailable, 503, "UnavailableError",
				"Service Unavailable",
				"pikvm: atx.Click https://kvm.local: unavailable: Service Unavailable (HTTP 503 UnavailableError)"),
			apiSample(pikvm.ErrDisabled, errkit.Unsupported|errkit.Invalid, errkit.Invalid, 400, "AtxDisabledError",
				"ATX is disabled",
				"pikvm: atx.Click https://kvm.local: disabled on the device: ATX is disabled (HTTP 400 AtxDisabledError)"),
			apiSample(pikvm.ErrOffline, errkit.Unavailable, 0, 0, "MsdOfflineError", "MSD is not found",
				"pikvm: atx.Click https://kvm.local: offline: MSD is not found (MsdOfflineError)"),
			apiSample(pikvm.ErrNotFound, errkit.NotFound, errkit.NotFound, 404, "", "404: Not Found",
				"pikvm: atx.Click https://kvm.local: not found: 404: Not Found (HTTP 404)"),
			apiSample(pikvm.ErrExists, errkit.Conflict|errkit.Invalid, errkit.Invalid, 400, "MsdImageExistsError", "",
				"pikvm: atx.Click https://kvm.local: exists already: HTTP 400 MsdImageExistsError"),
			apiSample(pikvm.ErrPrecondition, errkit.Conflict|errkit.Invalid, errkit.Invalid, 400, "MsdConnectedError", "",
				"pikvm: atx.Click https://kvm.local: precondition not met: HTTP 400 MsdConnectedError"),
			apiSample(pikvm.ErrNotSupported, errkit.Unsupported|errkit.Invalid, errkit.Invalid, 400,
				"GpioPulseNotSupported", "",
				"pikvm: atx.Click https://kvm.local: not supported: HTTP 400 GpioPulseNotSupported"),
			apiSample(pikvm.ErrInvalidArgument, errkit.Invalid, 0, 0, "", "bad\nword",
				"pikvm: atx.Click https://kvm.local: invalid argument: bad word"),
			sample("auth", pikvm.ErrAuth, errkit.Auth, []any{(*pikvm.AuthError)(nil), (*pikvm.APIError)(nil)},
				"pikvm: atx.State https://kvm.local: authentication failed: HTTP 403: boom",
				func(target string, cause error) error {
					return &pikvm.AuthError{APIError: api(pikvm.ErrAuth, 403, cause, target)}
				}),
			sample("redirect", pikvm.ErrRedirect, errkit.Unsupported,
				[]any{(*pikvm.RedirectError)(nil), (*pikvm.APIError)(nil)},
				"pikvm: atx.State https://kvm.local: redirect not followed: HTTP 308 to https://kvm.local: boom",
				func(target string, cause error) error {
					return &pikvm.RedirectError{
						APIError: api(pikvm.ErrRedirect, 308, cause, target), Location: redact.URLString(target),
					}
				}),
			sample("response", pikvm.ErrResponse, errkit.Protocol,
				[]any{(*pikvm.ResponseError)(nil), (*pikvm.APIError)(nil)},
				"pikvm: atx.State https://kvm.local: unexpected response: HTTP 200 for /api/atx: boom",
				func(target string, cause error) error {
					return &pikvm.ResponseError{APIError: api(pikvm.ErrResponse, 200, cause, target), Path: "/api/atx"}
				}),
			sample("connect", pikvm.ErrConnect, errkit.Connection|errkit.NotSent, []any{(*pikvm.ConnectError)(nil)},
				"pikvm: atx.State https://kvm.local: connection failed: boom",
				func(target string, cause error) error {
					return &pikvm.ConnectError{Info: infoOf(pikvm.ErrConnect, "atx.State", target, errkit.NotSent, cause)}
				}),
			sample("timeout", pikvm.ErrConnectionTimeout, errkit.Timeout, []any{(*pikvm.ConnectionTimeoutError)(nil)},
				"pikvm: atx.State https://kvm.local: timeout: no answer within 10s: boom",
				func(target string, cause error) error {
					return &pikvm.ConnectionTimeoutError{
						Info: infoOf(pikvm.ErrConnectionTimeout, "atx.State", target, 0, cause), Limit: 10 * time.Second,
					}
				}),
			sample("websocket", pikvm.ErrWebSocket, errkit.Disconnected|errkit.Unavailable,
				[]any{(*pikvm.WebSocketError)(nil)},
				`pikvm: events.Read https://kvm.local: socket failed: close code 1001 "bye": boom`,
				func(target string, cause error) error {
					return pikvm.NewWebSocketError(pikvm.ErrWebSocket, "events.Read", redact.URLString(target), 1001, "bye",
						errkit.CleanCause(cause))
				}),
			sample("not connected", pikvm.ErrNotConnected, errkit.NotReady|errkit.NotSent,
				[]any{(*pikvm.WebSocketError)(nil)},
				"pikvm: events.Ping https://kvm.local: not connected: boom",
				func(target string, cause error) error {
					return pikvm.NewWebSocketError(pikvm.ErrNotConnected, "events.Ping", redact.URLString(target), 0, "",
						errkit.CleanCause(cause))
				}),
			sample("power", pikvm.ErrPower, errkit.Timeout, []any{(*pikvm.PowerError)(nil)},
				"pikvm: atx.PowerOff https://kvm.local: power operation failed: wait off: still on after 1m0s: boom",
				func(target string, cause error) error {
					return &pikvm.PowerError{
						Info: infoOf(pikvm.ErrPower, "atx.PowerOff", target, errkit.Timeout, cause),
						Step: "wait off", Reason: "still on", Limit: time.Minute, Pressed: true,
					}
				}),
			sample("typing", pikvm.ErrTyping, errkit.Timeout, []any{(*pikvm.TypingError)(nil)},
				"pikvm: hid.Type https://kvm.local: typing stopped: after 2 of 6 characters, keys may still be pressed: boom",
				func(target string, cause error) error {
					return &pikvm.TypingError{
						Info:  infoOf(pikvm.ErrTyping, "hid.Type", target, errkit.Timeout, cause),
						Typed: 2, Total: 6, Stuck: stuck,
					}
				}),
			sample("screen", pikvm.ErrScreen, errkit.Timeout, []any{(*pikvm.ScreenError)(nil)},
				"pikvm: screen.Screenshot https://kvm.local: not seen on the screen: a picture: no signal from the host after 30s: boom",
				func(target string, cause error) error {
					return &pikvm.ScreenError{
						Info: infoOf(pikvm.ErrScreen, "screen.Screenshot", target, errkit.Timeout, cause),
						Want: "a picture", Reason: "no signal from the host", Limit: 30 * time.Second, Text: "hidden",
					}
				}),
			sample("msd", pikvm.ErrMSD, errkit.Timeout, []any{(*pikvm.MSDError)(nil)},
				"pikvm: msd.Upload https://kvm.local: mass storage operation failed: list: not listed after 15s: boom",
				func(target string, cause error) error {
					return &pikvm.MSDError{
						Info: infoOf(pikvm.ErrMSD, "msd.Upload", target, errkit.Timeout, cause),
						Step: pikvm.StepList, Image: "a.iso", Reason: "not listed", Limit: 15 * time.Second,
					}
				}),
		},
	})
}

// TestErrorsOfRealCalls checks that what the client returns matches what callers look for, by sentinel and by type.
func TestErrorsOfRealCalls(t *testing.T) {
	t.Parallel()
	e := exchangeNamed(t, "atx_busy")
	err := replay(t, e, nil).ATX.Click(t.Context(), pikvm.ButtonPower, nil)
	const suffix = ": busy: Performing another ATX operation, please try again later (HTTP 409 AtxIsBusyError)"
	if got := err.Error(); got[len(got)-len(suffix):] != suffix {
		t.Errorf("text is %s", got)
	}
	for _, target := range []error{pikvm.ErrBusy, pikvm.ErrAPI, pikvm.Err, errkit.Err, errkit.Busy} {
		if !errors.Is(err, target) {
			t.Errorf("%v is not %v", err, target)
		}
	}
	for _, target := range []error{
		pikvm.ErrAuth, pikvm.ErrConnect, errkit.Conflict, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, target) {
			t.Errorf("%v is %v", err, target)
		}
	}
	if !errkit.Transient(err) {
		t.Errorf("%v is not transient", err)
	}
}
