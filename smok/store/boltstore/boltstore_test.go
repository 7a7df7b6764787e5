package boltstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/boltstore"
	"github.com/fieldlink-go/fieldlink/smok/store/storetest"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Keyed(t, func(t *testing.T) storetest.Open[store.Keyed] {
		path := filepath.Join(t.TempDir(), "keyed.db")
		return func() (store.Keyed, error) { return boltstore.Open(path, nil) }
	}, true)
}

// reports collects what a store reports.
type reports struct {
	mu   sync.Mutex
	list []store.Report
}

func (r *reports) hook(rep store.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, rep)
}

func (r *reports) take() []store.Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.list = nil }()
	return r.list
}

func open(t testing.TB, path string, opts *boltstore.Options) *boltstore.Store {
	t.Helper()
	s, err := boltstore.Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put returns the change that stores text under a key of area a.
func put(key, text string) store.Change {
	return store.Change{Area: "a", Key: key, Value: []byte(text)}
}

// contents returns what is in area a.
func contents(t testing.TB, s *boltstore.Store) map[string]string {
	t.Helper()
	got := make(map[string]string)
	must(t, s.Each("a", func(key string, value []byte) error {
		got[key] = string(value)
		return nil
	}))
	return got
}

// TestFileIsAlwaysSound: whatever is done, the file passes the check that Open makes before it trusts it.
func TestFileIsAlwaysSound(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyed.db")
	var reps reports
	opts := &boltstore.Options{OnReport: reps.hook}
	s := open(t, path, opts)
	rng := rand.New(rand.NewPCG(1, 1))
	want := make(map[string]string)
	for step := range 300 {
		var changes []store.Change
		for range 1 + rng.IntN(30) {
			key := fmt.Sprint("key", rng.IntN(400))
			switch n := rng.IntN(100); {
			case n == 0:
				changes = append(changes, store.Change{Area: "a", Delete: true})
				clear(want)
			case n < 30:
				changes = append(changes, store.Change{Area: "a", Key: key, Delete: true})
				delete(want, key)
			default:
				text := strings.Repeat(key, rng.IntN(60))
				if n == 99 {
					text = strings.Repeat("long", 4000)
				}
				changes = append(changes, put(key, text))
				want[key] = text
			}
		}
		must(t, s.Apply(changes...))
		if bad, partly, err := boltstore.Inspect(path); bad > 0 || partly || err != nil {
			t.Fatalf("after step %d: %d damaged values, %v, %v", step, bad, partly, err)
		}
		if step%50 == 0 {
			must(t, s.Close())
			s = open(t, path, opts)
		}
	}
	if d := cmp.Diff(want, contents(t, s)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if list := reps.take(); len(list) > 0 {
		t.Errorf("reports %v", list)
	}
}

// TestDamagedValue: one damaged value is reported and gone, the others are there, whether it is found by Open or later.
func TestDamagedValue(t *testing.T) {
	t.Parallel()
	for name, reopen := range map[string]bool{"by Open": true, "by Get": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "keyed.db")
			var reps reports
			opts := &boltstore.Options{OnReport: reps.hook}
			s := open(t, path, opts)
			must(t, s.Apply(put("1", "one"), put("2", "two"), put("3", "three")))
			must(t, s.Damage("a", "2"))
			if reopen {
				must(t, s.Close())
				s = open(t, path, opts)
			} else if _, err := s.Get("a", "2"); !errors.Is(err, smokerr.ErrCorrupt) {
				t.Errorf("Get: %v", err)
			}
			if _, err := s.Get("a", "2"); !errors.Is(err, errkit.NotFound) {
				t.Errorf("Get again: %v", err)
			}
			if d := cmp.Diff(map[string]string{"1": "one", "3": "three"}, contents(t, s)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			if list := reps.take(); len(list) != 1 || list[0].Key != "a/2" || list[0].Records != 1 {
				t.Errorf("reports %v", list)
			}
			must(t, s.Apply(put("2", "anew")))
			must(t, s.Close())
			s = open(t, path, opts)
			if v, err := s.Get("a", "2"); string(v) != "anew" || err != nil {
				t.Errorf("Get anew: %q, %v", v, err)
			}
			if list := reps.take(); len(list) > 0 {
				t.Errorf("reports %v", list)
			}
		})
	}
}

func TestDamagedValueIsOverwritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyed.db")
	var reps reports
	s := open(t, path, &boltstore.Options{OnReport: reps.hook})
	must(t, s.Apply(put("1", "one"), put("2", "two")))
	must(t, s.Damage("a", "2"))
	must(t, s.Apply(put("2", "anew")))
	must(t, s.Close())
	s = open(t, path, &boltstore.Options{OnReport: reps.hook})
	if d := cmp.Diff(map[string]string{"1": "one", "2": "anew"}, contents(t, s)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if list := reps.take(); len(list) > 0 {
		t.Errorf("reports %v", list)
	}
}

// TestDamagedFile: what cannot be trusted is set aside and replaced; the newest four such files are kept.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(b []byte) []byte{
		"empty":          func([]byte) []byte { return nil },
		"short":          func(b []byte) []byte { return b[:5000] },
		"no database":    func([]byte) []byte { return bytes.Repeat([]byte("no database"), 3000) },
		"zeros":          func(b []byte) []byte { return make([]byte, len(b)) },
		"a page is gone": func(b []byte) []byte { return append(b[:2*4096:2*4096], make([]byte, len(b)-2*4096)...) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "keyed.db")
			var reps reports
			for round := range 6 {
				s := open(t, path, &boltstore.Options{OnReport: reps.hook})
				if d := cmp.Diff(map[string]string{}, contents(t, s)); d != "" {
					t.Errorf("-want +got:\n%s", d)
				}
				list := reps.take()
				if round > 0 && (len(list) != 1 || !strings.HasPrefix(list[0].File, "keyed.db.corrupt-") || list[0].Key != "") {
					t.Fatalf("reports %v", list)
				}
				must(t, s.Apply(put("1", strings.Repeat("one", 5000))))
				must(t, s.Close())
				b, err := os.ReadFile(path)
				must(t, err)
				must(t, os.WriteFile(path, spoil(b), 0o600))
			}
			aside, err := filepath.Glob(path + ".corrupt-*")
			must(t, err)
			if len(aside) != 4 {
				t.Errorf("set aside: %v", aside)
			}
		})
	}
}

// TestNewerVersion: a file of a newer version is refused and left alone.
func TestNewerVersion(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyed.db")
	s := open(t, path, nil)
	must(t, s.Apply(put("1", "one")))
	must(t, s.WriteTotals(2))
	must(t, s.Close())
	before, err := os.ReadFile(path)
	must(t, err)
	if _, err := boltstore.Open(path, nil); !errors.Is(err, smokerr.ErrStore) || errors.Is(err, smokerr.ErrCorrupt) {
		t.Errorf("Open: %v", err)
	}
	after, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
}

func TestLocked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyed.db")
	s := open(t, path, nil)
	if _, err := boltstore.Open(path, nil); !errors.Is(err, errkit.Conflict) || !errors.Is(err, smokerr.ErrStore) {
		t.Errorf("Open: %v", err)
	}
	must(t, s.Close())
	open(t, path, nil)
}

func TestWrongArguments(t *testing.T) {
	t.Parallel()
	if _, err := boltstore.Open("", nil); !errors.Is(err, smokerr.ErrInvalidArgument) {
		t.Errorf("no path: %v", err)
	}
	path := filepath.Join(t.TempDir(), "keyed.db")
	if _, err := boltstore.Open(path, &boltstore.Options{MaxBytes: -1}); !errors.Is(err, smokerr.ErrInvalidArgument) {
		t.Errorf("negative bound: %v", err)
	}
}

func TestBound(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "keyed.db"), &boltstore.Options{MaxBytes: 10_000})
	must(t, s.Apply(put("1", strings.Repeat("x", 6000))))
	if err := s.Apply(put("2", strings.Repeat("x", 6000))); !errors.Is(err, errkit.Full) || !errors.Is(err, smokerr.ErrQueueFull) {
		t.Errorf("Apply: %v", err)
	}
	must(t, s.Apply(put("1", "x"), put("2", strings.Repeat("x", 6000))))
	if n := len(contents(t, s)); n != 2 {
		t.Errorf("%d entries", n)
	}
}
