package pikvm

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Answer is a success as the methods of the client see it.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Fetch performs any request with the client's credentials, as its methods do. The target is a path with its query.
func (c *Client) Fetch(ctx context.Context, method, target string) (Answer, error) {
	k, err := callTo(method, target)
	if err != nil {
		return Answer{}, err
	}
	a, err := c.fetch(ctx, k)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Status: a.status, Header: a.header, Body: a.body}, nil
}

// Invoke is Fetch for an answer in an envelope; it returns its result as it came.
func (c *Client) Invoke(ctx context.Context, method, target string) (json.RawMessage, error) {
	k, err := callTo(method, target)
	if err != nil {
		return nil, err
	}
	var result json.RawMessage
	err = c.invoke(ctx, k, &result)
	return result, err
}

func callTo(method, target string) (*call, error) {
	path, query, _ := strings.Cut(target, "?")
	values, err := url.ParseQuery(query)
	return &call{op: "test.Call", method: method, path: path, query: values}, err
}

// DialSocket opens a socket at any path.
func (c *Client) DialSocket(ctx context.Context, path string) (*wsconn.Conn, error) {
	path, query, _ := strings.Cut(path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	return c.dialSocket(ctx, opSocket, path, values, 0)
}

// Internals that have tests of their own.
var (
	TOTP              = totp
	ParseTOTPSecret   = parseTOTPSecret
	ParseVersion      = parseVersion
	NewWebSocketError = newWebSocketError
)

// DecodeEnvelope reads an envelope and the refusal in it.
func DecodeEnvelope(body []byte) (ok bool, result json.RawMessage, code, message string, err error) {
	e, err := decodeEnvelope(body)
	if err != nil {
		return false, nil, "", "", err
	}
	r := e.refusal()
	return *e.OK, e.Result, r.Error, r.Message, nil
}

// KnownKeys returns the number of keys that the package knows.
func KnownKeys() int { return len(knownKeys) }
