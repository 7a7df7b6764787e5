package boltstore

import (
	"bytes"
	"errors"

	"go.etcd.io/bbolt"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store/boltstore/internal/pages"
)

// Get returns the value of a key. If it is damaged, that is reported, it is removed, and the error is a *smok.StoreError that
// matches smok.ErrCorrupt; the next call finds nothing.
func (s *Store) Get(area, key string) ([]byte, error) {
	full := entryKey(area, key)
	var value []byte
	found, sound := false, false
	err := s.view("store.get", func(b *bbolt.Bucket) error {
		stored := b.Get(full)
		if found = stored != nil; found {
			value, sound = unseal(full, stored)
			value = append([]byte{}, value...)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, smokerr.NotFound("store.get", area, key)
	case !sound:
		s.discard([][]byte{full})
		return nil, smokerr.Corrupt("store.get", area, nil)
	}
	return value, nil
}

// The most that Each reads at once.
const (
	eachCount = 1000
	eachBytes = 1 << 20
)

// Each calls fn with the entries of an area. What fn changes behind the present key may or may not be seen.
func (s *Store) Each(area string, fn func(key string, value []byte) error) error {
	type entry struct {
		key   string
		value []byte
	}
	prefix := entryKey(area, "")
	next := prefix // the key to go on with
	for next != nil {
		var list []entry
		var bad [][]byte
		err := s.view("store.each", func(b *bbolt.Bucket) error {
			c := b.Cursor()
			size := 0
			key, stored := c.Seek(next)
			for ; bytes.HasPrefix(key, prefix); key, stored = c.Next() {
				if len(list) >= eachCount || size >= eachBytes {
					next = bytes.Clone(key)
					return nil
				}
				value, ok := unseal(key, stored)
				if !ok {
					bad = append(bad, bytes.Clone(key))
					continue
				}
				list = append(list, entry{string(key[len(prefix):]), append([]byte{}, value...)})
				size += len(value)
			}
			next = nil
			return nil
		})
		if err != nil {
			return err
		}
		s.discard(bad)
		for _, e := range list {
			if err := fn(e.key, e.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// view reads, in one transaction. If that shows that the file is damaged, it is set aside.
func (s *Store) view(op string, fn func(b *bbolt.Bucket) error) error {
	s.mu.RLock()
	if s.closed || s.db == nil {
		defer s.mu.RUnlock()
		return s.unusable(op)
	}
	db := s.db
	err := guard(func() error {
		return db.View(func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte(bucketName))
			if b == nil {
				return pages.ErrDamaged
			}
			return fn(b)
		})
	})
	s.mu.RUnlock()
	if err == nil {
		return nil
	}
	if errors.Is(err, pages.ErrDamaged) {
		s.replace(db, err)
		return smokerr.Corrupt(op, area, err)
	}
	return smokerr.Store(op, area, err)
}

// unusable is the error of a store without a database. mu is held.
func (s *Store) unusable(op string) error {
	if s.closed {
		return smokerr.Closed(op)
	}
	return smokerr.Store(op, area, errNoFile)
}

// errNoFile is the cause of errors when a damaged file could not be replaced.
var errNoFile = errors.New("no database: the damaged one could not be replaced")

// replace sets the file of db aside, unless that was done already.
func (s *Store) replace(db *bbolt.DB, cause error) {
	s.applying.Lock()
	defer s.applying.Unlock()
	s.replaceHeld(db, cause)
}

// replaceHeld is replace for who holds applying.
func (s *Store) replaceHeld(db *bbolt.DB, cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.db != db {
		return
	}
	s.closeFile()
	if err := s.renew(cause); err != nil {
		s.opts.Logger.Warn("damaged store not replaced", "module", "smok", "error", err)
	}
}

// discard removes damaged entries and reports them.
func (s *Store) discard(keys [][]byte) {
	if len(keys) == 0 {
		return
	}
	s.applying.Lock()
	defer s.applying.Unlock()
	var gone [][]byte
	err := s.commit("store.mend", func(b *bbolt.Bucket) error {
		gone = nil
		for _, key := range keys {
			stored := b.Get(key)
			if stored == nil {
				continue
			}
			if _, ok := unseal(key, stored); ok {
				continue // replaced in the meantime
			}
			gone = append(gone, key)
			if err := b.Delete(key); err != nil {
				return err
			}
		}
		return recount(b)
	})
	if err != nil {
		s.opts.Logger.Warn("damaged value not removed", "module", "smok", "error", err)
	}
	for _, key := range gone {
		s.reportKey(key)
	}
}
