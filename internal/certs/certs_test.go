package certs_test

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func newCA(t *testing.T) *certs.CA {
	t.Helper()
	ca, err := certs.NewCA("test authority")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// outcome names the reason for which a TLS client refuses a certificate; "" is accepted.
func outcome(err error) string {
	var (
		invalid x509.CertificateInvalidError
		host    x509.HostnameError
		unknown x509.UnknownAuthorityError
	)
	switch {
	case err == nil:
		return ""
	case errors.As(err, &host):
		return "host"
	case errors.As(err, &unknown):
		return "authority"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "time"
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return "usage"
	}
	return err.Error()
}

// verify checks cert as crypto/tls does, at the present time of the clock that it runs under.
func verify(cert tls.Certificate, host string, roots *x509.CertPool, usage x509.ExtKeyUsage) string {
	_, err := cert.Leaf.Verify(x509.VerifyOptions{
		DNSName: host, Roots: roots, CurrentTime: time.Now(), KeyUsages: []x509.ExtKeyUsage{usage},
	})
	return outcome(err)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	ca, other := newCA(t), newCA(t)
	selfSigned, err := certs.SelfSigned("kvm.test")
	if err != nil {
		t.Fatal(err)
	}
	own := x509.NewCertPool()
	own.AddCert(selfSigned.Leaf)
	issue := func(spec certs.Spec) tls.Certificate {
		cert, err := ca.Issue(spec)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	server := issue(certs.Spec{Hosts: []string{"kvm.test", "127.0.0.1", "::1"}})
	client := issue(certs.Spec{CommonName: "device-1"})

	rows := []struct {
		name  string
		cert  tls.Certificate
		host  string
		roots *x509.CertPool
		usage x509.ExtKeyUsage
		want  string
	}{
		{"server by name", server, "kvm.test", ca.Pool(), x509.ExtKeyUsageServerAuth, ""},
		{"server by IPv4", server, "127.0.0.1", ca.Pool(), x509.ExtKeyUsageServerAuth, ""},
		{"server by IPv6", server, "::1", ca.Pool(), x509.ExtKeyUsageServerAuth, ""},
		{"wrong host", server, "other.test", ca.Pool(), x509.ExtKeyUsageServerAuth, "host"},
		{"wrong address", server, "127.0.0.2", ca.Pool(), x509.ExtKeyUsageServerAuth, "host"},
		{"wrong authority of the same name", server, "kvm.test", other.Pool(), x509.ExtKeyUsageServerAuth, "authority"},
		{"server as client", server, "", ca.Pool(), x509.ExtKeyUsageClientAuth, "usage"},
		{"client", client, "", ca.Pool(), x509.ExtKeyUsageClientAuth, ""},
		{"client as server", client, "", ca.Pool(), x509.ExtKeyUsageServerAuth, "usage"},
		{"expired", issue(certs.Spec{Hosts: []string{"kvm.test"}, Validity: certs.Expired}), "kvm.test", ca.Pool(), x509.ExtKeyUsageServerAuth, "time"},
		{"not yet valid", issue(certs.Spec{Hosts: []string{"kvm.test"}, Validity: certs.NotYetValid}), "kvm.test", ca.Pool(), x509.ExtKeyUsageServerAuth, "time"},
		{"expired client", issue(certs.Spec{CommonName: "d", Validity: certs.Expired}), "", ca.Pool(), x509.ExtKeyUsageClientAuth, "time"},
		{"self-signed, unknown", selfSigned, "kvm.test", ca.Pool(), x509.ExtKeyUsageServerAuth, "authority"},
		{"self-signed, trusted itself", selfSigned, "kvm.test", own, x509.ExtKeyUsageServerAuth, ""},
	}
	check := func(t *testing.T) {
		for _, tc := range rows {
			if got := verify(tc.cert, tc.host, tc.roots, tc.usage); got != tc.want {
				t.Errorf("%s: refused because of %q, want %q", tc.name, got, tc.want)
			}
		}
	}
	t.Run("real clock", check)
	t.Run("bubble", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { check(t) })
	})
}

func TestHandshakeWithClientCertificate(t *testing.T) {
	t.Parallel()
	ca := newCA(t)
	id := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}
	server, err := ca.Server("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	client, err := ca.Client("device-1", pkix.Extension{Id: id, Value: []byte("serial 7")})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	type peer struct {
		CN, ID string
		Err    error
	}
	accepted := make(chan peer, 1)
	go func() {
		var p peer
		defer func() { accepted <- p }()
		conn, err := ln.Accept()
		if err != nil {
			p.Err = err
			return
		}
		defer func() { _ = conn.Close() }()
		if p.Err = conn.(*tls.Conn).Handshake(); p.Err != nil {
			return
		}
		leaf := conn.(*tls.Conn).ConnectionState().PeerCertificates[0]
		p.CN = leaf.Subject.CommonName
		for _, ext := range leaf.Extensions {
			if ext.Id.Equal(id) {
				p.ID = string(ext.Value)
			}
		}
	}()
	conn, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{
		ServerName: "127.0.0.1", RootCAs: ca.Pool(), Certificates: []tls.Certificate{client},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if d := cmp.Diff(peer{CN: "device-1", ID: "serial 7"}, <-accepted); d != "" {
		t.Errorf("what the server saw (-want +got):\n%s", d)
	}
}

func TestPEM(t *testing.T) {
	t.Parallel()
	ca := newCA(t)
	cert, err := ca.Server("kvm.test")
	if err != nil {
		t.Fatal(err)
	}
	chain, key, err := certs.PEM(cert)
	if err != nil {
		t.Fatal(err)
	}
	back, err := tls.X509KeyPair(chain, key)
	if err != nil {
		t.Fatal(err)
	}
	if certs.Fingerprint(back) != certs.Fingerprint(cert) {
		t.Error("the certificate changed on its way through PEM")
	}
	if got, want := certs.Fingerprint(cert), sha256.Sum256(cert.Leaf.Raw); got != want {
		t.Errorf("fingerprint %x, want %x", got, want)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca.PEM()) {
		t.Fatal("the authority's PEM does not parse")
	}
	if !pool.Equal(ca.Pool()) {
		t.Error("the authority changed on its way through PEM")
	}
	if _, _, err := certs.PEM(tls.Certificate{}); err == nil {
		t.Error("PEM of nothing succeeded")
	}
}

func TestServerNeedsHost(t *testing.T) {
	t.Parallel()
	if _, err := newCA(t).Server(); err == nil {
		t.Error("a server certificate without a host was made")
	}
	if _, err := certs.SelfSigned(); err == nil {
		t.Error("a self-signed certificate without a host was made")
	}
}

func Example() {
	ca, err := certs.NewCA("example authority")
	if err != nil {
		panic(err)
	}
	cert, err := ca.Server("kvm.test", "127.0.0.1")
	if err != nil {
		panic(err)
	}
	server := &tls.Config{Certificates: []tls.Certificate{cert}}
	client := &tls.Config{RootCAs: ca.Pool(), ServerName: "kvm.test"}

	a, b := net.Pipe()
	go func() { _ = tls.Server(a, server).Handshake() }()
	fmt.Println(tls.Client(b, client).Handshake())

	old, err := ca.Issue(certs.Spec{Hosts: []string{"kvm.test"}, Validity: certs.Expired})
	if err != nil {
		panic(err)
	}
	fmt.Println(old.Leaf.NotAfter.Year())
	// Output:
	// <nil>
	// 1999
}
