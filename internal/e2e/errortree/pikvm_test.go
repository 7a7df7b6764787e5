package errortree_test

import (
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

var pikvmTree = tree{
	pkg:  "pikvm",
	base: pikvm.Err,
	classes: map[string]*errkit.Class{
		"Err":                  pikvm.Err,
		"ErrAPI":               pikvm.ErrAPI,
		"ErrAuth":              pikvm.ErrAuth,
		"ErrBusy":              pikvm.ErrBusy,
		"ErrClosed":            pikvm.ErrClosed,
		"ErrConfiguration":     pikvm.ErrConfiguration,
		"ErrConnect":           pikvm.ErrConnect,
		"ErrConnectionTimeout": pikvm.ErrConnectionTimeout,
		"ErrDisabled":          pikvm.ErrDisabled,
		"ErrExists":            pikvm.ErrExists,
		"ErrInvalidArgument":   pikvm.ErrInvalidArgument,
		"ErrMSD":               pikvm.ErrMSD,
		"ErrBIOS":              pikvm.ErrBIOS,
		"ErrFleet":             pikvm.ErrFleet,
		"ErrInvalidMacro":      pikvm.ErrInvalidMacro,
		"ErrMacro":             pikvm.ErrMacro,
		"ErrTyping":            pikvm.ErrTyping,
		"ErrNotConnected":      pikvm.ErrNotConnected,
		"ErrNotFound":          pikvm.ErrNotFound,
		"ErrNotSupported":      pikvm.ErrNotSupported,
		"ErrOffline":           pikvm.ErrOffline,
		"ErrPower":             pikvm.ErrPower,
		"ErrPrecondition":      pikvm.ErrPrecondition,
		"ErrRedirect":          pikvm.ErrRedirect,
		"ErrResponse":          pikvm.ErrResponse,
		"ErrScreen":            pikvm.ErrScreen,
		"ErrUnavailable":       pikvm.ErrUnavailable,
		"ErrWebSocket":         pikvm.ErrWebSocket,
	},
	samples: []errkittest.Sample{
		sample("closed", errkit.Closed, "pikvm: op: client closed",
			func(target string, cause error) error {
				return &errkit.Basic{Info: info(pikvm.ErrClosed, "op", target, cause)}
			}, (*errkit.Basic)(nil)),
		sample("configuration", errkit.Invalid|errkit.NotSent, "pikvm: op: wrong configuration: User: empty",
			func(target string, cause error) error {
				return &pikvm.ConfigurationError{
					Info:  info(pikvm.ErrConfiguration, "op", target, cause),
					Field: "User", Reason: "empty",
				}
			}, (*pikvm.ConfigurationError)(nil)),
		sample("invalid macro", errkit.Invalid|errkit.NotSent, "pikvm: op: invalid macro: step 1 (key): state is missing (and 1 more)",
			func(target string, cause error) error {
				return &pikvm.InvalidMacroError{
					ConfigurationError: pikvm.ConfigurationError{
						Info:  info(pikvm.ErrInvalidMacro, "op", target, cause),
						Field: "macro", Reason: "step 1 (key): state is missing",
					},
					Problems: macroProblems,
				}
			}, (*pikvm.InvalidMacroError)(nil), (*pikvm.ConfigurationError)(nil)),
		sample("macro", 0, "pikvm: op: macro stopped: at step 4.1 (key) of loop 2",
			func(target string, cause error) error {
				return &pikvm.MacroError{Info: info(pikvm.ErrMacro, "op", target, cause), Loop: 2, Path: "4.1", Type: "key"}
			}, (*pikvm.MacroError)(nil)),
		sample("bios", 0, "pikvm: op: setup not entered: after 7 taps in 2s",
			func(target string, cause error) error {
				return &pikvm.BIOSError{Info: info(pikvm.ErrBIOS, "op", target, cause), Taps: 7, Limit: 2 * time.Second}
			}, (*pikvm.BIOSError)(nil)),
		sample("fleet", 0, "pikvm: op: failed on a device: 0 of 2 devices",
			func(target string, cause error) error {
				return &pikvm.FleetError{Info: info(pikvm.ErrFleet, "op", target, cause), Devices: 2}
			}, (*pikvm.FleetError)(nil)),
		answer("api", pikvm.ErrAPI, "request refused", 0),
		answer("busy", pikvm.ErrBusy, "busy", errkit.Busy),
		answer("unavailable", pikvm.ErrUnavailable, "unavailable", errkit.Unavailable),
		answer("disabled", pikvm.ErrDisabled, "disabled on the device", errkit.Unsupported),
		answer("offline", pikvm.ErrOffline, "offline", errkit.Unavailable),
		answer("not found", pikvm.ErrNotFound, "not found", errkit.NotFound),
		answer("exists", pikvm.ErrExists, "exists already", errkit.Conflict),
		answer("precondition", pikvm.ErrPrecondition, "precondition not met", errkit.Conflict),
		answer("not supported", pikvm.ErrNotSupported, "not supported", errkit.Unsupported),
		answer("invalid argument", pikvm.ErrInvalidArgument, "invalid argument", errkit.Invalid),
		sample("auth", errkit.Auth, "pikvm: op: authentication failed: no (HTTP 403 Some)",
			func(target string, cause error) error {
				return &pikvm.AuthError{APIError: apiError(pikvm.ErrAuth, target, cause)}
			}, (*pikvm.AuthError)(nil), (*pikvm.APIError)(nil)),
		sample("redirect", errkit.Unsupported, "pikvm: op: redirect not followed: HTTP 403 to /login",
			func(target string, cause error) error {
				return &pikvm.RedirectError{APIError: apiError(pikvm.ErrRedirect, target, cause), Location: "/login"}
			}, (*pikvm.RedirectError)(nil), (*pikvm.APIError)(nil)),
		sample("response", errkit.Protocol, "pikvm: op: unexpected response: HTTP 403 for /api/atx",
			func(target string, cause error) error {
				return &pikvm.ResponseError{APIError: apiError(pikvm.ErrResponse, target, cause), Path: "/api/atx"}
			}, (*pikvm.ResponseError)(nil), (*pikvm.APIError)(nil)),
		sample("connect", errkit.Connection, "pikvm: op: connection failed",
			func(target string, cause error) error {
				return &pikvm.ConnectError{Info: info(pikvm.ErrConnect, "op", target, cause)}
			}, (*pikvm.ConnectError)(nil)),
		sample("timeout", errkit.Timeout, "pikvm: op: timeout: no answer within 1s",
			func(target string, cause error) error {
				return &pikvm.ConnectionTimeoutError{
					Info: info(pikvm.ErrConnectionTimeout, "op", target, cause), Limit: time.Second,
				}
			}, (*pikvm.ConnectionTimeoutError)(nil)),
		sample("websocket", 0, `pikvm: op: socket failed: close code 1001 "bye"`,
			func(target string, cause error) error {
				return &pikvm.WebSocketError{Info: info(pikvm.ErrWebSocket, "op", target, cause), Code: 1001, Reason: "bye"}
			}, (*pikvm.WebSocketError)(nil)),
		sample("not connected", errkit.NotReady|errkit.NotSent, "pikvm: op: not connected",
			func(target string, cause error) error {
				return &pikvm.WebSocketError{Info: info(pikvm.ErrNotConnected, "op", target, cause)}
			}, (*pikvm.WebSocketError)(nil)),
		sample("power", 0, "pikvm: op: power operation failed: wait off: the LED is still on after 2s",
			func(target string, cause error) error {
				return &pikvm.PowerError{
					Info: info(pikvm.ErrPower, "op", target, cause),
					Step: "wait off", Reason: "the LED is still on", Limit: 2 * time.Second,
				}
			}, (*pikvm.PowerError)(nil)),
		sample("typing", 0, "pikvm: op: typing stopped: after 2 of 6 characters",
			func(target string, cause error) error {
				return &pikvm.TypingError{Info: info(pikvm.ErrTyping, "op", target, cause), Typed: 2, Total: 6}
			}, (*pikvm.TypingError)(nil)),
		sample("screen", 0, "pikvm: op: not seen on the screen: a signal: no signal from the host after 2s",
			func(target string, cause error) error {
				return &pikvm.ScreenError{
					Info: info(pikvm.ErrScreen, "op", target, cause),
					Want: "a signal", Reason: "no signal from the host", Limit: 2 * time.Second,
				}
			}, (*pikvm.ScreenError)(nil)),
		sample("msd", 0, "pikvm: op: mass storage operation failed: list: the image is not listed after 2s",
			func(target string, cause error) error {
				return &pikvm.MSDError{
					Info: info(pikvm.ErrMSD, "op", target, cause),
					Step: pikvm.StepList, Image: "a.iso", Reason: "the image is not listed", Limit: 2 * time.Second,
				}
			}, (*pikvm.MSDError)(nil)),
	},
}

var macroProblems = []pikvm.MacroProblem{{Path: "1", Type: "key", Reason: "state is missing"}, {Path: "2", Reason: "nil"}}

func apiError(class *errkit.Class, target string, cause error) pikvm.APIError {
	return pikvm.APIError{Info: info(class, "op", target, cause), StatusCode: 403, Code: "Some", Message: "no"}
}

// answer returns a sample of a class that an APIError carries.
func answer(name string, class *errkit.Class, text string, kinds errkit.Kind) errkittest.Sample {
	return sample(name, kinds, "pikvm: op: "+text+": no (HTTP 403 Some)",
		func(target string, cause error) error {
			e := apiError(class, target, cause)
			return &e
		}, (*pikvm.APIError)(nil))
}
