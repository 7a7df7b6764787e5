package diskstore_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/diskstore"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// sample is a device that was closed in good order.
type sample struct {
	files map[string][]byte            // by path in the directory
	names []string                     // of the files that hold something
	total int                          // their bytes
	want  map[string]map[string]string // by area and key
	older map[string]bool              // values that were replaced or deleted
}

func newSample(t *testing.T) *sample {
	t.Helper()
	dir := scratch(t)
	s := open(t, dir, nil)
	smp := &sample{files: make(map[string][]byte), want: make(map[string]map[string]string), older: make(map[string]bool)}
	rng := rand.New(rand.NewPCG(5, 5))
	text := func(key string) string {
		return fmt.Sprintf("%s %d %s", key, rng.Uint32(), strings.Repeat("v", rng.IntN(100)))
	}
	for area, l := range logs(s) {
		smp.want[area] = make(map[string]string)
		for i := range 60 {
			value := text(fmt.Sprint(i))
			seq, err := l.Append(t.Context(), store.Entry{Payload: []byte(value)})
			must(t, err)
			smp.want[area][fmt.Sprint(seq)] = value
		}
		must(t, l.Remove(20))
		for seq := range 20 {
			key := fmt.Sprint(seq + 1)
			smp.older[smp.want[area][key]] = true
			delete(smp.want[area], key)
		}
	}
	for _, area := range []string{"journal", "keyed", "blobs"} {
		smp.want[area] = make(map[string]string)
	}
	table, err := store.OpenTable(s.Journal, nil)
	must(t, err)
	put := func(area, key, value string) {
		smp.older[smp.want[area][key]] = true
		smp.want[area][key] = value
		if value == "" {
			delete(smp.want[area], key)
		}
	}
	for range 150 {
		key := fmt.Sprint("key", rng.IntN(60))
		value := text(key)
		if rng.IntN(5) == 0 {
			value = ""
		}
		must(t, table.Apply(t.Context(), store.Edit{Key: key, Value: []byte(value), Delete: value == ""}))
		put("journal", key, value)
		key = fmt.Sprint("key", rng.IntN(100))
		must(t, s.Keyed.Apply(store.Change{Area: "area", Key: key, Value: []byte(value), Delete: value == ""}))
		put("keyed", key, value)
	}
	for i := range 3 {
		key, value := fmt.Sprint("blob", i), strings.Repeat(text("blob"), 20)
		_, err := s.Blobs.Put(t.Context(), key, 1, strings.NewReader(value))
		must(t, err)
		put("blobs", key, value)
	}
	must(t, s.Close())
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name := path[len(dir)+1:]
		smp.files[name] = b
		return err
	}))
	for _, name := range slices.Sorted(maps.Keys(smp.files)) {
		if n := len(smp.files[name]); n > 0 {
			smp.names = append(smp.names, name)
			smp.total += n
		}
	}
	return smp
}

// logs returns the logs of a store that are no tables here.
func logs(s *store.Store) map[string]store.Log {
	return map[string]store.Log{
		"trend": s.Trend, "permanent": s.Permanent, "writes": s.Writes, "logs": s.Logs, "events": s.Events, "state": s.State,
	}
}

// place returns the file and the offset of the n-th byte of all.
func (s *sample) place(n int) (string, int) {
	for _, name := range s.names {
		if n < len(s.files[name]) {
			return name, n
		}
		n -= len(s.files[name])
	}
	panic("unreachable")
}

// write writes the directory with one file changed.
func (s *sample) write(t *testing.T, dir, name string, contents []byte) {
	t.Helper()
	for path, b := range s.files {
		if path == name {
			b = contents
		}
		path = filepath.Join(dir, path)
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, b, 0o600))
	}
}

// judge opens a damaged directory and returns what is wrong beyond what is reported, and how much is missing.
func (s *sample) judge(t *testing.T, dir string) (missing int, err error) {
	t.Helper()
	var reps reports
	st, err := diskstore.Open(dir, &diskstore.Options{OnReport: reps.hook})
	if err != nil {
		return 0, fmt.Errorf("does not open: %w", err)
	}
	got, err := everything(t, st)
	if err := errors.Join(err, st.Close()); err != nil {
		return 0, err
	}
	told := make(map[string]bool)
	list := reps.take()
	for _, r := range list {
		told[r.Area] = true
		if r.Kind == spool.Failed {
			return 0, fmt.Errorf("something failed: %v", r)
		}
	}
	for area, want := range s.want {
		for key, value := range want {
			switch found, ok := got[area][key]; {
			case ok && found == value:
			case ok && !s.older[found]:
				return 0, fmt.Errorf("%s: %s is wrong, reports %v", area, key, list)
			case !told[area]:
				return 0, fmt.Errorf("%s: %s is missing or old in silence, reports %v", area, key, list)
			default:
				missing++
			}
		}
		for key, value := range got[area] {
			if _, ok := want[key]; ok {
				continue
			}
			if !s.older[value] || !told[area] {
				return 0, fmt.Errorf("%s: %s came from nowhere, reports %v", area, key, list)
			}
		}
	}
	return missing, nil
}

// everything returns what is in a store, by area and key. What is damaged when it is read is left out.
func everything(t *testing.T, s *store.Store) (map[string]map[string]string, error) {
	t.Helper()
	got := map[string]map[string]string{"journal": {}, "keyed": {}, "blobs": {}}
	for area, l := range logs(s) {
		got[area] = make(map[string]string)
		last := uint64(0)
		for {
			records, err := l.PeekFrom(last+1, 1000)
			if err != nil {
				return nil, err
			}
			if len(records) == 0 {
				break
			}
			for _, r := range records {
				if r.Seq <= last {
					return nil, fmt.Errorf("%s: record %d behind %d", area, r.Seq, last)
				}
				last = r.Seq
				got[area][fmt.Sprint(r.Seq)] = string(r.Payload)
			}
		}
	}
	table, err := store.OpenTable(s.Journal, nil)
	if err != nil {
		return nil, err
	}
	for key, value := range table.All() {
		got["journal"][key] = string(value)
	}
	if err := s.Keyed.Each("area", func(key string, value []byte) error {
		got["keyed"][key] = string(value)
		return nil
	}); err != nil {
		return nil, err
	}
	for blob := range s.Blobs.All() {
		_, r, err := s.Blobs.Open(blob.Key)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(r)
		if err := r.Close(); err != nil {
			return nil, err
		}
		if err == nil {
			got["blobs"][blob.Key] = string(text)
		} else if !errors.Is(err, smokerr.ErrCorrupt) {
			return nil, err
		}
	}
	return got, nil
}

// spoil tries many damages, each in a copy of its own.
func (s *sample) spoil(t *testing.T, n int, pick func(rng *rand.Rand) (name string, contents []byte, what string)) {
	t.Helper()
	const workers = 2
	dirs := make([]string, workers)
	for i := range dirs {
		dirs[i] = scratch(t)
	}
	t.Run("damages", func(t *testing.T) {
		for i := range workers {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				rng := rand.New(rand.NewPCG(uint64(i), 7))
				missing, hit := 0, 0
				for j := range n / workers {
					name, contents, what := pick(rng)
					dir := filepath.Join(dirs[i], fmt.Sprint(j))
					s.write(t, dir, name, contents)
					m, err := s.judge(t, dir)
					if err != nil {
						t.Errorf("%s of %s: %v", what, name, err)
					} else if j%10 == 0 {
						if again, err := s.judgeAgain(t, dir); err != nil || again {
							t.Errorf("%s of %s: opened again: %v, reported again: %v", what, name, err, again)
						}
					}
					must(t, os.RemoveAll(dir))
					missing += m
					if m > 0 {
						hit++
					}
				}
				t.Logf("%d damages: %d took something, %d things in all, each reported", n/workers, hit, missing)
			})
		}
	})
}

// judgeAgain opens a directory that was opened after a damage: that is told once.
func (s *sample) judgeAgain(t *testing.T, dir string) (told bool, err error) {
	t.Helper()
	var reps reports
	st, err := diskstore.Open(dir, &diskstore.Options{OnReport: reps.hook})
	if err != nil {
		return false, err
	}
	_, err = everything(t, st)
	err = errors.Join(err, st.Close())
	for _, r := range reps.take() {
		told = told || r.Area == "keyed" || r.Area == "blobs" || r.Area == "version"
	}
	return told, err
}

// TestBitRot flips single bits anywhere in the directory of a device: it opens, nothing is wrong in silence.
func TestBitRot(t *testing.T) {
	t.Parallel()
	flips := 120
	if *full {
		flips = 10_000
	}
	s := newSample(t)
	s.spoil(t, flips, func(rng *rand.Rand) (string, []byte, string) {
		name, at := s.place(rng.IntN(s.total))
		b := slices.Clone(s.files[name])
		bit := rng.IntN(8)
		b[at] ^= 1 << bit
		return name, b, fmt.Sprintf("bit %d of byte %d", bit, at)
	})
}

// TestTruncation cuts files off anywhere.
func TestTruncation(t *testing.T) {
	t.Parallel()
	cuts := 40
	if *full {
		cuts = 1000
	}
	s := newSample(t)
	s.spoil(t, cuts, func(rng *rand.Rand) (string, []byte, string) {
		name := s.names[rng.IntN(len(s.names))]
		size := rng.IntN(len(s.files[name]))
		return name, s.files[name][:size], fmt.Sprintf("cut to %d bytes", size)
	})
}
