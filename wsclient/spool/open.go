package spool

import (
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"path/filepath"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/spool/internal/vfs"
)

// Open opens the log in dir and makes the directory if need be. Nil options mean the defaults.
//
// It takes up what a crash left: an end that was torn by a power cut is cut off, what was lost is reported. It reads the
// first and the last segment; damage in between is found when it is read, or by [Verify].
//
// A directory that is open already, in this process or another one, is a *[ConfigError]; the end of a process frees its
// directories. A directory that cannot be read or written is a *[SpoolError].
func Open(dir string, opts *Options) (*Spool, error) { return openOn(vfs.OS{}, randomSalt, dir, opts) }

func openOn(fsys vfs.FS, salt func() uint64, dir string, opts *Options) (*Spool, error) {
	o, err := resolve(opts)
	if err != nil {
		return nil, err
	}
	if dir == "" {
		return nil, wserr.Config("spool.open", "dir", "empty")
	}
	s := &Spool{
		dir: dir, fs: fsys, salt: salt, opts: o,
		turn: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
		dirty: make(chan struct{}, 1), lagging: make(chan struct{}, 1),
		ward: &ward{name: filepath.Join(dir, wardName)},
	}
	if s.lock, err = lockDir(fsys, dir); err != nil {
		return nil, err
	}
	if err := s.recover(); err != nil {
		s.closeFiles()
		return nil, err
	}
	s.keeper.Go(s.keep)
	s.deliver()
	return s, nil
}

const lockName = "lock"

func lockDir(fsys vfs.FS, dir string) (io.Closer, error) {
	if err := fsys.MkdirAll(dir); err != nil {
		return nil, wserr.Spool("spool.open", dir, err)
	}
	name := filepath.Join(dir, lockName)
	lock, err := fsys.Lock(name)
	if errors.Is(err, vfs.ErrLocked) {
		return nil, errLocked("spool.open", dir)
	}
	if err != nil {
		return nil, wserr.Spool("spool.open", name, err)
	}
	return lock, nil
}

func randomSalt() uint64 {
	var b [8]byte
	_, _ = crand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

// recover builds the state from what is in the directory.
func (s *Spool) recover() error {
	s.out.Lock()
	defer s.out.Unlock()
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	list, err := survey(s.fs, s.dir)
	if err != nil {
		return s.failure("spool.open", s.dir, err)
	}
	if err := s.sweep(&list); err != nil {
		return err
	}
	s.stored, s.head = list.cursor, list.head()
	poison, flaws, err := s.ward.load(s.fs)
	if err != nil {
		return s.failure("spool.open", s.ward.name, err)
	}
	s.next = math.MaxUint64 // until the end is known
	known := s.head - 1     // up to there, records existed; their numbers are not given again
	for _, p := range poison {
		s.noteGone(p.First, p.Last, false)
		known = max(known, p.Last)
	}
	if len(flaws) > 0 {
		s.reports = append(s.reports, flaws...)
		if err := s.writeWard(poison); err != nil {
			return err
		}
	}
	s.adopt(list)
	safe := list.cursor.safe
	if h := list.headless; len(h) > 0 {
		last := h[len(h)-1]
		known = max(known, last.base-1+uint64(max(0, last.end-dataStart)/frameHead))
		if s.tail == nil || s.tail.base < last.base && safe < last.base {
			s.reports = append(s.reports, Report{Kind: Damaged, First: last.base, File: last.file()})
		}
	}
	if err := s.recoverTail(safe, max(known, safe)); err != nil {
		return err
	}
	s.recoverHead()
	s.stats.Recovered = uint64(s.live()) + s.stats.Damaged
	return nil
}

// sweep removes what a crash left half made, and sets aside segments whose header is lost.
func (s *Spool) sweep(list *inventory) error {
	for _, name := range list.temps {
		if err := s.fs.Remove(filepath.Join(s.dir, name)); err != nil && !isMissing(err) {
			return s.failure("spool.remove", name, err)
		}
	}
	for _, seg := range list.stillborn {
		if err := s.fs.Remove(seg.name); err != nil && !isMissing(err) {
			return s.failure("spool.remove", seg.name, err)
		}
	}
	for _, seg := range list.headless {
		if err := s.fs.Rename(seg.name, seg.name+corruptSuffix); err != nil {
			return s.failure("spool.rename", seg.name, err)
		}
	}
	return nil
}

// adopt takes the segments of the inventory over and reports what is missing before them.
func (s *Spool) adopt(list inventory) {
	s.segs = list.segs
	if list.cursorLost() {
		s.reports = append(s.reports, Report{Kind: CursorLost, File: cursorName})
	}
	s.headOff = dataStart
	if len(s.segs) == 0 {
		return
	}
	s.tail = s.segs[len(s.segs)-1]
	if base := s.segs[0].base; s.head < base {
		s.loseFront(base)
	}
	s.retire()
	s.bury() // the cursor on the disk is behind them
}

// loseFront reports the records before base, whose segments are missing.
func (s *Spool) loseFront(base uint64) {
	first := s.head
	n := span{first, base - 1}.count() - s.gone.count(first, base-1)
	s.head, s.gone = base, s.gone.from(base)
	if n > 0 {
		s.stats.Damaged += n
		s.reports = append(s.reports, Report{Kind: Damaged, First: first, Last: base - 1, Records: n})
	}
}

// recoverHead finds where the oldest record is.
func (s *Spool) recoverHead() {
	s.gone = s.gone.from(s.head)
	s.recount()
	_, gone := s.gone.has(s.head)
	if s.segs[0].base < s.head || gone {
		s.head, s.headOff = s.locate(s.head)
		s.gone = s.gone.from(s.head)
		s.retire()
		if s.segs[0].base >= s.head {
			s.headOff = dataStart
		}
		s.recount()
	}
}
