package minijson_test

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

// TestTextIsChecked: a byte that is not ASCII is found wherever it is, in values and keys, by both sides.
func TestTextIsChecked(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		for at := range n {
			for _, odd := range []string{"\x80", "\xff", "é", "\xc3"} {
				p := bytes.Repeat([]byte{'a'}, n)
				copy(p[at:], odd)
				valid := utf8.Valid(p)
				_, err := minijson.AppendString(nil, string(p))
				_, keyErr := minijson.AppendKey(nil, string(p))
				doc := append([]byte{0x80 | byte(n)}, p...)
				object := append(append([]byte{0x51, byte(n)}, p...), 8)
				for what, err := range map[string]error{
					"AppendString": err, "AppendKey": keyErr,
					"value": minijson.Unmarshal(doc, new(any)), "typed": minijson.Unmarshal(doc, new(string)),
					"key": minijson.Unmarshal(object, new(any)), "Valid": minijson.Valid(doc), "valid key": minijson.Valid(object),
				} {
					if (err == nil) != valid {
						t.Fatalf("%s of %q: %v", what, p, err)
					}
				}
			}
		}
	}
}
