package attack_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAdvisoryPage checks that the page about the advisories has a row for each attack, and no other.
func TestAdvisoryPage(t *testing.T) {
	text, err := os.ReadFile("../../docs/advisories.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		if id := strings.TrimPrefix(cells[0], "| "); len(cells) == 5 && strings.Contains(id, "-") {
			got = append(got, id)
		}
	}
	want := []string{"CVE-2016-10536"}
	for name := range maps.Keys(advisories) {
		id, _, _ := strings.Cut(name, " ")
		if !strings.HasPrefix(id, "CVE-") {
			id = "GHSA-5v72-xg48-5rpm" // the one without a number
		}
		want = append(want, id)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
