package minijson_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

func addVectors(f *testing.F) {
	f.Helper()
	for _, v := range readVectors(f) {
		if b, ok := v.bytes(f); ok && len(b) <= 1000 {
			f.Add(b)
		}
	}
}

// FuzzDecode: no bytes make the decoder panic or take more memory than memoryPerByte says; all ways to decode agree;
// what decodes encodes again, to bytes that decode to the same value and are canonical.
func FuzzDecode(f *testing.F) {
	addVectors(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var (
			v   any
			n   int
			err error
		)
		if used := allocated(func() { v, n, err = minijson.Parse(b) }); used > uint64(memoryPerByte*len(b)+256<<10) {
			t.Fatalf("%d bytes of memory for %d bytes of input", used, len(b)) // 256 KiB are those of the test itself
		}
		lenient := minijson.DecodeOptions{Lenient: true}.Unmarshal(b, new(any))
		if err != nil {
			wantDecodingError(t, err)
			if minijson.Valid(b) == nil {
				t.Fatalf("valid, but %v", err)
			}
			if lenient != nil {
				wantDecodingError(t, lenient)
			}
			return
		}
		if lenient != nil {
			t.Fatalf("not lenient: %v", lenient)
		}
		if err := minijson.Valid(b[:n]); err != nil {
			t.Fatalf("not valid: %v", err)
		}
		if whole := minijson.Valid(b); (whole == nil) != (n == len(b)) {
			t.Fatalf("%d of %d bytes, and %v", n, len(b), whole)
		}
		var streamed any
		dec := minijson.NewDecoder(bytes.NewReader(b), nil)
		if err := dec.Decode(&streamed); err != nil || dec.Offset() != int64(n) {
			t.Fatalf("stream: %v at %d, want %d", err, dec.Offset(), n)
		}
		if d := diff(v, streamed); d != "" {
			t.Fatalf("stream (-want +got):\n%s", d)
		}
		again, err := minijson.Marshal(v)
		if err != nil {
			t.Fatalf("%v does not encode: %v", v, err)
		}
		w, m, err := minijson.Parse(again)
		if err != nil || m != len(again) {
			t.Fatalf("%x: %d bytes, %v", again, m, err)
		}
		if d := diff(v, w); d != "" {
			t.Fatalf("value (-want +got):\n%s", d)
		}
		canonical, err := minijson.Marshal(w)
		if err != nil || !bytes.Equal(again, canonical) {
			t.Fatalf("%x, then %x, %v", again, canonical, err)
		}
		text, err := minijson.ToJSON(again)
		if err != nil || !json.Valid(text) {
			t.Fatalf("%x became %s, %v", again, text, err)
		}
		if back, err := minijson.FromJSON(text); err != nil || !bytes.Equal(again, back) {
			t.Fatalf("%x became %s and %x, %v", again, text, back, err)
		}
	})
}

// FuzzJSON: JSON text that encoding/json reads is the same value after a trip through this package.
func FuzzJSON(f *testing.F) {
	for _, v := range readVectors(f) {
		if v.JSON != nil {
			f.Add([]byte(v.JSON))
		}
	}
	f.Add([]byte(`{"a":[1,-2.5,1e300,"\u00e9\n",{"":null}],"b":{"c":true,"d":[[],{}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var want any
		if json.Unmarshal(text, &want) != nil {
			return
		}
		b, err := minijson.Marshal(want)
		if err != nil {
			if strings.Count(string(text), "[")+strings.Count(string(text), "{") <= 512 {
				t.Fatalf("%s does not encode: %v", text, err)
			}
			return
		}
		var got any
		if err := minijson.Unmarshal(b, &got); err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		if d := diff(want, got); d != "" { // all numbers are float64 on both sides
			t.Fatalf("value (-encoding/json +minijson):\n%s", d)
		}
		before, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		after, err := json.Marshal(got)
		if err != nil || !bytes.Equal(before, after) {
			t.Fatalf("%s became %s, %v", before, after, err)
		}
	})
}

// fuzzTarget has a field of every sort.
type fuzzTarget struct {
	Bool    bool              `minijson:"b"`
	Int8    int8              `minijson:"i"`
	Uint    uint32            `minijson:"u"`
	Float   float64           `minijson:"f"`
	Single  float32           `minijson:"s"`
	String  string            `minijson:"t"`
	Bytes   []byte            `minijson:"y"`
	Digest  digest            `minijson:"d"`
	Ints    []int64           `minijson:"l"`
	Array   [2]uint8          `minijson:"a"`
	Map     map[int]string    `minijson:"m"`
	Texts   map[string]string `minijson:"x"`
	Any     any               `minijson:"v"`
	Pairs   minijson.Map      `minijson:"p"`
	Number  json.Number       `minijson:"n"`
	Raw     minijson.RawValue `minijson:"r"`
	Length  rawLength         `minijson:"h"`
	Nested  []fuzzTarget      `minijson:"c"`
	Pointer *fuzzTarget       `minijson:"q"`
}

// FuzzUnmarshal: no bytes make decoding into a struct panic or go on for long, and what decodes encodes again.
func FuzzUnmarshal(f *testing.F) {
	addVectors(f)
	one := fuzzTarget{
		Int8: -1, Uint: math.MaxUint32, Float: 0.1, String: "a", Bytes: []byte{1}, Ints: []int64{1, math.MinInt64},
		Map: map[int]string{1: "a"}, Texts: map[string]string{"k": "v"}, Any: map[string]any{"a": nil},
		Pairs: minijson.Map{{Key: 1, Value: 2}}, Number: "1.5", Raw: minijson.RawValue{8},
	}
	one.Nested, one.Pointer = []fuzzTarget{one}, &fuzzTarget{}
	seed, err := minijson.Marshal(one)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		opts := minijson.DecodeOptions{MaxCount: 10_000, MaxBytes: 1 << 16}
		var v fuzzTarget
		if err := opts.Unmarshal(b, &v); err != nil {
			wantDecodingError(t, err)
			return
		}
		if len(b) > 0 && minijson.Valid(b) != nil {
			t.Fatalf("decoded, but %v", minijson.Valid(b))
		}
		again, err := minijson.Marshal(&v)
		if err != nil {
			t.Fatalf("%+v does not encode: %v", v, err)
		}
		if err := minijson.Unmarshal(again, new(fuzzTarget)); err != nil && !strings.Contains(err.Error(), "too long") {
			t.Fatalf("%x does not decode: %v", again, err)
		}
		if !utf8.ValidString(v.String) {
			t.Fatalf("%q is no UTF-8", v.String)
		}
		dec := minijson.NewDecoder(bytes.NewReader(b), &opts)
		if err := dec.Decode(new(fuzzTarget)); err != nil {
			t.Fatalf("stream: %v", err)
		}
		if err := dec.Decode(new(any)); err != io.EOF {
			t.Fatalf("stream, at its end: %v", err)
		}
	})
}
