package redact

import (
	"net/url"
	"strings"
	"unicode"
)

// endings are how the names of secret parameters end, in lower case and without punctuation: access_token,
// X-Amz-Signature and user[password] are all found by theirs.
var endings = []string{
	"token", "auth", "authorization", "passwd", "password", "pass", "pwd", "passphrase", "secret", "key", "signature",
	"sig", "otp", "totp", "code", "session", "sessionid", "sid", "credential", "jwt", "cookie",
}

// isSecretName reports whether a value of this name is to be hidden. Percent-encoding, letter case, punctuation,
// invisible characters, a plural and an index do not matter: token[0], API-Keys, %74oken. The name counts as it is and
// with each layer of encoding taken off, since nobody knows how many the peer takes off.
func isSecretName(name string) bool {
	for range maxLayers {
		if endsSecret(name) {
			return true
		}
		plain := unescape(name)
		if plain == name {
			return false
		}
		name = plain
	}
	return endsSecret(name)
}

func endsSecret(name string) bool {
	name = strings.Map(func(r rune) rune {
		r = unicode.ToLower(r)
		if r < 'a' || r > 'z' {
			return -1 // digits too: password2
		}
		return r
	}, name)
	for _, ending := range endings {
		if strings.HasSuffix(name, ending) || strings.HasSuffix(name, ending+"s") {
			return true
		}
	}
	return false
}

// maxLayers is how many layers of percent-encoding are taken off.
const maxLayers = 8

// decode removes percent-encoding, also where it was applied more than once. What cannot be decoded stays.
func decode(s string) string {
	for range maxLayers {
		plain := unescape(s)
		if plain == s {
			break
		}
		s = plain
	}
	return s
}

// unescape decodes what is validly escaped and leaves the rest, unlike url.PathUnescape, which gives up.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+3 <= len(s) {
			if c, err := url.PathUnescape(s[i : i+3]); err == nil {
				b.WriteString(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// hasSecret reports whether a text, decoded, has a pair of a secret name and a value in it, in the form of a
// query, a header, JSON or an address with a password, or is a credential header itself.
func hasSecret(s string) bool {
	s = strings.ReplaceAll(decode(s), "+", " ")
	part := 0 // where the part of s begins that a user name and a password would be
	for i, r := range s {
		switch r {
		case '=', ':':
			if isSecretName(lastWord(s[:i])) {
				return true
			}
		case '/', '\\', '?', '#', '&', ';', ',', ' ', '\t':
			part = i + 1
		case '@':
			before := s[:part]
			if strings.Contains(s[part:i], ":") || strings.HasSuffix(before, "//") || strings.HasSuffix(before, `\`) {
				return true
			}
			part = i + 1
		}
	}
	words := strings.Fields(strings.ToLower(s))
	for i := 1; i < len(words); i++ {
		switch words[i-1] {
		case "bearer", "basic", "digest":
			return true
		}
	}
	return false
}

// lastWord returns the name that ends a text, without quotes and spaces around it.
func lastWord(s string) string {
	s = strings.TrimRight(s, "\"'` \t\\")
	if i := strings.LastIndexAny(s, "\"'` \t&;,?#{}=:/"); i >= 0 {
		s = s[i+1:]
	}
	return s
}
