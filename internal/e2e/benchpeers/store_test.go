package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

func TestMain(m *testing.M) { leak.Main(m) }

// TestStores: each store holds what it was measured with, so that all do the same work.
func TestStores(t *testing.T) {
	t.Parallel()
	inSpool := func(dir string) (int, error) {
		s, err := spool.Open(dir, nil)
		if err != nil {
			return 0, err
		}
		defer s.Close()
		list, err := s.Peek(1000)
		n := 0
		for _, r := range list {
			n += len(r.Payload)
		}
		return n, err
	}
	inDevice := func(dir string) (int, error) { return inSpool(filepath.Join(dir, "permanent")) }
	inBbolt := func(dir string) (n int, err error) {
		db, err := bbolt.Open(filepath.Join(dir, "db"), 0o600, nil)
		if err != nil {
			return 0, err
		}
		defer db.Close()
		err = db.View(func(tx *bbolt.Tx) error {
			return tx.Bucket(bucket).ForEach(func(_, v []byte) error {
				n += len(v)
				return nil
			})
		})
		return n, err
	}
	inFile := func(dir string) (int, error) {
		b, err := os.ReadFile(filepath.Join(dir, "log"))
		return len(b), err
	}
	for _, c := range []struct {
		name  string
		open  func(dir string, batch int) (store, error)
		bytes func(dir string) (int, error)
	}{
		{"spool", openSpool, inSpool},
		{"shared spool", openShared, inSpool},
		{"device", openDevice, inDevice},
		{"shared device", openSharedDevice, inDevice},
		{"gateway", openGateway, inDevice},
		{"bbolt", openBbolt, inBbolt},
		{"shared bbolt", openSharedBbolt, inBbolt},
		{"file", openFile, inFile},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s, err := c.open(dir, 10)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.accept(50); err != nil {
				t.Error(err)
			}
			if err := s.close(); err != nil {
				t.Error(err)
			}
			if n, err := c.bytes(dir); n != 50*recordSize || err != nil {
				t.Errorf("%d bytes, want %d: %v", n, 50*recordSize, err)
			}
		})
	}
}

// TestRow runs and prints a small row: a target that nobody can meet is missed.
func TestRow(t *testing.T) {
	t.Parallel()
	r := batches("small", 1, 2*turns)
	r.targets = map[string]float64{"bbolt": 0, "file": 1e9}
	results, err := r.run(2)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.contenders {
		if list := results[c.name]; len(list) != 2 || list[0].n != r.n || list[0].took <= 0 {
			t.Errorf("%s: %+v", c.name, list)
		}
	}
	var text strings.Builder
	if r.print(&text, results) || !strings.Contains(text.String(), "MISSED") {
		t.Errorf("all is well:\n%s", text.String())
	}
	r.targets["file"] = 0
	if !r.print(io.Discard, results) {
		t.Error("nothing is wrong, and is not well")
	}
}
