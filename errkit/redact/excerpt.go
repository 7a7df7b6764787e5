package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxExcerpt = 200     // bytes of an excerpt
	maxLooked  = 4 << 10 // bytes of the body that are looked at
	ellipsis   = "…"
)

// Excerpt returns the beginning of a peer's body for an error text: at most 200 bytes, printable, on one line,
// with the given secrets hidden as [Error] hides them. It is empty if the body begins with binary data. Bodies
// of calls that carry credentials do not belong into an error text at all.
func Excerpt(body []byte, secrets ...string) string {
	looked := string(body[:min(len(body), maxLooked)])
	if len(body) > maxLooked {
		looked += ellipsis
	}
	if strings.ContainsRune(looked, 0) {
		return ""
	}
	text := newMasker(secrets).mask(strings.ToValidUTF8(looked, "\uFFFD"))
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	if len(text) <= maxExcerpt {
		return text
	}
	end := maxExcerpt - len(ellipsis)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}
