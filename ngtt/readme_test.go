package ngtt_test

import (
	"os"
	"strings"
	"testing"
)

// TestReadme checks that every program of the README is one that the examples run.
func TestReadme(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	examples := read("example_test.go")
	programs := 0
	for _, block := range strings.Split(read("README.md"), "```go\n")[1:] {
		program, _, ok := strings.Cut(block, "```")
		if !ok {
			t.Fatal("a block has no end")
		}
		programs++
		if !strings.Contains(examples, program) {
			t.Errorf("example_test.go does not have:\n%s", program)
		}
	}
	if programs < 2 {
		t.Errorf("%d programs, want 2 at least", programs)
	}
}
