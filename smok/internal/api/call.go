package api

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Media types of the interface.
const (
	typeJSON     = "application/json"
	typeMiniJSON = "application/minijson"
)

// call is one request.
type call struct {
	op     string // "hub.DeviceInfo"
	method string
	path   string // below the base, escaped
	body   []byte // MiniJSON; nil means none
}

// answer is the answer to a call, whatever it says.
type answer struct {
	status int
	header http.Header
	body   []byte // at most MaxBody; of a refusal maybe only a part
}

// send performs a call whose answer says nothing but yes.
func (c *Client) send(ctx context.Context, k *call) error {
	a, err := c.fetch(ctx, k)
	if err != nil {
		return err
	}
	if isPage(a.header) {
		return c.badAnswer(k, a, errPage)
	}
	return nil
}

// fetch performs a call and returns its answer, which is a success by its status.
func (c *Client) fetch(ctx context.Context, k *call) (*answer, error) {
	o, err := c.begin(ctx, k)
	if err != nil {
		return nil, err
	}
	defer o.end()
	began := time.Now()
	a, err := o.exchange()
	if err == nil {
		err = c.refusal(k, a)
	}
	c.trace(ctx, k, a, began, err)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// exchange sends the request once and reads the answer.
func (o *operation) exchange() (*answer, error) {
	c, k := o.client, o.call
	r := c.rest.R().SetContext(o.ctx).SetDoNotParseResponse(true)
	r.SetContentLength(true) // or resty sends an empty body in chunks
	c.sign(r.Header)
	r.Header.Set("Accept", typeJSON)
	if k.body != nil {
		r.SetHeader("Content-Type", typeMiniJSON).SetBody(k.body)
	}
	response, err := r.Execute(k.method, c.url(k))
	if err != nil {
		return nil, o.failure(err)
	}
	body := response.RawBody()
	defer func() { _ = body.Close() }() // after the end of the body there is nothing to learn from it
	a := &answer{status: response.StatusCode(), header: response.Header()}
	return a, o.readBody(a, body)
}

// maxRefusal bounds what is read of the body of a refusal, in bytes.
const maxRefusal = 64 << 10

// readBody reads the body of an answer. Of a refusal the status tells what there is to tell, whatever comes of the body.
func (o *operation) readBody(a *answer, body io.Reader) error {
	c := o.client
	if !a.success() {
		a.body, _ = io.ReadAll(io.LimitReader(body, maxRefusal))
		return nil
	}
	var err error
	a.body, err = io.ReadAll(io.LimitReader(body, c.cfg.MaxBody+1))
	switch {
	case err != nil && o.ctx.Err() == nil && errkit.Classify(err) == 0: // malformed chunks or compression, not the network
		return c.badAnswer(o.call, a, err)
	case err != nil:
		return o.failure(err)
	case int64(len(a.body)) > c.cfg.MaxBody:
		return c.badAnswer(o.call, a, fmt.Errorf("body over %d bytes: %w", c.cfg.MaxBody, errkit.TooLarge))
	}
	return nil
}

func (a *answer) success() bool {
	return a.status >= http.StatusOK && a.status < http.StatusMultipleChoices
}

// sign says in the header which device and which program the request is of.
func (c *Client) sign(h http.Header) {
	h.Set("User-Agent", c.cfg.UserAgent)
	if c.id.header != "" {
		h.Set(certificateHeader, c.id.header)
	}
}

// url returns the address of a call.
func (c *Client) url(k *call) string {
	base := *c.base
	base.Path, base.RawPath = "", ""
	prefix := c.base.EscapedPath()
	for len(prefix) > 0 && prefix[len(prefix)-1] == '/' {
		prefix = prefix[:len(prefix)-1]
	}
	return base.String() + prefix + k.path
}

// trace logs one exchange, without payloads and without the path, in which keys stand.
func (c *Client) trace(ctx context.Context, k *call, a *answer, began time.Time, err error) {
	if !c.cfg.Logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("op", k.op), slog.Int("sent", len(k.body)), slog.Duration("duration", time.Since(began)),
	}
	if a != nil {
		attrs = append(attrs, slog.Int("status", a.status), slog.Int("received", len(a.body)))
	}
	if err != nil {
		attrs = append(attrs, errkit.Attr(err))
	}
	c.cfg.Logger.LogAttrs(ctx, slog.LevelDebug, "request", attrs...)
}

// badAnswer returns the error of a success by status that cannot be used.
func (c *Client) badAnswer(k *call, a *answer, cause error) error {
	return smokerr.BadAnswer(errkit.Info{
		Op: k.op, Target: c.target, Kind: errkit.KindOf(cause) & errkit.TooLarge,
		Err: redact.Error(cause, c.id.secrets...),
	}, c.describe(k, a))
}
