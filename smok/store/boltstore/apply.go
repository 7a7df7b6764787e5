package boltstore

import (
	"bytes"
	"errors"

	"go.etcd.io/bbolt"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/boltstore/internal/pages"
	"github.com/fieldlink-go/fieldlink/smok/store/internal/disk"
)

// Apply makes all changes or none. After a failure of the disk the next call first writes everything into a new file, since
// what the old one holds is no longer certain.
func (s *Store) Apply(changes ...store.Change) error {
	for i := range changes {
		if err := changes[i].Check("store.apply"); err != nil {
			return err
		}
	}
	s.applying.Lock()
	defer s.applying.Unlock()
	return s.commit("store.apply", func(b *bbolt.Bucket) error {
		if len(changes) == 0 {
			return nil
		}
		return s.change(b, changes)
	})
}

// change makes changes in a transaction.
func (s *Store) change(b *bbolt.Bucket, changes []store.Change) error {
	t, _, ok := unsealTotals(b.Get(totalsKey))
	if !ok {
		return pages.ErrDamaged
	}
	doubt := false // an entry that is replaced is damaged: what it added to the totals is not certain
	take := func(key, stored []byte) {
		_, ok := unseal(key, stored)
		doubt = doubt || !ok
		t.sub(key, stored)
	}
	for _, c := range changes {
		key := entryKey(c.Area, c.Key)
		if c.Delete && c.Key == "" {
			if err := clear(b, key, take); err != nil {
				return err
			}
			continue
		}
		if old := b.Get(key); old != nil {
			take(key, old)
		}
		if c.Delete {
			if err := b.Delete(key); err != nil {
				return err
			}
			continue
		}
		stored := seal(key, c.Value)
		t.add(key, stored)
		if err := b.Put(key, stored); err != nil {
			return err
		}
	}
	if t.bytes > uint64(s.opts.MaxBytes) {
		return smokerr.QueueFull("store.apply", "keyed bytes", int(t.bytes))
	}
	if doubt {
		return recount(b)
	}
	return b.Put(totalsKey, t.seal())
}

// clear deletes all entries whose keys have a prefix.
func clear(b *bbolt.Bucket, prefix []byte, take func(key, stored []byte)) error {
	var keys [][]byte
	c := b.Cursor()
	for key, stored := c.Seek(prefix); bytes.HasPrefix(key, prefix); key, stored = c.Next() {
		take(key, stored)
		keys = append(keys, bytes.Clone(key))
	}
	for _, key := range keys {
		if err := b.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// errCallers marks an error of the function that makes changes: the disk did not fail.
type errCallers struct{ error }

func (e errCallers) Unwrap() error { return e.error }

// commit makes changes in one transaction. applying is held.
func (s *Store) commit(op string, fn func(b *bbolt.Bucket) error) error {
	s.mu.RLock()
	usable, db := !s.closed && s.db != nil, s.db
	if !usable {
		defer s.mu.RUnlock()
		return s.unusable(op)
	}
	s.mu.RUnlock()
	if s.suspect {
		if err := s.rebuild(); err != nil {
			return smokerr.Store(op, area, err)
		}
		db = s.db
	}
	err := s.update(func(b *bbolt.Bucket) error {
		if err := fn(b); err != nil && !errors.Is(err, pages.ErrDamaged) {
			return errCallers{err}
		} else if err != nil {
			return err
		}
		return s.fs.Check(disk.Write, s.path)
	})
	if mine, ok := errors.AsType[errCallers](err); ok {
		return mine.error
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pages.ErrDamaged):
		s.replaceHeld(db, err)
		return smokerr.Corrupt(op, area, err)
	}
	s.suspect = true
	return smokerr.Store(op, area, err)
}

// update runs a transaction.
func (s *Store) update(fn func(b *bbolt.Bucket) error) error {
	return guard(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte(bucketName))
			if b == nil {
				return pages.ErrDamaged
			}
			return fn(b)
		})
	})
}

// rebuild copies what the database holds into a new file, which takes its place. applying is held.
func (s *Store) rebuild() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.db
	err := s.build(func(b *bbolt.Bucket) error {
		return old.View(func(tx *bbolt.Tx) error {
			from := tx.Bucket([]byte(bucketName))
			if from == nil {
				return pages.ErrDamaged
			}
			return from.ForEach(b.Put)
		})
	})
	if err != nil {
		return err
	}
	_ = guard(old.Close) // its file is no longer in use
	s.suspect = false
	if err := s.load(); err != nil {
		s.db, s.file = nil, nil
		return err
	}
	return nil
}
