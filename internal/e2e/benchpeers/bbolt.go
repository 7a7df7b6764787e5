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
		seq, err := b.NextSequence()
		if err != nil {
			return err
		}
		if err := b.Put(binary.BigEndian.AppendUint64(nil, seq), s.data); err != nil {
			return err
		}
	}
	return nil
}

func (s *bboltStore) close() error { return s.db.Close() }
