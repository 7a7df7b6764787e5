package diskstore_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/cutdisk"
	"github.com/fieldlink-go/fieldlink/internal/strace"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/diskstore"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

var full = flag.Bool("full", false, "run the long versions: 100,000 disks, 10,000 flips")

// trace lets a device live several lives in a directory, each in a process under strace, and returns what it did to its
// files, with its notes.
func trace(t *testing.T, seed uint64, lives, steps int) []cutdisk.Op {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	root, traces := scratch(t), t.TempDir()
	var readers []io.Reader
	for i := range lives {
		text, err := json.Marshal(life{Seed: seed, Number: i + 1, Steps: steps, Last: i == lives-1})
		must(t, err)
		out := filepath.Join(traces, fmt.Sprint(i))
		cmd := exec.CommandContext(t.Context(), "strace", append(strace.Flags(out), exe, "-test.run=^$")...)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), lifeEnv+"="+string(text), "GOMAXPROCS=1")
		said, err := cmd.CombinedOutput()
		if len(said) > 0 {
			t.Fatalf("life %d: %v: %s", i+1, err, said)
		}
		b, err := os.ReadFile(out)
		must(t, err)
		readers = append(readers, bytes.NewReader(b))
	}
	ops, err := strace.Ops(readers...)
	must(t, err)
	return ops
}

// scratch returns a directory in memory, if the system has such, since what is tested is what a disk keeps and not the disk.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "diskstore-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// noStrace says why processes cannot be traced here, "" if they can.
func noStrace(t *testing.T) string {
	out, err := exec.CommandContext(t.Context(), "strace", "-f", "-e", "trace=none", "true").CombinedOutput()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "strace is not installed"
	case err != nil:
		return fmt.Sprintf("strace does not work here: %v: %s", err, bytes.TrimSpace(out))
	}
	return ""
}

// TestPowerCut: a device lives several lives, some of which end by a kill. Its file operations, bbolt's among them, are
// traced and replayed into the disks that a power cut could leave at any moment. Each of them opens; everything that was
// accepted is in it once; nothing is in it that was not tried; and all changes of one call are there or none.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	if reason := noStrace(t); reason != "" {
		t.Skip(reason)
	}
	tellers, lives, steps, random, want := 1, 2, 4, 0, 200
	if *full {
		tellers, lives, steps, random, want = runtime.GOMAXPROCS(0), 4, 15, 2, 100_000
	}
	var mu sync.Mutex
	var seed uint64
	disks, looks, operations := make(map[uint64]bool), 0, 0
	next := func() (uint64, bool) { // the seed of another story, while there are not enough disks
		mu.Lock()
		defer mu.Unlock()
		seed++
		return seed, len(disks) < want && !t.Failed()
	}
	tell := func(t *testing.T, seed uint64) {
		ops := trace(t, seed, lives, steps)
		plan := cutdisk.Plan{Random: random, Seed: seed, Epoch: epochs(ops)}
		r := replay{dir: scratch(t)}
		plan.Cuts(nil, ops, func(d *cutdisk.Disk, before int) bool {
			r.read(ops[:before])
			if err := r.examine(d); err != nil {
				t.Errorf("story %d, cut before operation %d of %d: %v", seed, before, len(ops), err)
			}
			return r.failures < 3
		})
		mu.Lock()
		defer mu.Unlock()
		maps.Copy(disks, plan.Distinct())
		looks += r.looks
		operations += len(ops)
		t.Logf("story %d: %d operations, %d disks, %d in all", seed, len(ops), len(plan.Distinct()), len(disks))
	}
	t.Run("tellers", func(t *testing.T) {
		for i := range tellers {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for seed, more := next(); more; seed, more = next() {
					tell(t, seed)
				}
			})
		}
	})
	t.Logf("%d operations, %d distinct disks, looked at %d times", operations, len(disks), looks)
	if len(disks) < want {
		t.Errorf("%d disks, want at least %d", len(disks), want)
	}
}

// epochs returns what counts the promises before an operation.
func epochs(ops []cutdisk.Op) func(before int) int {
	count := make([]int, len(ops)+1)
	for i, op := range ops {
		count[i+1] = count[i]
		if op.Kind == cutdisk.Note && promise(parse(op)) {
			count[i+1]++
		}
	}
	return func(before int) int { return count[before] }
}

func promise(n note) bool { return n.Do == "ok" || n.Do == "removed" }

func parse(op cutdisk.Op) (n note) {
	if err := json.Unmarshal(op.Data, &n); err != nil {
		panic(err) // the test wrote it
	}
	return n
}

// queue is what is known of a log.
type queue struct {
	tried   []int // numbers, in their order
	ok      map[int]bool
	asked   int // removal was asked for up to there
	removed int // and is safe up to there
}

// replay follows the notes of a story, and looks at the disks.
type replay struct {
	dir      string
	ops      int // that were read
	queues   map[string]*queue
	values   map[string]map[string][]string // by area and key: the value that was accepted last, and those tried since
	looks    int
	failures int
}

// read takes the notes among the operations that were not read yet.
func (r *replay) read(ops []cutdisk.Op) {
	if r.queues == nil {
		r.queues = map[string]*queue{}
		for _, area := range []string{"trend", "permanent", "writes", "events", "state"} {
			r.queues[area] = &queue{ok: make(map[int]bool)}
		}
		r.values = map[string]map[string][]string{"journal": {}, "keyed": {}, "blobs": {}}
	}
	for ; r.ops < len(ops); r.ops++ {
		if ops[r.ops].Kind == cutdisk.Note {
			r.note(parse(ops[r.ops]))
		}
	}
}

func (r *replay) note(n note) {
	for key, text := range n.Set {
		known, seen := r.values[n.Area][key]
		if !seen {
			known = []string{""}
		}
		if n.Do == "ok" {
			known = nil
		}
		r.values[n.Area][key] = append(known, text)
	}
	q := r.queues[n.Area]
	switch {
	case q == nil:
	case n.Do == "remove":
		q.asked = n.ID
	case n.Do == "removed":
		q.removed = n.ID
	default:
		for id := n.ID; id < n.ID+n.N; id++ {
			if n.Do == "try" {
				q.tried = append(q.tried, id)
			} else {
				q.ok[id] = true
			}
		}
	}
}

// examine opens the store that is on the disk, and says what is wrong with it.
func (r *replay) examine(d *cutdisk.Disk) (err error) {
	r.looks++
	defer func() {
		if err != nil {
			r.failures++
		}
	}()
	root := filepath.Join(r.dir, fmt.Sprint(r.looks))
	if err := d.Export(root); err != nil {
		return err
	}
	defer os.RemoveAll(root)
	if err := r.look(filepath.Join(root, deviceDir), r.looks); err != nil {
		return err
	}
	if r.looks%10 == 0 { // what the first look made of it is sound as well
		return r.look(filepath.Join(root, deviceDir), 0)
	}
	return nil
}

func (r *replay) look(dir string, round int) (err error) {
	var reps reports
	s, err := diskstore.Open(dir, &diskstore.Options{OnReport: reps.hook})
	if err != nil {
		return fmt.Errorf("does not open: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for area, l := range map[string]store.Log{
		"trend": s.Trend, "permanent": s.Permanent, "writes": s.Writes, "events": s.Events, "state": s.State,
	} {
		if err := r.queues[area].check(area, l); err != nil {
			return err
		}
	}
	if err := r.checkAll(s); err != nil {
		return err
	}
	for _, rep := range reps.take() {
		if rep.Kind != spool.Torn || round == 0 {
			return fmt.Errorf("a power cut looks like something else: %v", rep)
		}
	}
	return nil
}

// checkAll checks what is stored under keys.
func (r *replay) checkAll(s *store.Store) error {
	found := map[string]map[string]string{"journal": {}, "keyed": {}, "blobs": {}}
	table, err := store.OpenTable(s.Journal, nil)
	if err != nil {
		return err
	}
	for key, value := range table.All() {
		found["journal"][key] = string(value)
	}
	if err := s.Keyed.Each("area", func(key string, value []byte) error {
		found["keyed"][key] = string(value)
		return nil
	}); err != nil {
		return err
	}
	for blob := range s.Blobs.All() {
		_, content, err := s.Blobs.Open(blob.Key)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(content)
		if err := errors.Join(err, content.Close()); err != nil {
			return err
		}
		if int64(len(text)) != blob.Version {
			return fmt.Errorf("blob %s has version %d and %d bytes", blob.Key, blob.Version, len(text))
		}
		found["blobs"][blob.Key] = string(text)
	}
	for area, values := range r.values {
		if x, y := found[area]["x"], found[area]["y"]; x != y {
			return fmt.Errorf("%s: half a change: %.30q and %.30q", area, x, y)
		}
		for key, allowed := range values {
			if got := found[area][key]; !slices.Contains(allowed, got) {
				return fmt.Errorf("%s: %s is %.30q, not one of %.30q", area, key, got, allowed)
			}
			delete(found[area], key)
		}
	}
	for area, rest := range found {
		if len(rest) > 0 {
			return fmt.Errorf("%s: invented %v", area, slices.Collect(maps.Keys(rest)))
		}
	}
	return nil
}

// check compares a log with what is known of it.
func (q *queue) check(area string, l store.Log) error {
	found := make(map[int]bool)
	last := 0
	list, err := payloads(l)
	if err != nil {
		return err
	}
	for _, text := range list {
		id := idOf(text)
		switch {
		case text != record(area, id) || !slices.Contains(q.tried, id):
			return fmt.Errorf("%s: record %d was invented", area, id)
		case id <= last:
			return fmt.Errorf("%s: record %d behind %d", area, id, last)
		case id <= q.removed:
			return fmt.Errorf("%s: record %d was removed", area, id)
		}
		last, found[id] = id, true
	}
	for id := range q.ok {
		if !found[id] && id > q.asked {
			return fmt.Errorf("%s: record %d is lost", area, id)
		}
	}
	return nil
}
