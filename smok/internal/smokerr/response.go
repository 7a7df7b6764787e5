package smokerr

import (
	"log/slog"
	"net/http"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

// The classes of calls of the hub. A [ResponseError] carries them, except [ErrBadEntry].
var (
	// ErrResponse: the hub refused, or did not answer, or not as it should.
	ErrResponse = Err.New("response", "request failed", 0)

	// ErrNoLink: there was no answer.
	ErrNoLink = ErrResponse.New("nolink", "no reply", 0)

	// ErrClientFault: the hub answered with a status of 400 to 499.
	ErrClientFault = ErrResponse.New("client", "request refused", 0)

	// ErrBadAnswer: the answer is a success by its status and not what the interface promises: no JSON, another shape,
	// too large.
	ErrBadAnswer = ErrResponse.New("answer", "unexpected answer", errkit.Protocol)

	// ErrBadEntry: one entry of an answer, or one order, cannot be used; the others can. See [EntryError].
	ErrBadEntry = Err.New("entry", "entry skipped", errkit.Protocol)
)

// StatusNoReply is the status of a request that got no reply.
const StatusNoReply = 599

// ResponseError reports a call of the hub that failed.
//
// What to do with the data that was to be sent follows from the status. [ResponseError.Rejected]: the hub does not want
// this data, and will not want it later. [ResponseError.Identity]: the hub does not want this device; the data is good.
// Everything else is a matter of the link or of the hub and passes.
type ResponseError struct {
	errkit.Info
	StatusCode int    // HTTP status; 599 if there was no reply
	Status     string // the hub's text, at most 1 KiB; empty if there was no reply, which the cause explains
	Method     string // of the request
	Path       string // of the request
	Body       string // beginning of the answer, at most 4 KiB, without secrets

	// Hint helps whoever reads the log, such as a certificate of the device that has expired; often empty.
	Hint string
}

// Error returns one line with the status and the hub's text.
func (e *ResponseError) Error() string {
	if e.NoLink() {
		return errkit.Message(&e.Info, e.Hint)
	}
	detail := "HTTP " + strconv.Itoa(e.StatusCode)
	if text := redact.Excerpt([]byte(e.Status)); text != "" {
		detail = text + " (" + detail + ")"
	}
	if e.Hint != "" {
		detail += "; " + e.Hint
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns the fields for logs and reports.
func (e *ResponseError) ErrorAttrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.Int("status_code", e.StatusCode), slog.String("status", e.Status),
		slog.String("method", e.Method), slog.String("path", e.Path),
	}
	if e.Hint != "" {
		attrs = append(attrs, slog.String("hint", e.Hint))
	}
	return attrs
}

// NoLink reports whether there was no reply.
func (e *ResponseError) NoLink() bool { return e.StatusCode == StatusNoReply }

// ClientFault reports whether the status is 400 to 499.
func (e *ResponseError) ClientFault() bool { return e.StatusCode/100 == 4 }

// Retryable reports whether the same request may succeed soon: there was no reply, or 408, 425, 429, or the hub failed.
// It is false for a request that was canceled and for a peer that is not the hub. The hub may have said when:
// Info.RetryAfter.
func (e *ResponseError) Retryable() bool { return e.Temporary() }

// Rejected reports whether the hub refused this very request: the same data will be refused again.
func (e *ResponseError) Rejected() bool {
	switch e.StatusCode {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable,
		http.StatusConflict, http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// Identity reports whether the hub refused the device itself, or one of the two could not trust the other.
func (e *ResponseError) Identity() bool {
	return e.StatusCode == http.StatusForbidden || e.Kinds().Has(errkit.Auth)
}

// Response returns the error of an answer with this status; i has no class and no kinds yet.
func Response(i errkit.Info, e ResponseError) *ResponseError {
	i.Class = classOfStatus(e.StatusCode)
	i.Kind |= errkit.HTTPKind(e.StatusCode)
	switch {
	case e.StatusCode < 400:
		i.Kind |= errkit.Unsupported // a redirect that is not followed, or a status that nobody asked for
	case e.StatusCode >= 500 && e.StatusCode != http.StatusNotImplemented && e.StatusCode != StatusNoReply:
		i.Kind |= errkit.Unavailable
	}
	e.Info = i
	return &e
}

func classOfStatus(status int) *errkit.Class {
	switch {
	case status == StatusNoReply:
		return ErrNoLink
	case status/100 == 4:
		return ErrClientFault
	}
	return ErrResponse
}

// BadAnswer returns the error of an answer that is a success by its status and cannot be used because of i.Err.
func BadAnswer(i errkit.Info, e ResponseError) *ResponseError {
	i.Class = ErrBadAnswer
	e.Info = i
	return &e
}

// EntryError reports one entry of an answer, or one order, that cannot be used and was skipped.
type EntryError struct {
	errkit.Info
	What   string // what it would have been: "sensor", "order"
	Index  int    // in its list, from 0
	Reason string // what is wrong with it
}

// BadEntry returns an *[EntryError].
func BadEntry(op, what string, index int, reason string, cause error) error {
	return &EntryError{
		Info: errkit.Info{Class: ErrBadEntry, Op: op, Err: errkit.CleanCause(cause)},
		What: what, Index: index, Reason: reason,
	}
}

// Error returns one line with the number of the entry and what is wrong with it.
func (e *EntryError) Error() string {
	detail := e.What + " " + strconv.Itoa(e.Index)
	if e.Reason != "" {
		detail += ": " + e.Reason
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns the fields for logs and reports.
func (e *EntryError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("what", e.What), slog.Int("index", e.Index), slog.String("reason", e.Reason)}
}
