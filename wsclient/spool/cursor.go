package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/fieldlink-go/fieldlink/wsclient/spool/internal/vfs"
)

// The cursor file. All numbers are little-endian.
//
//	 0  8  "flcursor"
//	 8  8  number of the oldest record that was not removed
//	16  8  number of the last record that was synced when the cursor was written
//	24  4  zero
//	28  4  CRC-32C of what is before
//
// The second number tells a log that lost its end from one that never had more.
const (
	cursorName  = "cursor"
	tempSuffix  = ".tmp" // of a file that is not complete
	cursorMagic = "flcursor"
	cursorSize  = 32
)

type cursor struct {
	head uint64
	safe uint64
}

func (c cursor) encode() []byte {
	b := make([]byte, cursorSize)
	copy(b, cursorMagic)
	binary.LittleEndian.PutUint64(b[8:], c.head)
	binary.LittleEndian.PutUint64(b[16:], c.safe)
	binary.LittleEndian.PutUint32(b[28:], crc32.Checksum(b[:28], castagnoli))
	return b
}

func decodeCursor(b []byte) (cursor, bool) {
	if len(b) != cursorSize {
		return cursor{}, false
	}
	c := cursor{head: binary.LittleEndian.Uint64(b[8:]), safe: binary.LittleEndian.Uint64(b[16:])}
	return c, c.head > 0 && string(c.encode()) == string(b)
}

// cursorState says what became of the cursor file.
type cursorState int

const (
	cursorGood cursorState = iota
	cursorMissing
	cursorDamaged
)

// loadCursor reads the cursor of dir.
func loadCursor(fsys vfs.FS, dir string) (cursor, cursorState, error) {
	f, err := fsys.Open(filepath.Join(dir, cursorName))
	if isMissing(err) {
		return cursor{}, cursorMissing, nil
	}
	if err != nil {
		return cursor{}, cursorMissing, err
	}
	defer f.Close()
	b := make([]byte, cursorSize+1)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return cursor{}, cursorDamaged, nil // unreadable is as bad as wrong
	}
	c, ok := decodeCursor(b[:n])
	if !ok {
		return cursor{}, cursorDamaged, nil
	}
	return c, cursorGood, nil
}

// saveCursor writes down what was removed, if anything was, and then deletes the segments that this sets free. out is
// held.
func (s *Spool) saveCursor() error {
	s.mu.Lock()
	c := cursor{head: s.head, safe: s.safe}
	s.mu.Unlock()
	if c != s.stored {
		err := s.writeCursor(c)
		if errors.Is(err, syscall.ENOSPC) && len(s.doomed) > 0 {
			s.bury() // these make the room. A crash before the cursor is written reports them as missing.
			err = s.writeCursor(c)
		}
		if err != nil {
			return err
		}
		s.stored = c
	}
	s.moved = 0
	s.bury()
	return nil
}

// writeCursor replaces the cursor file, all or nothing.
func (s *Spool) writeCursor(c cursor) error {
	s.count(0, 0, 1, 0)
	if err := s.replace(filepath.Join(s.dir, cursorName), c.encode()); err != nil {
		return err
	}
	return s.syncDir()
}

// replace puts a synced file with contents b in the place of name. The caller syncs the directory.
func (s *Spool) replace(name string, b []byte) error {
	temp := name + tempSuffix
	f, err := s.build(temp, b)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return s.failure("spool.close", temp, err)
	}
	if err := s.fs.Rename(temp, name); err != nil {
		return s.failure("spool.rename", name, err)
	}
	return nil
}

// bury deletes the segments that hold nothing any more. What cannot be deleted now is tried again later.
func (s *Spool) bury() {
	left := s.doomed[:0]
	for _, name := range s.doomed {
		if err := s.fs.Remove(name); err != nil && !isMissing(err) {
			s.count(0, 0, 0, 1)
			left = append(left, name)
		}
	}
	s.doomed = left
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
