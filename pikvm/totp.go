package pikvm

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238 as the device uses it
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Parameters of the one-time codes of a device: RFC 6238 with its defaults.
const (
	totpStep   = 30 * time.Second
	totpDigits = 6
)

var errTOTPSecret = errors.New("not base32")

// parseTOTPSecret decodes a base32 secret (RFC 4648 section 6). People copy it from a screen: white space,
// hyphens, padding and case do not matter.
func parseTOTPSecret(s string) ([]byte, error) {
	s = strings.ToUpper(strings.NewReplacer(" ", "", "\t", "", "-", "", "=", "").Replace(s))
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(s)
	if err != nil || len(key) == 0 {
		return nil, errTOTPSecret
	}
	return key, nil
}

// totp returns the code of the step that holds at (RFC 6238 section 4.2, RFC 4226 section 5.3).
func totp(key []byte, at time.Time) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(at.Unix()/int64(totpStep/time.Second)))
	mac := hmac.New(sha1.New, key)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0x0f
	code := binary.BigEndian.Uint32(sum[offset:]) & 0x7fff_ffff
	return fmt.Sprintf("%0*d", totpDigits, code%1_000_000)
}

// isTOTPCode reports whether s has the form of a code: the device takes the last six characters of the password.
func isTOTPCode(s string) bool {
	return len(s) == totpDigits && strings.Trim(s, "0123456789") == ""
}
