package minijson_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
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
	if len(blocks) == 0 {
		t.Fatal("no code was found")
	}
	for _, block := range blocks {
		for line := range strings.Lines(block[1]) {
			if !known[strings.TrimSpace(line)] {
				t.Errorf("no example has the line\n\t%s", strings.TrimSpace(line))
			}
		}
	}
}
