package spool_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// childDir names the variable that makes the test binary a program that appends to the directory in it until it is
// killed, and says after each append which numbers were accepted.
const childDir = "SPOOL_TEST_CHILD_DIR"

// runChild runs the part of a test that is a process of its own. It reports whether this is one.
func runChild() bool {
	dir := os.Getenv(childDir)
	if dir == "" {
		return false
	}
	if err := appendForEver(dir); err != nil {
		fmt.Println("failed", err)
	}
	return true
}

func appendForEver(dir string) error {
	s, err := spool.Open(dir, &spool.Options{SegmentBytes: 16 << 10})
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	fail := make(chan error, 4)
	for range 4 {
		wg.Go(func() {
			for {
				n := 1 + rand.IntN(20)
				batch := make([]spool.Entry, n)
				for i := range batch {
					batch[i].Payload = fmt.Appendf(nil, "%d of %d %s", i, n, strings.Repeat("z", rand.IntN(100)))
				}
				first, err := s.AppendBatch(context.Background(), batch)
				if err != nil {
					fail <- err
					return
				}
				var b strings.Builder
				for i, e := range batch {
					fmt.Fprintf(&b, "%d %s\n", first+uint64(i), e.Payload)
				}
				if _, err := os.Stdout.WriteString(b.String()); err != nil {
					fail <- err // nobody listens any more
					return
				}
			}
		})
	}
	wg.Wait()
	return <-fail
}

// QU-24: a process is killed at random moments; every append that it was told of is there, in order, and nothing else
// but what it was about to be told of.
func TestKill9_QU24(t *testing.T) {
	t.Parallel()
	rounds := 3
	if *full {
		rounds = 50
	}
	dir := t.TempDir()
	accepted := make(map[uint64]string)
	removed, extra := uint64(0), 0
	for round := range rounds {
		runAndKill(t, dir, accepted, 500+rand.IntN(3000))
		s := open(t, dir, nil)
		last, found := removed, 0
		for _, r := range all(t, s) {
			if r.Seq != last+1 {
				t.Fatalf("round %d: record %d behind %d", round, r.Seq, last)
			}
			last = r.Seq
			want, ok := accepted[r.Seq]
			switch {
			case !ok:
				extra++
				accepted[r.Seq] = string(r.Payload)
			case want != string(r.Payload):
				t.Fatalf("round %d: record %d is %q, accepted was %q", round, r.Seq, r.Payload, want)
			}
			found++
		}
		if want := len(accepted) - int(removed); found != want {
			t.Fatalf("round %d: %d records of %d", round, found, want)
		}
		if st := s.Stats(); st.Damaged != 0 {
			t.Fatalf("round %d: %+v", round, st)
		}
		if removed = last / 2; removed > 0 {
			if err := s.Remove(removed); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills, %d records accepted, none lost; %d more had been written and not yet acknowledged",
		rounds, len(accepted)-extra, extra)
}

// runAndKill runs the child until it has said so many lines, kills it, and adds what it said to accepted.
func runAndKill(t *testing.T, dir string, accepted map[uint64]string, lines int) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^$")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	scan := bufio.NewScanner(out)
	for n := 0; scan.Scan(); n++ {
		var seq uint64
		line := scan.Text()
		if _, err := fmt.Sscan(line, &seq); err != nil {
			t.Errorf("the child says %q", line)
			break
		}
		_, text, _ := strings.Cut(line, " ")
		accepted[seq] = text
		if n == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	_ = cmd.Process.Kill() // if it was not yet
	_ = cmd.Wait()         // killed
}
