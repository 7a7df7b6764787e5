package spool

import (
	"io"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/spool/internal/vfs"
)

// Entry is a record that is to be stored.
type Entry struct {
	Payload []byte    // at most [MaxPayload] bytes; may be empty
	Tag     uint8     // kept with the record; its meaning is the owner's, such as text or binary
	Time    time.Time // when the record came about; zero means now
}

// Record is a record of the log.
type Record struct {
	Seq     uint64    // its number; ascending, not always without gaps
	Time    time.Time // to the microsecond
	Tag     uint8
	Payload []byte // the receiver's own
}

// Spool is a durable log, open in one directory. See the package comment. It is made by [Open] and ended by
// [Spool.Close].
type Spool struct {
	dir  string
	fs   vfs.FS
	salt func() uint64
	opts Options
	lock io.Closer

	// The locks are taken in this order: turn, out, mu. Files are written at the end of the log under turn, everything
	// else of the disk is done under out, nothing under mu.

	turn   chan struct{} // holds a token while somebody writes at the end of the log
	active vfs.File      // the last segment
	tail   *segment      // the same; written under mu as well
	synced int64         // up to where its contents are safe
	failed bool          // what is behind synced can no longer be relied on
	buf    []byte        // the group being written, encoded
	group  []*request    // and its requests

	requests sync.Pool // of calls of Append that are over

	out      sync.Mutex // held by the side that takes records out
	reader   vfs.File   // the segment that was read last
	readerOf *segment
	at       place    // where that reading ended
	bad      strike   // the place that could not be read, and how often
	stored   cursor   // the cursor on the disk
	moved    int64    // bytes removed since
	doomed   []string // segment files to delete once the cursor is behind them
	ward     *ward    // the file of what is quarantined

	mu         sync.Mutex
	queue      []*request // appends that wait for their turn
	segs       []*segment // oldest first; the last is the active one
	head       uint64     // number of the oldest record
	headOff    int64      // where it is in segs[0]
	next       uint64     // number of the next record
	safe       uint64     // number of the last record that is synced
	gone       spans      // numbers from head to next that are no records
	goneCount  uint64
	room       chan struct{} // closed when something was removed; nil if nobody waits
	grown      chan struct{} // closed when something was appended; nil if nobody waits
	closed     bool
	stats      Stats
	tallies    [Failed + 1]tally
	reports    []Report
	delivering bool

	keeper  sync.WaitGroup
	stop    chan struct{} // ends the keeper
	dirty   chan struct{} // tells the keeper of something that is not synced
	lagging chan struct{} // tells the keeper of a cursor that is not written
	done    chan struct{} // closed when Close has finished
}

// Len returns the number of records, quarantined ones not included. Damaged records count until they are found.
func (s *Spool) Len() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live()
}

// Bytes returns the size of the records on the disk, with their frames.
func (s *Spool) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size()
}

// Sync makes everything that was appended or removed so far safe from a power cut.
func (s *Spool) Sync() error {
	defer s.deliver()
	s.turn <- struct{}{}
	err := s.syncTail()
	<-s.turn
	if err != nil {
		return err
	}
	s.out.Lock()
	defer s.out.Unlock()
	if s.isClosed() {
		return wserr.SpoolClosed("spool.sync")
	}
	return s.saveCursor()
}

// Close makes everything safe, releases the directory and ends all calls that wait. It returns the failure of that
// last sync; the spool is closed then as well. A second call waits for the first and returns nil.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		<-s.done
		return nil
	}
	s.closed = true
	waiting := s.queue
	s.queue = nil
	s.mu.Unlock()
	for _, r := range waiting {
		r.finish(wserr.SpoolClosed("spool.append"))
	}
	close(s.stop)
	s.keeper.Wait()
	err := s.shut()
	s.tellAll(true)
	s.deliver()
	close(s.done)
	return err
}

// shut syncs and closes the files.
func (s *Spool) shut() error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	err := s.flush()
	s.out.Lock()
	defer s.out.Unlock()
	if err == nil {
		err = s.saveCursor()
	}
	s.mu.Lock()
	signal(&s.grown)
	signal(&s.room)
	s.mu.Unlock()
	s.closeFiles()
	return err
}

// closeFiles releases what the spool holds open. Their contents were synced before, or that failure was reported.
func (s *Spool) closeFiles() {
	if s.active != nil {
		_ = s.active.Close()
	}
	s.closeReader()
	_ = s.lock.Close()
}

func (s *Spool) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// live returns the number of records. mu is held.
func (s *Spool) live() int64 { return int64(s.next - s.head - s.goneCount) }

// size returns the bytes from the oldest record to the end. mu is held.
func (s *Spool) size() int64 {
	n := dataStart - s.headOff
	for _, g := range s.segs {
		n += g.end - dataStart
	}
	return n
}

// signal wakes who waits for c. mu is held.
func signal(c *chan struct{}) {
	if *c != nil {
		close(*c)
		*c = nil
	}
}

// listen returns the channel that the next signal closes. mu is held.
func listen(c *chan struct{}) <-chan struct{} {
	if *c == nil {
		*c = make(chan struct{})
	}
	return *c
}

// poke tells the keeper without waiting for it.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// full returns the error of a spool without room. mu is held.
func (s *Spool) full() error {
	return &QueueFullError{
		Info:         errkit.Info{Class: ErrQueueFull, Op: "spool.append", Kind: errkit.NotSent},
		QueueSize:    int(s.live()),
		DroppedCount: s.stats.Dropped + s.stats.Refused,
	}
}
