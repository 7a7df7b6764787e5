package wserr

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// abnormalClosure is the code of a connection that ended without a close frame (RFC 6455, section 7.1.5).
const abnormalClosure = 1006

// ClosedError reports that the connection has ended: by a close frame of the peer, by a failure of the network, or by
// its owner.
//
// The kinds of an end that came from outside follow the code (see errkit.CloseKind) and the cause. An end by the
// owner is errkit.Closed and matches [net.ErrClosed].
type ClosedError struct {
	errkit.Info
	Code   int    // close code; 1006 for an end without a close frame, 1005 for a close frame without a code
	Reason string // reason given with the code
	Remote bool   // whether the end came from outside
	Gen    uint64 // generation of the connection, from 1; 0 if it is not one of a sequence
}

// Closed returns a *[ClosedError] for an end that came from outside.
func Closed(op, target string, code int, reason string, cause error) *ClosedError {
	return &ClosedError{
		Info: errkit.Info{
			Class: ErrClosed, Op: op, Target: target, Err: errkit.CleanCause(cause),
			Kind: errkit.CloseKind(code) | errkit.TransportKind(cause)&^errkit.NotSent,
		},
		Code: code, Reason: reason, Remote: true,
	}
}

// ClosedHere returns a *[ClosedError] for an end by the owner.
func ClosedHere(op, target string, code int, reason string) *ClosedError {
	return &ClosedError{
		Info: errkit.Info{Class: ErrClosed, Op: op, Target: target, Kind: errkit.Closed | errkit.NotSent},
		Code: code, Reason: reason,
	}
}

func (e *ClosedError) Error() string {
	code, info := e.Code, e.Info
	if code == 0 {
		code = abnormalClosure
	}
	if code != abnormalClosure {
		info.Err = nil // the close frame, whose contents are in the text already
	}
	detail := "code " + strconv.Itoa(code)
	if e.Reason != "" {
		detail += " " + strconv.Quote(e.Reason)
	}
	return errkit.Message(&info, detail)
}

// ErrorAttrs returns code, reason and origin for structured logs.
func (e *ClosedError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{
		slog.Int("code", e.Code), slog.String("reason", e.Reason), slog.Bool("remote", e.Remote),
		slog.Uint64("gen", e.Gen),
	}
}

// TimeoutError reports that a limit of this module passed. It matches [os.ErrDeadlineExceeded], and
// context.DeadlineExceeded only if the deadline was that of the caller's context.
//
// Info.Op names what took too long: "connect", "ping", "receive", "send", "close", "ack", "drain" or "subscribe". When
// several dials were made, Info.Attempts counts them.
type TimeoutError struct {
	errkit.Info
	Limit time.Duration // the limit that passed; 0 if it was a deadline of the caller
	URL   string        // the address, without secrets, of "connect"
}

func (e *TimeoutError) Error() string {
	if e.Limit == 0 {
		return errkit.Message(&e.Info, "")
	}
	return errkit.Message(&e.Info, "limit "+e.Limit.String())
}

// ErrorAttrs returns limit and address for structured logs.
func (e *TimeoutError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Duration("limit", e.Limit), slog.String("url", e.URL)}
}
