package api

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Limits of what an error keeps of the hub's words, in bytes.
const (
	maxStatusText = 1 << 10
	maxKeptBody   = 4 << 10
)

// errPage is the cause of an error about an answer that is meant for people: it comes from something between device and
// hub, and says nothing of what the hub did.
var errPage = errors.New("an HTML page")

// refusal returns the error that an answer means by its status, nil for a success.
func (c *Client) refusal(k *call, a *answer) error {
	if a.success() {
		return nil
	}
	after, _ := errkit.ParseRetryAfter(a.header.Get("Retry-After"), c.cfg.Time())
	e := c.describe(k, a)
	e.Status = c.words(statusText(a), maxStatusText)
	return c.hinted(smokerr.Response(errkit.Info{Op: k.op, Target: c.target, RetryAfter: after}, e))
}

// hinted adds what the device knows itself of a hub and a device that do not trust one another: its certificate may have
// expired, or its clock be wrong.
func (c *Client) hinted(e *smokerr.ResponseError) error {
	if !e.Identity() {
		return e
	}
	if invalid, ok := errors.AsType[*ngtt.InvalidCredentialsError](c.cfg.Credentials.Validity(c.cfg.Time())); ok {
		e.Hint = "by the device's clock " + invalid.Err.Error()
	}
	return e
}

// describe returns what every error tells of an answer.
func (c *Client) describe(k *call, a *answer) smokerr.ResponseError {
	return smokerr.ResponseError{
		StatusCode: a.status, Method: k.method, Path: k.path, Body: c.words(string(a.body), maxKeptBody),
	}
}

// statusText returns what the hub says of its refusal: the member "status" of a JSON object, or else all of the body.
func statusText(a *answer) string {
	doc, err := a.document()
	if err != nil {
		return string(a.body)
	}
	var e struct {
		Status text `json:"status"`
	}
	if json.Unmarshal(doc, &e) != nil || e.Status == "" {
		return string(a.body)
	}
	return string(e.Status)
}

// words returns the hub's words without what proves the device's identity, at most limit bytes of them.
func (c *Client) words(text string, limit int) string {
	if len(text) > 2*limit {
		text = text[:2*limit] // enough to find what begins below the limit
	}
	text = redact.Error(errors.New(text), c.id.secrets...).Error()
	if len(text) > limit {
		text = text[:limit]
	}
	return strings.ToValidUTF8(text, "")
}

func isPage(h http.Header) bool {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type")) // no type: no page
	return kind == "text/html"
}
