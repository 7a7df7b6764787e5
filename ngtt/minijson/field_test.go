package minijson_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

type (
	Base struct {
		ID     int    `json:"id"`
		Shadow string `json:"shadow"`
		Twice  int
	}
	Other struct {
		Twice int
		Deep  *Deepest `json:"deep"`
	}
	Deepest  struct{ X int }
	unnamed  struct{ Inner int }
	recursed struct {
		*recursed2
		A int
	}
	recursed2 struct {
		recursed
		B int
	}
	Pointed struct{ P int }
)

// structs have the rules of encoding/json in common: what it writes for them, this package writes too.
var structs = map[string]any{
	"names": struct {
		Plain    int
		Tagged   int `json:"tagged"`
		Empty    int `json:",omitempty"`
		Not      int `json:"-"`
		private  int
		Quantity uint8 `json:"q,omitempty"`
	}{1, 2, 0, 3, 4, 5},
	"omitempty": struct {
		B bool           `json:"b,omitempty"`
		I int            `json:"i,omitempty"`
		U uint16         `json:"u,omitempty"`
		F float32        `json:"f,omitempty"`
		S string         `json:"s,omitempty"`
		L []int          `json:"l,omitempty"`
		A [0]int         `json:"a,omitempty"`
		N [1]int         `json:"n,omitempty"`
		M map[string]int `json:"m,omitempty"`
		P *int           `json:"p,omitempty"`
		Y any            `json:"y,omitempty"`
		T struct{}       `json:"t,omitempty"`
	}{},
	"omitempty, all there": struct {
		B bool           `json:"b,omitempty"`
		I int            `json:"i,omitempty"`
		U uint16         `json:"u,omitempty"`
		F float32        `json:"f,omitempty"`
		S string         `json:"s,omitempty"`
		L []int          `json:"l,omitempty"`
		M map[string]int `json:"m,omitempty"`
		E map[string]int `json:"e,omitempty"`
		P *int           `json:"p,omitempty"`
		Y any            `json:"y,omitempty"`
	}{true, 1, 1, 1.5, "s", []int{1}, map[string]int{"a": 1}, map[string]int{}, new(int), 1},
	"omitzero": struct {
		S struct{ A int } `json:"s,omitzero"`
		L []int           `json:"l,omitzero"`
		E []int           `json:"e,omitzero"`
		T time.Time       `json:"t,omitzero"`
		B string          `json:"b,omitzero,omitempty"`
	}{E: []int{}},
	"embedded": struct {
		Base
		Other
		Shadow int `json:"shadow"`
	}{Base{1, "hidden", 2}, Other{Twice: 3}, 4},
	"embedded with a name": struct {
		Base `json:"base"`
	}{},
	"embedded, not exported":         struct{ unnamed }{unnamed{1}},
	"embedded pointer":               struct{ *Pointed }{&Pointed{1}},
	"embedded nil pointer":           struct{ *Pointed }{},
	"embedded pointer, not exported": struct{ *unnamed }{&unnamed{1}},
	"recursive":                      recursed{A: 1},
	"tag wins": struct {
		A int `json:"X"`
		X int
	}{1, 2},
	"many, some left out": struct {
		A, B, C, D, E, F, G, H, I, J, K, L, M, N int `json:",omitempty"`
		O, P, Q, R, S, T                         int
		*Pointed
	}{A: 1, Q: 1},
	"more than 15, some left out": struct {
		A                                                 int `json:",omitempty"`
		B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R int
	}{Q: 1},
	"many": struct{ A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q int }{Q: 1},
}

func TestStructsAsJSON(t *testing.T) {
	t.Parallel()
	for name, v := range structs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := minijson.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			text, err := minijson.ToJSON(b)
			if err != nil {
				t.Fatal(err)
			}
			want, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), string(text)); d != "" {
				t.Errorf("text (-encoding/json +minijson):\n%s", d)
			}
		})
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	type tagged struct {
		Both int `minijson:"own" json:"text"`
		Left int `minijson:"-" json:"left"`
		JSON int `json:"json"`
		Dash int `minijson:"-,"`
	}
	b, err := minijson.Marshal(tagged{1, 2, 3, 4})
	if err != nil {
		t.Fatal(err)
	}
	text, err := minijson.ToJSON(b)
	if d := cmp.Diff(`{"own":1,"json":3,"-":4}`, string(text)); d != "" || err != nil {
		t.Errorf("%v, text (-want +got):\n%s", err, d)
	}
	var got tagged
	if err := minijson.Unmarshal(b, &got); err != nil || got != (tagged{Both: 1, JSON: 3, Dash: 4}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestEmbeddedDecode(t *testing.T) {
	t.Parallel()
	type target struct {
		Base
		*Pointed
		Other
		Shadow int `json:"shadow"`
	}
	b, err := minijson.Marshal(map[string]any{"id": 1, "P": 2, "shadow": 3, "Twice": 4, "deep": map[string]any{"X": 5}})
	if err != nil {
		t.Fatal(err)
	}
	var got target
	if err := minijson.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	want := target{Base: Base{ID: 1}, Pointed: &Pointed{2}, Other: Other{Deep: &Deepest{5}}, Shadow: 3}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("value (-want +got):\n%s", d)
	}
}

// Far has a field that lies further from its beginning than the struct which embeds a pointer to it is long.
type Far struct {
	Skipped [4096]byte `json:"-"`
	Text    string     `json:"text"`
	Zero    struct{}   `json:"zero"`
}

// TestEmbeddedFar: the place of a field behind an embedded pointer is looked for behind the pointer alone.
func TestEmbeddedFar(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]any{
		"52" + "0474657874" + "8161" + "047a65726f" + "50": &struct{ *Far }{&Far{Text: "a"}},
		"50": &struct{ *Far }{},
	} {
		b, err := minijson.Marshal(v)
		if d := cmp.Diff(want, fmt.Sprintf("%x", b)); err != nil || d != "" {
			t.Errorf("%+v (-want +got):\n%s, %v", v, d, err)
		}
	}
}

// TestManyFields: structs of more than 64 fields know which of them they had, too.
func TestManyFields(t *testing.T) {
	t.Parallel()
	type many struct {
		A [60]struct{} `json:"-"`
		F00, F01, F02, F03, F04, F05, F06, F07, F08, F09, F10, F11, F12, F13, F14, F15, F16, F17, F18, F19,
		F20, F21, F22, F23, F24, F25, F26, F27, F28, F29, F30, F31, F32, F33, F34, F35, F36, F37, F38, F39,
		F40, F41, F42, F43, F44, F45, F46, F47, F48, F49, F50, F51, F52, F53, F54, F55, F56, F57, F58, F59,
		F60, F61, F62, F63, F64, F65, F66 map[string]int
	}
	b := fromHex(t, "52"+"03463636"+"5101610301"+"03463636"+"5101620302")
	var got many
	if err := minijson.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]int{"b": 2}, got.F66); d != "" {
		t.Errorf("value (-want +got):\n%s", d)
	}
	err := minijson.DecodeOptions{DisallowDuplicateKeys: true}.Unmarshal(b, &got)
	if e := wantDecodingError(t, err); e.Reason != minijson.ReasonDuplicateKey {
		t.Error(err)
	}
	doc, err := minijson.Marshal(got)
	if err != nil || doc[0] != 0x0B || doc[1] != 67 {
		t.Errorf("%x, %v", doc[:2], err)
	}
}
