package smoktest

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"

	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
)

// headerCertificate carries the certificate of a device that shows none in the TLS handshake: the PEM text, with tabs
// for newlines.
const headerCertificate = "X-SSL-Client-Certificate"

// identify returns the id of the device that sent a request. A certificate of the handshake was verified there.
func (h *Hub) identify(r *http.Request) (id string, byHeader bool, err error) {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		id = ngtttest.Identify(r.TLS.PeerCertificates[0])
		return id, false, wantID(id)
	}
	text := r.Header.Get(headerCertificate)
	if text == "" {
		return "", false, refuse(http.StatusUnauthorized, "no certificate")
	}
	block, _ := pem.Decode([]byte(strings.ReplaceAll(text, "\t", "\n")))
	if block == nil || block.Type != "CERTIFICATE" {
		return "", true, refuse(http.StatusUnauthorized, "no certificate in %s", headerCertificate)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", true, refuse(http.StatusUnauthorized, "bad certificate")
	}
	_, err = cert.Verify(x509.VerifyOptions{Roots: h.devices509, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return "", true, refuse(http.StatusForbidden, "certificate not trusted")
	}
	id = ngtttest.Identify(cert)
	return id, true, wantID(id)
}

func wantID(id string) error {
	if id == "" {
		return refuse(http.StatusForbidden, "certificate without a device id")
	}
	return nil
}
