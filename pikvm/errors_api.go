package pikvm

import (
	"bytes"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

// Limits of what an error keeps of the server's words, in bytes.
const (
	maxExcerpt = 200 // in the text of an error
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
		Code:       excerpt(blot(r.Error, a.secrets), maxCode),
		Message:    excerpt(blot(r.Message, a.secrets), maxMessage),
	}
	if class == ErrAuth {
		return &AuthError{e}
	}
	return &e
}

func (c *Client) redirectError(k *call, a *answer) error {
	e := &RedirectError{APIError: APIError{
		Info:       errkit.Info{Class: ErrRedirect, Op: k.op, Target: c.target, RetryAfter: retryAfter(a.header)},
		StatusCode: a.status,
	}}
	if location := a.header.Get("Location"); location != "" {
		e.Location = excerpt(blot(redact.URLString(location), a.secrets), maxMessage)
	}
	return e
}

func (c *Client) responseError(k *call, a *answer, cause error) error {
	return &ResponseError{
		APIError: APIError{
			Info: errkit.Info{
				Class: ErrResponse, Op: k.op, Target: c.target, Err: redact.Error(cause, a.secrets...),
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
	body := a.body[:min(len(a.body), maxMessage)]
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type")) // no type: no text
	switch kind {
	case "text/plain":
		return string(body)
	case "text/html":
		_, title, _ := bytes.Cut(body, []byte("<title>"))
		title, _, ok := bytes.Cut(title, []byte("</title>"))
		if ok {
			return string(title)
		}
	}
	return ""
}

// blot replaces secrets that the server repeats. Very short ones would blot half of the text.
func blot(text string, secrets []string) string {
	for _, s := range secrets {
		if len(s) >= 4 {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	return text
}

// excerpt returns the printable characters of the beginning of text on one line, at most limit bytes.
func excerpt(text string, limit int) string {
	var b strings.Builder
	space := false
	for _, r := range text {
		switch {
		case r <= ' ' || r == 0x7f:
			space = b.Len() > 0
			continue
		case r == utf8.RuneError:
			r = '?'
		}
		need := utf8.RuneLen(r)
		if space {
			need++
		}
		if b.Len()+need > limit {
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}
