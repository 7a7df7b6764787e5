package pikvm

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

// The classes of this module. Every error of the module matches [Err] and [errkit.Err], its own class and all
// classes above it. Those without a type of their own are carried by the type of the class above.
var (
	// Err is the base of all errors of this module. Used bare, it reports that the caller's context was canceled (kind
	// Canceled), or that a writer of the caller failed, whose error is the cause.
	Err = errkit.NewClass("pikvm", "request failed", 0)

	// ErrClosed reports a call on a closed client, or one that Close interrupted; the former with kind NotSent.
	ErrClosed = Err.New("closed", "client closed", errkit.Closed)

	// ErrConfiguration reports a wrong option or argument, found before anything was sent: [ConfigurationError].
	ErrConfiguration = Err.New("config", "wrong configuration", errkit.Invalid|errkit.NotSent)

	// ErrAPI is the class of all answers that are no success: [APIError].
	ErrAPI = Err.New("api", "request refused", 0)

	// ErrAuth reports refused credentials, HTTP 401 or 403: [AuthError].
	ErrAuth = ErrAPI.New("auth", "authentication failed", errkit.Auth)

	// ErrBusy reports that the device performs another operation of this sort, HTTP 409, or that the host holds the
	// drive (MsdLockedError).
	ErrBusy = ErrAPI.New("busy", "busy", errkit.Busy)

	// ErrUnavailable reports that the device cannot serve this now, HTTP 503.
	ErrUnavailable = ErrAPI.New("unavailable", "unavailable", errkit.Unavailable)

	// ErrRedirect reports a redirect, which is never followed: [RedirectError].
	ErrRedirect = ErrAPI.New("redirect", "redirect not followed", errkit.Unsupported)

	// ErrResponse reports an answer that is not what the API promises: [ResponseError].
	ErrResponse = ErrAPI.New("response", "unexpected response", errkit.Protocol)

	// ErrDisabled reports a subsystem that is switched off on the device (server names "...DisabledError").
	ErrDisabled = ErrAPI.New("disabled", "disabled on the device", errkit.Unsupported)

	// ErrOffline reports a subsystem whose hardware is absent (server names "...OfflineError").
	ErrOffline = ErrAPI.New("offline", "offline", errkit.Unavailable)

	// ErrNotFound reports an unknown path (HTTP 404), image, channel or display identity.
	ErrNotFound = ErrAPI.New("notfound", "not found", errkit.NotFound)

	// ErrExists reports a name that is taken (MsdImageExistsError).
	ErrExists = ErrAPI.New("exists", "exists already", errkit.Conflict)

	// ErrPrecondition reports that the drive is in the wrong state for the operation (MsdConnectedError,
	// MsdDisconnectedError, MsdImageNotSelected).
	ErrPrecondition = ErrAPI.New("precondition", "precondition not met", errkit.Conflict)

	// ErrNotSupported reports a function that this hardware lacks (server names "...NotSupported").
	ErrNotSupported = ErrAPI.New("notsupported", "not supported", errkit.Unsupported)

	// ErrInvalidArgument reports an argument that the device rejected (ValidatorError, HttpError).
	ErrInvalidArgument = ErrAPI.New("argument", "invalid argument", errkit.Invalid)

	// ErrConnect reports that there was no connection or that it broke: [ConnectError].
	ErrConnect = Err.New("connect", "connection failed", errkit.Connection)

	// ErrConnectionTimeout reports that a limit passed: [ConnectionTimeoutError].
	ErrConnectionTimeout = Err.New("timeout", "timeout", errkit.Timeout)

	// ErrWebSocket reports trouble of a socket, of events or of media: [WebSocketError].
	ErrWebSocket = Err.New("websocket", "socket failed", 0)

	// ErrNotConnected reports the use of a session whose socket is down at the moment: a [WebSocketError].
	ErrNotConnected = ErrWebSocket.New("notconnected", "not connected", errkit.NotReady|errkit.NotSent)
)

// ConfigurationError reports a wrong option or argument. Nothing was sent.
type ConfigurationError struct {
	errkit.Info
	Field  string // the option or argument
	Reason string // what is wrong with it; never its value
}

// Error returns one line without the value of the field.
func (e *ConfigurationError) Error() string {
	return errkit.Message(&e.Info, e.Field+": "+e.Reason)
}

// ErrorAttrs returns the fields for logs and reports.
func (e *ConfigurationError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("field", e.Field), slog.String("reason", e.Reason)}
}

func configurationError(op, field, reason string) error {
	return &ConfigurationError{Info: errkit.Info{Class: ErrConfiguration, Op: op}, Field: field, Reason: reason}
}

// APIError reports an answer of the device that is no success. The classes below [ErrAPI] tell the cases apart;
// [AuthError], [RedirectError] and [ResponseError] are APIErrors too: errors.As finds the APIError in each.
type APIError struct {
	errkit.Info
	StatusCode int    // HTTP status; 0 when a 200 answer says ok:false
	Code       string // the server's name of the error, such as "AtxIsBusyError"; empty if it gave none
	Message    string // the server's text, at most 1 KiB; empty if it gave none
}

// Error returns one line with the server's text, the status and the server's name of the error.
func (e *APIError) Error() string { return errkit.Message(&e.Info, e.detail()) }

// ErrorAttrs returns the fields for logs and reports.
func (e *APIError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{
		slog.Int("status", e.StatusCode), slog.String("code", e.Code), slog.String("message", e.Message),
	}
}

func (e *APIError) detail() string {
	what := e.Code
	if e.StatusCode != 0 {
		what = "HTTP " + strconv.Itoa(e.StatusCode)
		if e.Code != "" {
			what += " " + e.Code
		}
	}
	message := redact.Excerpt([]byte(e.Message))
	switch {
	case message == "":
		return what
	case what == "":
		return message
	}
	return message + " (" + what + ")"
}

// AuthError reports refused credentials: HTTP 401 or 403, and HTTP 400 of a login or a check, by which the
// device refuses their characters.
type AuthError struct{ APIError }

// As lets errors.As find the [APIError] that every AuthError is.
func (e *AuthError) As(target any) bool { return e.asAPIError(target) }

// RedirectError reports a redirect. It was not followed, so that the credentials went nowhere else.
type RedirectError struct {
	APIError
	Location string // where the device pointed to, without secrets
}

// Error returns one line with the status and the location.
func (e *RedirectError) Error() string {
	detail := "HTTP " + strconv.Itoa(e.StatusCode)
	if e.Location != "" {
		detail += " to " + e.Location
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns the fields for logs and reports.
func (e *RedirectError) ErrorAttrs() []slog.Attr {
	return append(e.APIError.ErrorAttrs(), slog.String("location", e.Location))
}

// As lets errors.As find the [APIError] that every RedirectError is.
func (e *RedirectError) As(target any) bool { return e.asAPIError(target) }

// ResponseError reports a success that is not what the API promises: no JSON, another shape, too large or cut
// off. The cause says which.
type ResponseError struct {
	APIError
	Path string // of the request
}

// Error returns one line with the status and the path.
func (e *ResponseError) Error() string {
	return errkit.Message(&e.Info, "HTTP "+strconv.Itoa(e.StatusCode)+" for "+e.Path)
}

// ErrorAttrs returns the fields for logs and reports.
func (e *ResponseError) ErrorAttrs() []slog.Attr {
	return append(e.APIError.ErrorAttrs(), slog.String("path", e.Path))
}

// As lets errors.As find the [APIError] that every ResponseError is.
func (e *ResponseError) As(target any) bool { return e.asAPIError(target) }

func (e *APIError) asAPIError(target any) bool {
	p, ok := target.(**APIError)
	if ok {
		*p = e
	}
	return ok
}

// ConnectError reports that the device was not reached or that the connection broke before the answer was
// complete. It has the kind NotSent only if the request certainly did not reach the device: name resolution,
// dialling or TLS failed.
type ConnectError struct{ errkit.Info }

// Error returns one line with the cause.
func (e *ConnectError) Error() string { return errkit.Message(&e.Info, "") }

// ConnectionTimeoutError reports that a limit passed: that of the client, or the deadline of the caller's
// context, which alone matches [context.DeadlineExceeded]. It has the kinds Connection and NotSent if there was
// no connection yet.
type ConnectionTimeoutError struct {
	errkit.Info
	Limit time.Duration // the client's limit; 0 if another deadline passed
}

// Error returns one line with the limit.
func (e *ConnectionTimeoutError) Error() string {
	detail := ""
	if e.Limit > 0 {
		detail = "no answer within " + e.Limit.String()
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns the fields for logs and reports.
func (e *ConnectionTimeoutError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Duration("limit", e.Limit)}
}

// WebSocketError reports trouble of a socket, of events or of media: it could not be opened although the device answered no
// refusal, or it broke. A refusal with an HTTP answer is an [APIError] instead.
type WebSocketError struct {
	errkit.Info
	Code   int    // close code (RFC 6455 section 7.4), 0 if there was no close frame
	Reason string // reason that came with the code
}

// Error returns one line with the close code and its reason.
func (e *WebSocketError) Error() string {
	detail := ""
	if e.Code != 0 {
		detail = "close code " + strconv.Itoa(e.Code)
	}
	if e.Reason != "" {
		if detail != "" {
			detail += " "
		}
		detail += strconv.Quote(e.Reason)
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns the fields for logs and reports.
func (e *WebSocketError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Int("code", e.Code), slog.String("reason", e.Reason)}
}

// newWebSocketError builds the error of class for a socket that was closed with code, or, with code 0, that
// failed for the cause alone.
func newWebSocketError(class *errkit.Class, op, target string, code int, reason string, cause error) error {
	kind := errkit.TransportKind(cause) &^ errkit.NotSent // what a dial was sure of, a socket is not
	if code != 0 {
		kind |= errkit.CloseKind(code)
	}
	return &WebSocketError{
		Info: errkit.Info{Class: class, Op: op, Target: target, Kind: kind, Err: cause},
		Code: code, Reason: reason,
	}
}
