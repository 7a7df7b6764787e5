package sioserver

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Handshake is what the first request of a connection said, and what the client sent to prove itself to one namespace.
// As JSON it has the form of socket.handshake of the original.
type Handshake struct {
	Header      http.Header     // of the first request
	Query       url.Values      // of the first request, with EIO and transport
	URL         string          // target of the first request
	Address     string          // IP of the peer, which may be a proxy
	Time        time.Time       // of the first request
	Secure      bool            // whether the connection has TLS
	CrossDomain bool            // whether the request had an Origin
	Auth        json.RawMessage // as the client sent it; {} if it sent nothing
}

// jsTime is the form that the text of a date has in JavaScript.
const jsTime = "Mon Jan 02 2006 15:04:05 GMT-0700 (MST)"

type handshakeJSON struct {
	Headers map[string]string `json:"headers"`
	Time    string            `json:"time"`
	Address string            `json:"address"`
	XDomain bool              `json:"xdomain"`
	Secure  bool              `json:"secure"`
	Issued  int64             `json:"issued"`
	URL     string            `json:"url"`
	Query   map[string]any    `json:"query"`
	Auth    json.RawMessage   `json:"auth"`
}

// MarshalJSON returns the form of the original: names of headers in lower case, times as text and in milliseconds.
func (h *Handshake) MarshalJSON() ([]byte, error) {
	w := handshakeJSON{
		Headers: make(map[string]string, len(h.Header)), Time: h.Time.Format(jsTime), Address: h.Address,
		XDomain: h.CrossDomain, Secure: h.Secure, Issued: h.Time.UnixMilli(), URL: h.URL,
		Query: make(map[string]any, len(h.Query)), Auth: h.Auth,
	}
	for k, v := range h.Header {
		w.Headers[strings.ToLower(k)] = strings.Join(v, ", ")
	}
	for k, v := range h.Query {
		w.Query[k] = v
		if len(v) == 1 {
			w.Query[k] = v[0]
		}
	}
	if w.Auth == nil {
		w.Auth = noAuth
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads what another node of a cluster sent.
func (h *Handshake) UnmarshalJSON(data []byte) error {
	var w handshakeJSON
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*h = Handshake{
		Header: make(http.Header, len(w.Headers)), Query: make(url.Values, len(w.Query)), URL: w.URL, Address: w.Address,
		Time: time.UnixMilli(w.Issued), Secure: w.Secure, CrossDomain: w.XDomain, Auth: w.Auth,
	}
	for k, v := range w.Headers {
		h.Header.Set(k, v)
	}
	for k, v := range w.Query {
		h.Query[k] = queryValues(v)
	}
	return nil
}

func queryValues(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var values []string
		for _, one := range v {
			if s, ok := one.(string); ok {
				values = append(values, s)
			}
		}
		return values
	}
	return nil
}

var noAuth = json.RawMessage("{}")
