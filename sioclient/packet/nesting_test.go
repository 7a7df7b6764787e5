package packet_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// TestNesting closes what is nested in the right and in the wrong order, at depths around multiples of 64: the scanner has
// one bit for each level.
func TestNesting(t *testing.T) {
	t.Parallel()
	kinds := map[string]func(level int) bool{ // whether a level is an object
		"arrays": func(int) bool { return false }, "objects": func(int) bool { return true },
		"both in turn": func(level int) bool { return level%2 == 1 }, "by threes": func(level int) bool { return level%3 == 0 },
	}
	for name, object := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, depth := range []int{1, 2, 62, 63, 64, 65, 66, 127, 128, 129, 191, 192, 193, 320} {
				text := nested(depth, object)
				compareValid(t, text)
				for i := len(text) - depth; i < len(text); i++ { // each of the ends
					wrong := []byte(text)
					wrong[i] ^= ']' ^ '}'
					compareValid(t, string(wrong))
				}
				compareValid(t, text[:len(text)-1])
				compareValid(t, text+"]")
			}
		})
	}
}

// nested returns an array around as many levels, each with something before and behind the next one.
func nested(depth int, object func(level int) bool) string {
	var b strings.Builder
	for level := range depth {
		if level == 0 || !object(level) {
			b.WriteString("[1, ")
		} else {
			b.WriteString(`{"a": [], "b":`)
		}
	}
	b.WriteString(`"x"`)
	for level := depth - 1; level >= 0; level-- {
		if level == 0 || !object(level) {
			b.WriteByte(']')
		} else {
			b.WriteByte('}')
		}
	}
	return b.String()
}

func compareValid(t *testing.T, text string) {
	t.Helper()
	_, err := packet.ParseArgs([]byte(text), nil)
	if want := json.Valid([]byte(text)); (err == nil) != want {
		t.Errorf("%.60s... of %d bytes: %v, want valid: %t", text, len(text), err, want)
	}
}
