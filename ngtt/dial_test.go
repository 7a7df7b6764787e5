package ngtt_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
)

// NoInternet is true exactly where the device's own way to the hub is missing.
func TestDialFailures(t *testing.T) {
	opError := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for name, tc := range map[string]struct {
		err        error
		defaultHub bool
		reason     ngtt.Reason
		noInternet bool
	}{
		"refused":                      {opError(os.NewSyscallError("connect", syscall.ECONNREFUSED)), false, ngtt.ReasonDial, true},
		"unreachable host":             {opError(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), false, ngtt.ReasonDial, true},
		"unreachable network":          {opError(os.NewSyscallError("connect", syscall.ENETUNREACH)), false, ngtt.ReasonDial, true},
		"network down":                 {opError(os.NewSyscallError("connect", syscall.ENETDOWN)), false, ngtt.ReasonDial, true},
		"kernel's timeout":             {opError(os.NewSyscallError("connect", syscall.ETIMEDOUT)), false, ngtt.ReasonDial, true},
		"dialler's timeout":            {opError(os.ErrDeadlineExceeded), false, ngtt.ReasonDial, true},
		"no free files":                {opError(os.NewSyscallError("socket", syscall.EMFILE)), false, ngtt.ReasonDial, false},
		"not permitted":                {opError(os.NewSyscallError("connect", syscall.EPERM)), false, ngtt.ReasonDial, false},
		"no name server":               {opError(&net.DNSError{Err: "server misbehaving", IsTemporary: true}), false, ngtt.ReasonDNS, true},
		"no such name":                 {opError(&net.DNSError{Err: "no such host", IsNotFound: true}), false, ngtt.ReasonDNS, false},
		"no such name, SMOK's own hub": {opError(&net.DNSError{Err: "no such host", IsNotFound: true}), true, ngtt.ReasonDNS, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub := ngtttest.New(nil)
			states := newStates()
			opts := ngtt.Options{
				Addr: "hub.test", RootCAs: hub.RootCAs(), OnStateChange: states.add,
				DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, tc.err },
			}
			if tc.defaultHub {
				opts.Addr = ""
			}
			client, err := ngtt.New(issue(t, hub, ngtttest.Device{ID: device}), &opts)
			if err != nil {
				t.Fatal(err)
			}
			go func() { _ = client.Run(context.Background()) }()
			defer client.Close()
			status := states.await(t, ngtt.StateDisconnected, 1)
			wantFailure(t, status.Err, tc.reason, tc.noInternet)
			if !errors.Is(status.Err, tc.err) || !errors.Is(status.Err, errkit.Connection) || !errors.Is(status.Err, errkit.NotSent) {
				t.Errorf("%v", status.Err)
			}
		})
	}
}

func TestDialTimeouts(t *testing.T) {
	for name, tc := range map[string]struct {
		hang       func(*bench)
		noInternet bool
	}{
		"nobody answers the dial":      {func(b *bench) { b.network.Blackhole("") }, true},
		"nobody answers the handshake": {func(b *bench) { b.network.CutAfter(netem.Up, 10, netem.Silence) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, ngtttest.Options{})
				tc.hang(b)
				began := time.Now()
				c := b.client(ngtt.Options{})
				status := c.states.await(t, ngtt.StateDisconnected, 1)
				if after := time.Since(began); after != 10*time.Second {
					t.Errorf("gave up after %v", after)
				}
				wantFailure(t, status.Err, ngtt.ReasonTimeout, tc.noInternet)
				if !errors.Is(status.Err, errkit.Timeout) || errors.Is(status.Err, context.DeadlineExceeded) {
					t.Errorf("%v", status.Err)
				}
			})
		})
	}
}

// A hub that is not the one that is trusted is not called missing internet.
func TestHubIsNotTrusted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		stranger := ngtttest.New(nil)
		for name, spoil := range map[string]func(*ngtt.Options){
			"foreign authority": func(o *ngtt.Options) { o.RootCAs = stranger.RootCAs() },
			"another name":      func(o *ngtt.Options) { o.ServerName = "other.test" },
			"another pin":       func(o *ngtt.Options) { o.RootCAs, o.PinnedSHA256 = nil, strings.Repeat("00:", 31)+"00" },
		} {
			status := dialOnce(t, b, spoil)
			wantFailure(t, status.Err, ngtt.ReasonTLS, false)
			if _, ok := errors.AsType[*tls.CertificateVerificationError](status.Err); !ok || !errors.Is(status.Err, errkit.Auth) {
				t.Errorf("%s: %v", name, status.Err)
			}
		}
	})
}

// dialOnce runs a client until its first connection or failure.
func dialOnce(t *testing.T, b *bench, change func(*ngtt.Options)) ngtt.Status {
	t.Helper()
	first := make(chan ngtt.Status, 100)
	opts := ngtt.Options{
		Addr: "hub.test", RootCAs: b.hub.RootCAs(), DialContext: b.network.DialContext, Handler: ignore,
		OnStateChange: func(s ngtt.Status) {
			if s.State != ngtt.StateConnecting {
				first <- s
			}
		},
	}
	change(&opts)
	client, err := ngtt.New(b.cred, &opts)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	go func() { _ = client.Run(context.Background()) }()
	return <-first
}

func TestWaysToTrust(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		pin := fingerprintOf(t, b)
		for name, change := range map[string]func(*ngtt.Options){
			"authority":           func(*ngtt.Options) {},
			"port is the default": func(o *ngtt.Options) { o.Addr = "hub.test" },
			"pin":                 func(o *ngtt.Options) { o.RootCAs, o.PinnedSHA256, o.ServerName = nil, pin, "any" },
			"nothing is checked":  func(o *ngtt.Options) { o.RootCAs, o.InsecureSkipTLSVerify, o.ServerName = nil, true, "any" },
			"TLS config": func(o *ngtt.Options) {
				o.TLSConfig, o.RootCAs = &tls.Config{RootCAs: o.RootCAs, ServerName: "hub.test"}, nil
			},
		} {
			if status := dialOnce(t, b, change); status.State != ngtt.StateConnected {
				t.Errorf("%s: %+v", name, status)
			}
		}
	})
}

func fingerprintOf(t *testing.T, b *bench) string {
	t.Helper()
	raw, err := b.network.DialContext(t.Context(), "tcp", "hub.test:2405")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	var pin string
	_ = tls.Client(raw, &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error {
		sum := sha256.Sum256(s.PeerCertificates[0].Raw)
		pin = hex.EncodeToString(sum[:])
		return nil
	}}).HandshakeContext(t.Context())
	return pin
}

// The hub refuses the device's certificate, with both versions of TLS: it says so only after the handshake with 1.3.
func TestRejectedCertificates(t *testing.T) {
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		for what, d := range map[string]ngtttest.Device{
			"expired":           {ID: device, NotAfter: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)},
			"not yet valid":     {ID: device, NotBefore: time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)},
			"unknown authority": {ID: device, Foreign: true},
			"refused":           {ID: device},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t, ngtttest.Options{MaxTLSVersion: version})
					b.cred = issue(t, b.hub, d)
					b.hub.SetFaults(ngtttest.Faults{RefuseCertificates: what == "refused"})
					c := b.client(ngtt.Options{Handler: ignore})
					var err error
					if what == "expired" { // which both sides agree about
						err = <-c.result
					} else {
						status := c.states.await(t, ngtt.StateDisconnected, 1)
						if err = status.Err; status.RetryIn != 30*time.Second {
							t.Errorf("tries again in %v", status.RetryIn)
						}
						c.states.await(t, ngtt.StateDisconnected, 2)
					}
					wantFailure(t, err, ngtt.ReasonRejected, false)
					if !errors.Is(err, errkit.Auth) {
						t.Errorf("kinds of %v: %v", err, errkit.KindOf(err))
					}
					failed, _ := errors.AsType[*ngtt.ConnectionFailedError](err)
					wantHint := map[string]string{"expired": "expired on 1999-01-01", "not yet valid": "clock says 2000-01-01"}[what]
					if !strings.Contains(failed.Hint, wantHint) || (wantHint == "") != (failed.Hint == "") {
						t.Errorf("hint %q", failed.Hint)
					}
				})
			})
		}
	}
}

// A device whose clock stands in 1970 is told so, and can bring a better guess.
func TestClockSkew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		wrong := func() time.Time { return time.Unix(3, 0).UTC() }
		status := dialOnce(t, b, func(o *ngtt.Options) { o.Time = wrong })
		wantFailure(t, status.Err, ngtt.ReasonTLS, false)
		if failed, ok := errors.AsType[*ngtt.ConnectionFailedError](status.Err); !ok || !strings.Contains(failed.Hint, "1970-01-01T00:00:03Z") ||
			!strings.Contains(status.Err.Error(), "is it right?") {
			t.Errorf("%v", status.Err)
		}
		if invalid, ok := errors.AsType[x509.CertificateInvalidError](status.Err); !ok || invalid.Reason != x509.Expired {
			t.Errorf("%v", status.Err)
		}
		if err := b.cred.Validity(wrong()); !errors.Is(err, ngtt.ErrInvalidCredentials) {
			t.Errorf("validity: %v", err)
		}
		if err := b.cred.Validity(time.Now()); err != nil {
			t.Errorf("validity: %v", err)
		}
	})
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	hub := ngtttest.New(nil)
	cred := issue(t, hub, ngtttest.Device{ID: device})
	for field, opts := range map[string]ngtt.Options{
		"RootCAs":             {},
		"Addr":                {Addr: "hub:port"},
		"PinnedSHA256":        {Addr: "hub", PinnedSHA256: "abc"},
		"ConnectTimeout":      {Addr: "hub", ConnectTimeout: -1},
		"PingInterval":        {Addr: "hub", PingInterval: time.Minute},
		"MaxBody":             {Addr: "hub", MaxBody: -1},
		"QueueOrders":         {Addr: "hub", QueueOrders: -1},
		"QueueBytes":          {Addr: "hub", QueueBytes: -1},
		"Backoff.StableAfter": {Addr: "hub", Backoff: retry.Backoff{StableAfter: -1}},
		"InsecureSkipTLSVerify": {
			Addr: "hub", PinnedSHA256: strings.Repeat("00", 32), InsecureSkipTLSVerify: true,
		},
	} {
		_, err := ngtt.New(cred, &opts)
		wrong, ok := errors.AsType[*ngtt.ConfigurationError](err)
		if !ok || wrong.Field != field || !errors.Is(err, ngtt.ErrConfiguration) || !errors.Is(err, errkit.Invalid) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for env, host := range map[ngtt.Environment]string{
		ngtt.Production: "api.smok.co:2405", ngtt.Staging: "api.test.smok-serwis.pl:2405", ngtt.LocalDevelopment: "rapid-rs:2405",
	} {
		cred := issue(t, hub, ngtttest.Device{ID: device, Environment: int(env)})
		client, err := ngtt.New(cred, &ngtt.Options{RootCAs: hub.RootCAs()})
		if err != nil || !strings.Contains(client.String(), host) {
			t.Errorf("%v: %v, %v", env, client, err)
		}
	}
}
