package pikvm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
)

// tlsConfig builds the one TLS policy that requests and sockets share; nil for an http URL.
func tlsConfig(base *url.URL, o *Options) (*tls.Config, error) {
	chosen := ""
	for _, option := range []struct {
		field       string
		set, policy bool
	}{
		{"RootCAs", o.RootCAs != nil, true},
		{"RootCAsPEM", o.RootCAsPEM != nil, true},
		{"PinnedSHA256", o.PinnedSHA256 != "", true},
		{"InsecureSkipTLSVerify", o.InsecureSkipTLSVerify, true},
		{"ClientCertificate", o.ClientCertificate != nil, false},
	} {
		switch {
		case !option.set:
		case base.Scheme != "https":
			return nil, configurationError("New", option.field, "set for a URL without TLS")
		case !option.policy:
		case chosen != "":
			return nil, configurationError("New", option.field, "set beside "+chosen)
		default:
			chosen = option.field
		}
	}
	if base.Scheme != "https" {
		return nil, nil
	}

	config := &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12}
	switch chosen {
	case "RootCAsPEM":
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(o.RootCAsPEM) {
			return nil, configurationError("New", chosen, "holds no certificate")
		}
	case "PinnedSHA256":
		pin, err := parseFingerprint(o.PinnedSHA256)
		if err != nil {
			return nil, configurationError("New", chosen, err.Error())
		}
		config.InsecureSkipVerify = true // VerifyConnection decides instead
		config.VerifyConnection = verifyPin(pin)
	case "InsecureSkipTLSVerify":
		config.InsecureSkipVerify = true
	}
	if o.ClientCertificate != nil {
		if len(o.ClientCertificate.Certificate) == 0 {
			return nil, configurationError("New", "ClientCertificate", "holds no certificate")
		}
		config.Certificates = []tls.Certificate{*o.ClientCertificate}
	}
	return config, nil
}

// verifyPin accepts the leaf certificate with this fingerprint, whatever else there is to say of it.
func verifyPin(pin []byte) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		leaf := sha256.Sum256(state.PeerCertificates[0].Raw)
		if bytes.Equal(leaf[:], pin) {
			return nil
		}
		return &tls.CertificateVerificationError{
			UnverifiedCertificates: state.PeerCertificates,
			Err:                    fmt.Errorf("leaf has SHA-256 %s, not the pinned one", hex.EncodeToString(leaf[:])),
		}
	}
}

// parseFingerprint reads 32 bytes in hexadecimal, with or without colons.
func parseFingerprint(s string) ([]byte, error) {
	pin, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(s), ":", ""))
	if err != nil || len(pin) != sha256.Size {
		return nil, fmt.Errorf("not %d bytes in hexadecimal", sha256.Size)
	}
	return pin, nil
}

// Fingerprint connects to the device at baseURL and returns the SHA-256 of its own certificate in hexadecimal,
// for [Options.PinnedSHA256]. Nothing is verified and no credentials are sent: whoever answers now is the one
// that is trusted later, so compare the value with the one that the device shows.
//
// Of the options it heeds Timeout, DialContext and ClientCertificate; nil means the defaults. A proxy is not
// used. The errors are [ConfigurationError], [ConnectError] and [ConnectionTimeoutError].
func Fingerprint(ctx context.Context, baseURL string, opts *Options) (string, error) {
	if base, err := parseBaseURL(baseURL); err == nil && base.Scheme != "https" {
		return "", configurationError("Fingerprint", "baseURL", "without TLS there is no certificate")
	}
	insecure := Options{InsecureSkipTLSVerify: true}
	if opts != nil {
		insecure.Timeout, insecure.DialContext = opts.Timeout, opts.DialContext
		insecure.ClientCertificate = opts.ClientCertificate
	}
	c, err := New(baseURL, &insecure)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }() // it never fails
	o, err := c.begin(ctx, "Fingerprint")
	if err != nil {
		return "", err
	}
	defer o.end()

	conn, err := c.trans.dialTLS(o.ctx)
	if err != nil {
		return "", o.failure(err, false)
	}
	defer func() { _ = conn.Close() }() // the handshake is over, which is all that was wanted
	leaf := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].Raw)
	return hex.EncodeToString(leaf[:]), nil
}
