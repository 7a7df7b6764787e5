// Package token makes ids that cannot be guessed.
package token

import (
	"crypto/rand"
	"encoding/base64"
)

// New returns an id of so many random bytes, in the alphabet of URLs (RFC 4648, section 5).
func New(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}
