package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
	"github.com/fieldlink-go/fieldlink/internal/tools/toy"
)

// TestGoUsesTheTree downloads from the file tree with the go command, which checks names, list, info, mod and zip.
func TestGoUsesTheTree(t *testing.T) {
	r := toy.New(t)
	out := t.TempDir()
	var printed bytes.Buffer
	args := []string{out, r.Root, r.Git("write-tree"), repo.Prefix + "/errkit@v0.1.0=errkit", repo.Prefix + "/internal@v0.3.0-rc.1=internal/"}
	if err := run(&printed, args); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/m\n\ngo 1.26.0\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	get := exec.Command("go", "get", repo.Prefix+"/errkit@latest", repo.Prefix+"/internal/leak@v0.3.0-rc.1")
	get.Dir = dir
	get.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-modcacherw", "GOPROXY=file://"+out, "GONOSUMDB=*", "GOMODCACHE="+t.TempDir())
	if text, err := get.CombinedOutput(); err != nil {
		t.Fatalf("go get: %v\n%s", err, text)
	}
	sum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(printed.String()) {
		if !strings.Contains(string(sum), line) {
			t.Errorf("go.sum lacks %q:\n%s", line, sum)
		}
	}

	// The same content under the same version is the same; other content is refused.
	if err := run(&printed, args); err != nil {
		t.Errorf("again: %v", err)
	}
	r.Write("errkit/doc.go", "// Package errkit is another.\npackage errkit\n")
	r.Git("add", "--all")
	args[2] = r.Git("write-tree")
	if err := run(&printed, args); err == nil || !strings.Contains(err.Error(), "other content") {
		t.Errorf("%v, want other content", err)
	}
}

func TestRunRefuses(t *testing.T) {
	r := toy.New(t)
	for _, tc := range []struct{ name, arg string }{
		{"no folder", repo.Prefix + "/errkit@v0.1.0"},
		{"no version", repo.Prefix + "/errkit=errkit"},
		{"bad version", repo.Prefix + "/errkit@0.1=errkit"},
		{"wrong major version", repo.Prefix + "/errkit@v2.0.0=errkit"},
		{"no such folder", repo.Prefix + "/errkit@v0.1.0=nothing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := run(&bytes.Buffer{}, []string{t.TempDir(), r.Root, "HEAD", tc.arg})
			if err == nil {
				t.Error("accepted")
			}
		})
	}
	if err := run(&bytes.Buffer{}, nil); err == nil {
		t.Error("accepted no arguments")
	}
}
