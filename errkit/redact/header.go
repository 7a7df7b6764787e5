package redact

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Header returns a copy of h for texts. Credentials (Authorization, Cookie, X-KVMD-Passwd and every header whose
// name or value looks like them) are "***", a client certificate is its length, and addresses are redacted as
// by [URLString].
func Header(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		shown := make([]string, len(values))
		for i, v := range values {
			shown[i] = headerText(strings.ToLower(name), v)
		}
		out[name] = shown
	}
	return out
}

func headerText(name, value string) string {
	switch name {
	case "set-cookie", "set-cookie2", "cookie2":
		return mask
	case "x-ssl-client-certificate":
		return fmt.Sprintf("%d bytes", len(value))
	case "location", "content-location", "referer", "origin":
		return URLString(value)
	}
	if isSecretName(name) || hasSecret(value) {
		return mask
	}
	return value
}

// Values returns a copy of v for texts, with the same values hidden as in the query of [URL].
func Values(v url.Values) url.Values {
	out := make(url.Values, len(v))
	for name, values := range v {
		shown := make([]string, len(values))
		for i, value := range values {
			shown[i] = fieldText(name, value)
		}
		if hasSecret(name) {
			name = mask
		}
		out[name] = append(out[name], shown...)
	}
	return out
}

// fieldText returns what may be shown of a value that is not escaped.
func fieldText(name, value string) string {
	if isSecretName(name) || hasSecret(name) {
		return mask
	}
	shown := valueText(url.QueryEscape(value), 0)
	if plain, err := url.QueryUnescape(shown); err == nil {
		return plain
	}
	return mask
}
