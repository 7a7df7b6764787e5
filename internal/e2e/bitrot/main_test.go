package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/leak"
)

func TestMain(m *testing.M) {
	if store, ok := childStore(); ok {
		judgeAll(store, os.Stdin, os.Stdout)
		return
	}
	leak.Main(m)
}

// TestCompare: spool and boltstore come through, and what ends the process of bbolt is counted and not ours.
func TestCompare(t *testing.T) {
	t.Parallel()
	for _, d := range []damage{{"single-bit flips", 60, flip}, {"truncations", 30, cut}} {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			tallies, err := compare(d, 1)
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			printTable(&text, d, tallies)
			t.Log(text.String())
			for name, tally := range tallies {
				sum := 0
				for _, n := range tally.verdicts {
					sum += n
				}
				if sum != d.n {
					t.Errorf("%s: %d verdicts on %d damages", name, sum, d.n)
				}
			}
			for _, ours := range []string{"spool", "boltstore"} {
				if !tallies[ours].clean() || tallies[ours].verdicts[reported] == 0 {
					t.Errorf("%s: %+v", ours, tallies[ours])
				}
			}
			if tallies["bbolt"].clean() {
				t.Error("bbolt is not known to come through")
			}
		})
	}
}

// TestSound: what is not damaged is harmless, and a copy is as good.
func TestSound(t *testing.T) {
	t.Parallel()
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := s.fill(dir); err != nil {
				t.Fatal(err)
			}
			files, err := load(dir)
			if err != nil {
				t.Fatal(err)
			}
			spare := filepath.Join(t.TempDir(), "copy")
			whole := spot{kind: "cut", at: len(files[0].data)}
			if err := write(spare, files, whole); err != nil {
				t.Fatal(err)
			}
			for _, dir := range []string{dir, spare} {
				if v, lost := s.judge(dir); v != harmless || lost != 0 {
					t.Errorf("%s, %d records lost", columns[v], lost)
				}
			}
		})
	}
}

// TestVerdict weighs up what a store may give.
func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(f *found)
		want verdict
		lost int
	}{
		{"all there", func(*found) {}, harmless, 0},
		{"one reported", func(f *found) { delete(f.seen, 100); f.told[100] = true }, reported, 1},
		{"another one reported", func(f *found) { delete(f.seen, 100); f.told[101] = true }, gone, 1},
		{"missing", func(f *found) { delete(f.seen, 100) }, gone, 1},
		{"missing with an error", func(f *found) { delete(f.seen, 100); f.failed = true }, reported, 1},
		{"changed", func(f *found) { delete(f.seen, 100); f.record(100, "x") }, wrong, 1},
		{"invented", func(f *found) { f.record(records+1, payload(records+1)) }, wrong, 0},
		{"twice", func(f *found) { f.record(100, payload(100)) }, wrong, 0},
		{"come again", func(f *found) { f.record(1, payload(1)) }, wrong, 0},
		{"come again with a report", func(f *found) { f.record(1, payload(1)); f.excused = true }, reported, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFound()
			for id := removed + 1; id <= records; id++ {
				f.record(id, payload(id))
			}
			c.do(f)
			v, lost := f.verdict()
			if d := cmp.Diff([]any{columns[c.want], c.lost}, []any{columns[v], lost}); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}
