package packet_test

//lint:file-ignore SA5008 what becomes of odd tags is tested here

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

func nan() float64 { return math.NaN() }

// failing has methods that fail.
type failing struct{}

var errFailing = errors.New("on purpose")

func (failing) MarshalJSON() ([]byte, error) { return nil, errFailing }
func (failing) MarshalText() ([]byte, error) { return nil, errFailing }

type (
	Base struct {
		ID   int
		Name string `json:"name"`
		Any  any    `json:"base_any,omitempty"`
	}
	hidden struct{ Shown any }
	Twice1 struct{ Same, A any }
	Twice2 struct{ Same, B any }
	Tagged struct {
		Other any `json:"Same"`
	}
	node struct {
		Value any
		Next  *node `json:",omitempty"`
	}
	color   int
	pointed struct{ text string }
	bits    uint8
	named32 float32
	flag    bool

	lateZero int
)

// IsZero is a method of the pointer.
func (l *lateZero) IsZero() bool { return *l == 9 }

func (c color) MarshalText() ([]byte, error) {
	return []byte("color<" + string(rune('a'+c)) + ">"), nil
}
func (p *pointed) MarshalJSON() ([]byte, error) { return json.Marshal("pointed " + p.text) }
func (b bits) IsZero() bool                     { return b == 7 }

// Without binary values, what is encoded here and what encoding/json encodes is the same, whether or not a type could hold
// any. The fields of type any make it go the longer way.
func TestValuesAreThoseOfEncodingJSON(t *testing.T) {
	t.Parallel()
	one, text := 1, "<text>"
	now := time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC)
	for _, tt := range []struct {
		name  string
		value any
	}{
		{"nil", nil},
		{"nil pointer", (*Base)(nil)},
		{"nil map", map[string]any(nil)},
		{"nil map of others", map[int]any(nil)},
		{"nil slice", []any(nil)},
		{"nil bytes", []byte(nil)},
		{"nil raw", json.RawMessage(nil)},
		{"string", "a<b>&\u2028\x00\x1f\x7f\"\\\t\r\n\b\fü\U0001F600"},
		{"string that is not UTF-8", "a\xffb\xc3"},
		{"string that ends in half a character", "abc\xf0\x9f\x98"},
		{"numbers", []any{1, int8(-2), int16(3), int32(4), int64(-5), uint(6), uint8(7), uint16(8), uint32(9), uint64(1<<64 - 1), 1.5, float32(0.1), 1e21, 1e-7, math.Copysign(0, -1)}},
		{"floats", []any{1e-6, 9.99e-7, 9.99e20, 1e21, 1.5e-10, 1e100, math.MaxFloat64, math.SmallestNonzeroFloat64, 1.0 / 3}},
		{"floats of 32 bits", []float32{1e-6, 9.99e-7, 9.99e20, 1e21, 1e-10, math.MaxFloat32, math.SmallestNonzeroFloat32, 1.0 / 3, 16777216}},
		{"named scalars", []any{Kind("k"), bits(3), named32(0.1), flag(true)}},
		{"booleans", []any{true, false}},
		{"json.Number", []any{json.Number("12345678901234567890")}},
		{"raw", json.RawMessage(`{"a":[1,2]}`)},
		{"raw in an any", []any{json.RawMessage(`{"a":1}`)}},
		{"time", struct {
			A any
			T time.Time
		}{1, now}},
		{"array", [2]any{1, "x"}},
		{"empty array", [0]any{}},
		{"array of numbers named bytes", [3]byte{1, 2, 3}},
		{"map", map[string]any{"b": 1, "a": map[string]any{}, "<c>": []any{nil}}},
		{"map of integers", map[int]any{10: 1, 9: 2, -1: 3}},
		{"map of unsigned", map[uint8]any{10: 1, 9: 2}},
		{"map of text", map[color]any{1: "x", 0: "y"}},
		{"map of addresses", map[netip.Addr]any{netip.MustParseAddr("::1"): 1}},
		{"map of named strings", map[Kind]any{"k": 1}},
		{"struct", Base{1, "n", 2}},
		{"embedded", struct {
			Base
			X any
		}{Base{1, "n", nil}, 3}},
		{"embedded pointer", struct {
			*Base
			X any
		}{&Base{1, "n", 2}, 3}},
		{"embedded nil pointer", struct {
			*Base
			X any
		}{X: 3}},
		{"embedded with a name", struct {
			Base `json:"base"`
			X    any
		}{Base{ID: 1}, 3}},
		{"embedded unexported", struct {
			hidden
			X any
		}{hidden{1}, 2}},
		{"embedded not a struct", struct {
			color
			Kind
			X any
		}{1, "k", 2}},
		{"shadowed", struct {
			Base
			ID any
		}{Base{1, "n", nil}, "outer"}},
		{"ambiguous", struct {
			Twice1
			Twice2
		}{Twice1{1, 2}, Twice2{3, 4}}},
		{"ambiguous but tagged", struct {
			Twice1
			Twice2
			Tagged
		}{Twice1{1, 2}, Twice2{3, 4}, Tagged{5}}},
		{"unexported fields", struct {
			a any
			B any
		}{1, 2}},
		{"tags", struct {
			A any `json:"-"`
			B any `json:"-,"`
			C any `json:"sea,omitempty"`
			D any `json:",omitempty"`
			E any `json:"bad\"name"`
			F any `json:"<f>"`
			G any `json:"ünïcode"`
		}{1, 2, 3, nil, 5, 6, 7}},
		{"omitempty", struct {
			A []any          `json:",omitempty"`
			B map[string]any `json:",omitempty"`
			C *int           `json:",omitempty"`
			D string         `json:",omitempty"`
			E float64        `json:",omitempty"`
			F [0]any         `json:",omitempty"`
			G struct{}       `json:",omitempty"`
			H bool           `json:",omitempty"`
			I any            `json:",omitempty"`
		}{A: []any{}, B: map[string]any{}}},
		{"not empty", struct {
			A []any `json:",omitempty"`
			C *int  `json:",omitempty"`
			I any   `json:",omitempty"`
		}{[]any{nil}, &one, 0}},
		{"omitzero", struct {
			X any
			A time.Time       `json:",omitzero"`
			B struct{ C any } `json:",omitzero"`
			D bits            `json:",omitzero"`
			E bits            `json:",omitzero"`
			F []any           `json:",omitzero"`
			H lateZero        `json:",omitzero"`
			I lateZero        `json:",omitzero"`
			J error           `json:",omitzero"`
			G *big.Int        `json:",omitzero"`
		}{D: 7, F: []any{}, H: 9}},
		{"option string", struct {
			X any     `json:",string"`
			A int     `json:",string"`
			B string  `json:",string"`
			C float64 `json:",string"`
			D bool    `json:",string"`
			E *int    `json:",string"`
			F *string `json:",string"`
			G *int    `json:",string"`
			H []int   `json:",string"`
		}{1, 2, "<b>", 3.5, true, &one, &text, nil, []int{1}}},
		{"list", node{1, &node{"two", &node{Value: nil}}}},
		{"methods of a value", []any{color(2), big.NewInt(7)}},
		{"methods of a pointer", []any{&pointed{"x"}}},
		{"methods of a pointer, in reach", &struct {
			X any
			P pointed
		}{1, pointed{"y"}}},
		{"methods of a pointer, in a slice", []any{[]pointed{{"z"}}}},
		{"pointers", struct{ A, B any }{&one, &text}},
		{"pointer to an any", func() any { var v any = "x"; return &v }()},
		{"any in any", []any{[]any{[]any{}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want, err := plainJSON(tt.value)
			if err != nil {
				t.Fatal(err)
			}
			e, err := packet.Default.Encode(&packet.Packet{Type: packet.Event, Name: "x"}, tt.value)
			if err != nil {
				t.Fatal(err)
			}
			if tt.name == "string" {
				// Two characters that encoding/json escapes although nobody asks it to.
				want = strings.NewReplacer(`\u2028`, "\u2028", `\b`, `\u0008`, `\f`, `\u000c`).Replace(want)
			}
			got := strings.TrimSuffix(strings.TrimPrefix(string(e.Text), `42["x",`), `]`)
			if diff := cmp.Diff(want, strings.ReplaceAll(got, "\uFFFD", `\ufffd`)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

type Kind string

func plainJSON(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// Wherever a binary value is, it is attached, in the order of the text.
func TestBinaryIsFound(t *testing.T) {
	t.Parallel()
	type blob []byte
	type photo struct {
		Name   string `json:"name"`
		Image  []byte `json:"image"`
		Thumb  blob   `json:"thumb,omitempty"`
		Detail any    `json:"detail,omitempty"`
		Parts  [][]byte
		More   *photo `json:"more,omitempty"`
	}
	same := []byte("s")
	for _, tt := range []struct {
		name   string
		value  any
		want   string // with # for a placeholder and its number
		binary []string
	}{
		{"bytes", []byte("a"), `#0`, []string{"a"}},
		{"no bytes", []byte{}, `#0`, []string{""}},
		{"named bytes", blob("a"), `#0`, []string{"a"}},
		{"pointer", &same, `#0`, []string{"s"}},
		{"the same twice", []any{same, same}, `[#0,#1]`, []string{"s", "s"}},
		{"map", map[string]any{"z": []byte("1"), "a": []any{[]byte("2")}}, `{"a":[#0],"z":#1}`, []string{"2", "1"}},
		{"map of bytes", map[string][]byte{"a": []byte("1"), "b": nil}, `{"a":#0,"b":null}`, []string{"1"}},
		{"map of integers", map[int][]byte{2: []byte("2")}, `{"2":#0}`, []string{"2"}},
		{"slices", [][]byte{[]byte("1"), nil, []byte("2")}, `[#0,null,#1]`, []string{"1", "2"}},
		{"array", [1][]byte{[]byte("1")}, `[#0]`, []string{"1"}},
		{
			"struct",
			photo{Name: "n", Image: []byte("i"), Detail: []byte("d"), More: &photo{Thumb: blob("t"), Parts: [][]byte{[]byte("p")}}},
			`{"name":"n","image":#0,"detail":#1,"Parts":null,"more":{"name":"","image":null,"thumb":#2,"Parts":[#3]}}`,
			[]string{"i", "d", "t", "p"},
		},
		{"embedded", struct {
			*photo
			X int
		}{&photo{Name: "n", Image: []byte("i")}, 1}, `{"name":"n","image":#0,"Parts":null,"X":1}`, []string{"i"}},
		{"raw JSON is text", json.RawMessage(`"eA=="`), `"eA=="`, nil},
		{"raw JSON in a struct is text", struct{ A json.RawMessage }{json.RawMessage(`[1]`)}, `{"A":[1]}`, nil},
		{"what encodes itself is not looked into", []any{netip.MustParseAddr("::1"), &pointed{"p"}}, `["::1","pointed p"]`, nil},
		{"array of bytes is numbers", [2]byte{1, 2}, `[1,2]`, nil},
		{"reader is no binary", struct{ R any }{strings.NewReader("x")}, `{"R":{}}`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := packet.Default.Encode(&packet.Packet{Type: packet.Event, Name: "x"}, tt.value)
			if err != nil {
				t.Fatal(err)
			}
			_, got, _ := strings.Cut(string(e.Text), `["x",`)
			got = strings.TrimSuffix(got, "]")
			for i := range e.Binary {
				n := string(rune('0' + i))
				got = strings.Replace(got, `{"_placeholder":true,"num":`+n+`}`, "#"+n, 1)
			}
			var binary []string
			for _, b := range e.Binary {
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
