package packet

import (
	"encoding/json"
	"reflect"
	"strconv"
	"sync"
)

// maxPointers bounds how deep the walk through a value with binary in it goes, so that a value that contains itself is an
// error and not a full stack. encoding/json notices cycles at the same depth.
const maxPointers = 1000

// value appends v as JSON. The common types need no reflection.
func (e *encoder) value(v any, depth int) error {
	switch v := v.(type) {
	case nil:
		e.dst = append(e.dst, "null"...)
	case string:
		e.dst = appendQuoted(e.dst, v)
	case []byte:
		e.binary(v)
	case json.RawMessage:
		return e.raw(v)
	case bool:
		e.dst = strconv.AppendBool(e.dst, v)
	case int:
		e.dst = strconv.AppendInt(e.dst, int64(v), 10)
	case int64:
		e.dst = strconv.AppendInt(e.dst, v, 10)
	case uint64:
		e.dst = strconv.AppendUint(e.dst, v, 10)
	case map[string]any:
		if v == nil {
			return e.value(nil, depth)
		}
		return e.anyTable(v, depth)
	default:
		r := reflect.ValueOf(v)
		return e.walk(r, infoOf(r.Type()), depth)
	}
	return nil
}

// leaf lets encoding/json do it: it knows how to call the methods of a type that encodes itself.
func (e *encoder) leaf(v any) error {
	w := jsonWriters.Get().(*jsonWriter)
	w.dst = e.dst
	err := w.json.Encode(v)
	e.dst, w.dst = w.dst, nil
	jsonWriters.Put(w)
	if err == nil {
		e.dst = e.dst[:len(e.dst)-1] // the newline
	}
	return err
}

// jsonWriter appends what encoding/json writes.
type jsonWriter struct {
	dst  []byte
	json *json.Encoder
}

var jsonWriters = sync.Pool{New: func() any {
	w := &jsonWriter{}
	w.json = json.NewEncoder(w)
	w.json.SetEscapeHTML(false)
	return w
}}

func (w *jsonWriter) Write(p []byte) (int, error) {
	w.dst = append(w.dst, p...)
	return len(p), nil
}

// raw checks JSON of the caller, which would make the peer disconnect if it were none.
func (e *encoder) raw(v json.RawMessage) error {
	if v == nil {
		e.dst = append(e.dst, "null"...)
		return nil
	}
	s := scanner{text: v, depth: maxDepth}
	part, ok := s.only()
	if !ok {
		return errNotJSON
	}
	e.dst = append(e.dst, v[part.start:part.end]...)
	return nil
}

// binary appends a placeholder and keeps v for it. A nil slice is null, as in encoding/json.
func (e *encoder) binary(v []byte) {
	if v == nil {
		e.dst = append(e.dst, "null"...)
		return
	}
	e.attach(v)
}

func (e *encoder) attach(v []byte) {
	e.dst = appendPlaceholder(e.dst, len(e.bin))
	e.bin = append(e.bin, v)
}

func appendPlaceholder(dst []byte, num int) []byte {
	dst = append(dst, `{"_placeholder":true,"num":`...)
	return append(strconv.AppendInt(dst, int64(num), 10), '}')
}

// spread appends the arguments of a, with placeholders renumbered to where their attachments now are.
func (e *encoder) spread(a Args) {
	part := a.extent()
	done := part.start
	for _, m := range a.marks {
		e.dst = append(e.dst, a.text[done:m.start]...)
		e.attach(a.bin[m.num])
		done = m.end
	}
	e.dst = append(e.dst, a.text[done:part.end]...)
}
