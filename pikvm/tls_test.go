package pikvm_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// deviceCerts are certificates that a device may show.
type deviceCerts struct {
	ca, other                            *certs.CA
	good, expired, wrongHost, selfSigned tls.Certificate
	client                               tls.Certificate
	authority                            tls.Certificate // without its key
}

func newDeviceCerts(t *testing.T) *deviceCerts {
	t.Helper()
	d := new(deviceCerts)
	var errs [7]error
	d.ca, errs[0] = certs.NewCA("owner")
	d.other, errs[1] = certs.NewCA("somebody else")
	d.good, errs[2] = d.ca.Server("kvm.example")
	d.expired, errs[3] = d.ca.Issue(certs.Spec{Hosts: []string{"kvm.example"}, Validity: certs.Expired})
	d.wrongHost, errs[4] = d.ca.Server("other.example")
	d.selfSigned, errs[5] = certs.SelfSigned("localhost.localdomain")
	d.client, errs[6] = d.ca.Client("gateway")
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(d.ca.PEM())
	d.authority.Certificate = [][]byte{block.Bytes}
	return d
}

// tlsWith shows this certificate and offers HTTP/2, as devices do.
func tlsWith(cert tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}}
}

func pinOf(cert tls.Certificate) string {
	sum := certs.Fingerprint(cert)
	return hex.EncodeToString(sum[:])
}

// TestTLSPolicies checks every policy against every sort of certificate, for requests and for sockets.
func TestTLSPolicies(t *testing.T) {
	t.Parallel()
	d := newDeviceCerts(t)
	colons := strings.ToUpper(strings.Join(chunks(pinOf(d.selfSigned), 2), ":"))
	for _, tc := range []struct {
		name   string
		show   tls.Certificate
		opts   pikvm.Options
		refuse bool
	}{
		{name: "system roots refuse", show: d.good, refuse: true},
		{name: "system roots refuse self-signed", show: d.selfSigned, refuse: true},
		{name: "pool", show: d.good, opts: pikvm.Options{RootCAs: d.ca.Pool()}},
		{name: "PEM", show: d.good, opts: pikvm.Options{RootCAsPEM: d.ca.PEM()}},
		{name: "unknown authority", show: d.good, opts: pikvm.Options{RootCAs: d.other.Pool()}, refuse: true},
		{name: "empty pool", show: d.good, opts: pikvm.Options{RootCAs: x509.NewCertPool()}, refuse: true},
		{name: "expired", show: d.expired, opts: pikvm.Options{RootCAs: d.ca.Pool()}, refuse: true},
		{name: "wrong host", show: d.wrongHost, opts: pikvm.Options{RootCAs: d.ca.Pool()}, refuse: true},
		{name: "pin", show: d.selfSigned, opts: pikvm.Options{PinnedSHA256: pinOf(d.selfSigned)}},
		{name: "pin with colons", show: d.selfSigned, opts: pikvm.Options{PinnedSHA256: colons}},
		{name: "pin of an expired one", show: d.expired, opts: pikvm.Options{PinnedSHA256: pinOf(d.expired)}},
		{name: "pin of another", show: d.selfSigned, opts: pikvm.Options{PinnedSHA256: pinOf(d.good)}, refuse: true},
		{
			name: "pin of the authority", show: d.good, refuse: true,
			opts: pikvm.Options{PinnedSHA256: pinOf(d.authority)},
		},
		{name: "nothing verified", show: d.expired, opts: pikvm.Options{InsecureSkipTLSVerify: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := netem.New(nil)
			config := tlsWith(tc.show)
			requests := 0
			serveTLS(t, network, config, func(w http.ResponseWriter, r *http.Request) {
				requests++
				if r.ProtoMajor != 1 {
					t.Errorf("request by %s", r.Proto)
				}
				if r.URL.Path == "/api/ws" {
					reply(w, http.StatusForbidden, forbidden)
					return
				}
				reply(w, http.StatusOK, okEmpty)
			})
			opts := on(network, tc.opts)
			opts.Password = "secret"
			c := newClient(t, kvmHTTPS, opts)
			err := c.ATX.Click(t.Context(), pikvm.ButtonReset, nil)
			_, socketErr := c.DialSocket(t.Context(), "/api/ws")
			if !tc.refuse {
				if err != nil {
					t.Error(err)
				}
				if !errors.Is(socketErr, pikvm.ErrAuth) {
					t.Errorf("socket's error is %v, want ErrAuth", socketErr)
				}
				return
			}
			if requests > 0 {
				t.Errorf("%d requests reached a device that is not trusted", requests)
			}
			for name, err := range map[string]error{"request": err, "socket": socketErr} {
				t.Run(name, func(t *testing.T) {
					failure{
						Type: "ConnectError", Class: pikvm.ErrConnect,
						Kinds: errkit.Connection | errkit.Auth | errkit.NotSent,
					}.check(t, err)
					if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
						t.Errorf("error %v has no CertificateVerificationError in it", err)
					}
					if errkit.Transient(err) {
						t.Errorf("error %v is transient", err)
					}
				})
			}
		})
	}
}

func chunks(s string, n int) []string {
	var parts []string
	for ; len(s) > n; s = s[n:] {
		parts = append(parts, s[:n])
	}
	return append(parts, s)
}

// TestClientCertificate checks that a client certificate is shown to who asks for it.
func TestClientCertificate(t *testing.T) {
	t.Parallel()
	d := newDeviceCerts(t)
	network := netem.New(nil)
	serveTLS(t, network, &tls.Config{
		Certificates: []tls.Certificate{d.good}, ClientCAs: d.ca.Pool(), ClientAuth: tls.RequireAndVerifyClientCert,
	}, func(w http.ResponseWriter, r *http.Request) {
		if name := r.TLS.PeerCertificates[0].Subject.CommonName; name != "gateway" {
			t.Errorf("client is %q", name)
		}
		reply(w, http.StatusOK, okEmpty)
	})
	with := newClient(t, kvmHTTPS, on(network, pikvm.Options{RootCAs: d.ca.Pool(), ClientCertificate: &d.client}))
	if err := with.Auth.Check(t.Context()); err != nil {
		t.Error(err)
	}
	without := newClient(t, kvmHTTPS, on(network, pikvm.Options{RootCAs: d.ca.Pool()}))
	if err := without.Auth.Check(t.Context()); !errors.Is(err, pikvm.ErrConnect) || !errors.Is(err, errkit.Auth) {
		t.Errorf("error without certificate is %v, want ErrConnect of kind auth", err)
	}
}

// TestNotTLS checks that a peer without TLS is a failed connection, whichever side has none.
func TestNotTLS(t *testing.T) {
	t.Parallel()
	network := netem.New(nil)
	serve(t, listen(t, network, "kvm.example:443"), func(w http.ResponseWriter, _ *http.Request) {
		t.Error("a request arrived in clear")
	})
	c := newClient(t, kvmHTTPS, on(network, pikvm.Options{}))
	err := c.ATX.Click(t.Context(), pikvm.ButtonReset, nil)
	if !errors.Is(err, pikvm.ErrConnect) || !errors.Is(err, errkit.NotSent) {
		t.Errorf("error is %v, want ErrConnect of kind notsent", err)
	}

	d := newDeviceCerts(t)
	secure := netem.New(nil)
	serve(t, tls.NewListener(listen(t, secure, "kvm.example:80"), &tls.Config{Certificates: []tls.Certificate{d.good}}),
		func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") })
	clear := newClient(t, kvmHTTP, on(secure, pikvm.Options{Password: "secret"}))
	if err := clear.ATX.Click(t.Context(), pikvm.ButtonReset, nil); !errors.Is(err, pikvm.Err) {
		t.Errorf("error is %v, want one of the module", err)
	}
}

// TestFingerprint checks trust on first use: the value that is fetched is the one to pin.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	d := newDeviceCerts(t)
	network := netem.New(nil)
	serveTLS(t, network, &tls.Config{Certificates: []tls.Certificate{d.selfSigned}},
		func(w http.ResponseWriter, r *http.Request) { reply(w, http.StatusOK, okEmpty) })
	opts := on(network, pikvm.Options{Password: "secret", PinnedSHA256: "of no importance"})
	got, err := pikvm.Fingerprint(t.Context(), kvmHTTPS, opts)
	if err != nil {
		t.Fatal(err)
	}
	if want := pinOf(d.selfSigned); got != want {
		t.Fatalf("fingerprint is %s, want %s", got, want)
	}
	c := newClient(t, kvmHTTPS, on(network, pikvm.Options{PinnedSHA256: got}))
	if err := c.Auth.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestFingerprintFails checks the ways in which there is no certificate to see.
func TestFingerprintFails(t *testing.T) {
	t.Parallel()
	network := netem.New(nil)
	network.Refuse("kvm.example:443")
	l := listen(t, network, "plain.example:443")
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "220 mail.example ESMTP\r\n")
		_ = conn.Close()
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	opts := on(network, pikvm.Options{})

	_, err := pikvm.Fingerprint(t.Context(), kvmHTTP, opts)
	checkConfiguration(t, err, "baseURL")
	_, err = pikvm.Fingerprint(t.Context(), "ftp://kvm.example", opts)
	checkConfiguration(t, err, "baseURL")
	_, err = pikvm.Fingerprint(t.Context(), kvmHTTPS, opts)
	failure{Type: "ConnectError", Class: pikvm.ErrConnect, Kinds: errkit.Connection | errkit.NotSent}.check(t, err)
	_, err = pikvm.Fingerprint(t.Context(), "https://plain.example", opts)
	failure{
		Type: "ConnectError", Class: pikvm.ErrConnect, Kinds: errkit.Connection | errkit.Protocol | errkit.NotSent,
	}.check(t, err)
	_, err = pikvm.Fingerprint(canceled(t), kvmHTTPS, opts)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want context.Canceled", err)
	}
}
