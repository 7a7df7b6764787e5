package boltstore_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store/boltstore"
	"github.com/fieldlink-go/fieldlink/smok/store/internal/disk"
)

// TestDiskFails: a change that the disk does not take is an error and not made; what was there stays readable, and when the
// disk is well again, everything is written into a new file, and changes go on.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		kind errkit.Kind
		then disk.Op // what fails as well when the store writes a new file
	}{
		"full":                     {syscall.ENOSPC, errkit.Full, ""},
		"full for a new file, too": {syscall.ENOSPC, errkit.Full, disk.Create},
		"names do not change":      {syscall.EIO, 0, disk.Rename},
		"read-only":                {syscall.EROFS, 0, disk.Create},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "keyed.db")
			failing := map[disk.Op]bool{}
			s, err := boltstore.OpenOn(func(op disk.Op, _ string) error {
				if failing[op] {
					return c.err
				}
				return nil
			}, path, nil)
			must(t, err)
			defer s.Close()
			must(t, s.Apply(put("1", "one")))
			failing[disk.Write] = true
			for range 3 {
				err := s.Apply(put("1", "changed"), put("2", "two"))
				if !errors.Is(err, smokerr.ErrStore) || !errors.Is(err, c.err) || c.kind != 0 && !errors.Is(err, c.kind) {
					t.Errorf("Apply: %v", err)
				}
				failing[c.then] = true
				if d := cmp.Diff(map[string]string{"1": "one"}, contents(t, s)); d != "" {
					t.Errorf("-want +got:\n%s", d)
				}
			}
			clear(failing)
			must(t, s.Apply(put("2", "two")))
			must(t, s.Close())
			again := open(t, path, nil)
			if d := cmp.Diff(map[string]string{"1": "one", "2": "two"}, contents(t, again)); d != "" {
				t.Errorf("opened again, -want +got:\n%s", d)
			}
			if left, err := filepath.Glob(path + ".*"); err != nil || len(left) != 1 {
				t.Errorf("there are %v", left)
			}
		})
	}
}

// TestNoFile: a store that cannot be made is an error, and leaves the place free.
func TestNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "keyed.db")
	for _, op := range []disk.Op{disk.Create, disk.Rename, disk.Sync} {
		_, err := boltstore.OpenOn(func(o disk.Op, _ string) error {
			if o == op {
				return syscall.ENOSPC
			}
			return nil
		}, path, nil)
		if !errors.Is(err, smokerr.ErrStore) || !errors.Is(err, errkit.Full) {
			t.Errorf("%s: %v", op, err)
		}
	}
	if _, err := boltstore.Open(filepath.Join(dir, "nowhere", "keyed.db"), nil); !errors.Is(err, smokerr.ErrStore) {
		t.Errorf("no directory: %v", err)
	}
	s := open(t, path, nil)
	must(t, s.Apply(put("1", "one")))
}

// TestDamagedWhileOpen: what the medium forgets of a file that is open does not end the program, however bbolt takes it. The
// file is set aside and reported, and the store goes on with a new one.
func TestDamagedWhileOpen(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(path string, size int) error{
		"garbage":  func(path string, size int) error { return overwrite(path, bytes.Repeat([]byte{0xA5}, size-8192)) },
		"zeros":    func(path string, size int) error { return overwrite(path, make([]byte, size-8192)) },
		"cut off":  func(path string, _ int) error { return os.Truncate(path, 8192) },
		"no pages": func(path string, _ int) error { return os.Truncate(path, 0) },
	} {
		for what, use := range map[string]func(s *boltstore.Store) error{
			"Get": func(s *boltstore.Store) error {
				_, err := s.Get("a", "1")
				return err
			},
			"Each":  func(s *boltstore.Store) error { return s.Each("a", func(string, []byte) error { return nil }) },
			"Apply": func(s *boltstore.Store) error { return s.Apply(put("1", "new")) },
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "keyed.db")
				var reps reports
				s := open(t, path, &boltstore.Options{OnReport: reps.hook})
				for _, key := range []string{"1", "2", "3", "4", "5"} {
					must(t, s.Apply(put(key, strings.Repeat(key, 3000))))
				}
				info, err := os.Stat(path)
				must(t, err)
				must(t, spoil(path, int(info.Size())))
				if err := use(s); !errors.Is(err, smokerr.ErrCorrupt) {
					t.Errorf("%s: %v", what, err)
				}
				if list := reps.take(); len(list) != 1 || !strings.HasPrefix(list[0].File, "keyed.db.corrupt-") {
					t.Errorf("reports %v", list)
				}
				must(t, s.Apply(put("1", "anew")))
				if d := cmp.Diff(map[string]string{"1": "anew"}, contents(t, s)); d != "" {
					t.Errorf("-want +got:\n%s", d)
				}
				must(t, s.Close())
			})
		}
	}
}

// overwrite writes behind the heads of a file.
func overwrite(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 8192)
	return errors.Join(err, f.Close())
}
