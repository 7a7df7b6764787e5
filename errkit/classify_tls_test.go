package errkit_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// selfSigned returns a certificate for host and a pool that trusts it.
func selfSigned(t *testing.T, host string, notAfter time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: host},
		DNSNames:     []string{host},
		NotBefore:    time.Now().Add(-48 * time.Hour),
		NotAfter:     notAfter,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

// handshake connects with TLS to a server on 127.0.0.1 and returns how the client's handshake, or its first
// read, failed.
func handshake(t *testing.T, server, client *tls.Config) error {
	t.Helper()
	address := serve(t, func(conn *net.TCPConn) {
		secure := tls.Server(conn, server)
		_ = secure.Handshake() // what the client says of it is under test
		_ = secure.Close()
	})
	conn := tls.Client(dial(t, address), client)
	if err := conn.HandshakeContext(t.Context()); err != nil {
		return err
	}
	_, err := conn.Read(make([]byte, 1)) // in TLS 1.3 the server judges the client's certificate last
	return err
}

func TestClassifyCertificate(t *testing.T) {
	t.Parallel()
	tomorrow, yesterday := time.Now().Add(24*time.Hour), time.Now().Add(-24*time.Hour)
	good, trusted := selfSigned(t, "kvm.local", tomorrow)
	expired, trustedExpired := selfSigned(t, "kvm.local", yesterday)
	for _, tc := range []struct {
		name string
		cert tls.Certificate
		pool *x509.CertPool
		host string
	}{
		{"expired", expired, trustedExpired, "kvm.local"},
		{"unknown authority", good, x509.NewCertPool(), "kvm.local"},
		{"wrong host", good, trusted, "other.local"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := handshake(t, &tls.Config{Certificates: []tls.Certificate{tc.cert}}, &tls.Config{RootCAs: tc.pool, ServerName: tc.host})
			compareKinds(t, err, errkit.Connection|errkit.Auth|errkit.NotSent)
			if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
				t.Errorf("it is %#v", err)
			}
			if errkit.Transient(err) {
				t.Error("it is transient")
			}
		})
	}
}

// A server that demands a certificate answers with an alert: certificate_required (116) in TLS 1.3,
// bad_certificate (42) before, unknown_ca (48) for one that it does not know.
func TestClassifyRemoteAlert(t *testing.T) {
	t.Parallel()
	cert, trusted := selfSigned(t, "kvm.local", time.Now().Add(24*time.Hour))
	stranger, _ := selfSigned(t, "stranger", time.Now().Add(24*time.Hour))
	for _, tc := range []struct {
		name    string
		version uint16
		client  *tls.Certificate
		want    errkit.Kind
	}{
		{"no certificate, TLS 1.3", tls.VersionTLS13, new(tls.Certificate), errkit.Connection | errkit.Auth},
		{"no certificate, TLS 1.2", tls.VersionTLS12, new(tls.Certificate), errkit.Connection}, // handshake_failure (40) says no more
		{"unknown certificate, TLS 1.3", tls.VersionTLS13, &stranger, errkit.Connection | errkit.Auth},
		{"unknown certificate, TLS 1.2", tls.VersionTLS12, &stranger, errkit.Connection | errkit.Auth},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := handshake(t, &tls.Config{
				Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted,
				MinVersion: tc.version, MaxVersion: tc.version,
			}, &tls.Config{
				RootCAs: trusted, ServerName: "kvm.local",
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return tc.client, nil },
			})
			compareKinds(t, err, tc.want)
			if _, ok := errors.AsType[tls.AlertError](err); ok {
				t.Error("it is a tls.AlertError by now: the case of the private type is no longer needed")
			}
		})
	}
}

func TestClassifyNoCommonVersion(t *testing.T) {
	t.Parallel()
	cert, trusted := selfSigned(t, "kvm.local", time.Now().Add(24*time.Hour))
	err := handshake(t, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13},
		&tls.Config{RootCAs: trusted, ServerName: "kvm.local", MaxVersion: tls.VersionTLS12})
	compareKinds(t, err, errkit.Connection)
}

func TestClassifyTLSToPlainPort(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	dialer := &tls.Dialer{Config: &tls.Config{ServerName: "kvm.local"}}
	_, err := dialer.DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	compareKinds(t, err, errkit.Connection|errkit.Protocol)
}

func TestClassifyPlainToTLSPort(t *testing.T) {
	t.Parallel()
	cert, _ := selfSigned(t, "kvm.local", time.Now().Add(24*time.Hour))
	address := serve(t, func(conn *net.TCPConn) {
		secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
		_ = secure.Handshake() // fails: the client speaks HTTP
		_ = secure.Close()
	})
	_, err := get(t.Context(), new(http.Transport), "http://"+address+"/")
	if err == nil {
		t.Fatal("there was no error")
	}
	// What the client sees is an alert that is no HTTP, or the end of the connection.
	if kinds := errkit.Classify(err); kinds&^(errkit.Disconnected|errkit.Protocol) != 0 {
		t.Errorf("%v: got %v", err, kinds)
	}
	// The server knows more.
	client, peer := net.Pipe()
	go func() {
		_, _ = client.Write([]byte("GET / HTTP/1.1\r\nHost: kvm.local\r\n\r\n")) // the peer gives up in the middle
		_ = client.Close()
	}()
	err = tls.Server(peer, &tls.Config{Certificates: []tls.Certificate{cert}}).HandshakeContext(context.WithoutCancel(t.Context()))
	_ = peer.Close()
	compareKinds(t, err, errkit.Connection|errkit.Protocol)
}
