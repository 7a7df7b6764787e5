package diskstore_test

import (
	"archive/zip"
	"encoding/binary"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/diskstore"
)

var update = flag.Bool("update", false, "write testdata/version1.zip anew, with the present code")

// version1 is a directory as the first version leaves it when it is closed.
const version1 = "testdata/version1.zip"

// fillVersion1 stores something in every part.
func fillVersion1(t *testing.T, s *store.Store) {
	t.Helper()
	for area, l := range logs(s) {
		_, err := l.AppendBatch(t.Context(), []store.Entry{
			{Payload: []byte("gone")}, {Payload: []byte("first of " + area), Tag: 3}, {Payload: []byte("second of " + area)},
		})
		must(t, err)
		must(t, l.Remove(1))
	}
	table, err := store.OpenTable(s.Journal, nil)
	must(t, err)
	must(t, table.Apply(t.Context(), store.Edit{Key: "a", Value: []byte("1")}, store.Edit{Key: "b", Value: []byte("2")}))
	must(t, table.Delete(t.Context(), "a"))
	must(t, s.Keyed.Apply(
		store.Change{Area: "area", Key: "k", Value: []byte("v")},
		store.Change{Area: "area", Key: "long", Value: []byte(strings.Repeat("v", 10_000))},
	))
	_, err = s.Blobs.Put(t.Context(), "blob/1", 7, strings.NewReader("content"))
	must(t, err)
}

// TestVersion1: a directory of the first version can be opened by all that follow, and has lost nothing.
func TestVersion1(t *testing.T) {
	t.Parallel()
	if *update {
		dir := scratch(t)
		s := open(t, dir, nil)
		fillVersion1(t, s)
		must(t, s.Close())
		pack(t, dir)
	}
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the sample is of a little-endian machine")
	}
	dir := scratch(t)
	archive, err := zip.OpenReader(version1)
	must(t, err)
	defer archive.Close()
	must(t, os.CopyFS(dir, archive))
	var reps reports
	s := open(t, dir, &diskstore.Options{MaxAge: -1, OnReport: reps.hook})
	got, err := everything(t, s)
	must(t, err)
	want := map[string]map[string]string{
		"journal": {"b": "2"},
		"keyed":   {"k": "v", "long": strings.Repeat("v", 10_000)},
		"blobs":   {"blob/1": "content"},
	}
	for area := range logs(s) {
		want[area] = map[string]string{"2": "first of " + area, "3": "second of " + area}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if list := reps.take(); len(list) > 0 {
		t.Errorf("reports %v", list)
	}
}

// pack writes a directory into the sample.
func pack(t *testing.T, dir string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(version1), 0o755))
	f, err := os.Create(version1)
	must(t, err)
	w := zip.NewWriter(f)
	must(t, w.AddFS(os.DirFS(dir)))
	must(t, w.Close())
	must(t, f.Close())
}
