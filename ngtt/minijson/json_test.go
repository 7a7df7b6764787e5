package minijson_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

func TestJSON(t *testing.T) {
	t.Parallel()
	tests := []struct{ hex, text string }{
		{"08", `null`},
		{"16", `true`},
		{"17", `false`},
		{"03ff", `-1`},
		{"1809010000000000000000", `18446744073709551616`},
		{"093f800000", `1.0`},
		{"0980000000", `-0.0`},
		{"0a3fb999999999999a", `0.1`},
		{"0a7fe1ccf385ebc8a0", `1e+308`},
		{"097fc00000", `{"$float":"nan"}`},
		{"097f800000", `{"$float":"inf"}`},
		{"09ff800000", `{"$float":"-inf"}`},
		{"80", `""`},
		{"843c22260a", `"<\"&\n"`},
		{"1901aa", `{"$bytes":"qg=="}`},
		{"40", `[]`},
		{"420301410302", `[1,[2]]`},
		{"50", `{}`},
		{"520162030101610302", `{"b":1,"a":2}`},
		{"6203010302814103" + "03", `{"$map":[[1,2],["A",3]]}`},
		{"51062462797465738161", `{"$map":[["$bytes","a"]]}`},
		{"5202246103010162" + "0302", `{"$a":1,"b":2}`},
		{"5100" + "08", `{"":null}`},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			text, err := minijson.ToJSON(fromHex(t, tt.hex))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.text, string(text)); d != "" {
				t.Errorf("text (-want +got):\n%s", d)
			}
			b, err := minijson.FromJSON(text)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(fromHex(t, tt.hex), b); d != "" {
				t.Errorf("bytes (-want +got):\n%s", d)
			}
		})
	}
}

// TestJSONVectors: text and back gives the canonical bytes of every vector.
func TestJSONVectors(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t) {
		b, ok := v.bytes(t)
		if !ok || v.Error || v.EncodeError || v.DecodeOnly || v.Float == "double" || len(b) > 1000 {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			text, err := minijson.ToJSON(b)
			if err != nil {
				t.Fatal(err)
			}
			back, err := minijson.FromJSON(text)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b, back) {
				t.Errorf("%x became %s and %x", b, text, back)
			}
		})
	}
}

func TestJSONRefuses(t *testing.T) {
	t.Parallel()
	if _, err := minijson.ToJSON([]byte{0x41}); err == nil {
		t.Error("truncated bytes became text")
	} else {
		wantDecodingError(t, err)
	}
	deep := strings.Repeat("[", 513) + strings.Repeat("]", 513)
	for _, text := range []string{
		"", "{", "[1,", "[1]]", "1 2", "nul", "\"\xff\"", `{"a":1,"a":2}`, "1e400", deep, strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 600),
		`{"$bytes":"?"}`, `{"$float":"1"}`, `{"$map":1}`, `{"$map":[1]}`, `{"$map":[[1]]}`, `{"$map":[[[],1]]}`, `{"a":1`, `{"a"`, `{1:2}`,
	} {
		b, err := minijson.FromJSON([]byte(text))
		if err == nil {
			t.Errorf("%.20q became %x", text, b)
			continue
		}
		wantEncodingError(t, err)
	}
}
