package certs

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// PEM returns the chain of cert and its private key (PKCS #8) in PEM form, as [tls.X509KeyPair] reads them.
func PEM(cert tls.Certificate) (chain, key []byte, err error) {
	if len(cert.Certificate) == 0 {
		return nil, nil, errors.New("certs: empty certificate")
	}
	for _, der := range cert.Certificate {
		chain = append(chain, certificatePEM(der)...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return nil, nil, fmt.Errorf("certs: private key: %w", err)
	}
	return chain, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Fingerprint returns the SHA-256 sum of the leaf certificate in DER form, the usual form of a pin.
// An empty certificate has the sum of nothing.
func Fingerprint(cert tls.Certificate) [32]byte {
	if len(cert.Certificate) == 0 {
		return sha256.Sum256(nil)
	}
	return sha256.Sum256(cert.Certificate[0])
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
