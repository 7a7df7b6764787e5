package spool_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/cutdisk"
	"github.com/fieldlink-go/fieldlink/internal/strace"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
	"github.com/fieldlink-go/fieldlink/wsclient/spool/internal/vfs"
)

// storyEnv names the variable with the seed, the policy and the steps of the story that TestFaithfulDisk tells on the
// real disk, in a process of its own that is traced.
const storyEnv = "SPOOL_TEST_STORY"

// TestFaithfulDisk tells stories on the disk in memory and, traced, on the one of the operating system: the operations
// are the same, byte for byte. So what is shown with the disk in memory is shown of the store on a real one.
func TestFaithfulDisk(t *testing.T) {
	if text := os.Getenv(storyEnv); text != "" {
		tellOnDisk(t, text)
		return
	}
	t.Parallel()
	if reason := noStrace(t); reason != "" {
		t.Skip(reason)
	}
	for _, policy := range []spool.SyncPolicy{spool.SyncAlways, spool.SyncNone} {
		t.Run(policy.String(), func(t *testing.T) {
			t.Parallel()
			const seed, steps = 2, 100
			_, ops := tellInMemory(t, seed, policy, steps)
			kinds := make(map[cutdisk.Kind]bool)
			for _, op := range ops {
				kinds[op.Kind] = true
			}
			if len(kinds) < int(cutdisk.Note)-int(cutdisk.Mkdir) { // Missed is none of them
				t.Errorf("the story is too dull: kinds %v", kinds)
			}
			sameOps(t, ops, trace(t, seed, policy, steps))
		})
	}
}

// sameOps compares the operations of the disk in memory with those of the system.
func sameOps(t *testing.T, recorded, traced []cutdisk.Op) {
	t.Helper()
	for i := range min(len(recorded), len(traced)) {
		if d := cmp.Diff(recorded[i], traced[i]); d != "" {
			t.Fatalf("operation %d, -recorded +traced:\n%s", i, d)
		}
	}
	if len(recorded) != len(traced) {
		t.Fatalf("%d operations recorded, %d traced", len(recorded), len(traced))
	}
}

// tellInMemory tells a story in the time of a bubble, so that the stamps are the same each time.
func tellInMemory(t *testing.T, seed uint64, policy spool.SyncPolicy, steps int) (*story, []cutdisk.Op) {
	t.Helper()
	disk := cutdisk.New()
	s := newStory(disk, logDir, seed, policy)
	synctest.Test(t, func(*testing.T) { s.tell(steps) })
	return s, disk.Ops()
}

// tellOnDisk tells a story in the directory that the process is in.
func tellOnDisk(t *testing.T, text string) {
	var seed uint64
	var policy, steps int
	if _, err := fmt.Sscan(text, &seed, &policy, &steps); err != nil {
		t.Fatal(err)
	}
	notes, err := os.Create(strace.Notes)
	if err != nil {
		t.Fatal(err)
	}
	defer notes.Close()
	dir := strings.TrimPrefix(logDir, cutdisk.Root)
	s := newStory(&directory{dir: dir, notes: notes}, dir, seed, spool.SyncPolicy(policy))
	synctest.Test(t, func(*testing.T) { s.tell(steps) })
}

// trace tells a story in a process under strace and returns what it did to its files.
func trace(t *testing.T, seed uint64, policy spool.SyncPolicy, steps int) []cutdisk.Op {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	root, out := t.TempDir(), filepath.Join(t.TempDir(), "trace")
	cmd := exec.CommandContext(t.Context(), "strace", append(strace.Flags(out), exe, "-test.run=^TestFaithfulDisk$")...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d %d", storyEnv, seed, policy, steps))
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ops, err := strace.Ops(f)
	if err != nil {
		t.Fatal(err)
	}
	return heed(ops)
}

// The notes of a traced process.
const (
	noteMark = "mark"
	noteScar = "scar" // the next write is not the program's
)

// heed takes the notes for what they say.
func heed(ops []cutdisk.Op) []cutdisk.Op {
	for i, op := range ops {
		if op.Kind == cutdisk.Note && string(op.Data) == noteScar && i+1 < len(ops) && ops[i+1].Kind == cutdisk.Write {
			ops[i+1].Kind = cutdisk.Scar
		}
	}
	ops = slices.DeleteFunc(ops, func(op cutdisk.Op) bool {
		return op.Kind == cutdisk.Note && string(op.Data) == noteScar
	})
	for i := range ops {
		if ops[i].Kind == cutdisk.Note {
			ops[i].Data = nil
		}
	}
	return ops
}

// noStrace says why processes cannot be traced here, "" if they can.
var noStrace = func() func(t *testing.T) string {
	var once sync.Once
	var reason string
	return func(t *testing.T) string {
		once.Do(func() {
			out, err := exec.CommandContext(t.Context(), "strace", "-f", "-e", "trace=none", "true").CombinedOutput()
			switch {
			case errors.Is(err, exec.ErrNotFound):
				reason = "strace is not installed"
			case err != nil:
				reason = fmt.Sprintf("strace does not work here: %v: %s", err, bytes.TrimSpace(out))
			}
		})
		return reason
	}
}()

// directory is a world on the disk of the operating system. What it does itself it says in its notes.
type directory struct {
	dir   string
	notes *os.File
}

func (d *directory) Session() *cutdisk.Session { return cutdisk.NewSession(vfs.OS{}) }

func (d *directory) note(text string) {
	if _, err := d.notes.WriteString(text); err != nil {
		panic(err)
	}
}

func (d *directory) Note() int {
	d.note(noteMark)
	return 0 // the operations are counted by who reads the trace
}

func (d *directory) Names() []string {
	names, err := vfs.OS{}.List(d.dir)
	if err != nil {
		panic(err)
	}
	for i := range names {
		names[i] = filepath.Join(d.dir, names[i])
	}
	return names
}

func (d *directory) Contents(name string) []byte {
	b, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return b
}

func (d *directory) Scar(name string, off int64, data []byte) {
	f, err := vfs.OS{}.Edit(name)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	d.note(noteScar)
	if _, err := f.WriteAt(data, off); err != nil {
		panic(err)
	}
}
