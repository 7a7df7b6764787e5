package errkit_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// The rows of the table, each made by hand. The failures that really happen are in classify_net_test.go.
func TestClassify(t *testing.T) {
	t.Parallel()
	const connection, sent = errkit.Connection, errkit.NotSent
	certificate := connection | errkit.Auth | sent
	for _, tc := range []struct {
		name string
		err  error
		want errkit.Kind
	}{
		{"nil", nil, 0},
		{"unknown", errTest, 0},
		{"text alone says nothing", errors.New("i/o timeout: connection refused"), 0},
		{"typed", &hotError{Info: errkit.Info{Class: lampHot, Kind: errkit.Busy}}, errkit.Unavailable | errkit.Busy},
		{"typed hides its cause", &hotError{Info: errkit.Info{Class: lampHot, Err: io.EOF}}, errkit.Unavailable},
		{"class", lampHot, errkit.Unavailable},
		{"kind", errkit.Busy, errkit.Busy},
		{"context.Canceled", context.Canceled, errkit.Canceled},
		{"context.DeadlineExceeded", context.DeadlineExceeded, errkit.Timeout},
		{"os.ErrDeadlineExceeded", os.ErrDeadlineExceeded, errkit.Timeout},
		{"timeout of a request", &url.Error{Op: "Get", Err: context.DeadlineExceeded}, errkit.Timeout},
		{"dial", &net.OpError{Op: "dial", Err: errTest}, connection | sent},
		{"dial that timed out", &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, errkit.Timeout | connection | sent},
		{"dial through a proxy", &net.OpError{Op: "proxyconnect", Err: io.EOF}, connection | sent | errkit.Disconnected},
		{"read", &net.OpError{Op: "read", Err: errTest}, 0},
		{"read on a link whose network went away", linked("read", syscall.EHOSTUNREACH), errkit.Disconnected},
		{"write on a link whose network went away", linked("write", syscall.ENETDOWN), errkit.Disconnected},
		{"upload on a link whose network went away", linked("readfrom", syscall.ENETUNREACH), errkit.Disconnected},
		{"dial beside it", errors.Join(linked("read", syscall.EHOSTUNREACH), errRefused), errkit.Disconnected | connection | sent},
		{"DNS", &net.DNSError{IsNotFound: true}, connection | sent},
		{"DNS that timed out", &net.DNSError{IsTimeout: true}, errkit.Timeout | connection | sent},
		{"address", &net.AddrError{}, connection | sent},
		{"network", net.UnknownNetworkError("tcp9"), connection | sent},
		{"certificate", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, certificate},
		{"authority", x509.UnknownAuthorityError{}, certificate},
		{"host name", x509.HostnameError{Certificate: new(x509.Certificate)}, certificate},
		{"expired", x509.CertificateInvalidError{Reason: x509.Expired}, certificate},
		{"record header", tls.RecordHeaderError{}, connection | errkit.Protocol},
		{"EOF", io.EOF, errkit.Disconnected},
		{"unexpected EOF", io.ErrUnexpectedEOF, errkit.Disconnected},
		{"net.ErrClosed", net.ErrClosed, errkit.Closed},
		{"os.ErrClosed", &fs.PathError{Op: "read", Err: os.ErrClosed}, errkit.Closed},
		{"closed pipe", io.ErrClosedPipe, errkit.Closed},
		{"JSON syntax", &json.SyntaxError{}, errkit.Protocol},
		{"JSON type", fmt.Errorf("x: %w", &json.UnmarshalTypeError{}), errkit.Protocol},
		{"no such file", fs.ErrNotExist, 0},
		{"joined", errors.Join(io.EOF, context.Canceled, lampHot), errkit.Disconnected | errkit.Canceled | errkit.Unavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := errkit.Classify(tc.err); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			if got := errkit.KindOf(tc.err); got != tc.want {
				t.Errorf("KindOf: got %v, want %v", got, tc.want)
			}
			if got := errkit.Classify(fmt.Errorf("wrapped: %w", tc.err)); tc.err != nil && got != tc.want {
				t.Errorf("wrapped: got %v, want %v", got, tc.want)
			}
		})
	}
}

// linked is how an operation fails on a connection that was up.
func linked(op string, number syscall.Errno) error {
	return &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError(op, number)}
}

func TestClassifyErrno(t *testing.T) {
	t.Parallel()
	for want, numbers := range map[errkit.Kind][]syscall.Errno{
		refused:             {syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL},
		errkit.Disconnected: {syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED},
		errkit.Timeout:      {syscall.ETIMEDOUT},
		0:                   {syscall.ENOENT, syscall.EINVAL},
	} {
		for _, n := range numbers {
			if got := errkit.Classify(os.NewSyscallError("call", n)); got != want {
				t.Errorf("%v: got %v, want %v", n, got, want)
			}
		}
	}
}

// Alerts by number (RFC 8446, section 6). The type tls.AlertError is that of QUIC; other connections have a
// private one of the same numbers, which a real handshake shows in TestClassifyRemoteAlert.
func TestClassifyAlert(t *testing.T) {
	t.Parallel()
	certificate := map[int]bool{42: true, 43: true, 44: true, 45: true, 46: true, 48: true, 49: true, 116: true}
	for alert := range 256 {
		want := errkit.Connection
		if certificate[alert] {
			want |= errkit.Auth
		}
		if got := errkit.Classify(tls.AlertError(alert)); got != want {
			t.Errorf("%d: got %v, want %v", alert, got, want)
		}
	}
}

func TestTransportKind(t *testing.T) {
	t.Parallel()
	const kept = errkit.Canceled | errkit.Timeout | errkit.Connection | errkit.Disconnected | errkit.Auth | errkit.Protocol |
		errkit.NotSent | errkit.Exhausted
	for _, k := range everyKind {
		if got := errkit.TransportKind(k.kind); got != k.kind&kept {
			t.Errorf("%s gives %v", k.name, got)
		}
	}
	if got := errkit.TransportKind(errRefused); got != refused {
		t.Errorf("a refused dial gives %v", got)
	}
	if got := errkit.TransportKind(nil); got != 0 {
		t.Errorf("nil gives %v", got)
	}
}

// A power button is pressed again if an error says NotSent, so one of several joined errors is not enough.
func TestTransportKindOfJoined(t *testing.T) {
	t.Parallel()
	typed := lampClosed.Wrap("on", "", nil) // NotSent by its class
	for _, tc := range []struct {
		name string
		err  error
		want bool
	}{
		{"one", errors.Join(errRefused), true},
		{"all", errors.Join(errRefused, fmt.Errorf("x: %w", typed)), true},
		{"not the first", errors.Join(io.EOF, errRefused), false},
		{"not the last", errors.Join(errRefused, typed, errTest), false},
		{"a typed error that does not say so", errors.Join(errRefused, &hotError{Info: errkit.Info{Class: lampHot, Err: errRefused}}), false},
		{"joined below", fmt.Errorf("x: %w", errors.Join(errRefused, errors.Join(typed, io.EOF))), false},
		{"said above", &net.OpError{Op: "dial", Err: errors.Join(io.EOF, errTest)}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := errkit.TransportKind(tc.err).Has(errkit.NotSent); got != tc.want {
				t.Errorf("NotSent: got %v, want %v", got, tc.want)
			}
		})
	}
}
