package minijson_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

// vector is one of the samples in testdata, each made or checked with the original implementation.
type vector struct {
	Name        string
	JSON        json.RawMessage
	Hex         *string
	HexPrefix   string `json:"hex_prefix"`
	HexUnit     string `json:"hex_unit"`
	HexCount    int    `json:"hex_count"`
	HexSuffix   string `json:"hex_suffix"`
	Len         int
	SHA256      string
	Float       string
	Decoded     json.RawMessage
	DecodeOnly  bool `json:"decode_only"`
	Error       bool
	EncodeError bool `json:"encode_error"`
	Reference   string
}

func readVectors(t testing.TB) []vector {
	t.Helper()
	file, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(file, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 272 {
		t.Fatalf("%d vectors instead of 272", len(vectors))
	}
	return vectors
}

// bytes returns the encoding; ok is false if the vector has only its hash.
func (v *vector) bytes(t testing.TB) (b []byte, ok bool) {
	t.Helper()
	if v.Hex != nil {
		return fromHex(t, *v.Hex), true
	}
	if v.HexUnit == "" {
		return nil, false
	}
	return fromHex(t, v.HexPrefix+strings.Repeat(v.HexUnit, v.HexCount)+v.HexSuffix), true
}

// compare reports where b is not the encoding.
func (v *vector) compare(t *testing.T, b []byte) {
	t.Helper()
	if want, ok := v.bytes(t); ok {
		if !bytes.Equal(want, b) {
			t.Errorf("bytes (-want +got):\n%s", cmp.Diff(want, b))
		}
		return
	}
	sum := sha256.Sum256(b)
	if len(b) != v.Len || hex.EncodeToString(sum[:]) != v.SHA256 || !bytes.HasPrefix(b, fromHex(t, v.HexPrefix)) {
		t.Errorf("%d bytes %x..., want %d bytes %s...", len(b), b[:min(len(b), 24)], v.Len, v.HexPrefix)
	}
}

func (v *vector) options() minijson.EncodeOptions {
	switch v.Float {
	case "single":
		return minijson.EncodeOptions{Floats: minijson.FloatSingle}
	case "double":
		return minijson.EncodeOptions{Floats: minijson.FloatDouble}
	}
	return minijson.EncodeOptions{}
}

// unsorted are the objects whose keys the original wrote as it met them.
var unsorted = map[string]bool{
	"object with float (single)": true, "smok order section list": true, "smok log entry": true,
}

func TestVectorsEncode(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t) {
		if v.JSON == nil || v.DecodeOnly {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			b, err := v.options().Marshal(readValue(t, v.JSON, true))
			if v.EncodeError {
				wantEncodingError(t, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			v.compare(t, b)
			if unsorted[v.Name] || bytes.Contains(v.JSON, []byte(`"int"`)) {
				return // the order of a Go map is another one
			}
			b, err = v.options().Marshal(readValue(t, v.JSON, false))
			if err != nil {
				t.Fatal(err)
			}
			v.compare(t, b)
		})
	}
}

func TestVectorsDecode(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t) {
		if v.EncodeError {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			b, ok := v.bytes(t)
			if !ok {
				var err error
				if b, err = v.options().Marshal(readValue(t, v.JSON, true)); err != nil {
					t.Fatal(err)
				}
				v.compare(t, b)
			}
			var got any
			err := minijson.Unmarshal(b, &got)
			if valid := minijson.Valid(b); (valid == nil) != (err == nil) {
				t.Errorf("Valid: %v, Unmarshal: %v", valid, err)
			}
			if v.Error {
				wantDecodingError(t, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := v.JSON
			if v.Decoded != nil {
				want = v.Decoded
			}
			if d := diff(readValue(t, want, false), got); d != "" {
				t.Errorf("value (-want +got):\n%s", d)
			}
		})
	}
}

// TestVectorsLenient: what the original takes, the lenient decoder takes.
func TestVectorsLenient(t *testing.T) {
	t.Parallel()
	want := map[string]any{
		"varint truncated": int64(-1), "varint truncated to nothing": int64(0), "bytes type 25 truncated": []byte{},
		"bytes type 26 truncated": []byte("A"), "bytes type 27 truncated": []byte("A"),
		"bytes type 27 length max no data": []byte{}, "trailing byte after string": "a", "trailing value after null": nil,
	}
	for _, v := range readVectors(t) {
		if !v.Error {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			b, _ := v.bytes(t)
			var got any
			err := minijson.DecodeOptions{Lenient: true}.Unmarshal(b, &got)
			if !strings.HasPrefix(v.Reference, "accepts") {
				wantDecodingError(t, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			value, ok := want[v.Name]
			if !ok {
				t.Fatal("the original takes this and no value is known")
			}
			if d := diff(value, got); d != "" {
				t.Errorf("value (-want +got):\n%s", d)
			}
		})
	}
}

// readValue reads the value of a vector: objects as Map in their order, or as what decoding gives.
func readValue(t testing.TB, text json.RawMessage, ordered bool) any {
	t.Helper()
	r := valueReader{t: t, dec: json.NewDecoder(bytes.NewReader(text)), ordered: ordered}
	r.dec.UseNumber()
	return r.value()
}

type valueReader struct {
	t       testing.TB
	dec     *json.Decoder
	ordered bool
}

func (r *valueReader) token() json.Token {
	token, err := r.dec.Token()
	if err != nil {
		r.t.Fatal(err)
	}
	return token
}

func (r *valueReader) value() any {
	switch token := r.token().(type) {
	case json.Number:
		return integer(r.t, string(token))
	case json.Delim:
		if token == '[' {
			list := []any{}
			for r.dec.More() {
				list = append(list, r.value())
			}
			r.token()
			return list
		}
		m := minijson.Map{}
		for r.dec.More() {
			m = append(m, minijson.Pair{Key: r.token().(string), Value: r.value()})
		}
		r.token()
		return r.special(m)
	default:
		return token
	}
}

// special returns what an object of a vector stands for.
func (r *valueReader) special(m minijson.Map) any {
	if len(m) == 0 || !strings.HasPrefix(m[0].Key.(string), "$") {
		return r.mapped(m)
	}
	v, count := m[0].Value, 0
	if len(m) > 1 {
		count = int(m[1].Value.(int64))
	}
	switch m[0].Key {
	case "$float":
		f, err := strconv.ParseFloat(v.(string), 64)
		if err != nil {
			r.t.Fatal(err)
		}
		return f
	case "$int":
		return integer(r.t, v.(string))
	case "$bytes":
		return fromHex(r.t, v.(string))
	case "$invalid_utf8":
		return string(fromHex(r.t, v.(string)))
	case "$repeat":
		return strings.Repeat(v.(string), count)
	case "$repeat_bytes":
		return bytes.Repeat(fromHex(r.t, v.(string)), count)
	case "$repeat_list":
		return make([]any, count)
	case "$seqmap":
		m = minijson.Map{}
		for i := range count {
			if v == "int" {
				m = append(m, minijson.Pair{Key: int64(i)})
			} else {
				m = append(m, minijson.Pair{Key: fmt.Sprintf(v.(string), i)})
			}
		}
		return r.mapped(m)
	case "$map":
		m = minijson.Map{}
		for _, x := range v.([]any) {
			m = append(m, minijson.Pair{Key: x.([]any)[0], Value: x.([]any)[1]})
		}
		return r.mapped(m)
	}
	r.t.Fatalf("unknown kind %v", m[0].Key)
	return nil
}

// mapped returns the pairs as decoding gives them, unless their order is wanted.
func (r *valueReader) mapped(pairs minijson.Map) any {
	if r.ordered {
		return pairs
	}
	m := make(map[string]any)
	for _, p := range pairs {
		key, ok := p.Key.(string)
		if !ok {
			return pairs
		}
		m[key] = p.Value
	}
	return m
}

func integer(t testing.TB, s string) any {
	b, ok := new(big.Int).SetString(s, 10)
	switch {
	case !ok:
		t.Fatalf("%q is no integer", s)
	case b.IsInt64():
		return b.Int64()
	case b.IsUint64():
		return b.Uint64()
	}
	return b
}

func fromHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
