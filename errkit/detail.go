package errkit

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"unicode"
)

// maxDetailLines bounds the text of Detail.
const maxDetailLines = 64

// Detail returns err for humans, on several lines: its text, then the tree of its layers, each with its type
// and, if it is of this house, class, kinds and fields. It is meant for bug reports and verbose output. It is
// empty for nil.
//
//	pikvm: atx.Click https://kvm.local: busy: another operation is running (HTTP 409 AtxIsBusyError)
//	  *pikvm.APIError class=pikvm.api.busy kinds=busy op=atx.Click target=https://kvm.local status=409
func Detail(err error) string {
	if err == nil {
		return ""
	}
	d := detailer{lines: 1}
	d.b.WriteString(oneLine(err))
	d.tree(CleanCause(err), 1)
	return d.b.String()
}

type detailer struct {
	b     strings.Builder
	lines int
}

func (d *detailer) tree(err error, depth int) {
	for err != nil && d.line(depth) {
		d.layer(err)
		depth++
		members, cause := unwrap(err)
		for _, m := range members {
			d.tree(CleanCause(m), depth)
		}
		err = CleanCause(cause)
	}
}

// line begins a line, if there may be another one.
func (d *detailer) line(depth int) bool {
	d.lines++
	if d.lines > maxDetailLines+1 {
		return false
	}
	d.b.WriteByte('\n')
	d.b.WriteString(strings.Repeat("  ", depth))
	if d.lines > maxDetailLines {
		d.b.WriteString(ellipsis)
		return false
	}
	return true
}

func (d *detailer) layer(err error) {
	fmt.Fprintf(&d.b, "%T", err)
	s := summarizeLayer(err)
	if !s.own {
		if members, _ := unwrap(err); members != nil {
			fmt.Fprintf(&d.b, " of %d", len(members)) // their texts follow
			return
		}
		d.b.WriteString(": " + oneLine(err))
		return
	}
	if _, stands := err.(interface{ ClassCode() string }); stands {
		d.b.WriteString(": " + oneLine(err)) // it stands for an error that cannot be shown
	}
	for _, a := range s.attrs() {
		d.attr(a)
	}
}

func (d *detailer) attr(a slog.Attr) {
	v := a.Value.Resolve()
	text := v.String()
	if names, ok := v.Any().([]string); ok {
		text = strings.Join(names, "|")
	}
	text = oneLineText(text)
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '"' || r == '=' }) {
		text = strconv.Quote(text)
	}
	d.b.WriteString(" " + a.Key + "=" + text)
}
