//go:build !js

package wsclient_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// Names are looked up in every attempt: a device may be up before its network.
func TestRC22NameNotFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		serve(t, network, "peer.test:80", wstest.Options{})
		up := time.Now().Add(time.Hour)
		o := at(network, wsclient.ReconnectOptions{MaxAttempts: wsclient.Unlimited})
		o.Dial.DialContext = func(ctx context.Context, nw, addr string) (net.Conn, error) {
			if time.Now().Before(up) {
				return nil, tcp(&net.DNSError{Err: "no such host", Name: "peer.test", IsNotFound: true})
			}
			return network.DialContext(ctx, nw, addr)
		}
		m, d := manage(t, peerURL, o)
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if late := time.Since(up); late < 0 || late > time.Minute {
			t.Errorf("connected %v after the network was there", late)
		}
		synctest.Wait()
		for _, f := range d.told().failures {
			e, ok := errors.AsType[*net.DNSError](f.Err)
			if !ok || !e.IsNotFound || !errors.Is(f.Err, wsclient.ErrConnection) || !f.WillRetry {
				t.Errorf("%+v", f)
			}
		}
		if len(d.told().failures) < 60 {
			t.Errorf("%d attempts failed in an hour", len(d.told().failures))
		}
	})
}

func TestRC23TLS(t *testing.T) {
	ca, err := certs.NewCA("ours")
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := certs.NewCA("foreign")
	if err != nil {
		t.Fatal(err)
	}
	issue := func(ca *certs.CA, host string, v certs.Validity) tls.Certificate {
		t.Helper()
		cert, err := ca.Issue(certs.Spec{Hosts: []string{host}, Validity: v})
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	good := issue(ca, "peer.test", certs.Valid)
	client, err := ca.Client("device")
	if err != nil {
		t.Fatal(err)
	}
	expired, err := ca.Issue(certs.Spec{CommonName: "device", Validity: certs.Expired})
	if err != nil {
		t.Fatal(err)
	}
	mutual := &tls.Config{
		Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
	}
	for _, c := range []struct {
		name     string
		server   *tls.Config
		client   tls.Certificate
		retry    bool // RetryTLSErrors
		attempts int  // until it gives up; 0 if it connects
		as       func(error) bool
	}{
		{name: "good", server: &tls.Config{Certificates: []tls.Certificate{good}}},
		{name: "client certificate", server: mutual, client: client},
		{
			name: "unknown authority", server: &tls.Config{Certificates: []tls.Certificate{issue(foreign, "peer.test", certs.Valid)}},
			attempts: 1, as: isType[*tls.CertificateVerificationError],
		},
		{
			name: "unknown authority, with RetryTLSErrors", attempts: 4, retry: true,
			server: &tls.Config{Certificates: []tls.Certificate{issue(foreign, "peer.test", certs.Valid)}},
			as:     isType[x509.UnknownAuthorityError],
		},
		{
			name: "wrong host", server: &tls.Config{Certificates: []tls.Certificate{issue(ca, "other.test", certs.Valid)}},
			attempts: 1, as: isType[x509.HostnameError],
		},
		{
			name: "expired", server: &tls.Config{Certificates: []tls.Certificate{issue(ca, "peer.test", certs.Expired)}},
			attempts: 4, as: isType[x509.CertificateInvalidError],
		},
		{
			name: "not yet valid", server: &tls.Config{Certificates: []tls.Certificate{issue(ca, "peer.test", certs.NotYetValid)}},
			attempts: 4, as: isType[x509.CertificateInvalidError],
		},
		{name: "client certificate missing", server: mutual, attempts: 1, as: isType[*net.OpError]},
		{name: "client certificate expired", server: mutual, client: expired, attempts: 1, as: isType[*net.OpError]},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := netem.New(nil)
				serve(t, network, "peer.test:443", wstest.Options{TLS: c.server})
				o := at(network, wsclient.ReconnectOptions{Backoff: steady, MaxAttempts: 3, RetryTLSErrors: c.retry})
				o.Dial.TLSConfig = &tls.Config{RootCAs: ca.Pool()}
				if c.client.Certificate != nil {
					o.Dial.TLSConfig.Certificates = []tls.Certificate{c.client}
				}
				m, d := manage(t, "wss://peer.test", o)
				err := m.Connect(t.Context())
				synctest.Wait()
				if c.attempts == 0 {
					if err != nil {
						t.Error(err)
					}
					return
				}
				e, ok := errors.AsType[*wsclient.ConnectionError](err)
				if !ok || e.Attempts != c.attempts || len(d.told().attempts) != c.attempts || !c.as(err) {
					t.Errorf("%v after %d attempts", err, len(d.told().attempts))
				}
			})
		})
	}
}

// The certificate that a device shows is asked for in every attempt: AuthRefresh may have made a new one.
func TestRC23RefreshOfCertificate(t *testing.T) {
	ca, err := certs.NewCA("ours")
	if err != nil {
		t.Fatal(err)
	}
	server, err := ca.Server("peer.test")
	if err != nil {
		t.Fatal(err)
	}
	old, err := ca.Issue(certs.Spec{CommonName: "device", Validity: certs.Expired})
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := ca.Client("device")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		serve(t, network, "peer.test:443", wstest.Options{TLS: &tls.Config{
			Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
		}})
		shown := &old
		o := at(network, wsclient.ReconnectOptions{})
		o.Dial.TLSConfig = &tls.Config{
			RootCAs:              ca.Pool(),
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return shown, nil },
		}
		o.Dial.AuthRefresh = func(context.Context, wsclient.Attempt) error {
			shown = &fresh
			return nil
		}
		m, d := manage(t, "wss://peer.test", o)
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(d.told().attempts) != 2 {
			t.Errorf("%d attempts", len(d.told().attempts))
		}
	})
}

func isType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// notWebSocket checks that a manager leaves a peer after three attempts that it cannot understand.
func notWebSocket(t *testing.T, m *wsclient.Manager, network *netem.Network) error {
	t.Helper()
	err := m.Connect(t.Context())
	e, ok := errors.AsType[*wsclient.ConnectionError](err)
	if !ok || e.Attempts != 3 || network.Count() != 3 || !isType[*wsclient.ProtocolError](err) {
		t.Errorf("%v after %d dials", err, network.Count())
	}
	return err
}

func TestRC24PlainServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		serve(t, network, "peer.test:443", wstest.Options{})
		m, _ := manage(t, "wss://peer.test", at(network, wsclient.ReconnectOptions{}))
		if err := notWebSocket(t, m, network); !errors.Is(err, http.ErrSchemeMismatch) {
			t.Errorf("the cause is lost: %v", err)
		}
	})
}

func TestRC25BadAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, header := range map[string]http.Header{
			"accept":      {"Sec-Websocket-Accept": {wstest.Accept("of another key")}},
			"no upgrade":  {"Upgrade": nil},
			"subprotocol": {"Sec-Websocket-Protocol": {"never.asked.for"}},
			"extension":   {"Sec-Websocket-Extensions": {"never-asked-for"}},
		} {
			network := netem.New(nil)
			script(t, network, "peer.test:80", func(s *wstest.Session) error {
				return errors.Join(s.Upgrade(header), s.Discard())
			})
			m, d := manage(t, peerURL, at(network, wsclient.ReconnectOptions{}))
			err := notWebSocket(t, m, network)
			synctest.Wait()
			if len(d.told().failures) != 3 || t.Failed() {
				t.Errorf("%s: %v, %+v", name, err, d.told().failures)
			}
		}
	})
}
