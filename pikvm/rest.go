package pikvm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// call is one request of the PiKVM API. All its parameters travel in the query, except those of a login.
type call struct {
	op     string // "atx.State"
	method string
	path   string
	query  url.Values
	form   url.Values // body; nil means none
	json   []byte     // body of Redfish; nil means none
	text   []byte     // body to be typed; nil means none
	login  bool       // HTTP 400 means refused credentials
	hidden []string   // secrets in the query
	silent bool       // what the device writes may repeat credentials: no text of it beside the envelope's

	patience time.Duration // that the device may need beyond the client's Timeout
}

// answer is a complete answer of the device.
type answer struct {
	status int
	header http.Header
	body   []byte
	grant  grant // of the request
}

// newRest puts resty on a client of ours: no retries, no redirects, no log of its own.
func newRest(h *http.Client) *resty.Client {
	return resty.NewWithClient(h).SetLogger(silence{}).SetDisableWarn(true)
}

// silence is the logger of resty: what it has to say is in its errors too.
type silence struct{}

func (silence) Errorf(string, ...any) {}
func (silence) Warnf(string, ...any)  {}
func (silence) Debugf(string, ...any) {}

// get performs the call as a GET request, and repeats it as the options say. The envelope holds a value for
// result, which may be nil.
func (c *Client) get(ctx context.Context, k call, result any) error {
	k.method = http.MethodGet
	if c.retry == nil {
		return c.invoke(ctx, &k, result)
	}
	return c.repeat(ctx, k.op, c.retry, func(ctx context.Context) error { return c.invoke(ctx, &k, result) })
}

// post performs the call as a POST request whose envelope holds nothing of interest. It is never repeated.
func (c *Client) post(ctx context.Context, k call) error {
	k.method = http.MethodPost
	return c.invoke(ctx, &k, nil)
}

// repeat runs do as the policy says, and logs what is repeated. Close ends the waits between the attempts.
func (c *Client) repeat(ctx context.Context, op string, p *retry.Policy, do func(context.Context) error) error {
	o, err := c.beginLimited(ctx, op, 0)
	if err != nil {
		return err
	}
	defer o.end()
	policy := *p
	policy.OnRetry = func(attempt int, delay time.Duration, err error) {
		c.logger.LogAttrs(ctx, slog.LevelWarn, "repeating", slog.String("op", op), slog.Int("attempt", attempt),
			slog.Duration("delay", delay), errkit.Attr(err))
		if p.OnRetry != nil {
			p.OnRetry(attempt, delay, err)
		}
	}
	err = retry.Do(o.ctx, &policy, do)
	if err != nil && c.life.Err() != nil && !errors.Is(err, ErrClosed) {
		return closedError(op, c.target, 0)
	}
	return err
}

// invoke performs the call once and decodes the result of its envelope, unless result is nil.
func (c *Client) invoke(ctx context.Context, k *call, result any) error {
	a, err := c.fetch(ctx, k)
	if err != nil {
		return err
	}
	return c.decode(k, a, result)
}

// fetch performs the call with the client's credentials and returns an answer that is a success by its status.
// If the credentials were refused and there are fresh ones, it tries once more with these: a request that was
// refused did nothing, and every body is in memory.
func (c *Client) fetch(ctx context.Context, k *call) (*answer, error) {
	o, err := c.beginLimited(ctx, k.op, c.timeout(ctx, k.patience))
	if err != nil {
		return nil, err
	}
	defer o.end()
	g, err := o.grant()
	if err != nil {
		return nil, err
	}
	a, err := o.exchange(k, g)
	if err != nil {
		return nil, err
	}
	fresh, ok, err := o.renew(g, a.status)
	if err != nil {
		return nil, err
	}
	if ok {
		if a, err = o.exchange(k, fresh); err != nil {
			return nil, err
		}
	}
	return a, c.refusal(k, a)
}

// exchange sends the request once and reads the answer, whatever it says.
func (o *operation) exchange(k *call, g grant) (*answer, error) {
	c := o.client
	var reached atomic.Bool
	r := c.rest.R().SetContext(o.traced(&reached)).SetDoNotParseResponse(true)
	r.SetContentLength(true) // or resty sends an empty body in chunks
	if g.header != nil {
		r.Header = g.header.Clone()
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", c.opts.UserAgent)
	if k.form != nil {
		r.SetFormDataFromValues(k.form)
	}
	if k.json != nil {
		r.SetHeader("Content-Type", "application/json").SetBody(k.json)
	}
	if k.text != nil {
		r.SetHeader("Content-Type", "text/plain").SetBody(k.text)
	}
	response, err := r.Execute(k.method, c.url(c.base.Scheme, k.path, k.query))
	if err != nil {
		if !reached.Load() {
			// Package net/http goes on dialling for a request that has left. This ends such dials; the idle
			// connections that it closes too are no loss while the device cannot be reached.
			c.trans.http.CloseIdleConnections()
		}
		return nil, o.failure(err, reached.Load(), g.secrets()...)
	}
	body := response.RawBody()
	defer func() { _ = body.Close() }() // after the end of the body there is nothing to learn from it
	a := &answer{status: response.StatusCode(), header: response.Header(), grant: g}
	a.body, err = io.ReadAll(io.LimitReader(body, c.opts.MaxBody+1))
	switch {
	case a.status >= http.StatusMultipleChoices:
		return a, nil // the status tells what there is to tell, whatever came of the body
	case err == nil && int64(len(a.body)) <= c.opts.MaxBody:
		return a, nil
	case err == nil:
		return nil, c.tooLarge(k, a)
	}
	return nil, o.brokenBody(k, a, err)
}

// tooLarge returns the error of a body over [Options.MaxBody].
func (c *Client) tooLarge(k *call, a *answer) error {
	return c.responseError(k, a, fmt.Errorf("body over %d bytes: %w", c.opts.MaxBody, errkit.TooLarge))
}

// brokenBody tells what it means that the body of a success could not be read to its end.
func (o *operation) brokenBody(k *call, a *answer, err error) error {
	switch {
	case o.ctx.Err() != nil:
	case errors.Is(err, io.ErrUnexpectedEOF):
		return o.client.responseError(k, a, fmt.Errorf("body cut off: %w", err))
	case errkit.Classify(err) == 0: // malformed chunks or compression, not the network
		return o.client.responseError(k, a, err)
	}
	return o.failure(err, true, a.grant.secrets()...)
}

// url returns the address of an unescaped path.
func (c *Client) url(scheme, path string, query url.Values) string {
	u := url.URL{Scheme: scheme, Host: c.base.Host, Path: path, RawQuery: query.Encode()}
	return u.String()
}
