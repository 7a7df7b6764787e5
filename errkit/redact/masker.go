package redact

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
)

// minSecret is the length of the shortest secret that is looked for.
const minSecret = 4

// masker hides secrets wherever they stand in a text.
type masker struct {
	patterns []string // the forms in which a secret may appear, in lower case
}

func newMasker(secrets []string) *masker {
	m := new(masker)
	for _, s := range secrets {
		if len(s) < minSecret {
			continue
		}
		quoted := strconv.Quote(s)
		m.add(s, url.QueryEscape(s), url.PathEscape(s), url.UserPassword("", s).String()[1:], quoted[1:len(quoted)-1],
			hex.EncodeToString([]byte(s)))
		m.addBase64(s)
	}
	return m
}

func (m *masker) add(forms ...string) {
	for _, f := range forms {
		if len(f) >= minSecret {
			m.patterns = append(m.patterns, lower(f))
		}
	}
}

// addBase64 adds what becomes of a secret in the middle of a text that is encoded in Base64, as a password in a
// header of basic authentication. It depends on how many bytes precede it; the characters that also depend on
// its neighbours are left out.
func (m *masker) addBase64(s string) {
	for before := range 3 {
		padded := make([]byte, before, before+len(s))
		padded = append(padded, s...)
		first := (before*8 + 5) / 6
		last := len(padded) * 8 / 6
		m.add(base64.RawStdEncoding.EncodeToString(padded)[first:last])
		m.add(base64.RawURLEncoding.EncodeToString(padded)[first:last])
	}
}

// finds reports whether a secret is in text.
func (m *masker) finds(text string) bool {
	text = lower(text)
	for _, p := range m.patterns {
		if strings.Contains(text, p) || cutOff(text, p) > 0 {
			return true
		}
	}
	return false
}

// mask returns text with "***" for every run of bytes that belong to a secret.
func (m *masker) mask(text string) string {
	hidden := make([]bool, len(text))
	folded := lower(text)
	for _, p := range m.patterns {
		done := 0 // up to where p has been hidden
		hide := func(from, to int) {
			for done = max(done, from); done < to; done++ {
				hidden[done] = true
			}
		}
		for from := 0; ; from++ { // secrets may overlap, also themselves
			i := strings.Index(folded[from:], p)
			if i < 0 {
				break
			}
			from += i
			hide(from, from+len(p))
		}
		if n := cutOff(folded, p); n > 0 {
			end := len(strings.TrimRight(folded, "…."))
			hide(end-n, end)
		}
	}
	var b strings.Builder
	for i := range len(text) {
		switch {
		case !hidden[i]:
			b.WriteByte(text[i])
		case i == 0 || !hidden[i-1]:
			b.WriteString(mask)
		}
	}
	return b.String()
}

// cutOff returns how many bytes of pattern end a text that was shortened in the middle of it.
func cutOff(text, pattern string) int {
	cut := strings.TrimRight(text, "….")
	if cut == text {
		return 0
	}
	for n := min(len(pattern), len(cut)); n >= minSecret; n-- {
		if strings.HasSuffix(cut, pattern[:n]) {
			return n
		}
	}
	return 0
}

// lower folds the ASCII letters only, so that no byte moves.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
