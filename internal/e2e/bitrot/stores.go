package main

import (
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// store is a kind of store under test.
type store struct {
	name string
	// fill makes one with the records in a directory.
	fill func(dir string) error
	// judge opens and reads a damaged one.
	judge func(dir string) (v verdict, lost int)
}

var stores = []store{
	{"spool", fillSpool, judgeSpool}, {"boltstore", fillBoltstore, judgeBoltstore}, {"bbolt", fillBbolt, judgeBbolt},
}

// segmentBytes is small, so that there are several segments.
const segmentBytes = 4 << 10

func fillSpool(dir string) error {
	s, err := spool.Open(dir, &spool.Options{SegmentBytes: segmentBytes})
	if err != nil {
		return err
	}
	for id := range records {
		if _, err := s.Append(context.Background(), spool.Entry{Payload: []byte(payload(id + 1))}); err != nil {
			return errors.Join(err, s.Close())
		}
	}
	return errors.Join(s.Remove(removed), s.Close())
}

func judgeSpool(dir string) (v verdict, lost int) {
	f := newFound()
	s, err := spool.Open(dir, &spool.Options{SegmentBytes: segmentBytes, OnReport: func(r spool.Report) {
		switch r.Kind {
		case spool.CursorLost:
			f.excused = true
		case spool.Damaged, spool.Torn:
			last := r.Last
			if last == 0 {
				last = records // the end of the log
			}
			for seq := max(r.First, 1); seq <= min(last, records) && r.First > 0; seq++ {
				f.told[int(seq)] = true
			}
		default:
		}
	}})
	if err != nil {
		return unopened, records - removed
	}
	defer s.Close()
	for next := uint64(0); ; {
		list, err := s.PeekFrom(next, records)
		if err != nil {
			f.failed = true
			return f.verdict()
		}
		if len(list) == 0 {
			return f.verdict()
		}
		for _, r := range list {
			f.record(int(r.Seq), string(r.Payload))
		}
		next = list[len(list)-1].Seq + 1
	}
}

// database is the name of bbolt's file.
const database = "db"

var bucket = []byte("records")

func openBbolt(dir string) (*bbolt.DB, error) {
	return bbolt.Open(filepath.Join(dir, database), 0o600, &bbolt.Options{Timeout: time.Second})
}

func fillBbolt(dir string) error {
	db, err := openBbolt(dir)
	if err != nil {
		return err
	}
	change := func(fn func(b *bbolt.Bucket) error) {
		if err == nil {
			err = db.Update(func(tx *bbolt.Tx) error {
				b, err := tx.CreateBucketIfNotExists(bucket)
				if err != nil {
					return err
				}
				return fn(b)
			})
		}
	}
	for id := range records {
		change(func(b *bbolt.Bucket) error { return b.Put(key(id+1), []byte(payload(id+1))) })
	}
	change(func(b *bbolt.Bucket) error {
		var err error
		for id := range removed {
			err = errors.Join(err, b.Delete(key(id+1)))
		}
		return err
	})
	return errors.Join(err, db.Close())
}

func key(id int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(id)) }

func judgeBbolt(dir string) (v verdict, lost int) {
	db, err := openBbolt(dir)
	if err != nil {
		return unopened, records - removed
	}
	defer db.Close()
	f := newFound()
	err = db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket)
		if b == nil {
			return nil // as for a file that is new
		}
		return b.ForEach(func(k, v []byte) error {
			id := 0 // of no record
			if len(k) == 8 {
				id = int(min(binary.BigEndian.Uint64(k), records+1))
			}
			f.record(id, string(v))
			return nil
		})
	})
	f.failed = err != nil
	return f.verdict()
}
