package pikvm_test

import (
	"os"
	"path/filepath"
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
	files, err := filepath.Glob("*example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var examples string
	for _, name := range files {
		examples += read(name)
	}
	programs := 0
	for _, block := range strings.Split(read("README.md"), "```go\n")[1:] {
		program, _, ok := strings.Cut(block, "```")
		if !ok {
			t.Fatal("a block has no end")
		}
		programs++
		if !strings.Contains(examples, program) {
			t.Errorf("no example has:\n%s", program)
		}
	}
	if programs < 4 {
		t.Errorf("%d programs, want 4 at least", programs)
	}
}
