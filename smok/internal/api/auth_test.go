package api_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// TestCertificateHeader checks that a reader who maps tabs back gets the certificate, and no key.
func TestCertificateHeader(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	client := hub(t, nil, func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get("X-SSL-Client-Certificate")
		w.WriteHeader(http.StatusNoContent)
	})
	if err := client.SendMessage(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	header := <-got
	if strings.ContainsAny(header, "\r\n") || strings.Contains(header, "KEY") {
		t.Fatalf("%q", header)
	}
	block, rest := pem.Decode([]byte(strings.ReplaceAll(header, "\t", "\n")))
	want := device(ngtt.LocalDevelopment).Certificate()
	if block == nil || len(rest) > 0 || string(block.Bytes) != string(want.Certificate[0]) {
		t.Errorf("%q", header)
	}
}

// hubTLS serves a hub with TLS and returns its certificate and what authority signed it. The handler gets the requests
// with the device's certificate, if it presents one.
func hubTLS(t *testing.T, clientAuth tls.ClientAuthType, handler http.HandlerFunc) (*netem.Network, tls.Certificate, *certs.CA) {
	t.Helper()
	ca, err := certs.NewCA("hub")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Server("hub.test")
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	network := netem.New(nil)
	serve(t, network, "hub.test:443", &tls.Config{
		Certificates: []tls.Certificate{cert}, ClientAuth: clientAuth, ClientCAs: trusted.Pool(),
	}, handler)
	return network, cert, ca
}

// TestAuthModes checks what each mode shows to the hub, and which one each environment has.
func TestAuthModes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name        string
		environment ngtt.Environment
		mode        api.AuthMode
		certificate bool // in the handshake
		header      bool
	}{
		{"production", ngtt.Production, api.AuthDefault, true, false},
		{"staging", ngtt.Staging, api.AuthDefault, false, true},
		{"local development", ngtt.LocalDevelopment, api.AuthDefault, false, true},
		{"production by header", ngtt.Production, api.AuthHeader, false, true},
		{"staging by certificate", ngtt.Staging, api.AuthMTLS, true, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network, _, ca := hubTLS(t, tls.RequestClientCert, func(w http.ResponseWriter, r *http.Request) {
				if got := len(r.TLS.PeerCertificates) > 0; got != tc.certificate {
					t.Errorf("certificate in the handshake: %v", got)
				}
				if got := r.Header.Get("X-SSL-Client-Certificate") != ""; got != tc.header {
					t.Errorf("certificate in the header: %v", got)
				}
				w.WriteHeader(http.StatusNoContent)
			})
			client := connect(t, network, func(c *api.Config) {
				c.Credentials, c.Auth = device(tc.environment), tc.mode
				c.BaseURL, c.RootCAs = "https://hub.test", ca.Pool()
				c.TLSConfig = &tls.Config{Certificates: []tls.Certificate{device(ngtt.Staging).Certificate()}} // not used
			})
			if err := client.SendMessage(t.Context(), "m"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestEnvironments checks where a device without further options goes.
func TestEnvironments(t *testing.T) {
	t.Parallel()
	for environment, want := range map[ngtt.Environment]string{
		ngtt.Production: "api.smok.co:443", ngtt.Staging: "api.test.smok-serwis.pl:443", ngtt.LocalDevelopment: "http-api:80",
	} {
		t.Run(environment.String(), func(t *testing.T) {
			t.Parallel()
			dialled := make(chan string, 1)
			client, err := api.New(api.Config{
				Credentials: device(environment),
				DialContext: func(_ context.Context, network, addr string) (net.Conn, error) {
					dialled <- addr
					return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("no network")}
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			_, err = client.DeviceInfo(t.Context())
			checkOutcome(t, err, noReply(errkit.NotSent))
			if got := <-dialled; got != want {
				t.Errorf("dialled %s, want %s", got, want)
			}
		})
	}
}

// TestTrust checks whom a client believes.
func TestTrust(t *testing.T) {
	t.Parallel()
	untrusted := outcome{
		Class: smokerr.ErrNoLink, Kinds: errkit.Connection | errkit.Auth, Status: smokerr.StatusNoReply,
	}
	untrusted.Kinds |= errkit.NotSent // the handshake failed
	fingerprint := func(cert tls.Certificate) string {
		sum := certs.Fingerprint(cert)
		return strings.ToUpper(hex.EncodeToString(sum[:2])) + ":" + hex.EncodeToString(sum[2:])
	}
	for _, tc := range []struct {
		name   string
		change func(c *api.Config, cert tls.Certificate, ca *certs.CA)
		want   *outcome
	}{
		{"system roots", func(*api.Config, tls.Certificate, *certs.CA) {}, &untrusted},
		{"pool", func(c *api.Config, _ tls.Certificate, ca *certs.CA) { c.RootCAs = ca.Pool() }, nil},
		{"foreign pool", func(c *api.Config, _ tls.Certificate, _ *certs.CA) { c.RootCAs = x509.NewCertPool() }, &untrusted},
		{"pool in the TLS configuration", func(c *api.Config, _ tls.Certificate, ca *certs.CA) {
			c.TLSConfig = &tls.Config{RootCAs: ca.Pool()}
		}, nil},
		{"pin", func(c *api.Config, cert tls.Certificate, _ *certs.CA) { c.PinnedSHA256 = fingerprint(cert) }, nil},
		{"other pin", func(c *api.Config, _ tls.Certificate, _ *certs.CA) {
			c.PinnedSHA256 = strings.Repeat("00", 32)
		}, &untrusted},
		{"insecure", func(c *api.Config, _ tls.Certificate, _ *certs.CA) { c.InsecureSkipTLSVerify = true }, nil},
		{"clock that is wrong", func(c *api.Config, _ tls.Certificate, ca *certs.CA) {
			c.RootCAs = ca.Pool()
			c.Time = func() time.Time { return time.Unix(0, 0) }
		}, &untrusted},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network, cert, ca := hubTLS(t, tls.RequireAndVerifyClientCert, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNoContent)
			})
			client := connect(t, network, func(c *api.Config) {
				c.BaseURL, c.Auth = "https://hub.test", api.AuthMTLS
				tc.change(c, cert, ca)
			})
			err := client.SendMessage(t.Context(), "m")
			if tc.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			checkOutcome(t, err, *tc.want)
			if response, _ := errors.AsType[*smokerr.ResponseError](err); !response.Identity() || response.Retryable() {
				t.Errorf("identity %v, retryable %v", response.Identity(), response.Retryable())
			}
		})
	}
}

// TestRefusedCertificate checks a hub that does not want the device's certificate: an error that says so, and at once.
func TestRefusedCertificate(t *testing.T) {
	t.Parallel()
	device(ngtt.LocalDevelopment) // made outside the bubble
	synctest.Test(t, func(t *testing.T) {
		network, _, ca := hubTLS(t, tls.RequireAnyClientCert, func(http.ResponseWriter, *http.Request) { t.Error("a request") })
		client := connect(t, network, func(c *api.Config) {
			c.BaseURL, c.Auth, c.RootCAs = "https://hub.test", api.AuthHeader, ca.Pool() // shows none
		})
		began := time.Now()
		_, err := client.Orders(t.Context())
		if response, ok := errors.AsType[*smokerr.ResponseError](err); !ok || !response.NoLink() || !response.Identity() {
			t.Errorf("%v", err)
		}
		client.Close()
		if took := time.Since(began); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}

// TestExpiredCertificate checks that a device whose certificate has run out, or whose clock is wrong, says so where the
// hub does not trust it, and only there.
func TestExpiredCertificate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status int
		now    time.Time
		hint   string
	}{
		{401, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), "by the device's clock the certificate expired on 2099-"},
		{403, time.Unix(0, 0), "by the device's clock the certificate begins on 1990-"},
		{403, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), ""},
		{500, time.Unix(0, 0), ""},
	} {
		client := hub(t, func(c *api.Config) { c.Time = func() time.Time { return tc.now } },
			func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, tc.status, `{"status":"no"}`) })
		err := client.SendMessage(t.Context(), "m")
		response, ok := errors.AsType[*smokerr.ResponseError](err)
		if !ok || !strings.HasPrefix(response.Hint, tc.hint) || tc.hint == "" && response.Hint != "" ||
			!strings.Contains(err.Error(), response.Hint) {
			t.Errorf("%d at %v: %q, %v", tc.status, tc.now, response.Hint, err)
		}
	}
}

// TestConfig checks that what cannot work is refused, field by field.
func TestConfig(t *testing.T) {
	t.Parallel()
	pin := strings.Repeat("ab", 32)
	for _, tc := range []struct {
		field  string
		change func(*api.Config)
	}{
		{"Credentials", func(c *api.Config) { c.Credentials = nil }},
		{"BaseURL", func(c *api.Config) { c.BaseURL = "://" }},
		{"BaseURL", func(c *api.Config) { c.BaseURL = "ftp://hub.test" }},
		{"BaseURL", func(c *api.Config) { c.BaseURL = "https://" }},
		{"BaseURL", func(c *api.Config) { c.BaseURL = "https://u:p@hub.test" }},
		{"BaseURL", func(c *api.Config) { c.BaseURL = "https://hub.test/?a=b" }},
		{"BaseURL", func(c *api.Config) { c.BaseURL = "https://hub.test/#a" }},
		{"BaseURL", func(c *api.Config) { c.BaseURL, c.Auth = "http://hub.test", api.AuthMTLS }},
		{"Auth", func(c *api.Config) { c.Auth = 7 }},
		{"RootCAs", func(c *api.Config) { c.BaseURL, c.RootCAs = "http://hub.test", x509.NewCertPool() }},
		{"PinnedSHA256", func(c *api.Config) { c.PinnedSHA256 = "00" }},
		{"PinnedSHA256", func(c *api.Config) { c.PinnedSHA256, c.RootCAs = pin, x509.NewCertPool() }},
		{"InsecureSkipTLSVerify", func(c *api.Config) { c.PinnedSHA256, c.InsecureSkipTLSVerify = pin, true }},
		{"ConnectTimeout", func(c *api.Config) { c.ConnectTimeout = -1 }},
		{"MaxBody", func(c *api.Config) { c.MaxBody = -1 }},
		{"UserAgent", func(c *api.Config) { c.UserAgent = "a\r\nX: b" }},
	} {
		t.Run(tc.field, func(t *testing.T) {
			t.Parallel()
			cfg := api.Config{Credentials: device(ngtt.Production)}
			tc.change(&cfg)
			_, err := api.New(cfg)
			wrong, ok := errors.AsType[*smokerr.InvalidArgumentError](err)
			if !ok || wrong.Field != tc.field || !errors.Is(err, errkit.NotSent) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestWrapTransport checks that a program can look at requests without losing what the client set up.
func TestWrapTransport(t *testing.T) {
	t.Parallel()
	seen := 0
	client := hub(t, func(c *api.Config) {
		c.WrapTransport = func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				seen++
				return next.RoundTrip(r)
			})
		}
	}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	if err := client.SendMessage(t.Context(), "m"); err != nil || seen != 1 {
		t.Errorf("%v, %d requests seen", err, seen)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAuthModeString(t *testing.T) {
	t.Parallel()
	for mode, want := range map[api.AuthMode]string{
		api.AuthDefault: "default", api.AuthMTLS: "mtls", api.AuthHeader: "header", 9: "unknown",
	} {
		if got := mode.String(); got != want {
			t.Errorf("%d is %q, want %q", mode, got, want)
		}
	}
}
