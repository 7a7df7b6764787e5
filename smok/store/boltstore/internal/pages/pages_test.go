package pages_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/smok/store/boltstore/internal/pages"
)

func TestMain(m *testing.M) { leak.Main(m) }

const pageSize = 4096

// database returns the file of a database with n entries, of which some were changed and deleted.
func database(t testing.TB, n int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: pageSize, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		if err := db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("b"))
			for i := range n {
				key := fmt.Appendf(nil, "key%04d", i)
				if err == nil && i%7 == round {
					err = b.Delete(key)
				} else if err == nil {
					err = b.Put(key, []byte(strings.Repeat("v", i%300+round)))
				}
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func walk(b []byte, visit func(key, value []byte) error) (pages.Head, error) {
	return pages.Walk(bytes.NewReader(b), int64(len(b)), pageSize, "b", visit)
}

// TestWalk: it finds what bbolt finds, of small buckets and of trees with several levels.
func TestWalk(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 5, 100, 8000} {
		b := database(t, n)
		path := filepath.Join(t.TempDir(), "db")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		var want, got bytes.Buffer
		err = db.View(func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("b")).ForEach(func(key, value []byte) error {
				fmt.Fprintf(&want, "%s=%s\n", key, value)
				return nil
			})
		})
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		head, err := walk(b, func(key, value []byte) error {
			fmt.Fprintf(&got, "%s=%s\n", key, value)
			return nil
		})
		if err != nil || head.Lost || got.String() != want.String() {
			t.Errorf("%d entries: %v, %v, %d bytes of %d", n, head, err, got.Len(), want.Len())
		}
	}
}

func TestVisitEnds(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	n := 0
	if _, err := walk(database(t, 100), func(_, _ []byte) error {
		n++
		return stop
	}); !errors.Is(err, stop) || n != 1 {
		t.Errorf("%v after %d visits", err, n)
	}
}

// TestHeads: one damaged head is told, two are damage.
func TestHeads(t *testing.T) {
	t.Parallel()
	b := database(t, 100)
	for i := range 2 {
		one := bytes.Clone(b)
		one[i*pageSize+30] ^= 1
		if head, err := walk(one, func(_, _ []byte) error { return nil }); err != nil || !head.Lost {
			// The older head's pages may have been used anew.
			if !errors.Is(err, pages.ErrDamaged) {
				t.Errorf("head %d: %v, %v", i, head, err)
			}
		}
		one[(1-i)*pageSize+30] ^= 1
		if _, err := walk(one, func(_, _ []byte) error { return nil }); !errors.Is(err, pages.ErrDamaged) {
			t.Errorf("both heads: %v", err)
		}
	}
}

// TestDamage: whatever is changed in the structure, reading ends, in memory of the size of the file, with that error or none.
func TestDamage(t *testing.T) {
	t.Parallel()
	b := database(t, 500)
	rng := rand.New(rand.NewPCG(1, 1))
	found := 0
	for range 1000 {
		c := bytes.Clone(b)
		for range 1 + rng.IntN(3) {
			at := rng.IntN(len(c)/pageSize)*pageSize + rng.IntN(64) // heads and elements
			c[at] = byte(rng.Uint32())
		}
		_, err := walk(c, func(_, _ []byte) error { return nil })
		if err != nil && !errors.Is(err, pages.ErrDamaged) {
			t.Fatal(err)
		}
		if err != nil {
			found++
		}
	}
	if found < 300 {
		t.Errorf("%d of 1000 damages found", found)
	}
}

func FuzzWalk(f *testing.F) {
	f.Add(database(f, 3))
	f.Add(database(f, 60)[:6*pageSize])
	f.Add(make([]byte, 2*pageSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		size := 0
		_, err := walk(b, func(key, value []byte) error {
			size += len(key) + len(value)
			return nil
		})
		if err != nil && !errors.Is(err, pages.ErrDamaged) {
			t.Error(err)
		}
		if size > len(b) {
			t.Errorf("%d bytes of entries in %d", size, len(b))
		}
	})
}
