package link

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"syscall"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"
)

// Dialer opens connections to one hub.
type Dialer struct {
	Addr        string // host:port
	CustomAddr  bool   // the user named the host, so that a name that does not exist is a mistake
	TLS         *tls.Config
	Timeout     time.Duration // of dial and handshake together
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	Options     Options
}

// Dial opens a connection. Errors are *[ngtterr.ConnectionFailedError]; when ctx has ended they match its error.
func (d *Dialer) Dial(ctx context.Context) (*Conn, error) {
	limited, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	raw, err := d.DialContext(limited, "tcp", d.Addr)
	if err != nil {
		return nil, d.dialFailed(ctx, limited, err)
	}
	m := newMeter(raw)
	stream := tls.Client(m, d.TLS)
	if err := stream.HandshakeContext(limited); err != nil {
		_ = raw.Close() // the handshake is what went wrong
		return nil, d.handshakeFailed(ctx, limited, err)
	}
	return newConn(stream, m, d.Options), nil
}

func (d *Dialer) dialFailed(ctx, limited context.Context, err error) error {
	if err := d.overdue(ctx, limited, true); err != nil {
		return err
	}
	reason, network := ngtterr.ReasonDial, err
	if errno, ok := errors.AsType[syscall.Errno](err); ok { // a process without free files is not offline
		network = errno
	}
	offline := errkit.TransportKind(network)&(errkit.Connection|errkit.Timeout) != 0
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		reason = ngtterr.ReasonDNS
		offline = !dns.IsNotFound || !d.CustomAddr
	}
	return d.failed(reason, offline, errkit.Connection|errkit.NotSent, err)
}

func (d *Dialer) handshakeFailed(ctx, limited context.Context, err error) error {
	if err := d.overdue(ctx, limited, false); err != nil {
		return err
	}
	reason, kinds := ngtterr.ReasonTLS, errkit.Connection|errkit.NotSent
	if Rejected(err) {
		reason, kinds = ngtterr.ReasonRejected, errkit.Connection|errkit.NotSent|errkit.Auth
	}
	return d.failed(reason, false, kinds, err)
}

// overdue returns the error of a dial whose time is up, nil if it is not. The caller's own deadline wins.
func (d *Dialer) overdue(ctx, limited context.Context, offline bool) error {
	switch {
	case ctx.Err() != nil:
		return d.failed(ngtterr.ReasonTimeout, false, errkit.NotSent, errkit.FromContext(ctx))
	case limited.Err() != nil:
		// What the layers below say would match context.DeadlineExceeded, which is the caller's alone.
		return d.failed(ngtterr.ReasonTimeout, offline, errkit.Timeout|errkit.Connection|errkit.NotSent,
			text("no connection within "+d.Timeout.String()))
	}
	return nil
}

func (d *Dialer) failed(reason ngtterr.Reason, offline bool, kinds errkit.Kind, cause error) error {
	return &ngtterr.ConnectionFailedError{
		Info: errkit.Info{
			Class: ngtterr.ErrConnectionFailed, Op: "dial", Target: d.Addr, Err: errkit.CleanCause(cause),
			Kind: kinds | errkit.TransportKind(cause),
		},
		Reason: reason, NoInternet: offline, Hint: d.hint(reason, cause),
	}
}

// hint points out a clock that must be wrong: a device without a battery for it boots in 1970, and every certificate
// looks as if it were of the future.
func (d *Dialer) hint(reason ngtterr.Reason, cause error) string {
	if reason != ngtterr.ReasonTLS {
		return ""
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](cause); !ok || invalid.Reason != x509.Expired {
		return ""
	}
	return "the clock says " + d.now().Format(time.RFC3339) + ": is it right?"
}

func (d *Dialer) now() time.Time {
	if d.TLS.Time != nil {
		return d.TLS.Time()
	}
	return time.Now()
}
