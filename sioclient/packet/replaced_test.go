package packet_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// An object may have a field twice, and the later one may be of another form than what holds the attachment.
func TestReplacedFields(t *testing.T) {
	t.Parallel()
	const bin = `{"_placeholder":true,"num":0}`
	type fields struct {
		A any
		M map[string]any
		L []any
		P *fields
	}
	for _, tt := range []struct {
		name, text string
		target     any
		want       any
	}{
		{"object by text", `{"a":{"k":` + bin + `},"a":"x"}`, new(any), ptr[any](map[string]any{"a": "x"})},
		{"object by array", `{"a":{"k":` + bin + `},"a":[1]}`, new(any), ptr[any](map[string]any{"a": []any{1.0}})},
		{"object by null", `{"a":{"k":` + bin + `},"a":null}`, new(any), ptr[any](map[string]any{"a": nil})},
		{"array by text", `{"a":[` + bin + `],"a":"x"}`, new(any), ptr[any](map[string]any{"a": "x"})},
		{"array by object", `{"a":[` + bin + `],"a":{"0":1}}`, new(any), ptr[any](map[string]any{"a": map[string]any{"0": 1.0}})},
		{"array by a shorter one", `{"a":[1,` + bin + `],"a":[1]}`, new(any), ptr[any](map[string]any{"a": []any{1.0}})},
		{"field of type any", `{"A":{"k":` + bin + `},"a":true}`, &fields{}, &fields{A: true}},
		{"map by null", `{"M":{"k":` + bin + `},"m":null}`, &fields{}, &fields{}},
		{"slice by null", `{"L":[` + bin + `],"l":null}`, &fields{}, &fields{}},
		{"pointer by null", `{"P":{"M":{"k":` + bin + `}},"p":null}`, &fields{}, &fields{P: &fields{}}},
		{"only the first", `{"a":"x","a":{"k":` + bin + `}}`, new(any), ptr[any](map[string]any{"a": map[string]any{"k": []byte("x")}})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args, err := packet.ParseArgs([]byte("["+tt.text+"]"), [][]byte{[]byte("x")})
			if err != nil {
				t.Fatal(err)
			}
			if err := args.Decode(0, tt.target); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, tt.target); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
