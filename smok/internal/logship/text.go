package logship

import (
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

// maxText bounds each part of a record: message, value, exception text; in bytes.
const maxText = 64 << 10

const cut = "… (cut)"

// shorten bounds a text.
func shorten(s string) string {
	if len(s) <= maxText {
		return s
	}
	end := maxText - len(cut)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + cut
}

// clean makes a text valid UTF-8, which MiniJSON needs.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func jsonString(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string has a form
	return strings.TrimSuffix(b.String(), "\n")
}

// scrub hides secrets in the text of an attribute of this name: all of it if the name speaks of one, or else the words
// that are a pair such as token=..., an address with a password, or credentials of HTTP.
func scrub(name, text string) string {
	text = clean(shorten(text))
	switch {
	case name != "" && hide(name, "x") != "x":
		return hidden
	case !suspicious(text) || hide("", text) == text:
		return text
	}
	var b strings.Builder
	before, afterPair := "", false
	for word, rest := "", text; rest != ""; {
		space := len(rest) - len(strings.TrimLeft(rest, " \t\r\n"))
		b.WriteString(rest[:space])
		rest = rest[space:]
		end := strings.IndexAny(rest, " \t\r\n")
		if end < 0 {
			end = len(rest)
		}
		word, rest = rest[:end], rest[end:]
		shown := word
		switch {
		case word == "":
		case afterPair: // "password: hunter2"
			shown = hidden
		case hide("", word) != word:
			shown = hide("", word)
		case hide("", before) == before && hide("", before+" "+word) != before+" "+word: // "Bearer abc"
			shown = hidden
		}
		b.WriteString(shown)
		afterPair = shown != word && (strings.HasSuffix(word, ":") || strings.HasSuffix(word, "="))
		before = word
	}
	return b.String()
}

// suspicious reports whether it is worth looking for secrets in a text. Most have none of what would be around one.
func suspicious(text string) bool {
	if strings.ContainsAny(text, "=:@%") {
		return true
	}
	folded := strings.ToLower(text)
	return strings.Contains(folded, "bearer") || strings.Contains(folded, "basic") || strings.Contains(folded, "digest")
}

// hidden stands for a secret.
const hidden = "***"

// hide returns text as package redact shows the value of a field.
func hide(name, text string) string {
	for _, values := range redact.Values(url.Values{name: {text}}) {
		return values[0]
	}
	return text
}
