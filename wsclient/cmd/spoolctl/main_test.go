package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

func TestMain(m *testing.M) { leak.Main(m) }

// build makes a log of n records in several segments, some of them removed, and returns those that are left.
func build(t *testing.T, dir string, n int) map[uint64]string {
	t.Helper()
	s, err := spool.Open(dir, &spool.Options{SegmentBytes: 4096, Sync: spool.SyncNone})
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[uint64]string)
	for i := range n {
		text := fmt.Sprintf("record %d %s", i, strings.Repeat("y", i%90))
		seq, err := s.Append(t.Context(), spool.Entry{Payload: []byte(text)})
		if err != nil {
			t.Fatal(err)
		}
		want[seq] = text
	}
	const removed = 20
	if err := s.Remove(removed); err != nil {
		t.Fatal(err)
	}
	for seq := range uint64(removed) {
		delete(want, seq+1)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return want
}

// command runs spoolctl and returns its exit status and output.
func command(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code := run(t.Context(), args, &out, &out)
	return code, out.String()
}

// left returns the records that a dump finds.
func left(t *testing.T, dir string) map[uint64]string {
	t.Helper()
	got := make(map[uint64]string)
	for rec, err := range spool.Dump(t.Context(), dir) {
		if err != nil {
			t.Fatal(err)
		}
		got[rec.Seq] = string(rec.Payload)
	}
	return got
}

func TestVerifyAndDump(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := build(t, dir, 200)
	if code, out := command(t, "verify", dir); code != exitSound || !strings.Contains(out, "180 records from 21 to 200") {
		t.Errorf("%d %s", code, out)
	}
	if d := cmp.Diff(want, left(t, dir)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	code, out := command(t, "dump", dir)
	if lines := strings.Count(out, "\n"); code != exitSound || lines != 180 || !strings.Contains(out, `"seq":21,`) {
		t.Errorf("%d, %d lines", code, lines)
	}
	if code, out := command(t, "dump", "-payload=false", dir); code != exitSound || strings.Contains(out, "payload") {
		t.Errorf("%d %.100s", code, out)
	}
}

func TestLiveDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	build(t, dir, 200)
	s, err := spool.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			seq, err := s.Append(t.Context(), spool.Entry{Payload: make([]byte, 500)})
			if err == nil {
				err = s.Remove(seq - 100)
			}
			if err != nil {
				done <- err
				return
			}
		}
	}()
	for range 50 {
		if code, out := command(t, "verify", dir); code != exitSound {
			t.Errorf("%d %s", code, out)
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if code, out := command(t, "repair", dir); code != exitFailed || !strings.Contains(out, "open already") {
		t.Errorf("repair of a log in use: %d %s", code, out)
	}
}

func TestWrongUse(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	for _, args := range [][]string{
		nil, {"verify"}, {"shrink", "x"}, {"verify", "-x", "y"}, {"verify", missing}, {"dump", missing}, {"repair", missing},
	} {
		if code, out := command(t, args...); code != exitFailed || out == "" {
			t.Errorf("%v: %d %s", args, code, out)
		}
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("made a directory")
	}
}

// TestRepair damages logs in many ways and repairs them: every record that is intact stays, and the log is sound then.
func TestRepair(t *testing.T) {
	t.Parallel()
	source := t.TempDir()
	want := build(t, source, 150)
	dir := filepath.Join(t.TempDir(), "log")
	frames := framesOf(t, source, want)
	rng := rand.New(rand.NewPCG(4, 4))
	rounds := 1000
	if testing.Short() {
		rounds = 50
	}
	total, kept := 0, 0
	for round := range rounds {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
			t.Fatal(err)
		}
		what := damage(t, dir, rng)
		whole := intact(t, dir, frames)
		code, out := command(t, "repair", dir)
		if code != exitSound {
			t.Fatalf("round %d, %s: %d %s", round, what, code, out)
		}
		if code, out := command(t, "verify", dir); code != exitSound {
			t.Fatalf("round %d, %s: %d %s", round, what, code, out)
		}
		got := left(t, dir)
		for _, seq := range whole {
			if got[seq] != want[seq] {
				t.Fatalf("round %d, %s: record %d, which was intact, is %q", round, what, seq, got[seq])
			}
		}
		for seq, text := range got {
			if seq <= 20 {
				continue // removed; it is back because the cursor was lost
			}
			if want[seq] != text {
				t.Fatalf("round %d, %s: record %d is %q", round, what, seq, text)
			}
			kept++
		}
		total += len(want)
	}
	t.Logf("%d directories repaired, %d of %d records kept, every intact one among them", rounds, kept, total)
}

// damage does one to three things to dir and says what.
func damage(t *testing.T, dir string, rng *rand.Rand) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	const header = 544
	what := ""
	for range 1 + rng.IntN(3) {
		name := files[rng.IntN(len(files))]
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) <= header {
			continue
		}
		at := header + rng.IntN(len(b)-header)
		switch rng.IntN(6) {
		case 0:
			b[at] ^= 1 << rng.IntN(8)
			what += fmt.Sprintf("flip at %d of %s; ", at, name)
		case 1:
			clear(b[at:min(at+512, len(b))])
			what += fmt.Sprintf("zeros at %d of %s; ", at, name)
		case 2:
			b = b[:at]
			what += fmt.Sprintf("%s cut at %d; ", name, at)
		case 3:
			b = append(b, make([]byte, rng.IntN(1000))...)
			what += fmt.Sprintf("zeros behind %s; ", name)
		case 4:
			b[rng.IntN(32)] ^= 1 << rng.IntN(8)
			what += fmt.Sprintf("header of %s; ", name)
		default:
			if err := os.WriteFile(filepath.Join(dir, "cursor"), []byte("no cursor"), 0o600); err != nil {
				t.Fatal(err)
			}
			what += "cursor; "
			continue
		}
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return what
}

// framesOf returns the bytes of the frame of each record: 24 bytes of head and the payload.
func framesOf(t *testing.T, dir string, want map[uint64]string) map[uint64][]byte {
	t.Helper()
	const head = 24
	b := contents(t, dir)
	frames := make(map[uint64][]byte)
	for seq, text := range want {
		at := bytes.Index(b, []byte(text))
		frames[seq] = b[at-head : at+len(text)]
	}
	return frames
}

// intact returns the numbers of the records whose frames are whole in dir.
func intact(t *testing.T, dir string, frames map[uint64][]byte) []uint64 {
	t.Helper()
	b := contents(t, dir)
	var list []uint64
	for seq, frame := range frames {
		if bytes.Contains(b, frame) {
			list = append(list, seq)
		}
	}
	return list
}

// contents returns what is in all segments of dir.
func contents(t *testing.T, dir string) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}
