package api

import (
	"crypto/tls"
	"encoding/pem"
	"strings"
)

// certificateHeader carries the device's certificate with [AuthHeader].
const certificateHeader = "X-SSL-Client-Certificate"

// identity is what a request says of the device in [AuthHeader], and what must not get into any text.
type identity struct {
	header  string
	secrets []string
}

// newIdentity makes the header's value of a certificate: its PEM block with tabs for line breaks. Package net/http cuts
// off the last tab, as whitespace around a value is no part of it (RFC 9110, section 5.5).
func newIdentity(cert tls.Certificate) identity {
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}))
	id := identity{header: strings.ReplaceAll(text, "\n", "\t")}
	// Each line for itself: whoever repeats the header may have broken it up differently.
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if len(line) >= 16 && !strings.HasPrefix(line, "-----") {
			id.secrets = append(id.secrets, line)
		}
	}
	return id
}
