package minijson_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

// Reading is a value that a device measured.
type Reading struct {
	Path  string    `minijson:"path"`
	At    Milli     `minijson:"at"`
	Value float64   `minijson:"value"`
	Raw   []byte    `minijson:"raw,omitempty"`
	Tags  []string  `minijson:"tags"`
	Limit *[2]int64 `minijson:"limit,omitempty"`
}

// Milli is a time in milliseconds since 1970.
type Milli time.Time

// MarshalMiniJSON returns the number that is written.
func (m Milli) MarshalMiniJSON() (any, error) { return time.Time(m).UnixMilli(), nil }

// UnmarshalMiniJSON reads the number.
func (m *Milli) UnmarshalMiniJSON(b []byte) error {
	var ms int64
	err := minijson.Unmarshal(b, &ms)
	*m = Milli(time.UnixMilli(ms).UTC())
	return err
}

func Example() {
	b, err := minijson.Marshal(Reading{Path: "r0.temp", At: Milli(time.UnixMilli(1_795_000_000_000)), Value: 21.5})
	if err != nil {
		fmt.Println(err)
		return
	}
	text, _ := minijson.ToJSON(b)
	fmt.Println(len(b), "bytes:", string(text))

	var r Reading
	err = minijson.Unmarshal(b, &r)
	fmt.Println(r.Path, time.Time(r.At), r.Value, err)
	// Output:
	// 42 bytes: {"path":"r0.temp","at":1795000000000,"value":21.5,"tags":[]}
	// r0.temp 2026-11-18 11:06:40 +0000 UTC 21.5 <nil>
}

func ExampleUnmarshal_errors() {
	b, _ := minijson.Marshal(map[string]any{"path": "r0.temp", "value": "hot"})
	err := minijson.Unmarshal(b, new(Reading))
	if e, ok := errors.AsType[*minijson.DecodingError](err); ok {
		fmt.Println(e.Reason, "at", e.Offset)
	}
	fmt.Println(errors.Is(err, minijson.ErrDecoding), err)
	// Output:
	// type does not fit at 20
	// true ngtt: minijson.decode: cannot decode: type does not fit float64 at offset 20, tag 0x83
}

func ExampleParse() {
	b := []byte("\x52\x04name\x85pumpA\x05level\x06\x80" + "\x08")
	for len(b) > 0 {
		v, n, err := minijson.Parse(b)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(n, v)
		b = b[n:]
	}
	// Output:
	// 20 map[level:128 name:pumpA]
	// 1 <nil>
}

func ExampleEncodeOptions() {
	seconds := 1628873412.444
	for _, floats := range []minijson.FloatPolicy{minijson.FloatLossless, minijson.FloatSingle} {
		b, _ := minijson.EncodeOptions{Floats: floats}.Marshal(seconds)
		v, _, _ := minijson.Parse(b)
		fmt.Printf("%x is %.3f\n", b, v)
	}
	_, err := minijson.EncodeOptions{Floats: minijson.FloatSingle}.Marshal(math.MaxFloat64)
	fmt.Println(err)
	// Output:
	// 0a41d845a8b11c6a7f is 1628873412.444
	// 094ec22d46 is 1628873472.000
	// ngtt: minijson.encode: cannot encode: out of range float64
}

func ExampleDecodeOptions() {
	strict := minijson.DecodeOptions{MaxBytes: 1 << 20, MaxCount: 10_000, DisallowUnknownFields: true}
	b, _ := minijson.Marshal(map[string]any{"path": "r0.temp", "unit": "°C"})
	fmt.Println(strict.Unmarshal(b, new(Reading)))
	// Output:
	// ngtt: minijson.decode: cannot decode: unknown key minijson_test.Reading at offset 14, tag 0x04
}

// A list that is not in memory as a whole.
func ExampleEncoder() {
	var out bytes.Buffer
	enc := minijson.NewEncoder(&out, nil)
	err := enc.BeginList(3)
	for i := range 3 {
		err = errors.Join(err, enc.Encode(Reading{Path: fmt.Sprintf("r%d", i)}.Path))
	}
	fmt.Printf("%x %v\n", out.Bytes(), errors.Join(err, enc.Close()))
	// Output:
	// 43827230827231827232 <nil>
}

func ExampleDecoder() {
	dec := minijson.NewDecoder(strings.NewReader("\x03\x07\x81a\x43\x08"), nil)
	for {
		var v any
		err := dec.Decode(&v)
		if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
			fmt.Println(err)
			return
		}
		fmt.Println(v)
	}
	// Output:
	// 7
	// a
	// ngtt: minijson.decode: cannot decode: truncated at offset 6, tag 0x00: unexpected EOF
}

func ExampleMap() {
	b, _ := minijson.Marshal(minijson.Map{{Key: "id", Value: 7}, {Key: 2, Value: []byte("ok")}})
	v, _, _ := minijson.Parse(b)
	for _, p := range v.(minijson.Map) {
		fmt.Printf("%v: %v\n", p.Key, p.Value)
	}
	// Output:
	// id: 7
	// 2: [111 107]
}

func ExampleRawValue() {
	type order struct {
		Type string            `minijson:"type"`
		Args minijson.RawValue `minijson:"args"` // decoded once the type is known
	}
	b, _ := minijson.Marshal(map[string]any{"type": "write", "args": map[string]any{"path": "W1", "value": 5}})
	var o order
	if err := minijson.Unmarshal(b, &o); err != nil {
		fmt.Println(err)
		return
	}
	text, _ := minijson.ToJSON(o.Args)
	fmt.Println(o.Type, string(text))
	// Output:
	// write {"path":"W1","value":5}
}

func ExampleToJSON() {
	b, _ := minijson.Marshal([]any{1, 1.0, math.Inf(1), []byte{0xAA}, map[int]bool{1: true}})
	text, _ := minijson.ToJSON(b)
	fmt.Println(string(text))
	back, err := minijson.FromJSON(text)
	fmt.Println(bytes.Equal(b, back), err)
	// Output:
	// [1,1.0,{"$float":"inf"},{"$bytes":"qg=="},{"$map":[[1,true]]}]
	// true <nil>
}
