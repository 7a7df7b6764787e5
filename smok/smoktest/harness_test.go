package smoktest_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// start runs a hub.
func start(t *testing.T, opts smoktest.Options) *smoktest.Hub {
	t.Helper()
	hub := smoktest.New(&opts)
	if err := hub.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hub.Close() })
	return hub
}

// startInMemory runs a hub on a network in memory, for bubbles.
func startInMemory(t *testing.T, opts smoktest.Options) (*smoktest.Hub, *netem.Network) {
	t.Helper()
	network := netem.New(nil)
	opts.Listen, opts.Hosts = network.Listen, []string{"hub.test"}
	opts.Addr, opts.NGTTAddr = "hub.test:443", "hub.test:2405"
	return start(t, opts), network
}

// issue returns the certificate of a device.
func issue(t *testing.T, hub *smoktest.Hub, d ngtttest.Device) (cert tls.Certificate, certPEM []byte) {
	t.Helper()
	certPEM, keyPEM, err := hub.Issue(d)
	if err != nil {
		t.Fatal(err)
	}
	if cert, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	return cert, certPEM
}

// peer is a device that makes requests by hand.
type peer struct {
	t      *testing.T
	url    string
	client *http.Client
	header http.Header // of every request
}

// connect makes a device that shows its certificate in the handshake.
func connect(t *testing.T, hub *smoktest.Hub, id string) *peer {
	t.Helper()
	return dial(t, hub, id, (&net.Dialer{}).DialContext)
}

func dial(t *testing.T, hub *smoktest.Hub, id string, dialer func(context.Context, string, string) (net.Conn, error)) *peer {
	t.Helper()
	cert, _ := issue(t, hub, ngtttest.Device{ID: id})
	return newPeer(t, hub, dialer, cert)
}

func newPeer(t *testing.T, hub *smoktest.Hub, dialer func(context.Context, string, string) (net.Conn, error), certs ...tls.Certificate) *peer {
	t.Helper()
	transport := &http.Transport{
		DialContext:     dialer,
		TLSClientConfig: &tls.Config{RootCAs: hub.RootCAs(), ServerName: hub.ServerName(), Certificates: certs},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &peer{t: t, url: hub.URL(), client: &http.Client{Transport: transport}, header: http.Header{}}
}

// exchange sends one request. A body that is no []byte is encoded as MiniJSON.
func (p *peer) exchange(method, path string, body any) (*http.Response, []byte, error) {
	p.t.Helper()
	var reader io.Reader
	header := p.header.Clone()
	if body != nil {
		raw, ok := body.([]byte)
		if !ok {
			var err error
			if raw, err = minijson.Marshal(body); err != nil {
				p.t.Fatal(err)
			}
		}
		reader = bytes.NewReader(raw)
		if header.Get("Content-Type") == "" {
			header.Set("Content-Type", "application/minijson")
		}
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, reader)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header = header
	resp, err := p.client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	return resp, answer, err
}

// do sends a request and returns the status and the JSON of the answer.
func (p *peer) do(method, path string, body any) (status int, answer any) {
	p.t.Helper()
	resp, text, err := p.exchange(method, path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		p.t.Fatalf("%s %s: %q: %v", method, path, text, err)
	}
	return resp.StatusCode, answer
}

// want sends a request that succeeds with an answer, given as JSON.
func (p *peer) want(method, path string, body any, answer string) {
	p.t.Helper()
	var want any
	if err := json.Unmarshal([]byte(answer), &want); err != nil {
		p.t.Fatal(err)
	}
	status, got := p.do(method, path, body)
	if d := cmp.Diff(want, got); d != "" || status != http.StatusOK {
		p.t.Errorf("%s %s: %d (-want +got):\n%s", method, path, status, d)
	}
}

// refused sends a request that fails with a status and a text.
func (p *peer) refused(method, path string, body any, status int) {
	p.t.Helper()
	got, answer := p.do(method, path, body)
	object, _ := answer.(map[string]any)
	if text, _ := object["status"].(string); got != status || text == "" || len(object) != 1 {
		p.t.Errorf("%s %s: %d %v, want %d", method, path, got, answer, status)
	}
}

// list and object are documents.
type (
	list   = []any
	object = map[string]any
)
