package minijson

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Objects with one of these as their only key stand in JSON text for what it has no form for.
const (
	jsonBytes = "$bytes" // base64
	jsonFloat = "$float" // "nan", "inf" or "-inf"
	jsonMap   = "$map"   // list of [key, value]
)

// ToJSON returns b, exactly one value, as JSON text for people to read. Nothing is lost: [FromJSON] makes the value of
// it again. Floats have a point or an exponent, integers have not. Bytes are {"$bytes":"base64"}, floats that are no
// numbers {"$float":"nan"}, and generic maps {"$map":[[key,value]]}, as is an object whose only key begins with a
// dollar sign.
func ToJSON(b []byte) ([]byte, error) {
	if err := Valid(b); err != nil {
		return nil, err
	}
	d := newDecoder(b, DecodeOptions{})
	defer d.release()
	var w jsonWriter
	if err := w.value(d); err != nil {
		return nil, err
	}
	return w.out.Bytes(), nil
}

// jsonWriter writes JSON text.
type jsonWriter struct{ out bytes.Buffer }

func (w *jsonWriter) value(d *decoder) error {
	k, n, err := d.head()
	if err != nil {
		return err
	}
	switch k {
	case kindList:
		return w.list(d, n)
	case kindObject:
		return w.object(d, n)
	case kindMap:
		return w.pairs(d, k, n)
	}
	return w.scalar(d, k, n)
}

func (w *jsonWriter) scalar(d *decoder, k kind, n uint32) error {
	p, err := d.payload(k, n)
	if err != nil {
		return err
	}
	switch k {
	case kindNull:
		w.out.WriteString("null")
	case kindTrue, kindFalse:
		w.out.WriteString(strconv.FormatBool(k == kindTrue))
	case kindSigned, kindUnsigned:
		if i, ok := smallInteger(k, p); ok {
			w.out.WriteString(strconv.FormatInt(i, 10))
		} else {
			w.out.WriteString(bigInteger(p).String())
		}
	case kindSingle, kindDouble:
		w.float(floatOf(p))
	case kindBytes:
		w.special(jsonBytes, base64.StdEncoding.EncodeToString(p))
	default:
		return w.text(string(p))
	}
	return nil
}

func (w *jsonWriter) float(f float64) {
	switch {
	case math.IsNaN(f):
		w.special(jsonFloat, "nan")
	case math.IsInf(f, 0):
		w.special(jsonFloat, strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(f, 'g', -1, 64), "+")))
	default:
		w.out.WriteString(floatText(f))
	}
}

// special writes an object with one key. Both strings need no escapes.
func (w *jsonWriter) special(key, value string) {
	w.out.WriteString(`{"` + key + `":"` + value + `"}`)
}

func (w *jsonWriter) text(s string) error {
	enc := json.NewEncoder(&w.out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return encodingError(ReasonSyntax, "", err)
	}
	w.out.Truncate(w.out.Len() - 1) // the line break
	return nil
}

func (w *jsonWriter) list(d *decoder, n uint32) error {
	w.out.WriteByte('[')
	for i := range n {
		w.comma(i)
		if err := w.value(d); err != nil {
			return err
		}
	}
	w.out.WriteByte(']')
	return nil
}

func (w *jsonWriter) object(d *decoder, n uint32) error {
	if n == 1 && d.left() > 1 && d.b[d.pos] > 0 && d.b[d.pos+1] == '$' {
		return w.pairs(d, kindObject, n)
	}
	w.out.WriteByte('{')
	for i := range n {
		w.comma(i)
		key, err := d.key()
		if err != nil {
			return err
		}
		if err := w.text(key); err != nil {
			return err
		}
		w.out.WriteByte(':')
		if err := w.value(d); err != nil {
			return err
		}
	}
	w.out.WriteByte('}')
	return nil
}

func (w *jsonWriter) pairs(d *decoder, k kind, n uint32) error {
	w.out.WriteString(`{"` + jsonMap + `":[`)
	for i := range n {
		w.comma(i)
		w.out.WriteByte('[')
		if k == kindObject {
			key, err := d.key()
			if err != nil {
				return err
			}
			if err := w.text(key); err != nil {
				return err
			}
		} else if err := w.value(d); err != nil {
			return err
		}
		w.out.WriteByte(',')
		if err := w.value(d); err != nil {
			return err
		}
		w.out.WriteByte(']')
	}
	w.out.WriteString("]}")
	return nil
}

func (w *jsonWriter) comma(i uint32) {
	if i > 0 {
		w.out.WriteByte(',')
	}
}
