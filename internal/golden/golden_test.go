package golden_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/golden"
	"github.com/fieldlink-go/fieldlink/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// recorder is a testing.TB that keeps its verdict to itself.
type recorder struct {
	testing.TB
	failed bool
	text   string
}

func (r *recorder) Helper()             {}
func (r *recorder) Logf(string, ...any) {}

func (r *recorder) Errorf(format string, args ...any) {
	r.failed = true
	r.text += fmt.Sprintf(format, args...)
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// compare runs golden.Compare on a goroutine of its own, as Fatalf ends the one that it is called on.
func compare(path, got string) *recorder {
	r := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		golden.Compare(r, path, []byte(got))
	}()
	<-done
	return r
}

func TestCompare(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.golden")
	if err := os.WriteFile(file, []byte("one\ntwo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, path, got string
		failed          bool
		want            string
	}{
		{name: "equal", path: file, got: "one\ntwo\n"},
		{name: "different", path: file, got: "one\nthree\n", failed: true, want: "three"},
		{name: "line end", path: file, got: "one\r\ntwo\r\n", failed: true, want: "a.golden differs"},
		{name: "not text", path: file, got: "\xff\x00", failed: true, want: "\\xff"},
		{name: "no file", path: filepath.Join(dir, "b.golden"), got: "x", failed: true, want: "-update"},
		{name: "a directory", path: dir, got: "x", failed: true, want: "golden:"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := compare(tc.path, tc.got)
			if r.failed != tc.failed {
				t.Errorf("failed = %v, want %v: %s", r.failed, tc.failed, r.text)
			}
			if !strings.Contains(r.text, tc.want) {
				t.Errorf("text lacks %q: %s", tc.want, r.text)
			}
		})
	}
}

func TestUpdate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "dir", "c.golden")
	before := flag.Lookup("update").Value.String()
	if err := flag.Set("update", "true"); err != nil {
		t.Fatal(err)
	}
	r := compare(path, "fresh\n")
	if err := flag.Set("update", before); err != nil {
		t.Fatal(err)
	}
	if r.failed {
		t.Fatalf("update failed: %s", r.text)
	}
	if r := compare(path, "fresh\n"); r.failed {
		t.Errorf("what was written is not equal: %s", r.text)
	}
}

func TestGolden(t *testing.T) {
	golden.Compare(t, "testdata/greeting.golden", []byte("hello\nworld\n"))
}
