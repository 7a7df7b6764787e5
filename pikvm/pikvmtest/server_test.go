package pikvmtest_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]pikvmtest.Options{
		"version":          {Version: "4"},
		"version text":     {Version: "4.x"},
		"secret":           {TOTPSecret: "no base32!"},
		"redirect":         {PlainRedirect: true},
		"time scale":       {TimeScale: -1},
		"session limit":    {SessionLimit: -time.Second},
		"part of a second": {SessionLimit: time.Millisecond},
		"boot delay":       {Host: pikvmtest.HostOptions{BootDelay: -1}},
		"certificate":      {TLS: true, TLSConfig: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{{1}}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := pikvmtest.New(&opts)
			if err := srv.Start(); err == nil {
				t.Error("no error")
			}
			if err := srv.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLifeCycle(t *testing.T) {
	t.Parallel()
	srv := pikvmtest.New(nil)
	if srv.URL() != "" || srv.Certificate() != nil || srv.Fingerprint() != [32]byte{} {
		t.Error("a server that was not started has an address or a certificate")
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err == nil {
		t.Error("the second Start succeeded")
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := srv.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := srv.Start(); err == nil {
		t.Error("Start after Close succeeded")
	}
	if _, err := http.Get(srv.URL()); err == nil {
		t.Error("the closed server answers")
	}
}

func TestOptionsAreCopied(t *testing.T) {
	t.Parallel()
	users := map[string]string{"admin": "admin"}
	opts := &pikvmtest.Options{Users: users}
	k := start(t, opts)
	users["admin"] = "other"
	opts.AuthDisabled = true
	if got := k.do("GET", "/api/auth/check").Status; got != 200 {
		t.Errorf("%d, want 200", got)
	}
	if got := k.do("GET", "/api/auth/check", anonymous).Status; got != 401 {
		t.Errorf("%d, want 401", got)
	}
}

// TestTLS checks the fingerprint of the generated certificate against what the handshake shows, and that HTTP/2 is offered.
func TestTLS(t *testing.T) {
	t.Parallel()
	k := start(t, &pikvmtest.Options{TLS: true})
	roots := x509.NewCertPool()
	roots.AddCert(k.Certificate())
	conn, err := tls.Dial("tcp", k.URL()[len("https://"):], &tls.Config{
		RootCAs: roots, NextProtos: []string{"h2", "http/1.1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	state := conn.ConnectionState()
	if got := sha256.Sum256(state.PeerCertificates[0].Raw); got != k.Fingerprint() {
		t.Errorf("fingerprint %x, want %x", k.Fingerprint(), got)
	}
	if state.NegotiatedProtocol != "h2" {
		t.Errorf("protocol %q, want h2", state.NegotiatedProtocol)
	}
	if got := k.do("GET", "/api/atx").Header.Get("Strict-Transport-Security"); got == "" {
		t.Error("no HSTS header")
	}
	k.listen(quiet) // over HTTP/1.1, although HTTP/2 is offered
	if err := k.WaitSockets(t.Context(), 1); err != nil {
		t.Error(err)
	}
}

func TestOwnCertificate(t *testing.T) {
	t.Parallel()
	ca, err := certs.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Server("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{cert}, ClientCAs: ca.Pool(), ClientAuth: tls.RequireAndVerifyClientCert,
	}
	k := start(t, &pikvmtest.Options{TLS: true, TLSConfig: config})
	if k.Fingerprint() != sha256.Sum256(cert.Certificate[0]) {
		t.Error("the fingerprint is not that of the certificate")
	}
	if _, err := k.try("GET", "/api/atx"); err == nil {
		t.Error("a client without a certificate got in")
	}
	client, err := ca.Client("me")
	if err != nil {
		t.Fatal(err)
	}
	k.http.Transport.(*http.Transport).TLSClientConfig = &tls.Config{
		RootCAs: ca.Pool(), Certificates: []tls.Certificate{client},
	}
	if got := k.do("GET", "/api/atx").Status; got != 200 {
		t.Errorf("%d, want 200", got)
	}
}

// TestTLSInMemory shows the whole in a bubble: in-memory network, TLS, sockets.
func TestTLSInMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{TLS: true})
		l := k.listen(quiet)
		k.want(k.do("POST", "/api/atx/power?action=on&wait=1"), 200, "", "")
		synctest.Wait()
		if got := l.types(); got[0] != "loop" || got[len(got)-1] != "atx" {
			t.Errorf("events %v", got)
		}
	})
}

// TestCloseUnderLoad closes while requests, presses and sockets of all kinds are under way.
func TestCloseUnderLoad(t *testing.T) {
	t.Parallel()
	k := start(t, &pikvmtest.Options{TimeScale: 20})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for ctx.Err() == nil {
				switch i % 4 {
				case 0:
					_, _ = k.try("POST", "/api/atx/click?button=reset&wait=1")
				case 1:
					_, _ = k.try("GET", "/api/info")
				case 2:
					if conn, err := k.dialSocket("", nil); err == nil {
						_, _, _ = conn.Read(nil)
						_ = conn.CloseNow()
					}
				case 3:
					k.SetHostPower(i > 4)
					k.DropSockets(1001)
					k.Requests()
					k.PowerLog()
				}
			}
		})
	}
	if err := k.WaitSockets(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
	cancel()
	wg.Wait()
	if got := k.Sockets(); got != 0 {
		t.Errorf("%d sockets after Close", got)
	}
}

// TestCutAtEveryByte cuts the connection of a client at each byte of a request and of its answer: the server goes on.
func TestCutAtEveryByte(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		ln, err := network.Listen("kvm.test:80")
		if err != nil {
			t.Fatal(err)
		}
		k := run(t, &pikvmtest.Options{Listener: ln}, network.DialContext)
		request := "POST /api/auth/login HTTP/1.1\r\nHost: kvm\r\nContent-Type: application/x-www-form-urlencoded\r\n" +
			"Content-Length: 23\r\n\r\nuser=admin&passwd=admin"
		for n := range len(request) {
			conn, err := network.DialContext(t.Context(), "tcp", "kvm.test:80")
			if err != nil {
				t.Fatal(err)
			}
			links := network.Links()
			links[len(links)-1].CutAfter(netem.Up, int64(n), netem.RST)
			_, _ = fmt.Fprint(conn, request)
			synctest.Wait()
			_ = conn.Close()
		}
		for n := range 300 {
			conn, err := network.DialContext(t.Context(), "tcp", "kvm.test:80")
			if err != nil {
				t.Fatal(err)
			}
			links := network.Links()
			links[len(links)-1].CutAfter(netem.Down, int64(n), netem.FIN)
			_, _ = fmt.Fprint(conn, request)
			synctest.Wait()
			_ = conn.Close()
		}
		if got := k.do("GET", "/api/auth/check").Status; got != 200 {
			t.Errorf("afterwards: %d", got)
		}
	})
}

func TestWaitSocketsGivesUp(t *testing.T) {
	t.Parallel()
	k := start(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := k.WaitSockets(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
