package boltstore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/boltstore/internal/pages"
	"github.com/fieldlink-go/fieldlink/smok/store/internal/disk"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// area is what the store is called in errors and reports.
const area = "keyed"

const lockSuffix = ".lock"

// Store is a [store.Keyed] in a file. It may be used by several goroutines. It is made by [Open].
type Store struct {
	path string
	opts Options
	fs   disk.FS
	lock io.Closer

	mu      sync.RWMutex // held for writing while db is exchanged
	db      *bbolt.DB
	file    *os.File // db's
	closed  bool
	suspect bool // a change failed: what bbolt has in memory and the file may differ; guarded by applying

	applying sync.Mutex // one change at a time; taken before mu
}

// Open opens the store in the file path, and makes it if need be. Its directory must be there. Nil options mean the
// defaults. Beside the file are its lock, and damaged files that were set aside: the newest four.
//
// A file that is open already is a *smok.StoreError of kind Conflict. One that a newer version wrote is a *smok.StoreError,
// and left alone.
func Open(path string, opts *Options) (*Store, error) { return openOn(disk.FS{}, path, opts) }

func openOn(fsys disk.FS, path string, opts *Options) (*Store, error) {
	s := &Store{path: path, opts: resolve(opts), fs: fsys}
	switch {
	case path == "":
		return nil, smokerr.InvalidArgument("store.open", "path", "empty", nil)
	case s.opts.MaxBytes < 0:
		return nil, smokerr.InvalidArgument("store.open", "MaxBytes", "negative", nil)
	}
	lock, err := disk.Lock(path + lockSuffix)
	if err != nil {
		return nil, smokerr.Store("store.open", area, err)
	}
	s.lock = lock
	if err := s.start(); err != nil {
		_ = lock.Close() // err counts
		return nil, err
	}
	return s, nil
}

// start opens the file that is there if it is sound, and a new one if not.
func (s *Store) start() error {
	if err := s.fs.Remove(s.path + disk.TempSuffix); err != nil {
		return smokerr.Store("store.open", area, err)
	}
	st, err := inspect(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.create()
	case errors.Is(err, pages.ErrDamaged):
		return s.renew(err)
	case err != nil:
		return smokerr.Store("store.open", area, err)
	}
	if err := s.load(); err != nil {
		if s.file != nil {
			s.closeFile()
		}
		return s.renew(err)
	}
	return s.mend(st)
}

// renew sets the damaged file aside and makes a new one.
func (s *Store) renew(cause error) error {
	aside, err := s.fs.SetAside(s.path)
	if err != nil {
		return smokerr.Store("store.open", area, err)
	}
	s.report(store.Report{Report: spool.Report{Kind: spool.Damaged, File: aside, Reason: cause.Error()}})
	return s.create()
}

// create makes an empty file and opens it.
func (s *Store) create() error {
	err := s.build(func(b *bbolt.Bucket) error { return b.Put(totalsKey, new(totals).seal()) })
	if err != nil {
		return smokerr.Store("store.create", area, err)
	}
	if err := s.load(); err != nil {
		return smokerr.Store("store.open", area, err)
	}
	return nil
}

// build writes a new file beside the one that is there, lets it take its place, and makes that last.
func (s *Store) build(fill func(b *bbolt.Bucket) error) error {
	temp := s.path + disk.TempSuffix
	if err := s.fs.Remove(temp); err != nil {
		return err
	}
	if err := s.fs.Check(disk.Create, temp); err != nil {
		return err
	}
	var db *bbolt.DB
	err := guard(func() (err error) {
		db, _, err = openDB(temp)
		return err
	})
	if err != nil {
		return err
	}
	err = guard(func() error {
		return db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucket([]byte(bucketName))
			if err != nil {
				return err
			}
			return fill(b)
		})
	})
	if err := errors.Join(err, db.Close()); err != nil {
		_ = os.Remove(temp) // if it stays, the next one replaces it
		return err
	}
	return s.fs.Rename(temp, s.path)
}

// load gives the file to bbolt.
func (s *Store) load() error {
	return guard(func() (err error) {
		s.db, s.file, err = openDB(s.path)
		return err
	})
}

func openDB(name string) (db *bbolt.DB, file *os.File, err error) {
	db, err = bbolt.Open(name, 0o640, &bbolt.Options{
		PageSize: pageSize, Timeout: time.Second,
		OpenFile: func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
			file, err = os.OpenFile(name, flag, mode)
			return file, err
		},
	})
	return db, file, err
}

// guard turns a panic of bbolt, and an access to memory that is not there, into an error. The file was checked before; this
// is for what the medium forgot since.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", pages.ErrDamaged, r)
		}
	}()
	return fn()
}

// mend removes the entries that are damaged and reports what was found.
func (s *Store) mend(st state) error {
	if len(st.bad) == 0 && !st.badTotals && !st.headLost {
		return nil
	}
	err := s.update(func(b *bbolt.Bucket) error {
		for _, key := range st.bad {
			if err := b.Delete(key); err != nil {
				return err
			}
		}
		return recount(b)
	})
	if errors.Is(err, pages.ErrDamaged) {
		s.closeFile()
		return s.renew(err)
	}
	if err != nil { // the disk is full, perhaps: what is damaged is found again when it is read
		s.suspect = true
		s.opts.Logger.Warn("damaged values not removed", "module", "smok", "error", err)
	}
	name := filepath.Base(s.path)
	for _, key := range st.bad {
		s.reportKey(key)
	}
	if st.badTotals {
		s.report(store.Report{Report: spool.Report{Kind: spool.Damaged, File: name, Reason: "the count of the entries is damaged"}})
	}
	if st.headLost {
		s.report(store.Report{Report: spool.Report{
			Kind: spool.Damaged, File: name, Reason: "a head is damaged: the last change may be missing",
		}})
	}
	return nil
}

// recount writes the totals of what is there.
func recount(b *bbolt.Bucket) error {
	var t totals
	c := b.Cursor()
	for key, stored := c.First(); key != nil; key, stored = c.Next() {
		if len(key) > 0 && key[0] != totalsKey[0] {
			t.add(key, stored)
		}
	}
	return b.Put(totalsKey, t.seal())
}

// reportKey reports a damaged value.
func (s *Store) reportKey(key []byte) {
	name, rest := splitKey(key)
	s.report(store.Report{
		Key:    name + "/" + rest,
		Report: spool.Report{Kind: spool.Damaged, File: filepath.Base(s.path), Records: 1, Reason: "a value is damaged"},
	})
}

// closeFile gives up the database. After a panic bbolt may hold its own locks for ever, so it is not closed itself. Its file
// is: that frees the file's lock.
func (s *Store) closeFile() {
	_ = s.file.Close() // nothing is written any more
	s.db, s.file, s.suspect = nil, nil, false
}

func (s *Store) report(r store.Report) {
	r.Area = area
	s.opts.Logger.Warn("store damaged", "module", "smok", "report", r.String())
	if s.opts.OnReport != nil {
		s.opts.OnReport(r)
	}
}

// Close releases the file.
func (s *Store) Close() error {
	s.applying.Lock()
	defer s.applying.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	err := guard(s.closeDB)
	if err := errors.Join(err, s.lock.Close()); err != nil {
		return smokerr.Store("store.close", area, err)
	}
	return nil
}

// closeDB closes the database, if there is one.
func (s *Store) closeDB() error {
	if s.db == nil {
		return nil
	}
	return s.db.Close()
}
