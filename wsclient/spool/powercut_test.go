package spool_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/spool"
	"github.com/fieldlink-go/fieldlink/wsclient/spool/internal/cutdisk"
)

var full = flag.Bool("full", false, "run the long versions: 100,000 disks, 10,000 flips, 50 kills")

const logDir = "/disk/log"

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
	disk    *cutdisk.Disk
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

func newStory(seed uint64, opts spool.Options) *story {
	opts.CursorInterval, opts.SyncInterval = 1000*time.Hour, 1000*time.Hour // the test says when
	return &story{
		disk: cutdisk.New(), opts: opts, rng: rand.New(rand.NewPCG(seed, 3)), tried: make(map[uint64][]string),
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
	s.marks = append(s.marks, mark{op: s.disk.Note(), state: s.now.clone()})
}

func (s *story) open() {
	s.session = s.disk.Session()
	s.salt++
	sp, err := spool.OpenOn(s.session, s.salt, logDir, &s.opts)
	s.must(err)
	s.spool = sp
	s.synced() // Open made safe what it found
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
	for _, name := range s.disk.Names() {
		b := s.disk.Contents(name)
		if at := strings.Index(string(b), string(rec.Payload)); at >= 0 && strings.HasSuffix(name, ".seg") {
			s.now.damaged = append(s.now.damaged, rec.Seq)
			s.holds()
			s.disk.Scar(name, int64(at), []byte{b[at] ^ 4})
			return
		}
	}
}

// failSync lets the next sync of appended records fail.
func (s *story) failSync() {
	s.disk.Fail = func(op cutdisk.Op, _ string) error {
		if op.Kind == cutdisk.Sync {
			s.disk.Fail = nil
			return syscall.EIO
		}
		return nil
	}
	s.append(2)
	s.disk.Fail = nil
}

// tell runs the story: creation, appends, rotation, removal, quarantine, failures, kills, damage and repair.
func (s *story) tell(steps int) {
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
			s.session = s.disk.Session()
			s.salt++
			_, err := spool.RepairOn(context.Background(), s.session, s.salt, logDir, nil)
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

// epoch returns the index of what holds before operation op, -1 for nothing.
func (s *story) epoch(op int) int {
	i, found := slices.BinarySearchFunc(s.marks, op, func(m mark, op int) int { return m.op - op })
	if !found {
		i--
	}
	return i
}

// at returns what holds before operation op.
func (s *story) at(op int) state {
	if i := s.epoch(op); i >= 0 {
		return s.marks[i].state
	}
	return state{next: 1}
}

// examine opens the disk as the program would after the cut, and says what is wrong with it.
func (s *story) examine(disk *cutdisk.Disk, st state) error {
	session := disk.Session()
	var reps reports
	opts := s.opts
	opts.OnReport = reps.hook
	sp, err := spool.OpenOn(session, 99, logDir, &opts)
	if err != nil {
		return fmt.Errorf("does not open: %w", err)
	}
	if err := s.compare(sp, st); err != nil {
		_ = sp.Close() // the comparison counts
		return fmt.Errorf("%w; reports %v", err, reps.take())
	}
	seq, err := sp.Append(context.Background(), spool.Entry{Payload: []byte("after")})
	if err != nil || seq < st.next {
		_ = sp.Close() // the append counts
		return fmt.Errorf("append after the cut gave %d (next was %d): %w", seq, st.next, err)
	}
	if err := sp.Close(); err != nil {
		return err
	}
	for _, r := range reps.take() {
		hit := r.Records > 0
		for seq := range lost([]spool.Report{r}, r.Kind) {
			hit = hit && slices.Contains(st.damaged, seq)
		}
		if r.Kind != spool.Torn && !hit {
			return fmt.Errorf("a power cut looks like something else: %v", r)
		}
	}
	sp, err = spool.OpenOn(session, 100, logDir, &s.opts)
	if err != nil {
		return fmt.Errorf("does not open again: %w", err)
	}
	defer sp.Close()
	last := uint64(0)
	for from := uint64(0); ; from = last + 1 {
		recs, err := sp.PeekFrom(from, 1000)
		if err != nil {
			return err
		}
		if len(recs) == 0 {
			break
		}
		last = recs[len(recs)-1].Seq
	}
	if last != seq {
		return fmt.Errorf("opened again, the last record is %d, not %d", last, seq)
	}
	return nil
}

// compare checks the records against what must hold.
func (s *story) compare(sp *spool.Spool, st state) error {
	found := make(map[uint64]bool)
	last := uint64(0)
	for {
		recs, err := sp.PeekFrom(last+1, 1000)
		if err != nil {
			return err
		}
		if len(recs) == 0 {
			break
		}
		for _, r := range recs {
			if r.Seq <= last {
				return fmt.Errorf("record %d behind %d", r.Seq, last)
			}
			last, found[r.Seq] = r.Seq, true
			if want, ok := st.accepted[r.Seq]; ok && want != string(r.Payload) {
				return fmt.Errorf("record %d is another one", r.Seq)
			}
			if !slices.Contains(s.tried[r.Seq], string(r.Payload)) {
				return fmt.Errorf("record %d was invented", r.Seq)
			}
			if r.Seq <= st.removed {
				return fmt.Errorf("record %d was removed", r.Seq)
			}
			if slices.Contains(st.shut, r.Seq) {
				return fmt.Errorf("record %d was quarantined", r.Seq)
			}
		}
	}
	for seq := range st.accepted {
		gone := seq <= st.wanted || slices.Contains(st.poison, seq) || slices.Contains(st.damaged, seq)
		if !found[seq] && !gone {
			return fmt.Errorf("record %d is lost", seq)
		}
	}
	return nil
}

// outcome counts what the replay of stories found.
type outcome struct {
	ops   int // recorded
	disks int // different ones, those of cuts in the opening of another one left out
	looks int // openings that were checked
	bad   []error
}

// replay cuts the story everywhere. Every nested-th disk is cut again while it is opened.
func (s *story) replay(plan *cutdisk.Plan, nested int, limit int) outcome {
	ops := s.disk.Ops()
	out := outcome{ops: len(ops)}
	plan.Epoch = func(before int) int { return s.epoch(before - 1) }
	plan.Cuts(nil, ops, func(d *cutdisk.Disk, before int) bool {
		st := s.at(before - 1)
		out.looks++
		var start *cutdisk.Disk
		if nested > 0 && out.looks%nested == 0 {
			start = d.Clone()
		}
		if err := s.examine(d, st); err != nil {
			out.bad = append(out.bad, fmt.Errorf("cut before operation %d: %w", before, err))
		}
		if start != nil {
			s.replayNested(&out, start, d.Ops(), st)
		}
		return len(out.bad) < limit
	})
	out.disks += plan.Distinct()
	return out
}

// replayNested cuts the opening of a disk that a cut had left.
func (s *story) replayNested(out *outcome, start *cutdisk.Disk, ops []cutdisk.Op, st state) {
	inner := cutdisk.Plan{Random: 1}
	first := slices.IndexFunc(ops, func(op cutdisk.Op) bool {
		return op.Kind == cutdisk.Write && strings.Contains(string(op.Data), "after")
	})
	if first < 0 {
		first = len(ops)
	}
	inner.Cuts(start, ops[:first], func(d *cutdisk.Disk, before int) bool {
		out.looks++
		if err := s.examine(d, st); err != nil {
			out.bad = append(out.bad, fmt.Errorf("cut again before operation %d of opening: %w", before, err))
		}
		return len(out.bad) == 0
	})
}

func TestPowerCut(t *testing.T) {
	t.Parallel()
	steps, seeds, plan, want := 50, uint64(1), cutdisk.Plan{Random: 1}, 2000
	if *full {
		steps, seeds, plan, want = 110, 8, cutdisk.Plan{Random: 1}, 100_000
	}
	var total outcome
	for _, policy := range []spool.SyncPolicy{spool.SyncAlways, spool.SyncEvery, spool.SyncNone} {
		for seed := range seeds {
			s := newStory(seed+1, spool.Options{Sync: policy, SegmentBytes: 4096, QuarantineBytes: 4096})
			s.tell(steps)
			p := plan
			p.Seed = seed
			out := s.replay(&p, 40, 3)
			for _, err := range out.bad {
				t.Errorf("sync %v, seed %d: %v", policy, seed+1, err)
			}
			total.ops += out.ops
			total.disks += out.disks
			total.looks += out.looks
			total.bad = append(total.bad, out.bad...)
			if len(total.bad) > 10 {
				t.FailNow()
			}
		}
	}
	t.Logf("%d operations, %d distinct disks, looked at %d times, %d bad", total.ops, total.disks, total.looks, len(total.bad))
	if total.disks < want {
		t.Errorf("%d disks, want at least %d", total.disks, want)
	}
}

// TestPlantedMissingSync leaves out one sync of the source at a time: each must be found, with every seed.
func TestPlantedMissingSync(t *testing.T) {
	t.Parallel()
	seeds := uint64(1)
	if *full {
		seeds = 10
	}
	sites := make(map[string]bool)
	for _, policy := range []spool.SyncPolicy{spool.SyncAlways, spool.SyncNone} {
		s := newStory(1, spool.Options{Sync: policy, SegmentBytes: 4096, QuarantineBytes: 4096})
		s.tell(300)
		for site := range s.disk.Sites() {
			sites[site] = true
		}
	}
	for i, site := range slices.Sorted(maps.Keys(sites)) {
		if !*full && i%5 != 0 {
			continue
		}
		found := uint64(0)
		for seed := range seeds {
			if missed(site, seed) {
				found++
			}
		}
		t.Logf("without the sync of %-22s found %d times of %d", site, found, seeds)
		if found != seeds {
			t.Errorf("the sync of %s can be left out without being found", site)
		}
	}
}

// missed reports whether the replay finds that the syncs of site are left out.
func missed(site string, seed uint64) bool {
	for try := range uint64(6) {
		for _, policy := range []spool.SyncPolicy{spool.SyncNone, spool.SyncAlways} {
			s := newStory(1000*seed+try+1, spool.Options{Sync: policy, SegmentBytes: 4096, QuarantineBytes: 4096})
			s.disk.SkipSync = func(at string) bool { return at == site }
			s.tell(100)
			if out := s.replay(&cutdisk.Plan{Brief: true}, 0, 1); len(out.bad) > 0 {
				return true
			}
		}
	}
	return false
}
