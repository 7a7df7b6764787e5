package spool_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/cutdisk"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

var full = flag.Bool("full", false, "run the long versions: 100,000 disks, 10,000 flips, 50 kills")

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
	sp, err := spool.OpenOn(session, 99, s.dir, &opts)
	if err != nil {
		return fmt.Errorf("does not open: %w", err)
	}
	if err := s.compare(sp, st); err != nil {
		_ = sp.Close() // the comparison counts
		return fmt.Errorf("%w; reports %v", err, reps.take())
	}
	seq, err := sp.Append(context.Background(), spool.Entry{Payload: []byte("after")})
	if err == nil && seq < st.next {
		err = fmt.Errorf("got number %d, %d were given", seq, st.next-1)
	}
	if err != nil {
		_ = sp.Close() // the append counts
		return fmt.Errorf("append after the cut: %w", err)
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
	sp, err = spool.OpenOn(session, 100, s.dir, &s.opts)
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
	ops   int             // recorded
	disks map[uint64]bool // different ones, those of cuts in the opening of another one left out
	looks int             // openings that were checked
	bad   []error
}

// replay cuts the story, whose operations are ops, everywhere. Every nested-th disk is cut again while it is opened.
func (s *story) replay(ops []cutdisk.Op, plan *cutdisk.Plan, nested int, limit int) outcome {
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
	out.disks = plan.Distinct()
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
	steps, seeds, want := 20, uint64(1), 2000
	if *full {
		steps, seeds, want = 110, 10, 100_000
	}
	traced := false
	if *full {
		reason := noStrace(t)
		if traced = reason == ""; !traced {
			t.Logf("the operations are those that the disk in memory recorded: %s", reason)
		}
	}
	var mu sync.Mutex
	total := outcome{disks: make(map[uint64]bool)}
	t.Run("stories", func(t *testing.T) {
		for _, policy := range []spool.SyncPolicy{spool.SyncAlways, spool.SyncEvery, spool.SyncNone} {
			for n := range seeds {
				seed := 100*uint64(policy) + n + 1
				t.Run(fmt.Sprintf("%v/%d", policy, seed), func(t *testing.T) {
					t.Parallel()
					s, ops := tellInMemory(t, seed, policy, steps)
					if traced {
						recorded := ops
						ops = trace(t, seed, policy, steps)
						sameOps(t, recorded, ops)
					}
					out := s.replay(ops, &cutdisk.Plan{Random: 1, Seed: seed}, 40, 3)
					for _, err := range out.bad {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					total.ops += out.ops
					total.looks += out.looks
					maps.Copy(total.disks, out.disks)
				})
			}
		}
	})
	t.Logf("%d operations, %d distinct disks, looked at %d times", total.ops, len(total.disks), total.looks)
	if len(total.disks) < want {
		t.Errorf("%d disks, want at least %d", len(total.disks), want)
	}
}

// syncSites is from how many places of the source files and directories are synced.
const syncSites = 16

// TestPlantedMissingSync leaves out one sync of the source at a time: each must be found, with every seed.
func TestPlantedMissingSync(t *testing.T) {
	t.Parallel()
	seeds := uint64(1)
	if *full {
		seeds = 10
	}
	sites := make(map[string]bool)
	for _, policy := range []spool.SyncPolicy{spool.SyncAlways, spool.SyncNone} {
		disk := cutdisk.New()
		newStory(disk, logDir, 1, policy).tell(300)
		for site := range disk.Sites() {
			sites[site] = true
		}
	}
	if len(sites) != syncSites {
		t.Errorf("syncs come from %d places, expected %d: %v", len(sites), syncSites, sites)
	}
	for _, site := range slices.Sorted(maps.Keys(sites)) {
		t.Run(site, func(t *testing.T) {
			t.Parallel()
			found, example := uint64(0), error(nil)
			for seed := range seeds {
				if err := missed(site, seed); err != nil {
					found, example = found+1, err
				}
			}
			t.Logf("without the sync of %s: found %d times of %d; %v", site, found, seeds, example)
			if found != seeds {
				t.Error("this sync can be left out without being found")
			}
		})
	}
}

// missed returns what the replay finds wrong when the syncs of site are left out. It looks at the disks that these syncs
// would have ruled out; the others are those of TestPowerCut.
func missed(site string, seed uint64) error {
	for try := range uint64(6) {
		for _, policy := range []spool.SyncPolicy{spool.SyncNone, spool.SyncAlways} {
			disk := cutdisk.New()
			disk.SkipSync = func(at string) bool { return at == site }
			s := newStory(disk, logDir, 1000*seed+try+1, policy)
			s.tell(100)
			if out := s.replay(disk.Ops(), &cutdisk.Plan{Missed: true}, 0, 1); len(out.bad) > 0 {
				return out.bad[0]
			}
		}
	}
	return nil
}
