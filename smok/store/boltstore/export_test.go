package boltstore

import (
	"go.etcd.io/bbolt"

	"github.com/fieldlink-go/fieldlink/smok/store/internal/disk"
)

// OpenOn is Open with file operations that fail when fault says so.
func OpenOn(fault func(op disk.Op, name string) error, path string, opts *Options) (*Store, error) {
	return openOn(disk.FS{Fault: fault}, path, opts)
}

// Inspect returns what Open would find wrong: the keys of damaged values, and whether the file is damaged as a whole or in
// its totals or heads.
func Inspect(path string) (bad int, partly bool, err error) {
	st, err := inspect(path)
	return len(st.bad), st.badTotals || st.headLost, err
}

// Damage flips a bit of what is stored under a key, in the file of the open store.
func (s *Store) Damage(area, key string) error {
	return s.update(damage(entryKey(area, key)))
}

// WriteTotals writes totals of another version.
func (s *Store) WriteTotals(version byte) error { return s.update(otherTotals(version)) }

func damage(key []byte) func(*bbolt.Bucket) error {
	return func(b *bbolt.Bucket) error {
		stored := append([]byte{}, b.Get(key)...)
		stored[len(stored)-1] ^= 4
		return b.Put(key, stored)
	}
}

func otherTotals(version byte) func(*bbolt.Bucket) error {
	return func(b *bbolt.Bucket) error {
		return b.Put(totalsKey, seal(totalsKey, []byte{version, 1, 2, 3}))
	}
}
