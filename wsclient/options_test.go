package wsclient_test

import (
	"crypto/tls"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// New turns down what cannot work, names the option and repeats no value.
func TestConfigErrors(t *testing.T) {
	t.Parallel()
	type options = wsclient.Options
	for name, tt := range map[string]struct {
		url   string
		set   func(*options)
		field string
	}{
		"scheme":          {url: "ftp://S3CRET@peer", field: "url"},
		"no url":          {url: "\x00S3CRET", field: "url"},
		"no host":         {url: "ws:///S3CRET", field: "url"},
		"second url":      {set: func(o *options) { o.Endpoints.URLs = []string{"S3CRET"} }, field: "Endpoints.URLs"},
		"header":          {set: func(o *options) { o.Dial.Header = http.Header{"X": {"S3CRET\n"}} }, field: "Header"},
		"host":            {set: func(o *options) { o.Dial.Host = "a/b" }, field: "Host"},
		"subprotocol":     {set: func(o *options) { o.Dial.Subprotocols = []string{"a b"} }, field: "Subprotocols"},
		"redirects":       {set: func(o *options) { o.Dial.MaxRedirects = 11 }, field: "MaxRedirects"},
		"user timeout":    {set: func(o *options) { o.Dial.UserTimeout = -1 }, field: "Dial.UserTimeout"},
		"read buffer":     {set: func(o *options) { o.Conn.ReadBuffer = 1 }, field: "ReadBuffer"},
		"close timeout":   {set: func(o *options) { o.Conn.CloseTimeout = -1 }, field: "CloseTimeout"},
		"compression":     {set: func(o *options) { o.Conn.Compression = 7 }, field: "Compression"},
		"ping timeout":    {set: func(o *options) { o.Heartbeat.PingTimeout = -1 }, field: "Heartbeat.PingTimeout"},
		"idle timeout":    {set: func(o *options) { o.Heartbeat.IdleTimeout = -1 }, field: "Heartbeat.IdleTimeout"},
		"check":           {set: func(o *options) { o.Control.DisconnectCheckInterval = -1 }, field: "Control.DisconnectCheckInterval"},
		"reconnect check": {set: func(o *options) { o.Control.ReconnectCheckInterval = -1 }, field: "Control.ReconnectCheckInterval"},
		"age":             {set: func(o *options) { o.Control.MaxConnectionAge = -1 }, field: "Control.MaxConnectionAge"},
		"margin":          {set: func(o *options) { o.Control.DisconnectMargin = -1 }, field: "Control.DisconnectMargin"},
		"margin and age": {set: func(o *options) {
			o.Control.MaxConnectionAge, o.Control.DisconnectMargin = time.Hour, time.Hour
		}, field: "Control.DisconnectMargin"},
		"drain":     {set: func(o *options) { o.Control.DrainOnCancel = -1 }, field: "Control.DrainOnCancel"},
		"attempts":  {set: func(o *options) { o.Reconnect.MaxAttempts = -3 }, field: "Reconnect.MaxAttempts"},
		"strategy":  {set: func(o *options) { o.Reconnect.Strategy = 99 }, field: "Reconnect.Strategy"},
		"order":     {set: func(o *options) { o.Endpoints.Order = 99 }, field: "Endpoints.Order"},
		"batch":     {set: func(o *options) { o.Subscribe.BatchSize = -1 }, field: "Subscribe.BatchSize"},
		"first key": {set: func(o *options) { o.Subscribe.Initial = []wsclient.Subscription{{}} }, field: "key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var o options
			if tt.set != nil {
				tt.set(&o)
			}
			if tt.url == "" {
				tt.url = "ws://peer"
			}
			_, err := wsclient.New(tt.url, &o)
			e := want[*wsclient.ConfigError](t, err)
			if e.Field != tt.field || !errors.Is(err, wsclient.ErrConfig) {
				t.Errorf("%v names %q, want %q", err, e.Field, tt.field)
			}
			if strings.Contains(err.Error(), "S3CRET") {
				t.Errorf("%v repeats the value", err)
			}
		})
	}
}

// Options are copied, and nil means defaults.
func TestOptionsAreCopied(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var got http.Header
		w.serveOpts(wstest.Options{Handler: idle, Request: func(_ http.ResponseWriter, r *http.Request) bool {
			got = r.Header
			return true
		}})
		o := wsclient.Options{Dial: wsclient.DialOptions{
			DialContext: w.net.DialContext, Proxy: noProxy, Header: http.Header{"X-A": {"1"}}, TLSConfig: &tls.Config{},
		}, Conn: wsconn.Options{ReadLimit: 10}}
		m, err := wsclient.New("http://user:pw@"+host, &o)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		o.Dial.Proxy, o.Dial.DialContext = nil, nil
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got.Get("X-A") != "1" || got.Get("Authorization") == "" {
			t.Errorf("headers: %v", got)
		}
		if strings.Contains(m.URL(), "pw") {
			t.Errorf("URL: %s", m.URL())
		}
	})
	if _, err := wsclient.New("wss://peer", nil); err != nil {
		t.Error(err)
	}
}
