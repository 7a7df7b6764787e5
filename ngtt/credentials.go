package ngtt

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"
)

// Credentials are the certificate and the key of a device. They tell who the device is, and prove it to the hub.
// They are immutable and never show the key, however they are printed.
type Credentials struct {
	cert        tls.Certificate
	deviceID    string
	environment Environment
}

// ParseCredentials reads a certificate, with further ones of its chain behind it if there are any, and an unencrypted
// private key, both in PEM form. Other text around the PEM blocks is skipped.
//
// Whatever cannot be used is an *[InvalidCredentialsError]: a certificate without device id or with an environment that
// does not exist, a key of another certificate. Dates are not checked here, since the clock of a device may be wrong
// when it boots; see [Credentials.Validity].
func ParseCredentials(certPEM, keyPEM []byte) (*Credentials, error) {
	const op = "credentials"
	var chain bytes.Buffer
	var leaf *x509.Certificate
	for rest := certPEM; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, ngtterr.Credentials(op, "certificate", err)
		}
		if leaf == nil {
			leaf = cert
		}
		_ = pem.Encode(&chain, &pem.Block{Type: block.Type, Bytes: block.Bytes}) // a buffer takes everything
	}
	if leaf == nil {
		return nil, ngtterr.Credentials(op, "certificate", errors.New("no PEM block of a certificate"))
	}
	cert, err := tls.X509KeyPair(chain.Bytes(), keyPEM)
	if err != nil {
		return nil, ngtterr.Credentials(op, "key", err)
	}
	cert.Leaf = leaf
	return newCredentials(op, cert)
}

// LoadCredentials is [ParseCredentials] on two files, which may be the same one.
func LoadCredentials(certFile, keyFile string) (*Credentials, error) {
	const op = "credentials"
	certPEM, err := os.ReadFile(certFile)
	if err != nil {
		return nil, ngtterr.Credentials(op, "certificate", err)
	}
	keyPEM, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, ngtterr.Credentials(op, "key", err)
	}
	return ParseCredentials(certPEM, keyPEM)
}

// NewCredentials takes a certificate that is loaded already, for instance one whose key is in a security module. The
// errors are those of [ParseCredentials].
func NewCredentials(cert tls.Certificate) (*Credentials, error) {
	const op = "credentials"
	if len(cert.Certificate) == 0 {
		return nil, ngtterr.Credentials(op, "certificate", errors.New("empty"))
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return nil, ngtterr.Credentials(op, "certificate", err)
	}
	cert.Leaf = leaf
	signer, ok := cert.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, ngtterr.Credentials(op, "key", errors.New("missing, or cannot sign"))
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(leaf.PublicKey) {
		return nil, ngtterr.Credentials(op, "key", errors.New("does not belong to the certificate"))
	}
	return newCredentials(op, cert)
}

// newCredentials reads who the certificate is about. Its Leaf is set.
func newCredentials(op string, cert tls.Certificate) (*Credentials, error) {
	id, err := deviceID(cert.Leaf)
	if err != nil {
		return nil, ngtterr.Credentials(op, "device_id", err)
	}
	env, err := environment(cert.Leaf)
	if err != nil {
		return nil, ngtterr.Credentials(op, "environment", err)
	}
	return &Credentials{cert: cert, deviceID: id, environment: env}, nil
}

// DeviceID returns the id of the device, never empty.
func (c *Credentials) DeviceID() string { return c.deviceID }

// Environment returns the environment of the device.
func (c *Credentials) Environment() Environment { return c.environment }

// Certificate returns certificate and key for use with package tls. Its Leaf is set. The caller must not change what
// it points to.
func (c *Credentials) Certificate() tls.Certificate { return c.cert }

// Validity returns nil if the certificate is valid at a time, and an *[InvalidCredentialsError] with the Field
// "validity" if it is not yet, or no longer.
func (c *Credentials) Validity(at time.Time) error {
	var problem error
	switch leaf := c.cert.Leaf; {
	case at.After(leaf.NotAfter):
		problem = fmt.Errorf("the certificate expired on %s", leaf.NotAfter.Format(time.DateOnly))
	case at.Before(leaf.NotBefore):
		problem = fmt.Errorf("the certificate begins on %s", leaf.NotBefore.Format(time.DateOnly))
	default:
		return nil
	}
	return ngtterr.Credentials("credentials", "validity", problem)
}

// String returns device id and environment.
func (c *Credentials) String() string {
	return fmt.Sprintf("ngtt.Credentials(%q, %s)", c.deviceID, c.environment)
}

// Format prints [Credentials.String] whatever the verb, so that the key gets into no text.
func (c *Credentials) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.String())) } // fmt reports a failed write itself

// LogValue logs [Credentials.String].
func (c *Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }
