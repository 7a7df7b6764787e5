package spool

import (
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/spool/internal/vfs"
)

// Every write and sync goes through here: it is counted, and its failure gets its type.

func (s *Spool) count(writes, syncs, cursors, failures uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.BytesWritten += writes
	s.stats.Syncs += syncs
	s.stats.CursorWrites += cursors
	s.stats.Failures += failures
}

// failure counts a failure of op on the file name and returns it with its type.
func (s *Spool) failure(op, name string, cause error) error {
	s.count(0, 0, 0, 1)
	return wserr.Spool(op, name, cause)
}

func (s *Spool) write(name string, f vfs.File, b []byte, off int64) error {
	n, err := f.WriteAt(b, off)
	s.count(uint64(max(n, 0)), 0, 0, 0)
	if err != nil {
		return s.failure("spool.write", name, err)
	}
	return nil
}

func (s *Spool) sync(name string, f vfs.File) error {
	s.count(0, 1, 0, 0)
	if err := f.Sync(); err != nil {
		return s.failure("spool.sync", name, err)
	}
	return nil
}

func (s *Spool) syncDir() error {
	s.count(0, 1, 0, 0)
	if err := s.fs.SyncDir(s.dir); err != nil {
		return s.failure("spool.sync", s.dir, err)
	}
	return nil
}
