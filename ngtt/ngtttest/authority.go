package ngtttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Device describes a device's certificate for [Hub.Issue].
type Device struct {
	// ID is the device id.
	ID string
	// Environment is 0 for production, 1 for staging, 2 for local development.
	Environment int
	// NotBefore and NotAfter bound the validity. Zero means 1990 and 2099.
	NotBefore, NotAfter time.Time
	// Foreign lets an authority sign that the hub does not know.
	Foreign bool
}

// The extensions of a device's certificate (IANA private enterprise number 55338).
var (
	oidDeviceID    = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 55338, 0, 0}
	oidEnvironment = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 55338, 0, 1}
)

// authority signs the certificates of one hub.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(name string) (*authority, error) {
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true,
	}
	cert, key, err := new(authority).sign(template)
	if err != nil {
		return nil, err
	}
	return &authority{cert: cert, key: key}, nil
}

// sign completes a template and signs it; an authority without a certificate lets it sign itself.
func (a *authority) sign(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("ngtttest: key: %w", err)
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, nil, fmt.Errorf("ngtttest: serial number: %w", err)
	}
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Date(1990, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Date(2099, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, nil, fmt.Errorf("ngtttest: certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, fmt.Errorf("ngtttest: certificate: %w", err)
	}
	return cert, key, nil
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// server issues the certificate of the hub.
func (a *authority) server(hosts []string) (tls.Certificate, error) {
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: hosts[0]}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		template.DNSNames = append(template.DNSNames, host)
	}
	cert, key, err := a.sign(template)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}, nil
}

// device issues the certificate of a device, with its key, in PEM form.
func (a *authority) device(d Device) (certPEM, keyPEM []byte, err error) {
	id, err := asn1.MarshalWithParams(d.ID, "utf8")
	if err != nil {
		return nil, nil, fmt.Errorf("ngtttest: device id: %w", err)
	}
	environment, err := asn1.Marshal(d.Environment)
	if err != nil {
		return nil, nil, fmt.Errorf("ngtttest: environment: %w", err)
	}
	cert, key, err := a.sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: d.ID},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		NotBefore:   d.NotBefore, NotAfter: d.NotAfter,
		ExtraExtensions: []pkix.Extension{{Id: oidDeviceID, Value: id}, {Id: oidEnvironment, Value: environment}},
	})
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("ngtttest: key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Identify returns the device id in a certificate, empty if there is none. It does not verify the certificate.
func Identify(cert *x509.Certificate) string {
	for _, ext := range cert.Extensions {
		var id string
		if ext.Id.Equal(oidDeviceID) {
			if _, err := asn1.Unmarshal(ext.Value, &id); err == nil {
				return id
			}
		}
	}
	return ""
}
