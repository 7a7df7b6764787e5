package smok_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadme checks that every program of the README is one that the examples run or at least compile, and that every test
// that it names exists.
func TestReadme(t *testing.T) {
	t.Parallel()
	readme := sources(t, "README.md")
	examples := unindented(sources(t, "example*_test.go"))
	for _, block := range strings.Split(readme, "```go\n")[1:] {
		program, _, ok := strings.Cut(block, "```")
		if !ok {
			t.Fatal("a block has no end")
		}
		if !strings.Contains(examples, unindented(program)) {
			t.Errorf("the examples do not have:\n%s", program)
		}
	}
	tests := sources(t, "*_test.go", "internal/*/*_test.go", "smoktest/*_test.go", "store/*_test.go", "store/*/*_test.go")
	for i, name := range strings.Split(readme, "`") {
		is := strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Benchmark")
		if i%2 == 1 && is && !strings.Contains(tests, "func "+name+"(") {
			t.Errorf("there is no %s", name)
		}
	}
}

// sources returns the text of all files of these names.
func sources(t *testing.T, patterns ...string) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
	}
	return all.String()
}

// unindented returns the lines of a program without the space before them.
func unindented(program string) string {
	var b strings.Builder
	for line := range strings.Lines(program) {
		b.WriteString(strings.TrimLeft(line, "\t"))
	}
	return b.String()
}
