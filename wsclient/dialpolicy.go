//go:build !js

package wsclient

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// dialDecision says what to do after an attempt to connect failed with err. It tries again unless there is a reason
// not to: a device may be up before its network is.
func dialDecision(err error, retryTLS bool) Decision {
	if errors.Is(err, ErrGiveUp) {
		return Decision{Action: GiveUp}
	}
	if _, ok := errors.AsType[*callbackError](err); ok {
		return Decision{} // whatever it wraps was not said by the peer
	}
	if e, ok := errors.AsType[*HandshakeError](err); ok {
		return handshakeDecision(e.StatusCode)
	}
	switch {
	case errors.Is(err, ErrConfig):
		return Decision{Action: GiveUp}
	case errors.Is(err, ErrProtocol), errors.Is(err, http.ErrSchemeMismatch):
		return Decision{Violation: true}
	case isUntrusted(err) && !retryTLS:
		return Decision{Action: GiveUp}
	case isCertificateAlert(err):
		return Decision{Action: RefreshAuth}
	}
	return Decision{}
}

// isUntrusted reports whether the certificate of the peer will not do tomorrow either. One that has expired or is not
// yet valid may: clocks of devices are often wrong after the start.
func isUntrusted(err error) bool {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return e.Reason != x509.Expired
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, other := errors.AsType[x509.HostnameError](err)
	return unknown || other
}

// isCertificateAlert reports whether the peer refused the certificate of this side, or wanted one (RFC 8446,
// section 6.2).
func isCertificateAlert(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && e.Op == "remote error" && errkit.Classify(e).Has(errkit.Auth)
}

// callbackError is an error that a callback of the options returned.
type callbackError struct {
	name string // of the option
	err  error
}

func (e *callbackError) Error() string { return e.name + ": " + e.err.Error() }

func (e *callbackError) Unwrap() error { return e.err }

// callbackFailed returns the error of an attempt that failed with err in the callback of the options called name.
func callbackFailed(name, endpoint string, err error) error {
	return &ConnectionError{Info: errkit.Info{
		Class: ErrConnection, Op: "connect", Target: endpoint,
		Kind: errkit.TransportKind(err), Err: &callbackError{name: name, err: errkit.CleanCause(err)},
	}, URL: endpoint}
}
