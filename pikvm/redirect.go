package pikvm

import (
	"net/http"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

// stayPut makes sure that no redirect is followed: package net/http would send X-KVMD-Passwd wherever it leads, and
// it would show an address that it cannot read, secrets included. So the client never gets to see one.
type stayPut struct{ next http.RoundTripper }

// keptLocation is the header in which the address of a redirect is kept. Only stayPut sets it.
const keptLocation = "Fieldlink-Location"

// RoundTrip hides the address of a redirect from the HTTP client.
func (s stayPut) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := s.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Header[keptLocation] = response.Header["Location"]
	delete(response.Header, "Location")
	return response, nil
}

// redirectError builds the error of a redirect.
func (c *Client) redirectError(k *call, a *answer) error {
	e := &RedirectError{APIError: APIError{
		Info:       errkit.Info{Class: ErrRedirect, Op: k.op, Target: c.target, RetryAfter: retryAfter(a.header)},
		StatusCode: a.status,
	}}
	location := a.header.Get(keptLocation)
	if location == "" {
		location = a.header.Get("Location") // of a handshake
	}
	if location != "" {
		e.Location = words(redact.URLString(location), maxMessage, a.grant.secrets())
	}
	return e
}
