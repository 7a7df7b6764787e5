package packet_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

func newArgs(t *testing.T, values ...any) packet.Args {
	t.Helper()
	a, err := packet.NewArgs(values...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestArgs(t *testing.T) {
	t.Parallel()
	a := newArgs(t, "one", 2, []byte("three"), map[string]any{"four": []byte("4")}, nil)
	if a.Len() != 5 {
		t.Fatalf("%d arguments", a.Len())
	}
	want := `["one",2,{"_placeholder":true,"num":0},{"four":{"_placeholder":true,"num":1}},null]`
	if got := string(a.JSON()); got != want {
		t.Errorf("JSON: %s", got)
	}
	if diff := cmp.Diff([][]byte{[]byte("three"), []byte("4")}, a.Attachments()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := string(a.Raw(1)); got != "2" {
		t.Errorf("Raw: %s", got)
	}
	if b, ok := a.Bytes(2); !ok || string(b) != "three" {
		t.Errorf("Bytes: %q, %v", b, ok)
	}
	for _, i := range []int{-1, 0, 3, 4, 5} {
		if b, ok := a.Bytes(i); ok {
			t.Errorf("argument %d is binary: %q", i, b)
		}
	}
	if a.Raw(-1) != nil || a.Raw(5) != nil {
		t.Error("there is an argument too many")
	}
	var s string
	var n int
	var b []byte
	if err := a.DecodeAll(&s, &n, &b); err != nil || s != "one" || n != 2 || string(b) != "three" {
		t.Errorf("DecodeAll: %q, %d, %q, %v", s, n, b, err)
	}
	var zero packet.Args
	if zero.Len() != 0 || string(zero.JSON()) != "[]" || zero.Clone().Len() != 0 || zero.Slice(0, 0).Len() != 0 {
		t.Error("the zero value has something")
	}
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	a := newArgs(t, "text", []byte("b"), map[string]any{"a": []byte("b")}, []any{[]byte("b"), 1}, 300)
	var (
		n     int
		small uint8
		m     map[string]int
		list  []string
		keyed map[int][]byte
		s     struct{ A int }
		inner struct{ A struct{ B []byte } }
		ptr   *int
	)
	for _, tt := range []struct {
		name   string
		i      int
		target any
	}{
		{"another type", 0, &n},
		{"out of range", 4, &small},
		{"no such argument", 5, &n},
		{"negative", -1, &n},
		{"nil", 0, nil},
		{"no pointer", 0, n},
		{"nil pointer", 0, (*int)(nil)},
		{"nil pointer for a string", 0, (*string)(nil)},
		{"binary for a number", 1, &n},
		{"binary for a pointer to a number", 1, &ptr},
		{"binary for a map", 1, &m},
		{"binary for nil", 1, nil},
		{"binary without a pointer", 1, n},
		{"binary for a nil pointer", 1, (*[]byte)(nil)},
		{"binary in a map of numbers", 2, &m},
		{"binary in a number of a struct", 2, &s},
		{"binary for a struct in a struct", 2, &inner},
		{"object for a slice", 2, &list},
		{"key that is no number", 2, &keyed},
		{"binary in a slice of strings", 3, &list},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := a.Decode(tt.i, tt.target)
			e, ok := errors.AsType[*sioerr.DecodeError](err)
			if !ok || e.Index != tt.i || !errors.Is(err, sioerr.ErrDecode) || !errors.Is(err, errkit.Invalid) {
				t.Errorf("got %v", err)
			}
		})
	}
	if err := a.DecodeAll(new(string), new([]byte), new(any), new(any), new(int), new(any)); err == nil {
		t.Error("more targets than arguments")
	}
}

// What a []byte, wherever it is, was encoded to, comes back to the same place.
func TestBinaryComesBack(t *testing.T) {
	t.Parallel()
	type Inner struct{ Deep []byte }
	type named []byte
	type photo struct {
		Name   string            `json:"name"`
		Image  []byte            `json:"image"`
		Named  named             `json:"named"`
		Ptr    *[]byte           `json:"ptr"`
		Any    any               `json:"any"`
		List   [][]byte          `json:"list"`
		Pair   [2][]byte         `json:"pair"`
		Map    map[string][]byte `json:"map"`
		ByNum  map[int][]byte    `json:"by_num"`
		ByText map[color][]byte  `json:"by_text"`
		Next   *photo            `json:"next"`
		Maps   map[string]*photo `json:"maps"`
		Flat   map[string]Inner  `json:"flat"`
		Mixed  []any             `json:"mixed"`
		Deep   map[string]any    `json:"deep_any"`
		Count  int               `json:"count,string"`
		Raw    json.RawMessage   `json:"raw"`
		Skip   []byte            `json:"-"`
		*Inner `json:",omitempty"`
	}
	p := []byte("ptr")
	in := photo{
		Name: "n", Image: []byte("image"), Named: named("named"), Ptr: &p, Any: []byte("any"),
		List: [][]byte{[]byte("l0"), nil, {}}, Pair: [2][]byte{nil, []byte("p1")},
		Map: map[string][]byte{"a": []byte("ma"), "b": nil}, ByNum: map[int][]byte{7: []byte("seven")},
		Next: &photo{Image: []byte("next"), Raw: json.RawMessage("null")}, Maps: map[string]*photo{"x": {Image: []byte("mx"), Raw: json.RawMessage("null")}},
		Flat:  map[string]Inner{"f": {[]byte("flat")}, "g": {}},
		Mixed: []any{"s", []byte("mixed"), 1.5, []any{[]byte("deeper")}, nil},
		Deep:  map[string]any{"a": map[string]any{"b": []byte("deep")}, "c": "d"},
		Count: 5, Raw: json.RawMessage(`{"a":1}`), Inner: &Inner{[]byte("embedded")},
	}
	for _, parser := range []packet.Parser{packet.Default, packet.Revision4, packet.Msgpack} {
		e, err := parser.Encode(&packet.Packet{Type: packet.Event, Name: "x"}, &in, 7, []any{[]byte("last")})
		if err != nil {
			t.Fatal(err)
		}
		pkt := decoded(t, parser.NewDecoder(packet.Limits{FromServer: true}), e)
		var out photo
		var n int
		var last any
		if err := pkt.Args.DecodeAll(&out, &n, &last); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(in, out); diff != "" {
			t.Errorf("%v: -want +got\n%s", parser, diff)
		}
		if diff := cmp.Diff([]any{[]byte("last")}, last); n != 7 || diff != "" {
			t.Errorf("%v: %d, -want +got\n%s", parser, n, diff)
		}
	}
}

// Decoding with placeholders does what encoding/json does around them.
func TestDecodeAroundBinary(t *testing.T) {
	t.Parallel()
	attachment := [][]byte{[]byte("0"), []byte("1")}
	const zero, one = `{"num":0,"_placeholder":true}`, `{"x":[{}], "_placeholder" : true , "\u006eum" : 1 }`
	a, err := packet.ParseArgs(json.RawMessage(`[ {"IMAGE":`+zero+`, "other":[1,{"b":[`+one+`]}] , "unknown":`+zero+`} , [`+one+`,2,`+zero+` ], `+one+`]`), attachment)
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Image []byte
		Other any
	}
	if err := a.Decode(0, &s); err != nil || string(s.Image) != "0" {
		t.Errorf("%v, %v", s, err)
	}
	if diff := cmp.Diff([]any{1.0, map[string]any{"b": []any{[]byte("1")}}}, s.Other); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	var list []any
	if err := a.UseNumber().Decode(1, &list); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]any{[]byte("1"), json.Number("2"), []byte("0")}, list); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	var short [1][]byte
	if err := a.Decode(1, &short); err != nil || string(short[0]) != "1" {
		t.Errorf("%q, %v", short, err)
	}
	var raw json.RawMessage
	if err := a.Decode(2, &raw); err != nil || string(raw) != one {
		t.Errorf("%s, %v", raw, err)
	}
	var tight [1]any
	if err := a.Decode(1, &tight); err != nil || string(tight[0].([]byte)) != "1" {
		t.Errorf("%v, %v", tight, err)
	}
	var held any = &s
	s.Image = nil
	if err := a.Decode(0, &held); err != nil || string(s.Image) != "0" {
		t.Errorf("%v, %v", s, err)
	}
	var own opaque
	if err := a.Decode(2, &own); err != nil || string(own) != one {
		t.Errorf("%s, %v", own, err)
	}
}

// Embedded structs that are not there yet are made, and what nobody has a place for is left out.
func TestDecodeIntoEmbedded(t *testing.T) {
	t.Parallel()
	type Body struct{ Image []byte }
	var v struct{ *Body }
	a := newArgs(t, map[string]any{"Image": []byte("i"), "Other": []byte("o")}, map[string]any{"Image": []any{[]byte("i")}})
	if err := a.Decode(0, &v); err != nil || v.Body == nil || string(v.Image) != "i" {
		t.Errorf("%v, %v", v, err)
	}
	if err := a.Decode(1, &v); err == nil {
		t.Error("a list of binary values as one")
	}
	var m map[string]struct{ A int }
	if err := a.Decode(0, &m); err == nil {
		t.Error("binary as a struct")
	}
}

// Encoding and reading the same arguments at once is no race.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	a := newArgs(t, reading, map[string]any{"a": []byte("b")})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				e, err := packet.Default.Encode(&packet.Packet{Type: packet.Event, Name: "x", Args: a}, reading, []byte("c"))
				if err != nil || len(e.Binary) != 2 {
					t.Errorf("%d attachments, %v", len(e.Binary), err)
				}
				var v telemetry
				var m map[string][]byte
				if err := a.DecodeAll(&v, &m); err != nil || string(m["a"]) != "b" || v.Device != reading.Device {
					t.Errorf("%v, %v, %v", v, m, err)
				}
			}
		})
	}
	wg.Wait()
}

// opaque decodes itself.
type opaque string

func (o *opaque) UnmarshalJSON(b []byte) error {
	*o = opaque(b)
	return nil
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	a := newArgs(t, json.RawMessage(`9007199254740993`), json.RawMessage(`{"a":1e400}`))
	var v any
	if err := a.Decode(0, &v); err != nil || v != 9007199254740992.0 {
		t.Errorf("%v, %v", v, err)
	}
	if err := a.UseNumber().Decode(0, &v); err != nil || v != json.Number("9007199254740993") {
		t.Errorf("%v, %v", v, err)
	}
	var exact int64
	if err := a.Decode(0, &exact); err != nil || exact != 9007199254740993 {
		t.Errorf("%v, %v", exact, err)
	}
}

func TestStringArguments(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ raw, want string }{
		{`""`, ""},
		{`"plain"`, "plain"},
		{`"\u00fc\ud83d\ude00\n\/"`, "ü\U0001F600\n/"},
		{"\"\xff\"", "\uFFFD"},
		{`"\ud800"`, "\uFFFD"},
	} {
		a := newArgs(t, json.RawMessage(tt.raw))
		var got string
		if err := a.Decode(0, &got); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v", tt.raw, got, err)
		}
		if got, ok := a.LastString(); !ok || got != tt.want {
			t.Errorf("%s: %q, %v", tt.raw, got, ok)
		}
	}
	for _, a := range []packet.Args{{}, newArgs(t, "a", 1), newArgs(t, []byte("x"))} {
		if s, ok := a.LastString(); ok {
			t.Errorf("%s: %q", a.JSON(), s)
		}
	}
}

// Scalars come out as encoding/json reads them, and what does not fit is an error.
func TestScalars(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		`0`, `-0`, `7`, `-12`, `1.5`, `1e3`, `1e400`, `9223372036854775807`, `9223372036854775808`, `true`, `false`, `null`, `"a"`, `"1"`,
		`"Infinity"`, `"NaN"`, `[]`, `{}`, `"\ud83d\ude00"`,
	} {
		for _, target := range []func() any{
			func() any { return ptr(5) }, func() any { return ptr(2.5) }, func() any { return ptr(true) }, func() any { return ptr(false) },
			func() any { return ptr("x") }, func() any { return ptr(int64(5)) }, func() any { return (*int)(nil) },
			func() any { return (*float64)(nil) }, func() any { return (*bool)(nil) },
		} {
			want, got := target(), target()
			wantErr := json.Unmarshal([]byte(raw), want)
			err := newArgs(t, json.RawMessage(raw)).Decode(0, got)
			if (err == nil) != (wantErr == nil) {
				t.Errorf("%s into %T: %v, want %v", raw, got, err, wantErr)
			}
			if diff := cmp.Diff(want, got); diff != "" && err == nil {
				t.Errorf("%s into %T: -want +got\n%s", raw, got, diff)
			}
		}
	}
}

func ptr[T any](v T) *T { return &v }

// Arguments pass through, with only those attachments that they refer to, numbered anew, and with others beside them.
func TestPassOn(t *testing.T) {
	t.Parallel()
	a := newArgs(t, []byte("0"), "text", []any{[]byte("1"), []byte("2")}, int64(9007199254740993))
	for _, tt := range []struct {
		name   string
		pkt    packet.Packet
		values []any
		want   string
		binary []string
	}{
		{"alone", packet.Packet{Args: a}, nil, `453-["x",#0,"text",[#1,#2],9007199254740993]`, []string{"0", "1", "2"}},
		{"with an offset behind", packet.Packet{Args: a.Slice(1, 2)}, []any{"offset"}, `42["x","text","offset"]`, nil},
		{"a part", packet.Packet{Args: a.Slice(2, 4)}, nil, `452-["x",[#0,#1],9007199254740993]`, []string{"1", "2"}},
		{"among values", packet.Packet{}, []any{[]byte("b"), a.Slice(2, 3), []byte("e"), packet.Args{}, a.Slice(0, 1)}, `455-["x",#0,[#1,#2],#3,#4]`, []string{"b", "1", "2", "e", "0"}},
		{"none", packet.Packet{Args: a.Slice(4, 4)}, []any{packet.Args{}}, `42["x"]`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.pkt.Type, tt.pkt.Name = packet.Event, "x"
			e, err := packet.Default.Encode(&tt.pkt, tt.values...)
			if err != nil {
				t.Fatal(err)
			}
			got := string(e.Text)
			var binary []string
			for i, b := range e.Binary {
				n := string(rune('0' + i))
				got = strings.Replace(got, `{"_placeholder":true,"num":`+n+`}`, "#"+n, 1)
				binary = append(binary, string(b))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if diff := cmp.Diff(tt.binary, binary); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// A clone outlives the message and the decoder's next packet.
func TestClone(t *testing.T) {
	t.Parallel()
	d := packet.Default.NewDecoder(packet.Limits{})
	msg := []byte(`2["x", 1 ,{"a":"b"},"c"]`)
	pkt, err := d.Text(msg)
	if err != nil {
		t.Fatal(err)
	}
	kept, part := pkt.Args.Clone(), pkt.Args.Slice(1, 3).Clone()
	for i := range msg {
		msg[i] = 'x'
	}
	if _, err := d.Text([]byte(`2["yy",[1,2,3],4,5,6]`)); err != nil {
		t.Fatal(err)
	}
	if got := string(kept.JSON()); got != `[1 ,{"a":"b"},"c"]` {
		t.Error(got)
	}
	if got := string(part.JSON()); got != `[{"a":"b"},"c"]` || string(part.Raw(1)) != `"c"` {
		t.Error(got)
	}

	expectPending(t, d, `52-["x","first",{"a":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]`)
	for _, b := range []string{"zero", "one"} {
		if pkt, err = d.Binary([]byte(b)); err != nil {
			t.Fatal(err)
		}
	}
	part = pkt.Args.Slice(1, 3).Clone()
	var m map[string][]byte
	var b []byte
	if err := part.DecodeAll(&m, &b); err != nil || string(m["a"]) != "one" || string(b) != "zero" {
		t.Errorf("%q, %q, %v", m, b, err)
	}
}

func TestParseArgs(t *testing.T) {
	t.Parallel()
	a, err := packet.ParseArgs(json.RawMessage(` [ 1 , {"_placeholder":true,"num":5} ] `), nil)
	if err != nil || a.Len() != 2 || string(a.Raw(0)) != "1" {
		t.Errorf("%s, %v", a.JSON(), err)
	}
	for _, tt := range []struct{ array, detail string }{
		{``, "invalid payload"},
		{`{}`, "invalid payload"},
		{`[1`, "invalid payload"},
		{`[1] 2`, "invalid payload"},
		{`[{"_placeholder":true,"num":1}]`, "illegal attachments"},
	} {
		_, err := packet.ParseArgs(json.RawMessage(tt.array), [][]byte{[]byte("x")})
		expectRefused(t, err, tt.detail)
	}
}
