package minijson

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"math"
	"unicode/utf8"
)

// FromJSON returns the encoding of JSON text, such as [ToJSON] writes. Numbers with a point or an exponent are floats,
// others are integers; objects keep their order. Text that is not JSON is an *[EncodingError].
func FromJSON(text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		return nil, encodingError(ReasonUTF8, "", nil) // encoding/json would replace it
	}
	r := jsonReader{json.NewDecoder(bytes.NewReader(text))}
	r.dec.UseNumber()
	v, err := r.value(maxDepth + 2) // a map takes more levels in JSON text
	if err != nil {
		return nil, err
	}
	if _, err := r.dec.Token(); err != io.EOF { //nolint:errorlint // never wrapped
		return nil, encodingError(ReasonSyntax, "", err)
	}
	return Marshal(v)
}

// jsonReader reads JSON text.
type jsonReader struct{ dec *json.Decoder }

func (r *jsonReader) value(depth int) (any, error) {
	token, err := r.dec.Token()
	if err != nil {
		return nil, encodingError(ReasonSyntax, "", err)
	}
	delim, ok := token.(json.Delim)
	switch {
	case !ok:
		return token, nil
	case depth == 0:
		return nil, encodingError(ReasonDepth, "", nil)
	case delim == '[':
		return r.list(depth - 1)
	}
	m, err := r.object(depth - 1)
	if err != nil {
		return nil, err
	}
	return special(m)
}

func (r *jsonReader) list(depth int) ([]any, error) {
	list := []any{}
	for r.dec.More() {
		v, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, r.end()
}

func (r *jsonReader) object(depth int) (Map, error) {
	m := Map{}
	for r.dec.More() {
		key, err := r.dec.Token()
		if err != nil {
			return nil, encodingError(ReasonSyntax, "", err)
		}
		v, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		m = append(m, Pair{key, v})
	}
	return m, r.end()
}

func (r *jsonReader) end() error {
	if _, err := r.dec.Token(); err != nil {
		return encodingError(ReasonSyntax, "", err)
	}
	return nil
}

// special returns what an object stands for: itself, unless its only key is one of ToJSON's.
func special(m Map) (any, error) {
	if len(m) != 1 {
		return m, nil
	}
	switch m[0].Key {
	case jsonBytes:
		s, _ := m[0].Value.(string)
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return nil, encodingError(ReasonSyntax, jsonBytes, err)
		}
		return b, nil
	case jsonFloat:
		switch m[0].Value {
		case "nan":
			return math.NaN(), nil
		case "inf":
			return math.Inf(1), nil
		case "-inf":
			return math.Inf(-1), nil
		}
		return nil, encodingError(ReasonSyntax, jsonFloat, nil)
	case jsonMap:
		return pairsOf(m[0].Value)
	}
	return m, nil
}

func pairsOf(v any) (Map, error) {
	list, ok := v.([]any)
	m := Map{}
	for _, x := range list {
		pair, isList := x.([]any)
		if ok = ok && isList && len(pair) == 2; !ok {
			break
		}
		m = append(m, Pair{pair[0], pair[1]})
	}
	if !ok {
		return nil, encodingError(ReasonSyntax, jsonMap, nil)
	}
	return m, nil
}
