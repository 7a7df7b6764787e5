package errkittest_test

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
)

var (
	kvmErr                  = errkit.NewClass("pikvm", "", 0)
	kvmErrClosed            = kvmErr.New("closed", "client closed", errkit.Closed|errkit.NotSent)
	kvmErrConfiguration     = kvmErr.New("config", "wrong configuration", errkit.Invalid|errkit.NotSent)
	kvmErrAPI               = kvmErr.New("api", "request refused", 0)
	kvmErrAuth              = kvmErrAPI.New("auth", "authentication failed", errkit.Auth)
	kvmErrBusy              = kvmErrAPI.New("busy", "busy", errkit.Busy)
	kvmErrUnavailable       = kvmErrAPI.New("unavailable", "unavailable", errkit.Unavailable)
	kvmErrRedirect          = kvmErrAPI.New("redirect", "redirect not followed", errkit.Unsupported)
	kvmErrResponse          = kvmErrAPI.New("response", "unexpected response", errkit.Protocol)
	kvmErrConnect           = kvmErr.New("connect", "connection failed", errkit.Connection)
	kvmErrConnectionTimeout = kvmErr.New("timeout", "timed out", errkit.Timeout)
	kvmErrWebSocket         = kvmErr.New("websocket", "event socket failed", 0)
	kvmErrNotConnected      = kvmErrWebSocket.New("notconnected", "not connected", errkit.NotReady|errkit.NotSent)
	kvmErrWebRTC            = kvmErr.New("webrtc", "negotiation failed", errkit.Protocol)
)

type (
	kvmConfiguration struct {
		errkit.Info
		Field string
	}
	kvmAPI struct {
		errkit.Info
		StatusCode    int
		Code, Message string
	}
	kvmAuth     struct{ kvmAPI }
	kvmRedirect struct {
		kvmAPI
		Location string
	}
	kvmResponse struct {
		kvmAPI
		Path string
	}
	kvmConnect           struct{ errkit.Info }
	kvmConnectionTimeout struct {
		errkit.Info
		Limit time.Duration
	}
	kvmWebSocket struct {
		errkit.Info
		Code   int
		Reason string
	}
	kvmWebRTC struct {
		errkit.Info
		Code   int
		Reason string
	}
)

func (e *kvmConfiguration) Error() string { return errkit.Message(&e.Info, e.Field) }
func (e *kvmConnect) Error() string       { return errkit.Message(&e.Info, "") }
func (e *kvmConnectionTimeout) Error() string {
	return errkit.Message(&e.Info, "limit "+e.Limit.String())
}
func (e *kvmWebSocket) Error() string { return errkit.Message(&e.Info, e.Reason) }
func (e *kvmWebRTC) Error() string    { return errkit.Message(&e.Info, e.Reason) }

func (e *kvmAPI) Error() string {
	return errkit.Message(&e.Info, e.Message+" (HTTP "+strconv.Itoa(e.StatusCode)+" "+e.Code+")")
}

func (e *kvmAuth) As(target any) bool     { return asAPI(&e.kvmAPI, target) }
func (e *kvmRedirect) As(target any) bool { return asAPI(&e.kvmAPI, target) }
func (e *kvmResponse) As(target any) bool { return asAPI(&e.kvmAPI, target) }

func asAPI(e *kvmAPI, target any) bool {
	p, ok := target.(**kvmAPI)
	if ok {
		*p = e
	}
	return ok
}

func (e *kvmAPI) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Int("status", e.StatusCode), slog.String("code", e.Code), slog.String("message", e.Message)}
}

func (e *kvmConnectionTimeout) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Duration("limit", e.Limit)}
}

func (e *kvmWebSocket) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Int("code", e.Code), slog.String("reason", e.Reason)}
}

const kvm = "https://kvm.local"

// kvmReply is the row of a request that the device refused.
func kvmReply(name string, class *errkit.Class, kinds errkit.Kind, status int, code, message string) errkittest.Sample {
	return row(name, class, kinds, "atx.Click", kvm,
		"pikvm: atx.Click https://kvm.local: "+class.Text()+": "+message+" (HTTP "+strconv.Itoa(status)+" "+code+"): boom",
		func(i errkit.Info) error {
			i.Kind |= kinds
			return &kvmAPI{i, status, code, message}
		}, (*kvmAPI)(nil))
}

var pikvmTree = errkittest.Module{
	Base: kvmErr,
	Classes: []*errkit.Class{
		kvmErr, kvmErrClosed, kvmErrConfiguration, kvmErrAPI, kvmErrAuth, kvmErrBusy, kvmErrUnavailable, kvmErrRedirect,
		kvmErrResponse, kvmErrConnect, kvmErrConnectionTimeout, kvmErrWebSocket, kvmErrNotConnected, kvmErrWebRTC,
	},
	Samples: []errkittest.Sample{
		row("closed", kvmErrClosed, errkit.Closed|errkit.NotSent, "info.Get", "", "pikvm: info.Get: client closed", plain, plainType),
		row("configuration", kvmErrConfiguration, errkit.Invalid|errkit.NotSent, "new", "", "pikvm: new: wrong configuration: User",
			func(i errkit.Info) error { return &kvmConfiguration{i, "User"} }, (*kvmConfiguration)(nil)),
		kvmReply("api", kvmErrAPI, errkit.Invalid, 400, "ValidatorError", "The argument is wrong"),
		kvmReply("api, no status", kvmErrAPI, errkit.NotFound, 0, "MsdUnknownImageError", "No such image"),
		kvmReply("busy", kvmErrBusy, errkit.Busy, 409, "AtxIsBusyError", "Performing another ATX operation"),
		kvmReply("unavailable", kvmErrUnavailable, errkit.Unavailable, 503, "UnavailableError", "Not now"),
		row("auth", kvmErrAuth, errkit.Auth, "auth.Login", kvm,
			"pikvm: auth.Login https://kvm.local: authentication failed: Forbidden (HTTP 403 ForbiddenError): boom",
			func(i errkit.Info) error { return &kvmAuth{kvmAPI{i, 403, "ForbiddenError", "Forbidden"}} }, (*kvmAuth)(nil), (*kvmAPI)(nil)),
		row("redirect", kvmErrRedirect, errkit.Unsupported, "info.Get", kvm,
			"pikvm: info.Get https://kvm.local: redirect not followed: to the login (HTTP 302 ): boom",
			func(i errkit.Info) error { return &kvmRedirect{kvmAPI{i, 302, "", "to the login"}, kvm} }, (*kvmRedirect)(nil), (*kvmAPI)(nil)),
		row("response", kvmErrResponse, errkit.Protocol, "info.Get", kvm,
			"pikvm: info.Get https://kvm.local: unexpected response: not JSON (HTTP 200 ): boom",
			func(i errkit.Info) error { return &kvmResponse{kvmAPI{i, 200, "", "not JSON"}, "result"} }, (*kvmResponse)(nil), (*kvmAPI)(nil)),
		row("connect", kvmErrConnect, errkit.Connection|errkit.NotSent, "info.Get", kvm, "pikvm: info.Get https://kvm.local: connection failed: boom",
			func(i errkit.Info) error {
				i.Kind |= errkit.NotSent
				return &kvmConnect{i}
			}, (*kvmConnect)(nil)),
		row("connection lost", kvmErrConnect, errkit.Connection|errkit.Disconnected, "atx.Click", kvm, "pikvm: atx.Click https://kvm.local: connection failed: boom",
			func(i errkit.Info) error {
				i.Kind |= errkit.Disconnected
				return &kvmConnect{i}
			}, (*kvmConnect)(nil)),
		row("timeout", kvmErrConnectionTimeout, errkit.Timeout, "atx.Click", kvm, "pikvm: atx.Click https://kvm.local: timed out: limit 10s: boom",
			func(i errkit.Info) error { return &kvmConnectionTimeout{i, 10 * time.Second} }, (*kvmConnectionTimeout)(nil)),
		row("websocket", kvmErrWebSocket, errkit.Disconnected|errkit.Connection, "events", kvm, "pikvm: events https://kvm.local: event socket failed: lost: boom",
			func(i errkit.Info) error {
				i.Kind |= errkit.CloseKind(1006)
				return &kvmWebSocket{i, 1006, "lost"}
			}, (*kvmWebSocket)(nil)),
		row("not connected", kvmErrNotConnected, errkit.NotReady|errkit.NotSent, "events", "", "pikvm: events: not connected",
			func(i errkit.Info) error { return &kvmWebSocket{Info: i} }, (*kvmWebSocket)(nil)),
		row("webrtc", kvmErrWebRTC, errkit.Protocol, "webrtc", kvm, "pikvm: webrtc https://kvm.local: negotiation failed: no plugin: boom",
			func(i errkit.Info) error { return &kvmWebRTC{i, 403, "no plugin"} }, (*kvmWebRTC)(nil)),
	},
}
