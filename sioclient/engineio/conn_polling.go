package engineio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

const (
	// maxPostPackets is how many packets go into one request: python-engineio throws away what has more.
	maxPostPackets = 16

	// maxRefusal bounds the body of an answer that is of no interest but for its beginning.
	maxRefusal = 4 << 10

	opPoll = "engine.poll"
	opPost = "engine.post"
)

var errAnswerTooLarge = errors.New("answer above the limit")

// poller makes the requests of one polling connection. It has an HTTP transport of its own, so that nothing of the
// connection is left when it is closed.
type poller struct {
	target   *target
	revision wire.Revision
	client   *http.Client
	sid      string // empty for the request that begins the session
}

func newPoller(t *target, revision wire.Revision) *poller {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	proxy := t.opts.Proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	return &poller{
		target: t, revision: revision,
		client: &http.Client{
			Transport: &http.Transport{
				Proxy:                  proxy,
				DialContext:            t.opts.DialContext,
				TLSClientConfig:        t.opts.TLSConfig.Clone(),
				Protocols:              protocols,
				MaxResponseHeaderBytes: 64 << 10,
				// Node's servers close connections that were idle for 5 s. A request must not meet with that.
				IdleConnTimeout: 4 * time.Second,
			},
			Jar: t.opts.Jar,
			// The header may hold credentials, which must not go to other servers.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// close closes the connections to the server that are not in use.
func (p *poller) close() { p.client.CloseIdleConnections() }

// get polls once and returns the packets of the answer.
func (p *poller) get(ctx context.Context) (packets, error) {
	resp, body, err := p.do(ctx, http.MethodGet, nil)
	if err != nil {
		return nil, err
	}
	if p.revision == wire.V4 && p.sid == "" && wire.SpeaksV3(body) {
		return nil, p.target.engineError(sioerr.ErrEngineVersion, opDial, Polling, "", errSpeaksV3)
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")) // a bad one is not that of a binary payload
	if p.revision == wire.V3 && kind == "application/octet-stream" {
		return wire.BinaryPayload(body), nil
	}
	return p.revision.Payload(body), nil
}

// post sends a payload. What the server answers, if only it agrees, does not matter: implementations differ.
func (p *poller) post(ctx context.Context, payload []byte) error {
	_, _, err := p.do(ctx, http.MethodPost, payload)
	return err
}

// do makes a request and reads its answer. The error is an *EngineError.
func (p *poller) do(ctx context.Context, method string, payload []byte) (*http.Response, []byte, error) {
	op, limit := opPoll, p.target.opts.ReadLimit
	switch {
	case method == http.MethodPost:
		op, limit = opPost, maxRefusal
	case p.sid == "":
		op = opDial
	}
	if p.target.opts.RequestTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.target.opts.RequestTimeout)
		defer cancel()
	}
	resp, err := p.client.Do(p.request(ctx, method, payload))
	if err != nil {
		return nil, nil, p.failed(ctx, op, err)
	}
	defer func() { _ = resp.Body.Close() }() // read, or given up
	if resp.StatusCode != http.StatusOK && (method == http.MethodGet || resp.StatusCode/100 != 2) {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // for its text, as far as it came
		return nil, nil, p.target.refused(op, Polling, p.sid, resp.StatusCode, body)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case method == http.MethodPost: // the server has taken it, whatever becomes of the rest of the answer
	case err != nil:
		return nil, nil, p.failed(ctx, op, err)
	case int64(len(body)) > limit:
		return nil, nil, p.target.engineError(sioerr.ErrTooLarge, op, Polling, p.sid, errAnswerTooLarge)
	}
	return resp, body, nil
}

func (p *poller) request(ctx context.Context, method string, payload []byte) *http.Request {
	req := (&http.Request{
		Method: method, URL: p.target.url(Polling, p.revision, p.sid), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: p.target.opts.header(Polling),
		// Package net/http repeats a GET whose connection broke, unless there might be a body. It must not: the answer
		// that was lost held packets.
		Body: io.NopCloser(bytes.NewReader(payload)),
	}).WithContext(ctx)
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "*/*")
	}
	if method == http.MethodPost {
		req.ContentLength = int64(len(payload))
		req.Header.Set("Content-Type", "text/plain;charset=UTF-8")
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(payload)), nil }
	}
	return req
}

func (p *poller) failed(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		return p.target.contextError(ctx, op, Polling)
	}
	return p.target.engineError(sioerr.ErrEngine, op, Polling, p.sid, err)
}

// payloadOverhead is what a packet adds to a payload beside itself, at most: the separator, or its length and a colon.
func payloadOverhead(r wire.Revision) int {
	if r == wire.V4 {
		return 1
	}
	return 11
}

// postLen returns how many of the messages that wait go into the next request. The first always does.
func postLen(waiting []Message, r wire.Revision, maxPayload int64) int {
	size := int64(0)
	for i := range waiting {
		size += int64(r.TextLen(waiting[i].packet()))
		if i == maxPostPackets || i > 0 && maxPayload > 0 && size > maxPayload {
			return i
		}
		size += int64(payloadOverhead(r))
	}
	return len(waiting)
}
