package pikvm_test

import (
	"testing"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// TestVersion checks reading and order of versions.
func TestVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]pikvm.Version{
		"4.197":    {Major: 4, Minor: 197},
		"3.24":     {Major: 3, Minor: 24},
		"4.197.1":  {Major: 4, Minor: 197},
		"4.20-rc1": {Major: 4, Minor: 20},
		"":         {}, "4": {}, "4.": {}, ".4": {}, "v4.1": {}, "-1.2": {}, "4.99999999999": {},
	} {
		got, ok := pikvm.ParseVersion(text)
		if got != want || ok != (want != pikvm.Version{}) {
			t.Errorf("%q is %v, %t, want %v", text, got, ok, want)
		}
	}
	v := pikvm.Version{Major: 4, Minor: 36}
	for _, tc := range []struct {
		major, minor int
		want         bool
	}{{4, 36, true}, {4, 35, true}, {4, 37, false}, {3, 999, true}, {5, 0, false}, {4, 4, true}} {
		if got := v.AtLeast(tc.major, tc.minor); got != tc.want {
			t.Errorf("%v at least %d.%d: %t", v, tc.major, tc.minor, got)
		}
	}
	if v.String() != "4.36" {
		t.Errorf("text is %s", v)
	}
}
