// Package golden compares results with files.
//
// Run a test with -update to write the files anew, and look at the difference before it is committed:
//
//	go test ./... -update
package golden

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

// Compare fails t if got differs from the contents of the file at path, which is relative to the directory of the
// test's package ("testdata/answer.golden"). With -update it writes got there instead, directories included.
// The comparison is byte for byte.
func Compare(t testing.TB, path string, got []byte) {
	t.Helper()
	if *update {
		write(t, path, got)
		return
	}
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("golden: %s does not exist; write it with -update. It would hold:\n%s", path, got)
	}
	if err != nil {
		t.Fatalf("golden: %v", err)
	}
	if !bytes.Equal(want, got) {
		// Strings show as lines where they are text, and as bytes where they are not.
		t.Errorf("golden: %s differs (-want +got); -update accepts it:\n%s", path, cmp.Diff(string(want), string(got)))
	}
}

func write(t testing.TB, path string, got []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatalf("golden: %v", err)
	}
	if err := os.WriteFile(path, got, 0o644); err != nil {
		t.Fatalf("golden: %v", err)
	}
	t.Logf("golden: wrote %s, %d bytes", path, len(got))
}
