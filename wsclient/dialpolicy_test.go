//go:build !js

package wsclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

func verification(cause error) error {
	return dialError(&tls.CertificateVerificationError{Err: cause})
}

// alert is how package tls reports an alert of the peer; the type of its number is private there.
func alert(number uint8) error {
	return dialError(fmt.Errorf("net/http: transport connection broken: %w",
		&net.OpError{Op: "remote error", Err: tls.AlertError(number)}))
}

var dialTable = []struct {
	name string
	err  error
	want Decision
}{
	{"name not found", dialError(&net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}), again},
	{"name server silent", dialError(&net.OpError{Op: "dial", Err: &net.DNSError{IsTimeout: true, IsTemporary: true}}), again},
	{"refused", errRefused, again},
	{"unreachable", dialError(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ENETUNREACH)}), again},
	{"reset", dialError(syscall.ECONNRESET), again},
	{"end of file", dialError(io.EOF), again},
	{"handshake timeout", timedOut("connect"), again},
	{"timeout of a dialler", dialError(context.DeadlineExceeded), again},
	{"unknown authority", verification(x509.UnknownAuthorityError{}), giveUp},
	{"unknown authority, bare", dialError(x509.UnknownAuthorityError{}), giveUp},
	{"another host", verification(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}), giveUp},
	{"another host, bare", dialError(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}), giveUp},
	{"expired", verification(x509.CertificateInvalidError{Reason: x509.Expired}), again},
	{"not for servers", verification(x509.CertificateInvalidError{Reason: x509.IncompatibleUsage}), giveUp},
	{"alert: bad certificate", alert(42), refresh},
	{"alert: certificate revoked", alert(44), refresh},
	{"alert: certificate expired", alert(45), refresh},
	{"alert: unknown authority", alert(48), refresh},
	{"alert: certificate required", alert(116), refresh},
	{"alert: handshake failure", alert(40), again},
	{"alert: internal error", alert(80), again},
	{"no TLS", dialError(fmt.Errorf("get: %w", http.ErrSchemeMismatch)), violation},
	{"no WebSocket", violated(0), violation},
	{"bad address", wserr.Config("connect", "url", "not a URL"), giveUp},
	{"callback", callbackFailed("Dial.URLFunc", testURL, errors.New("boom")), again},
	{"callback's own client", callbackFailed("Dial.HeaderFunc", testURL, refusal(404, nil)), again},
	{"callback's own certificate", callbackFailed("Dial.HeaderFunc", testURL, verification(x509.UnknownAuthorityError{})), again},
	{"callback had enough", callbackFailed("Dial.HeaderFunc", testURL, fmt.Errorf("no more: %w", ErrGiveUp)), giveUp},
	{"refused with 404", refusal(404, nil), giveUp},
	{"anything", errors.New("boom"), again},
}

func TestDialTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range dialTable {
			if got := dialDecision(c.err, false); got != c.want {
				t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
			}
			p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{})
			p.next()
			if v := p.failed(c.err); (v.err != nil) != (c.want.Action != Retry) {
				t.Errorf("%s: %+v", c.name, v)
			}
		}
		for name, err := range map[string]error{
			"unknown authority": verification(x509.UnknownAuthorityError{}),
			"another host":      verification(x509.HostnameError{Certificate: &x509.Certificate{}}),
		} {
			if got := dialDecision(err, true); got != again {
				t.Errorf("%s with RetryTLSErrors: %+v", name, got)
			}
		}
	})
}

// A peer that is no WebSocket server is left after three attempts, and no earlier.
func TestRC24RC25ThreeInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, err := range map[string]error{
			"RC-24 no TLS":     dialError(fmt.Errorf("get: %w", http.ErrSchemeMismatch)),
			"RC-25 bad answer": violated(0),
		} {
			p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{})
			delays, final := refuse(p, 100, err)
			c, ok := errors.AsType[*ConnectionError](final)
			if _, protocol := errors.AsType[*ProtocolError](final); !ok || !protocol || c.Attempts != 3 || len(delays) != 2 {
				t.Errorf("%s, the first connection: %#v", name, final)
			}
			if !errors.Is(final, err) {
				t.Errorf("%s: the cause is lost: %v", name, final)
			}
			p.begin()
			connectFor(p, 0)
			_, final = refuse(p, 100, err)
			r, ok := errors.AsType[*ReconnectError](final)
			if _, protocol := errors.AsType[*ProtocolError](final); !ok || !protocol || r.Attempts != 3 || !r.Terminal {
				t.Errorf("%s, an outage: %#v", name, final)
			}
			p.begin()
			p.next()
			p.failed(err)
			p.next()
			p.failed(err)
			p.next()
			p.failed(errRefused)
			if delays, _ := refuse(p, 2, err); len(delays) != 2 {
				t.Errorf("%s: three that are not in a row end it", name)
			}
		}
	})
}

// The error of Connect is that of the last attempt, with the number of attempts, and of one type only.
func TestConnectErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &TimeoutError{Info: errkit.Info{
			Class: ErrTimeout, Op: "connect", Target: testURL, Kind: errkit.Connection | errkit.NotSent,
		}, Limit: 30, URL: testURL}
		config := wserr.Config("connect", "url", "not a URL")
		for _, c := range []struct {
			name    string
			err     error
			timeout bool
			text    string
		}{
			{"refused", errRefused, false, "connection failed after 2 attempts: connection refused"},
			{"timeout", slow, true, "timed out after 2 attempts: limit 30ns"},
			{"handshake", refusal(503, nil), false, "upgrade refused after 2 attempts: HTTP 503 Service Unavailable"},
			{"config", config, false, "connection failed: wsclient: connect: invalid argument: url: not a URL"},
			{"callback", callbackFailed("Dial.URLFunc", testURL, errors.New("boom")), false, "connection failed after 2 attempts: Dial.URLFunc: boom"},
		} {
			p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{MaxAttempts: 1})
			delays, err := refuse(p, 10, c.err)
			want := len(delays) + 1
			connection, isConnection := errors.AsType[*ConnectionError](err)
			timeout, isTimeout := errors.AsType[*TimeoutError](err)
			if isTimeout != c.timeout || isConnection == c.timeout {
				t.Errorf("%s: %#v", c.name, err)
			}
			if isConnection && (connection.Attempts != want || connection.URL != testURL) {
				t.Errorf("%s: %#v", c.name, connection)
			}
			if isTimeout && (timeout.Attempts != want || timeout.URL != testURL || timeout.Limit != 30) {
				t.Errorf("%s: %#v", c.name, timeout)
			}
			if got, want := err.Error(), "wsclient: connect wss://feed.example/ws: "+c.text; got != want {
				t.Errorf("%s: %q, want %q", c.name, got, want)
			}
			if e, ok := c.err.(errkit.Error); !ok || e.ErrorInfo().Attempts != 0 {
				t.Errorf("%s: the error of the attempt was changed: %v", c.name, c.err)
			}
		}
	})
}
