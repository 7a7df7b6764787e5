//go:build !js

package wsclient

import "net/http"

// handshakeDecision says what to do after the upgrade was answered with status instead of 101. What the client did
// wrong will be wrong again; what the server cannot do now, it may do later. A status of success comes from captive
// portals and maintenance pages, which pass as well.
func handshakeDecision(status int) Decision {
	switch status {
	case http.StatusUnauthorized, http.StatusProxyAuthRequired, http.StatusForbidden:
		return Decision{Action: RefreshAuth}
	case http.StatusRequestTimeout, http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests:
		return Decision{}
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported, http.StatusVariantAlsoNegotiates:
		return Decision{Action: GiveUp}
	}
	if status >= 300 && status < 500 {
		return Decision{Action: GiveUp}
	}
	return Decision{}
}
