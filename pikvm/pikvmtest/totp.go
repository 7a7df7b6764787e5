package pikvmtest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// totpStep is the life of a code and totpDigits its length (RFC 6238, with the values of the device).
const (
	totpStep   = 30
	totpDigits = 6
)

// parseTOTPSecret decodes base32 without padding; spaces and case do not matter.
func parseTOTPSecret(text string) ([]byte, error) {
	text = strings.ToUpper(strings.Join(strings.Fields(text), ""))
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, fmt.Errorf("pikvmtest: TOTPSecret is not base32")
	}
	return secret, nil
}

// totpCode is the code of the given instant.
func totpCode(secret []byte, at time.Time) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(at.Unix()/totpStep))
	mac := hmac.New(sha1.New, secret)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0x0f // RFC 4226 section 5.3
	n := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", totpDigits, n%1_000_000)
}

// totpMatches accepts the codes of the current step and of its neighbours, as often as they come.
func totpMatches(secret []byte, code string, now time.Time) bool {
	for step := -1; step <= 1; step++ {
		if hmac.Equal([]byte(code), []byte(totpCode(secret, now.Add(time.Duration(step)*totpStep*time.Second)))) {
			return true
		}
	}
	return false
}
