package pikvmtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// pyJSON encodes v the way the json module of Python does it for the device: keys sorted, everything beyond ASCII
// escaped, nothing escaped for HTML. With indent, members stand on lines of their own, four spaces deeper each.
// Numbers of raw JSON keep their spelling (10.0 stays 10.0).
func pyJSON(v any, indent bool) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	w := pyWriter{indent: indent}
	w.value(tree, 0)
	return w.buf.Bytes(), nil
}

type pyWriter struct {
	buf    bytes.Buffer
	indent bool
}

func (w *pyWriter) value(v any, depth int) {
	switch v := v.(type) {
	case nil:
		w.buf.WriteString("null")
	case bool:
		w.buf.WriteString(strconv.FormatBool(v))
	case json.Number:
		w.buf.WriteString(v.String())
	case string:
		w.string(v)
	case []any:
		w.items('[', ']', len(v), depth, func(i int) { w.value(v[i], depth+1) })
	case map[string]any:
		keys := slices.Sorted(maps.Keys(v))
		w.items('{', '}', len(keys), depth, func(i int) {
			w.string(keys[i])
			w.buf.WriteString(": ")
			w.value(v[keys[i]], depth+1)
		})
	}
}

func (w *pyWriter) items(open, end byte, n, depth int, item func(int)) {
	w.buf.WriteByte(open)
	for i := range n {
		if i > 0 {
			w.buf.WriteByte(',')
		}
		if w.indent {
			w.line(depth + 1)
		} else if i > 0 {
			w.buf.WriteByte(' ')
		}
		item(i)
	}
	if n > 0 && w.indent {
		w.line(depth)
	}
	w.buf.WriteByte(end)
}

func (w *pyWriter) line(depth int) {
	w.buf.WriteByte('\n')
	w.buf.WriteString(strings.Repeat("    ", depth))
}

func (w *pyWriter) string(s string) {
	w.buf.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.buf.WriteByte('\\')
			w.buf.WriteRune(r)
		case r == '\n':
			w.buf.WriteString(`\n`)
		case r == '\r':
			w.buf.WriteString(`\r`)
		case r == '\t':
			w.buf.WriteString(`\t`)
		case r == '\b':
			w.buf.WriteString(`\b`)
		case r == '\f':
			w.buf.WriteString(`\f`)
		case r >= 0x20 && r < 0x7f:
			w.buf.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&w.buf, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&w.buf, `\u%04x`, r)
		}
	}
	w.buf.WriteByte('"')
}

// pyRepr spells a string the way repr does, as the texts of validators quote their arguments.
func pyRepr(s string) string {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	out := []byte{quote}
	for _, r := range s {
		switch {
		case r == rune(quote) || r == '\\':
			out = append(out, '\\', byte(r))
		case r == '\n':
			out = append(out, `\n`...)
		case r == '\r':
			out = append(out, `\r`...)
		case r == '\t':
			out = append(out, `\t`...)
		case strconv.IsPrint(r):
			out = append(out, string(r)...)
		case r < 0x100:
			out = fmt.Appendf(out, `\x%02x`, r)
		case r < 0x10000:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = fmt.Appendf(out, `\U%08x`, r)
		}
	}
	return string(append(out, quote))
}

// pyReprList spells a list of strings the way repr does.
func pyReprList(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = pyRepr(item)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
