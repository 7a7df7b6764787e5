package minijson_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

type (
	celsius  float64
	level    int8
	name     string
	digest   [4]byte
	blob     []byte
	position struct {
		Lat float64 `minijson:"lat"`
		Lon float64 `minijson:"lon"`
		Alt *int    `minijson:"alt,omitempty"`
	}
	list struct {
		Next *list `minijson:"next"`
	}
	// millis writes itself as a number.
	millis time.Time
	// version has methods on its pointer alone.
	version struct{ major, minor int }
	// color is text.
	color struct{ name string }
)

func (m millis) MarshalMiniJSON() (any, error) {
	if time.Time(m).IsZero() {
		return nil, errors.New("no time")
	}
	return time.Time(m).UnixMilli(), nil
}

func (m *millis) UnmarshalMiniJSON(b []byte) error {
	var ms int64
	if err := minijson.Unmarshal(b, &ms); err != nil {
		return err
	}
	*m = millis(time.UnixMilli(ms))
	return nil
}

func (v *version) MarshalMiniJSON() (any, error) { return []int{v.major, v.minor}, nil }

func (v *version) UnmarshalMiniJSON(b []byte) error {
	var parts [2]int
	if err := minijson.Unmarshal(b, &parts); err != nil {
		return err
	}
	*v = version{parts[0], parts[1]}
	return nil
}

func (c color) MarshalText() ([]byte, error) {
	if c.name == "" {
		return nil, errors.New("no color")
	}
	return []byte(c.name), nil
}

func (c *color) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		return errors.New("no color")
	}
	c.name = string(b)
	return nil
}

// selfish is a Marshaler that returns itself.
type selfish struct{}

func (s selfish) MarshalMiniJSON() (any, error) { return s, nil }

func TestMarshal(t *testing.T) {
	t.Parallel()
	seven := 7
	var (
		nilPointer *int
		nilSlice   []int
		nilMap     map[string]int
	)
	type nils struct {
		Slice   []int
		Map     map[string]int
		Map2    map[string]any
		Texts   map[string]string
		Numbers map[int]int
		Bytes   []byte
		Pairs   minijson.Map
		Any     any
		Error   error
		Pointer *[]int
	}
	tests := []struct {
		name string
		v    any
		hex  string
	}{
		{"named float", celsius(1.5), "093fc00000"},
		{"float32 that is no short double", float32(0.1), "093dcccccd"},
		{"double", 0.1, "0a3fb999999999999a"},
		{"negative zero", math.Copysign(0, -1), "0980000000"},
		{"any NaN", math.Float64frombits(0x7FF8000000000001), "097fc00000"},
		{"infinity", math.Inf(-1), "09ff800000"},
		{"named int", level(-128), "0380"},
		{"int16", int16(-129), "02ff7f"},
		{"int32", int32(-32769), "01ffff7fff"},
		{"uint", uint(128), "0680"},
		{"uint8", uint8(255), "06ff"},
		{"uint16", uint16(32768), "058000"},
		{"uint32", uint32(65536), "0c010000"},
		{"uintptr", uintptr(1), "0301"},
		{"named string", name("a"), "8161"},
		{"duration", time.Second, "013b9aca00"},
		{"array of bytes", digest{1, 2, 3, 4}, "190401020304"},
		{"array of bytes behind a pointer", &digest{1, 2, 3, 4}, "190401020304"},
		{"named bytes", blob{1}, "190101"},
		{"array", [2]int{1, 2}, "4203010302"},
		{"slice of structs", []position{{1, 2, nil}}, "4152036c6174093f800000036c6f6e0940000000"},
		{"struct with pointer", position{1, 2, &seven}, "53036c6174093f800000036c6f6e094000000003616c740307"},
		{"int64s", []int64{1, -1}, "42030103ff"},
		{"float64s", []float64{1}, "41093f800000"},
		{"strings", []string{"a"}, "418161"},
		{"sorted map", map[string]int{"b": 1, "a": 2, "": 3}, "5300030301610302016203" + "01"},
		{"sorted map of strings", map[string]string{"b": "1", "a": "2"}, "52016181320162" + "8131"},
		{"sorted map of anything", map[string]any{"b": 1, "a": nil}, "520161080162" + "0301"},
		{"sorted map, named keys", map[name]bool{"b": true, "a": false}, "520161170162" + "16"},
		{"int keys by their encoding", map[int]bool{-1: true, 2: false, 300: true}, "6302012c16030217" + "03ff16"},
		{"keys of several kinds", map[any]any{"a": 1, 2: "b"}, "620302" + "8162" + "81610301"},
		{"keys that are all strings", map[any]int{"b": 1, "aa": 2}, "52026161030201620301"},
		{"keys that turn into strings", map[any]int{name("b"): 1}, "510162" + "0301"},
		{"array keys", map[digest]int{{1}: 1}, "61190401000000" + "0301"},
		{"NaN keys", map[float64]int{math.NaN(): 2, math.Inf(1): 0}, "62097f8000000300097fc000000302"},
		{"no int keys", map[int]int{}, "50"},
		{"long key", map[string]int{strings.Repeat("k", 256): 1, "a": 2}, "6281610302" + "0d0100" + strings.Repeat("6b", 256) + "0301"},
		{"ordered map", minijson.Map{{"b", 1}, {"a", 2}}, "520162030101610302"},
		{"ordered generic map", minijson.Map{{"b", 1}, {nil, 2}}, "628162030108" + "0302"},
		{"keys of length 9 and 10", minijson.Map{{"012345678", 1}, {"0123456789", 2}}, "52093031323334353637380301" + "0a303132333435363738390302"},
		{"empty ordered map", minijson.Map{}, "50"},
		{"big", new(big.Int).Lsh(big.NewInt(1), 64), "1809010000000000000000"},
		{"big by value", *big.NewInt(1), "0301"},
		{"nil big", (*big.Int)(nil), "08"},
		{"json integer", json.Number("128"), "0680"},
		{"json float", json.Number("1.0"), "093f800000"},
		{"json exponent", json.Number("1e2"), "0942c80000"},
		{"json big", json.Number("18446744073709551616"), "1809010000000000000000"},
		{"zero json number", json.Number(""), "0300"},
		{"raw", minijson.RawValue{0x07, 0x00}, "0700"},
		{"raw in a struct", struct{ R minijson.RawValue }{}, "51015208"},
		{"marshaler", millis(time.UnixMilli(1)), "0301"},
		{"marshaler behind a pointer", pointer(millis(time.UnixMilli(1))), "0301"},
		{"nil pointer to a marshaler", (*millis)(nil), "08"},
		{"marshaler in a slice", []millis{millis(time.UnixMilli(1))}, "410301"},
		{"marshaler as key", map[millis]int{millis(time.UnixMilli(1)): 2}, "6103010302"},
		{"method of the pointer", version{1, 2}, "4203010302"},
		{"method of the pointer, in a map", map[string]version{"v": {1, 2}}, "510176" + "4203010302"},
		{"text is not used unless asked for", color{"red"}, "50"},
		{"nil", nil, "08"},
		{"nil pointer", nilPointer, "08"},
		{"nil slice by itself", nilSlice, "08"},
		{"nil slice behind a pointer", &nilSlice, "08"},
		{"nil map by itself", nilMap, "08"},
		{"nil slice in an any", []any{nilSlice, nilMap, []byte(nil), []any(nil), map[string]any(nil), minijson.Map(nil)}, "46" + strings.Repeat("08", 6)},
		{"nil slice in a list", [][]int{nil}, "4140"},
		{"nils in fields", nils{}, "5a05536c69636540034d617050044d61703250055465787473" + "50074e756d6265727350" + "0542797465731900" + "05506169727350" + "03416e7908" + "054572726f7208" + "07506f696e74657208"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, err := minijson.Marshal(tt.v)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.hex, hex.EncodeToString(b)); d != "" {
				t.Errorf("bytes (-want +got):\n%s", d)
			}
			if err := minijson.Valid(b); err != nil {
				t.Errorf("not valid: %v", err)
			}
			onto, err := minijson.Append([]byte("begun"), tt.v)
			if err != nil || string(onto) != "begun"+string(b) {
				t.Errorf("Append gave %x, %v", onto, err)
			}
		})
	}
}

func TestMarshalRefuses(t *testing.T) {
	t.Parallel()
	type deep struct{ A map[string][]any }
	cycle := map[string]any{}
	cycle["a"] = cycle
	ring := &list{}
	ring.Next = ring
	var loop any
	loop = &loop
	tests := []struct {
		name   string
		v      any
		reason minijson.Reason
		path   string
		kind   errkit.Kind
	}{
		{"channel", make(chan int), minijson.ReasonType, "", errkit.Invalid},
		{"function in a map", map[string]any{"f": func() {}}, minijson.ReasonType, ".f", errkit.Invalid},
		{"complex number", struct{ C complex64 }{}, minijson.ReasonType, ".C", errkit.Invalid},
		{"time", struct{ At time.Time }{}, minijson.ReasonType, ".At", errkit.Invalid},
		{"far inside", deep{map[string][]any{"b": {1, 2, "\xff"}}}, minijson.ReasonUTF8, ".A.b[2]", errkit.Invalid},
		{"below an int key", map[int]any{1: func() {}}, minijson.ReasonType, "[int]", errkit.Invalid},
		{"invalid key", map[string]any{"\xff": 1}, minijson.ReasonUTF8, "", errkit.Invalid},
		{"invalid key of strings", map[string]string{"\xff": ""}, minijson.ReasonUTF8, "", errkit.Invalid},
		{"invalid value of strings", map[string]string{"a": "\xff"}, minijson.ReasonUTF8, ".a", errkit.Invalid},
		{"cycle of maps", cycle, minijson.ReasonDepth, "…" + strings.Repeat(".a", 128), errkit.TooLarge},
		{"cycle of structs", ring, minijson.ReasonDepth, "…" + strings.Repeat(".next", 51), errkit.TooLarge},
		{"cycle of pointers", loop, minijson.ReasonDepth, "", errkit.TooLarge},
		{"marshaler of itself", selfish{}, minijson.ReasonDepth, "", errkit.TooLarge},
		{"marshaler that fails", []any{millis{}}, minijson.ReasonMethod, "[0]", errkit.Invalid},
		{"list as key", minijson.Map{{[]any{}, 1}}, minijson.ReasonKey, "[0]", errkit.Invalid},
		{"struct as key", map[position]int{{}: 1}, minijson.ReasonKey, "", errkit.Invalid},
		{"equal keys", minijson.Map{{"a", 1}, {"a", 2}}, minijson.ReasonDuplicateKey, "[1]", errkit.Invalid},
		{"both zeros", minijson.Map{{0.0, 1}, {math.Copysign(0, -1), 2}}, minijson.ReasonDuplicateKey, "[1]", errkit.Invalid},
		{"both widths", minijson.Map{{float32(0.5), 1}, {0.5, 2}}, minijson.ReasonDuplicateKey, "[1]", errkit.Invalid},
		{"keys that become equal", map[any]int{int8(1): 1, int64(1): 2}, minijson.ReasonDuplicateKey, "", errkit.Invalid},
		{"json number that is none", json.Number("0x10"), minijson.ReasonRange, "", errkit.Invalid},
		{"json number that is too large", json.Number("1e400"), minijson.ReasonRange, "", errkit.Invalid},
		{"json integer that is too large", json.Number(strings.Repeat("9", 615)), minijson.ReasonRange, "", errkit.Invalid},
		{"json integer that is endless", json.Number(strings.Repeat("9", 100_000)), minijson.ReasonRange, "", errkit.Invalid},
		{"big that is too large", new(big.Int).Lsh(big.NewInt(1), 2039), minijson.ReasonRange, "", errkit.Invalid},
		{"raw that is none", minijson.RawValue{0x1C}, minijson.ReasonMethod, "", errkit.Invalid},
		{"raw with two values", minijson.RawValue{8, 8}, minijson.ReasonMethod, "", errkit.Invalid},
		{"name of a field", struct {
			A int `minijson:"\xff"`
		}{}, minijson.ReasonKey, "", errkit.Invalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, err := minijson.Append([]byte("begun"), tt.v)
			e := wantEncodingError(t, err)
			if e.Reason != tt.reason || !strings.HasPrefix(e.Path, tt.path) || (tt.path == "") != (e.Path == "") {
				t.Errorf("reason %q at %q, want %q at %q", e.Reason, e.Path, tt.reason, tt.path)
			}
			if !errors.Is(err, tt.kind) {
				t.Errorf("%v is not %v", err, tt.kind)
			}
			if string(b) != "begun" {
				t.Errorf("output changed to %q", b)
			}
		})
	}
}

func TestEncodeOptions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		opts minijson.EncodeOptions
		v    any
		hex  string // "" means an error
	}{
		{"single", minijson.EncodeOptions{Floats: minijson.FloatSingle}, []float64{0.1, 1628873412.444}, "42093dcccccd094ec22d46"},
		{"single, too large", minijson.EncodeOptions{Floats: minijson.FloatSingle}, []float64{1e39}, ""},
		{"single, infinite", minijson.EncodeOptions{Floats: minijson.FloatSingle}, math.Inf(1), "097f800000"},
		{"double", minijson.EncodeOptions{Floats: minijson.FloatDouble}, []any{1.0, float32(1)}, "420a3ff0000000000000093f800000"},
		{"double NaN", minijson.EncodeOptions{Floats: minijson.FloatDouble}, math.NaN(), "0a7ff8000000000000"},
		{"depth 1", minijson.EncodeOptions{MaxDepth: 1}, []int{1}, "410301"},
		{"depth 2 of 1", minijson.EncodeOptions{MaxDepth: 1}, [][]int{{}}, ""},
		{"depth inside raw", minijson.EncodeOptions{MaxDepth: 1}, []minijson.RawValue{{0x40}}, ""},
		{"replace", minijson.EncodeOptions{ReplaceInvalidUTF8: true}, "a\xff", "8461efbfbd"},
		{"replace not in keys", minijson.EncodeOptions{ReplaceInvalidUTF8: true}, map[string]string{"\xff": ""}, ""},
		{"text", minijson.EncodeOptions{TextMarshalers: true}, []any{color{"red"}, &color{"red"}, (*color)(nil)}, "43837265648372656408"},
		{"text of a time", minijson.EncodeOptions{TextMarshalers: true}, time.Unix(0, 0).UTC(), "94" + hex.EncodeToString([]byte("1970-01-01T00:00:00Z"))},
		{"text not of a big", minijson.EncodeOptions{TextMarshalers: true}, big.NewInt(1), "0301"},
		{"text as key", minijson.EncodeOptions{TextMarshalers: true}, map[color]int{{"red"}: 1}, "51037265640301"},
		{"text that fails", minijson.EncodeOptions{TextMarshalers: true}, color{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, err := tt.opts.Marshal(tt.v)
			if tt.hex == "" {
				wantEncodingError(t, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.hex, hex.EncodeToString(b)); d != "" {
				t.Errorf("bytes (-want +got):\n%s", d)
			}
		})
	}
}

// TestEncodeDepth: 512 containers may be open, 513 may not.
func TestEncodeDepth(t *testing.T) {
	t.Parallel()
	nest := func(n int) any {
		v := any(nil)
		for range n {
			v = []any{v}
		}
		return v
	}
	if _, err := minijson.Marshal(nest(512)); err != nil {
		t.Errorf("512: %v", err)
	}
	_, err := minijson.Marshal(nest(513))
	if e := wantEncodingError(t, err); e.Reason != minijson.ReasonDepth || !errors.Is(err, errkit.TooLarge) {
		t.Errorf("513: %v", err)
	}
}
