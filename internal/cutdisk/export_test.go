package cutdisk_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/cutdisk"
)

func TestExport(t *testing.T) {
	t.Parallel()
	d := cutdisk.New()
	fsys := d.Session()
	must(t, fsys.MkdirAll("/a/b"))
	write(t, fsys, "/a/b/f", "deep", 0, true)
	write(t, fsys, "/g", "flat", 1, false)
	root := filepath.Join(t.TempDir(), "new")
	must(t, d.Export(root))
	for name, want := range map[string]string{"a/b/f": "deep", "g": "\x00flat"} {
		if b, err := os.ReadFile(filepath.Join(root, name)); string(b) != want || err != nil {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if err := d.Export(root); err == nil {
		t.Error("exported into a directory that is there")
	}
}
