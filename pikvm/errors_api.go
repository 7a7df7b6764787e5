package pikvm

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

// Limits of what an error keeps of the server's words, in bytes. Its text repeats less of them.
const (
	maxMessage = 1024
	maxCode    = 128
)

// refusal returns the error that an answer means by its status, nil for a success.
func (c *Client) refusal(k *call, a *answer) error {
	switch {
	case a.status >= http.StatusBadRequest:
	case a.status >= http.StatusMultipleChoices:
		return c.redirectError(k, a)
	case a.status >= http.StatusOK:
		return nil
	}
	var r refusalResult
	if e, err := decodeEnvelope(a.body); err == nil {
		r = e.refusal()
	} else if !k.silent {
		r.Message = pageText(a)
	}
	return c.apiError(k, a, a.status, r)
}

// apiError builds the error of a refusal; status is 0 if it came with a success by status.
func (c *Client) apiError(k *call, a *answer, status int, r refusalResult) error {
	class := classOf(status, r.Error)
	if status == http.StatusBadRequest && k.login {
		class = ErrAuth
	}
	e := APIError{
		Info: errkit.Info{
			Class: class, Op: k.op, Target: c.target, Kind: kindOf(class, status), RetryAfter: retryAfter(a.header),
		},
		StatusCode: status,
		Code:       words(r.Error, maxCode, a.grant.secrets()),
		Message:    words(r.Message, maxMessage, a.grant.secrets()),
	}
	if class == ErrAuth {
		return &AuthError{e}
	}
	return &e
}

func (c *Client) responseError(k *call, a *answer, cause error) error {
	return &ResponseError{
		APIError: APIError{
			Info: errkit.Info{
				Class: ErrResponse, Op: k.op, Target: c.target, Err: redact.Error(cause, a.grant.secrets()...),
			},
			StatusCode: a.status,
		},
		Path: k.path,
	}
}

// classOf classifies a refusal by its status, and by the server's name of the error where the status says
// little: nearly everything that can go wrong in a subsystem is HTTP 400.
func classOf(status int, name string) *errkit.Class {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return ErrAuth
	case http.StatusConflict:
		return ErrBusy
	case http.StatusServiceUnavailable:
		return ErrUnavailable
	case http.StatusNotFound:
		return ErrNotFound
	}
	switch name {
	case "UnauthorizedError", "ForbiddenError":
		return ErrAuth
	case "UnavailableError":
		return ErrUnavailable
	case "ValidatorError", "HttpError":
		return ErrInvalidArgument
	case "MsdLockedError": // the host reads or writes
		return ErrBusy
	case "MsdImageExistsError":
		return ErrExists
	case "MsdConnectedError", "MsdDisconnectedError", "MsdImageNotSelected":
		return ErrPrecondition
	case "SwitchUnknownEdidError":
		return ErrNotFound
	}
	for _, s := range nameClasses {
		if strings.HasSuffix(name, s.suffix) {
			return s.class
		}
	}
	return ErrAPI
}

// nameClasses classify whole families of the server's names, also of subsystems to come.
var nameClasses = []struct {
	suffix string
	class  *errkit.Class
}{
	{"IsBusyError", ErrBusy},
	{"DisabledError", ErrDisabled},
	{"OfflineError", ErrOffline},
	{"NotSupported", ErrNotSupported},
	{"NotFoundError", ErrNotFound},
	{"UnknownImageError", ErrNotFound},
}

// kindOf returns the kinds that the status adds to those of the class. A refusal of credentials and a busy
// device have theirs from the class alone: HTTP means something else by 403 and 409.
func kindOf(class *errkit.Class, status int) errkit.Kind {
	if class == ErrAuth || class == ErrBusy {
		return 0
	}
	return errkit.HTTPKind(status)
}

func retryAfter(h http.Header) time.Duration {
	after, _ := errkit.ParseRetryAfter(h.Get("Retry-After"), time.Now())
	return after
}

// pageText returns what a text or an HTML page of a proxy says of an error: the text itself, or the title.
func pageText(a *answer) string {
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type")) // no type: no text
	switch kind {
	case "text/plain":
		return redact.Excerpt(a.body, a.grant.secrets()...)
	case "text/html":
		_, title, _ := bytes.Cut(a.body, []byte("<title>"))
		if title, _, ok := bytes.Cut(title, []byte("</title>")); ok {
			return redact.Excerpt(title, a.grant.secrets()...)
		}
	}
	return ""
}

// words returns the server's words without the secrets of the request, at most limit bytes of them.
func words(text string, limit int, secrets []string) string {
	text = redact.Error(errors.New(text), secrets...).Error()
	if len(text) > limit {
		text = text[:limit]
	}
	return strings.ToValidUTF8(text, "")
}
