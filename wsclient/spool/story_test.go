package spool_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/cutdisk"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// logDir is where the log is on a disk in memory.
const logDir = "/disk/log"

// world is where a story happens: a disk in memory, or a directory of the operating system.
type world interface {
	Session() *cutdisk.Session
	Note() int
	Names() []string
	Contents(name string) []byte
	Scar(name string, off int64, data []byte)
}

// state is what must hold of the disk after a cut at some operation.
type state struct {
	accepted map[uint64]string // safe from a power cut
	wanted   uint64            // records up to this number may be gone: their removal was asked for
	removed  uint64            // records up to this number must be gone: their removal was made safe
	poison   []uint64          // numbers whose quarantine was asked for
	shut     []uint64          // numbers that must be gone: their quarantine was accepted
	damaged  []uint64          // numbers that the medium took
	next     uint64            // number after the last that was accepted
}

func (s state) clone() state {
	s.accepted = maps.Clone(s.accepted)
	s.poison, s.shut, s.damaged = slices.Clone(s.poison), slices.Clone(s.shut), slices.Clone(s.damaged)
	return s
}

// story is a program that uses a spool, with everything that it did and what must hold from when on.
type story struct {
	world   world
	dir     string
	session *cutdisk.Session
	opts    spool.Options
	spool   *spool.Spool
	rng     *rand.Rand
	id      int
	tried   map[uint64][]string // what was ever appended under a number
	now     state
	pending map[uint64]string // accepted and not synced
	marks   []mark
	salt    uint64
}

// mark says what holds from an operation on.
type mark struct {
	op    int
	state state
}

func newStory(w world, dir string, seed uint64, policy spool.SyncPolicy) *story {
	opts := spool.Options{
		Sync: policy, SegmentBytes: 4096, QuarantineBytes: 4096,
		CursorInterval: 1000 * time.Hour, SyncInterval: 1000 * time.Hour, // the test says when
	}
	return &story{
		world: w, dir: dir, opts: opts, rng: rand.New(rand.NewPCG(seed, 3)), tried: make(map[uint64][]string),
		now: state{accepted: make(map[uint64]string), next: 1}, pending: make(map[uint64]string), salt: seed,
	}
}

func (s *story) must(err error) {
	if err != nil {
		panic(err)
	}
}

// holds notes that the present state holds from here on.
func (s *story) holds() {
	s.marks = append(s.marks, mark{op: s.world.Note(), state: s.now.clone()})
}

func (s *story) open() {
	sp, err := s.start(math.MaxInt)
	s.must(err)
	s.spool = sp
	s.synced() // Open made safe what it found
}

// start opens the spool in a session of its own, which lasts for so many operations.
func (s *story) start(ops int) (*spool.Spool, error) {
	s.session = s.world.Session()
	s.session.KillAfter(ops)
	s.salt++
	return spool.OpenOn(s.session, s.salt, s.dir, &s.opts)
}

// openKilled ends the program while it opens.
func (s *story) openKilled() {
	if sp, err := s.start(1 + s.rng.IntN(12)); err == nil {
		s.spool = sp
		s.kill()
	}
}

func (s *story) append(n int) bool {
	first := s.spool.Stats().Next
	batch := make([]spool.Entry, n)
	for i := range batch {
		s.id++
		batch[i].Payload = fmt.Appendf(nil, "%d:%s", s.id, strings.Repeat("x", s.rng.IntN(200)))
		if s.rng.IntN(20) == 0 {
			batch[i].Payload = append(batch[i].Payload, make([]byte, 5000)...)
		}
		s.tried[first+uint64(i)] = append(s.tried[first+uint64(i)], string(batch[i].Payload))
	}
	got, err := s.spool.AppendBatch(context.Background(), batch)
	if err != nil {
		return false
	}
	for i, e := range batch {
		s.pending[got+uint64(i)] = string(e.Payload)
	}
	if s.opts.Sync == spool.SyncAlways {
		s.synced()
	}
	return true
}

// synced notes that what was accepted is safe.
func (s *story) synced() {
	maps.Copy(s.now.accepted, s.pending)
	clear(s.pending)
	s.now.next = s.spool.Stats().Next
	s.holds()
}

func (s *story) remove(n uint64) {
	st := s.spool.Stats()
	if st.Next == st.First {
		return
	}
	upTo := min(st.First+n, st.Next-1)
	s.now.wanted = max(s.now.wanted, upTo)
	s.holds()
	s.must(s.spool.Remove(upTo))
}

func (s *story) sync() {
	if s.spool.Sync() == nil {
		s.now.removed = s.spool.Stats().First - 1 // less than wanted if a kill came between
		s.synced()
	}
}

func (s *story) close() {
	st := s.spool.Stats()
	s.must(s.spool.Close())
	s.now.removed = st.First - 1
	maps.Copy(s.now.accepted, s.pending)
	clear(s.pending)
	s.now.next = st.Next
	s.holds()
}

// kill ends the program without a word; what it wrote is still there.
func (s *story) kill() {
	s.session.Kill()
	_ = s.spool.Close() // it cannot do anything any more
}

// killWithin ends the program in the middle of what it does, often the change to another segment.
func (s *story) killWithin() {
	for s.spool.Bytes()%4096 < 3500 && s.append(1) {
	}
	s.session.KillAfter(1 + s.rng.IntN(6))
	for s.append(2) {
	}
	s.kill()
}

func (s *story) quarantine() {
	recs, err := s.spool.Peek(3)
	s.must(err)
	if len(recs) == 0 {
		return
	}
	seq := recs[len(recs)-1].Seq
	s.now.poison = append(s.now.poison, seq)
	s.holds()
	s.must(s.spool.Quarantine(seq, "poison"))
	s.now.shut = append(s.now.shut, seq)
	s.holds()
}

// scar damages one record of those that are there.
func (s *story) scar() {
	from := uint64(0)
	if st := s.spool.Stats(); st.Next > 4 && s.rng.IntN(2) == 0 {
		from = st.Next - 4 // in the segment that is being written
	}
	recs, err := s.spool.PeekFrom(from, 4)
	s.must(err)
	if len(recs) < 4 {
		return
	}
	rec := recs[2]
	if len(rec.Payload) == 0 || s.now.accepted[rec.Seq] == "" {
		return
	}
	for _, name := range s.world.Names() {
		b := s.world.Contents(name)
		if at := strings.Index(string(b), string(rec.Payload)); at >= 0 && strings.HasSuffix(name, ".seg") {
			s.now.damaged = append(s.now.damaged, rec.Seq)
			s.holds()
			s.world.Scar(name, int64(at), []byte{b[at] ^ 4})
			return
		}
	}
}

// failSync lets the next sync of appended records fail.
func (s *story) failSync() {
	done := false
	s.session.Fail = func(op cutdisk.Op, _ string) error {
		if done || op.Kind != cutdisk.Sync {
			return nil
		}
		done = true
		return syscall.EIO
	}
	s.append(2)
	s.session.Fail = nil
}

// tell runs the story: creation, appends, rotation, removal, quarantine, failures, kills, damage and repair.
func (s *story) tell(steps int) {
	s.openKilled()
	s.open()
	for range steps {
		switch s.rng.IntN(26) {
		case 0:
			s.sync()
		case 1:
			s.close()
			s.open()
		case 2:
			s.kill()
			s.openKilled()
			s.open()
		case 3:
			s.quarantine()
		case 4:
			s.failSync()
		case 5:
			s.scar()
		case 6:
			s.scar()
			s.close()
			s.session = s.world.Session()
			s.salt++
			_, err := spool.RepairOn(context.Background(), s.session, s.salt, s.dir, nil)
			s.must(err)
			s.open()
		case 7:
			s.killWithin()
			s.open()
		case 8, 9, 10, 11:
			s.remove(s.rng.Uint64N(12))
		default:
			s.append(1 + s.rng.IntN(4))
		}
	}
	s.close()
}
