package value_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

func TestTypeOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		path        string
		want        value.Type
		bad, native bool // native: usable for a pathpoint of the program's own
	}{
		{path: "W1", want: value.Uint16, native: true},
		{path: "W1r4002", want: value.Uint16, native: true},
		{path: "w", want: value.Int16, native: true},
		{path: "B door", want: value.Bool, native: true},
		{path: "f°C", want: value.Float32, native: true},
		{path: "d1", want: value.Float64, native: true},
		{path: "uname", want: value.String, native: true},
		{path: "rW{W1}+{W2}", want: value.Uint16},
		{path: "rf{W1}", want: value.Float32},
		{path: "W1~W2", want: value.Uint16},
		{path: "W{", want: value.Uint16},
		{path: "W}", want: value.Uint16},
		{path: "", bad: true},
		{path: "r", bad: true},
		{path: "rx{W1}", bad: true},
		{path: "rrW", bad: true},
		{path: "x1", bad: true},
		{path: "b1", bad: true},
		{path: "1W", bad: true},
		{path: "ż", bad: true},
		{path: "W\xff", bad: true},
		{path: "W" + strings.Repeat("a", value.MaxPath-1), want: value.Uint16, native: true},
		{path: "W" + strings.Repeat("a", value.MaxPath), bad: true},
	} {
		got, err := value.TypeOf(test.path)
		if (err != nil) != test.bad || got != test.want {
			t.Errorf("TypeOf(%.20q) = %v, %v; want %v, an error: %v", test.path, got, err, test.want, test.bad)
		}
		if err != nil && !errors.Is(err, smokerr.ErrInvalidArgument) {
			t.Errorf("TypeOf(%.20q): %v is no ErrInvalidArgument", test.path, err)
		}
		if _, err := value.NativeType(test.path); (err == nil) != test.native {
			t.Errorf("NativeType(%.20q): %v; want it usable: %v", test.path, err, test.native)
		}
		if err == nil && !got.Valid() {
			t.Errorf("%v is not valid", got)
		}
	}
	if value.Uint16.String() != "W" {
		t.Errorf("got %q for W", value.Uint16)
	}
}

func TestCombineKeepsTheMorePermissiveLevel(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ a, b, want value.Level }{
		{value.Permanent, value.Permanent, value.Permanent},
		{value.Permanent, value.Trend, value.Permanent},
		{value.Trend, value.Permanent, value.Permanent},
		{value.Trend, value.Trend, value.Trend},
	} {
		if got := value.Combine(test.a, test.b); got != test.want {
			t.Errorf("Combine(%v, %v) = %v, want %v", test.a, test.b, got, test.want)
		}
	}
	if got := value.Permanent.String() + value.Trend.String() + value.Level(7).String(); got != "permanenttrendunknown" {
		t.Errorf("got %q", got)
	}
}
