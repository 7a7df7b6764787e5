package cutdisk_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/cutdisk"
	"github.com/fieldlink-go/fieldlink/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// write puts text at off of the file name, which it makes if need be, and syncs it if asked to.
func write(t *testing.T, fsys cutdisk.FS, name, text string, off int64, sync bool) {
	t.Helper()
	f, err := fsys.Edit(name)
	if err != nil {
		f, err = fsys.Create(name)
	}
	if err == nil {
		_, err = f.WriteAt([]byte(text), off)
	}
	if err == nil && sync {
		err = f.Sync()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestCuts lists what a cut may leave at the end of a few operations.
func TestCuts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 512) + strings.Repeat("b", 88)
	zeros := func(n int) string { return strings.Repeat("\x00", n) }
	for _, c := range []struct {
		name string
		skip bool // leave the syncs of files out, and list the disks that they rule out
		do   func(t *testing.T, d cutdisk.FS)
		want []string
	}{
		{"a name lasts when the directory is synced, contents when the file is", false, func(t *testing.T, d cutdisk.FS) {
			write(t, d, "/f", "x", 0, true)
		}, []string{"", "/f=x"}},
		{"a name without contents", false, func(t *testing.T, d cutdisk.FS) {
			write(t, d, "/f", "x", 0, false)
			must(t, d.SyncDir("/"))
		}, []string{"/f=", "/f=x", "/f=\x00"}},
		{"both", false, func(t *testing.T, d cutdisk.FS) {
			write(t, d, "/f", "x", 0, true)
			must(t, d.SyncDir("/"))
		}, []string{"/f=x"}},
		{"any of two writes", false, func(t *testing.T, d cutdisk.FS) {
			write(t, d, "/f", "..", 0, true)
			must(t, d.SyncDir("/"))
			write(t, d, "/f", "x", 0, false)
			write(t, d, "/f", "y", 1, false)
		}, []string{"/f=..", "/f=.y", "/f=x.", "/f=xy"}},
		{"a torn write", false, func(t *testing.T, d cutdisk.FS) {
			write(t, d, "/f", "", 0, true)
			must(t, d.SyncDir("/"))
			write(t, d, "/f", long, 0, false)
		}, []string{"/f=", "/f=" + zeros(600), "/f=" + zeros(512) + long[512:], "/f=" + long[:512], "/f=" + long}},
		{"a rename", false, func(t *testing.T, d cutdisk.FS) {
			write(t, d, "/f", "old", 0, true)
			write(t, d, "/g", "new", 0, true)
			must(t, d.SyncDir("/"))
			must(t, d.Rename("/g", "/f"))
		}, []string{"/f=new", "/f=old /g=new"}},
		{"a directory of a directory", false, func(t *testing.T, d cutdisk.FS) {
			must(t, d.MkdirAll("/a/b"))
			write(t, d, "/a/b/f", "x", 0, true)
			must(t, d.SyncDir("/a/b"))
			must(t, d.SyncDir("/a"))
		}, []string{"", "/a/b/f=x"}},
		{"a sync that is left out", true, func(t *testing.T, d cutdisk.FS) {
			write(t, d, "/f", "..", 0, true)
			must(t, d.SyncDir("/"))
			write(t, d, "/f", "x", 1, false)
		}, []string{"/f=", "/f=\x00x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			disk := cutdisk.New()
			disk.SkipSync = func(site string) bool { return c.skip && strings.HasSuffix(site, ":file") }
			c.do(t, disk.Session())
			ops := disk.Ops()
			got := make(map[string]bool)
			plan := cutdisk.Plan{Missed: c.skip, Epoch: func(before int) int { return before }}
			plan.Cuts(nil, ops, func(d *cutdisk.Disk, before int) bool {
				if before == len(ops) {
					got[show(d)] = true
				}
				return true
			})
			if d := cmp.Diff(slices.Sorted(slices.Values(c.want)), slices.Sorted(maps.Keys(got))); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// show writes down what is on a disk.
func show(d *cutdisk.Disk) string {
	var list []string
	for _, name := range d.Names() {
		list = append(list, fmt.Sprintf("%s=%s", name, d.Contents(name)))
	}
	return strings.Join(list, " ")
}
