package pikvm

import "testing"

func TestVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Version{
		"4.197": {4, 197}, "3.333": {3, 333}, "4.20.1": {4, 20}, "4.": {}, "": {}, "4": {}, "-1.2": {}, "a.b": {}, "4.99999999999": {},
	} {
		got, ok := parseVersion(text)
		if got != want || ok != (want != Version{}) {
			t.Errorf("parseVersion(%q) is %v, %v", text, got, ok)
		}
	}
	if got := (Version{4, 197}).String(); got != "4.197" {
		t.Errorf("String is %q", got)
	}
	v := Version{4, 53}
	for other, want := range map[Version]bool{{4, 53}: true, {4, 52}: true, {3, 99}: true, {4, 54}: false, {5, 0}: false} {
		if got := v.AtLeast(other.Major, other.Minor); got != want {
			t.Errorf("4.53 at least %v is %v", other, got)
		}
	}
}
