package errkit

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"os"
	"reflect"
	"syscall"
)

// Classify returns the kinds that err stands for, seen as a failure of the standard library: timeouts and
// cancellation in all their forms, dial, DNS and TLS failures, ends of connections, closed handles, malformed
// JSON. Everything in the chain down to the first error of this house counts, and that error's kinds; of
// joined errors all members count. It is 0 for nil and for errors that it does not know. It does not allocate
// on a plain chain.
func Classify(err error) Kind {
	var kinds Kind
	var w walker
	for err != nil {
		if k, own := ownKinds(err); own {
			kinds |= k
			err = w.aside()
			continue
		}
		kinds |= w.classify(err)
		err = w.below(err)
	}
	return kinds
}

// TransportKind returns the kinds of cause that stay true of an operation that failed because of it: those
// that speak of the way to the peer (Canceled, Timeout, Connection, Disconnected, Auth, Protocol and NotSent), and
// Exhausted, lest a call that somebody has repeated is repeated once more. NotSent has to be certain: of joined errors
// all must say so. Constructors of typed errors put it into Info.Kind, so that unrelated kinds of a lower layer do not
// leak.
func TransportKind(cause error) Kind {
	kinds := Classify(cause) & (Canceled | Timeout | Connection | Disconnected | Auth | Protocol | NotSent | Exhausted)
	if kinds.Has(NotSent) && !unsent(cause) {
		kinds &^= NotSent
	}
	return kinds
}

// unsent reports whether every branch of err says NotSent.
func unsent(err error) bool {
	var w walker
	for err != nil {
		k, own := ownKinds(err)
		if !own {
			k = w.classify(err)
		}
		members, cause := unwrap(err)
		switch {
		case k.Has(NotSent):
			err = w.aside()
		case own || cause == nil && members == nil:
			return false
		default:
			err = w.below(err)
		}
	}
	return true
}

// classify classifies err, which the walk has reached, without its causes. The numbers of failed dials also come
// from a link that was up, when the network tells of it late or the interface goes down. What was written before may
// have arrived.
func (w *walker) classify(err error) Kind {
	kinds := classifyLayer(err)
	if op, ok := err.(*net.OpError); ok {
		switch op.Op {
		case "read", "write", "readfrom", "writeto":
			w.linked = true
		}
	}
	if w.linked && kinds.Has(Connection|NotSent) {
		return kinds&^(Connection|NotSent) | Disconnected
	}
	return kinds
}

// classifyLayer classifies err without its causes.
func classifyLayer(err error) Kind {
	kinds := classifySentinel(err)
	if x, ok := err.(interface{ Timeout() bool }); ok && x.Timeout() {
		kinds |= Timeout
	}
	switch e := err.(type) {
	case *net.OpError:
		kinds |= classifyOp(e)
	case *net.DNSError, *net.AddrError, *net.ParseError, net.UnknownNetworkError, net.InvalidAddrError:
		kinds |= Connection | NotSent
	case syscall.Errno:
		kinds |= classifyErrno(e)
	case *tls.CertificateVerificationError, x509.UnknownAuthorityError, x509.HostnameError,
		x509.CertificateInvalidError:
		kinds |= Connection | Auth | NotSent
	case tls.AlertError:
		kinds |= classifyAlert(uint64(e))
	case tls.RecordHeaderError:
		kinds |= Connection | Protocol
	case *json.SyntaxError, *json.UnmarshalTypeError:
		kinds |= Protocol
	}
	return kinds
}

func classifySentinel(err error) Kind {
	switch {
	case err == context.Canceled || says(err, context.Canceled):
		return Canceled
	case err == context.DeadlineExceeded:
		return Timeout
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return Disconnected
	case err == net.ErrClosed || err == os.ErrClosed || err == io.ErrClosedPipe:
		return Closed
	}
	return 0
}

// says reports whether err itself claims to be target. The error of a dial that was canceled is a private one
// of package net that does.
func says(err, target error) bool {
	x, ok := err.(interface{ Is(error) bool })
	return ok && x.Is(target)
}

func classifyOp(e *net.OpError) Kind {
	switch e.Op {
	case "dial", "proxyconnect", "socks connect": // the latter two are those of net/http
		return Connection | NotSent
	case "remote error", "local error":
		// The alerts of crypto/tls outside QUIC are of a private type; it is a number like tls.AlertError.
		if v := reflect.ValueOf(e.Err); v.Kind() == reflect.Uint8 {
			return classifyAlert(v.Uint())
		}
	}
	return 0
}

// classifyAlert sorts TLS alerts (RFC 8446, section 6): those about certificates mean refused credentials.
func classifyAlert(alert uint64) Kind {
	switch alert {
	case 42, 43, 44, 45, 46, 48, 49, 116:
		return Connection | Auth
	}
	return Connection
}
