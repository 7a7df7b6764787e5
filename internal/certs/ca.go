// Package certs makes throw-away certificates for tests: an authority, server and client certificates below it,
// and everything that a TLS client must refuse.
//
// Keys are ECDSA P-256 and live in memory only. Good certificates are valid from 1990 to 2099, so that they serve
// under the real clock as well as in a testing/synctest bubble, whose clock starts at 2000-01-01.
package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Validity is the period in which a certificate may be used, both ends included. The zero value means [Valid].
type Validity struct {
	NotBefore, NotAfter time.Time
}

var (
	// Valid covers both the real clock and that of a synctest bubble.
	Valid = Validity{date(1990), date(2099)}
	// Expired is over for both clocks.
	Expired = Validity{date(1990), date(1999)}
	// NotYetValid begins in the future of both clocks.
	NotYetValid = Validity{date(2090), date(2099)}
)

func date(year int) time.Time { return time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC) }

// Spec describes one certificate for [CA.Issue].
type Spec struct {
	// CommonName is the subject's common name. Empty means the first of Hosts.
	CommonName string
	// Hosts are the DNS names and IP addresses that a server certificate is good for.
	// A certificate without hosts is a client certificate.
	Hosts []string
	// Extensions are added as they are, for instance a device id.
	Extensions []pkix.Extension
	// Validity is the period of use. Zero means Valid.
	Validity Validity
}

// CA is a certificate authority for one test. Its methods may be called from several goroutines.
type CA struct {
	leaf *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewCA makes an authority with the given common name.
func NewCA(name string) (*CA, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	tmpl, err := template(Spec{CommonName: name})
	if err != nil {
		return nil, err
	}
	tmpl.ExtKeyUsage = nil
	tmpl.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	tmpl.IsCA = true
	cert, err := sign(tmpl, tmpl, key, key)
	if err != nil {
		return nil, err
	}
	return &CA{leaf: cert.Leaf, key: key}, nil
}

// Pool returns a new pool that holds this authority alone.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.leaf)
	return pool
}

// PEM returns the authority's certificate in PEM form.
func (ca *CA) PEM() []byte { return certificatePEM(ca.leaf.Raw) }

// Server makes a certificate for a server with these DNS names and IP addresses. At least one is needed.
func (ca *CA) Server(hosts ...string) (tls.Certificate, error) {
	if len(hosts) == 0 {
		return tls.Certificate{}, errNoHost
	}
	return ca.Issue(Spec{Hosts: hosts})
}

// Client makes a certificate for a client with this common name and these extensions.
func (ca *CA) Client(cn string, ext ...pkix.Extension) (tls.Certificate, error) {
	return ca.Issue(Spec{CommonName: cn, Extensions: ext})
}

// Issue makes the certificate that spec describes. Its Leaf is set.
func (ca *CA) Issue(spec Spec) (tls.Certificate, error) {
	key, err := newKey()
	if err != nil {
		return tls.Certificate{}, err
	}
	tmpl, err := template(spec)
	if err != nil {
		return tls.Certificate{}, err
	}
	return sign(tmpl, ca.leaf, key, ca.key)
}

// SelfSigned makes a server certificate that no authority stands behind, as devices carry them. At least one host is
// needed.
func SelfSigned(hosts ...string) (tls.Certificate, error) {
	if len(hosts) == 0 {
		return tls.Certificate{}, errNoHost
	}
	key, err := newKey()
	if err != nil {
		return tls.Certificate{}, err
	}
	tmpl, err := template(Spec{Hosts: hosts})
	if err != nil {
		return tls.Certificate{}, err
	}
	return sign(tmpl, tmpl, key, key)
}

var errNoHost = errors.New("certs: a server certificate needs a host")

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("certs: key: %w", err)
	}
	return key, nil
}

// template turns spec into what x509.CreateCertificate takes.
func template(spec Spec) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("certs: serial number: %w", err)
	}
	if spec.CommonName == "" && len(spec.Hosts) > 0 {
		spec.CommonName = spec.Hosts[0]
	}
	if spec.Validity == (Validity{}) {
		spec.Validity = Valid
	}
	tmpl := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: spec.CommonName},
		NotBefore:             spec.Validity.NotBefore,
		NotAfter:              spec.Validity.NotAfter,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		ExtraExtensions:       spec.Extensions,
	}
	if len(spec.Hosts) > 0 {
		tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	for _, host := range spec.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			tmpl.IPAddresses = append(tmpl.IPAddresses, ip)
			continue
		}
		tmpl.DNSNames = append(tmpl.DNSNames, host)
	}
	return tmpl, nil
}

func sign(tmpl, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) (tls.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &key.PublicKey, parentKey)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certs: sign: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certs: parse: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}
