package api

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"
)

// tlsConfig returns how connections are secured; nil for an http URL.
func tlsConfig(base *url.URL, c *Config) (*tls.Config, error) {
	chosen := ""
	for _, way := range []struct {
		field string
		set   bool
	}{
		{"RootCAs", c.RootCAs != nil},
		{"PinnedSHA256", c.PinnedSHA256 != ""},
		{"InsecureSkipTLSVerify", c.InsecureSkipTLSVerify},
	} {
		switch {
		case !way.set:
		case base.Scheme != "https":
			return nil, invalid(way.field, "set for a URL without TLS")
		case chosen != "":
			return nil, invalid(way.field, "set beside "+chosen)
		default:
			chosen = way.field
		}
	}
	if base.Scheme != "https" {
		if c.Auth == AuthMTLS {
			return nil, invalid("BaseURL", "without TLS the device cannot present its certificate")
		}
		return nil, nil
	}
	config := c.TLSConfig.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.MinVersion == 0 {
		config.MinVersion = tls.VersionTLS12
	}
	config.Time = c.Time
	config.Certificates, config.GetClientCertificate = nil, nil
	if c.Auth == AuthMTLS {
		certificate := c.Credentials.Certificate()
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil }
	}
	return config, trust(config, c, chosen)
}

// trust sets whom config believes, by the chosen field of c.
func trust(config *tls.Config, c *Config, chosen string) error {
	switch chosen {
	case "RootCAs":
		config.RootCAs, config.InsecureSkipVerify = c.RootCAs, false
	case "PinnedSHA256":
		pin, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(c.PinnedSHA256), ":", ""))
		if err != nil || len(pin) != sha256.Size {
			return invalid(chosen, "not 32 bytes in hexadecimal")
		}
		config.InsecureSkipVerify = true // VerifyConnection decides instead
		config.VerifyConnection = verifyPin(pin)
	case "InsecureSkipTLSVerify":
		config.InsecureSkipVerify = true
	}
	return nil
}

// verifyPin accepts the leaf certificate with this fingerprint, whatever else there is to say of it.
func verifyPin(pin []byte) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		leaf := sha256.Sum256(state.PeerCertificates[0].Raw)
		if bytes.Equal(leaf[:], pin) {
			return nil
		}
		return &tls.CertificateVerificationError{
			UnverifiedCertificates: []*x509.Certificate{state.PeerCertificates[0]},
			Err:                    errors.New("the hub's certificate is not the pinned one"),
		}
	}
}
