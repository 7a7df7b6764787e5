package main

import (
	"encoding/binary"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// bboltStore puts each batch with one transaction, under ascending keys.
type bboltStore struct {
	db    *bbolt.DB
	batch int
	data  []byte
}

var bucket = []byte("records")

func openBbolt(dir string, batch int) (store, error) {
	db, err := bbolt.Open(filepath.Join(dir, "db"), 0o600, nil)
	if err != nil {
		return nil, err
	}
	if err := db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket(bucket)
		return err
	}); err != nil {
		_ = db.Close() // the first failure counts
		return nil, err
	}
	return &bboltStore{db: db, batch: batch, data: make([]byte, recordSize)}, nil
}

func (s *bboltStore) accept(n int) error {
	for range n / s.batch {
		if err := s.db.Update(s.put); err != nil {
			return err
		}
	}
	return nil
}

func (s *bboltStore) put(tx *bbolt.Tx) error {
	b := tx.Bucket(bucket)
	b.FillPercent = 1 // what its documentation advises for keys that ascend
	for range s.batch {
		if err := s.one(b); err != nil {
			return err
		}
	}
	return nil
}

func (s *bboltStore) one(b *bbolt.Bucket) error {
	seq, err := b.NextSequence()
	if err != nil {
		return err
	}
	return b.Put(binary.BigEndian.AppendUint64(nil, seq), s.data)
}

func (s *bboltStore) close() error { return s.db.Close() }

// sharedBbolt has several callers at once that put one record at a time, by the call that makes batches of them.
type sharedBbolt struct{ bboltStore }

func openSharedBbolt(dir string, callers int) (store, error) {
	s, err := openBbolt(dir, callers)
	if err != nil {
		return nil, err
	}
	return &sharedBbolt{*s.(*bboltStore)}, nil
}

func (s *sharedBbolt) accept(n int) error {
	return atOnce(s.batch, n, func() error {
		return s.db.Batch(func(tx *bbolt.Tx) error { return s.one(tx.Bucket(bucket)) })
	})
}
