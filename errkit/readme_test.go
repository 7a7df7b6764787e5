package errkit_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Every line of Go in the README is a line of an example that runs.
func TestReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"": true}
	for line := range strings.Lines(string(examples)) {
		known[strings.TrimSpace(line)] = true
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) < 5 {
		t.Fatalf("only %d blocks of code were found", len(blocks))
	}
	for _, block := range blocks {
		for line := range strings.Lines(block[1]) {
			if !known[strings.TrimSpace(line)] {
				t.Errorf("no example has the line\n\t%s", strings.TrimSpace(line))
			}
		}
	}
	for _, k := range everyKind {
		row := regexp.MustCompile("(?i)\n\\| `" + k.name + "` \\| .+ \\| (.+) \\|\n").FindSubmatch(readme)
		if row == nil {
			t.Errorf("the table lacks the kind %s", k.name)
			continue
		}
		want := "–"
		switch {
		case errkit.Transient(k.kind):
			want = "yes"
		case !errkit.Transient(k.kind | errkit.Busy):
			want = "no"
		}
		if got := string(row[1]); got != want {
			t.Errorf("the table says of %s: %s, want %s", k.name, got, want)
		}
	}
}
