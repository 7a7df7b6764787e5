package errkit

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMessage bounds the text of an error, in bytes. A peer chooses parts of many texts.
const maxMessage = 1024

// Message builds the text of a typed error. It is the one place that does, so that all of them read alike:
//
//	<module>: <op> <target>: <class text>: <detail>: <cause>
//
// Empty parts vanish with their separator. The class text gains "after N attempts" when more than one was made.
// The text is one line of valid UTF-8, at most 1 KiB long. An address inside the cause is redacted (see
// [CleanCause]).
func Message(i *Info, detail string) string {
	var b textBuilder
	if i.Class != nil {
		b.part(i.Class.module())
	}
	b.part(i.Op)
	if i.Target != "" {
		if i.Op != "" {
			b.join(" ", i.Target)
		} else {
			b.part(i.Target)
		}
	}
	if i.Class != nil {
		b.part(i.Class.text)
	}
	if i.Attempts > 1 {
		b.join(" after ", strconv.Itoa(i.Attempts))
		b.join(" ", "attempts")
	}
	b.part(detail)
	if i.Err != nil {
		b.part(CleanCause(i.Err).Error())
	}
	return b.text()
}

// oneLine returns the text of any error as Message would show it.
func oneLine(err error) string { return oneLineText(CleanCause(err).Error()) }

func oneLineText(s string) string {
	var b textBuilder
	b.add(s)
	return b.text()
}

// textBuilder joins parts in a fixed buffer: building a text costs one allocation, that of the result.
type textBuilder struct {
	buf  [maxMessage]byte
	n    int
	full bool
}

func (b *textBuilder) part(s string) {
	if s != "" {
		b.join(": ", s)
	}
}

// join adds s after the separator, or without it at the beginning.
func (b *textBuilder) join(sep, s string) {
	if b.n > 0 {
		b.add(sep)
	}
	b.add(s)
}

func (b *textBuilder) add(s string) {
	for _, r := range s {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' { // line breaks, terminal escapes
			r = ' '
		}
		if b.full = b.full || b.n+utf8.RuneLen(r) > maxMessage-len(ellipsis); b.full {
			return
		}
		b.n += utf8.EncodeRune(b.buf[b.n:], r)
	}
}

const ellipsis = "…"

func (b *textBuilder) text() string {
	text := strings.TrimRight(string(b.buf[:b.n]), " ")
	if b.full {
		return text + ellipsis
	}
	return text
}
