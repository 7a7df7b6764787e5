package spool_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/cutdisk"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// sample is a log that was closed in good order, with several segments, a cursor, and something in quarantine.
type sample struct {
	disk *cutdisk.Disk
	opts spool.Options
	want map[uint64]string
}

func newSample(t *testing.T, n int) sample {
	t.Helper()
	opts := spool.Options{SegmentBytes: 4096, CursorInterval: time.Hour}
	disk := cutdisk.New()
	s, err := spool.OpenOn(disk.Session(), 5, logDir, &opts)
	if err != nil {
		t.Fatal(err)
	}
	want := fill(t, s, n)
	if err := s.Quarantine(40, "poison"); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(30); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(want, func(seq uint64, _ string) bool { return seq <= 30 || seq == 40 })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return sample{disk: disk.Clone(), opts: opts, want: want}
}

// verdict is what became of a damaged log.
type verdict struct {
	lost, told int
	bad        string
}

// judge opens a damaged copy: what is there must be right, what is missing must have been reported.
func (s *sample) judge(t *testing.T, disk *cutdisk.Disk, most int) verdict {
	t.Helper()
	var reps reports
	opts := s.opts
	opts.OnReport = reps.hook
	sp, err := spool.OpenOn(disk.Session(), 6, logDir, &opts)
	if err != nil {
		return verdict{bad: err.Error()}
	}
	defer sp.Close()
	found := make(map[uint64]bool)
	last := uint64(0)
	var v verdict
	for _, r := range all(t, sp) {
		want, ok := s.want[r.Seq]
		switch {
		case r.Seq <= last:
			v.bad = fmt.Sprintf("record %d behind %d", r.Seq, last)
		case ok && want != string(r.Payload):
			v.bad = fmt.Sprintf("record %d is wrong", r.Seq)
		case !ok && string(r.Payload) != string(payload(int(r.Seq)-1)):
			v.bad = fmt.Sprintf("record %d was invented", r.Seq)
		}
		last, found[r.Seq] = r.Seq, true
	}
	list := reps.take()
	told := lost(list, spool.Damaged, spool.Torn)
	again := false
	for _, r := range list {
		again = again || r.Kind == spool.CursorLost || strings.HasPrefix(r.File, "quarantine")
	}
	for seq := range s.want {
		if found[seq] {
			if told[seq] {
				v.bad = fmt.Sprintf("record %d is reported and there", seq)
			}
			continue
		}
		v.lost++
		if told[seq] {
			v.told++
		}
	}
	for seq := range found {
		if _, ok := s.want[seq]; !ok && !again {
			v.bad = fmt.Sprintf("record %d came back without a report", seq)
		}
	}
	if v.bad == "" && v.told != v.lost {
		v.bad = fmt.Sprintf("%d records lost, %d reported: %v", v.lost, v.told, list)
	}
	if v.bad == "" && v.lost > most {
		v.bad = fmt.Sprintf("%d records lost, at most %d were hit", v.lost, most)
	}
	return v
}

// data returns the files that hold something.
func (s *sample) data() []string {
	return slices.DeleteFunc(s.disk.Names(), func(name string) bool { return filepath.Base(name) == "lock" })
}

// TestBitRot flips single bits anywhere in any file.
func TestBitRot(t *testing.T) {
	t.Parallel()
	s := newSample(t, 300)
	flips := 500
	if *full {
		flips = 10_000
	}
	rng := rand.New(rand.NewPCG(1, 1))
	lost := 0
	names := s.data()
	total := 0
	for _, name := range names {
		total += len(s.disk.Contents(name))
	}
	for range flips {
		name, off := s.place(names, rng.IntN(total))
		disk := s.disk.Clone()
		b := disk.Contents(name)
		bit := rng.IntN(8)
		disk.Scar(name, int64(off), []byte{b[off] ^ 1<<bit})
		v := s.judge(t, disk, 1)
		if v.bad != "" {
			t.Errorf("bit %d of byte %d of %s: %s", bit, off, name, v.bad)
		}
		lost += v.lost
	}
	t.Logf("%d flips: %d records lost, each reported; nothing wrong or missing in silence", flips, lost)
}

// place returns the file and the offset of the n-th byte of all.
func (s *sample) place(names []string, n int) (string, int) {
	for _, name := range names {
		size := len(s.disk.Contents(name))
		if n < size {
			return name, n
		}
		n -= size
	}
	return "", 0
}

// TestTruncation cuts files off anywhere.
func TestTruncation(t *testing.T) {
	t.Parallel()
	s := newSample(t, 300)
	cuts := 200
	if *full {
		cuts = 1000
	}
	rng := rand.New(rand.NewPCG(2, 2))
	lost := 0
	names := s.data()
	for range cuts {
		name := names[rng.IntN(len(names))]
		size := rng.IntN(len(s.disk.Contents(name)))
		disk := s.disk.Clone()
		f, err := disk.Session().Edit(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Truncate(int64(size)); err != nil {
			t.Fatal(err)
		}
		v := s.judge(t, disk, len(s.want))
		if v.bad != "" {
			t.Errorf("%s cut to %d bytes: %s", name, size, v.bad)
		}
		lost += v.lost
	}
	t.Logf("%d truncations: %d records lost, each reported", cuts, lost)
}

// QU-25: each single trouble of a directory.
func TestDamagedDirectory_QU25(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		damage func(disk *cutdisk.Disk, names []string)
		lost   []uint64
		kind   spool.ReportKind
	}{
		{"torn tail", func(d *cutdisk.Disk, names []string) {
			name := names[len(names)-1]
			d.Scar(name, int64(len(d.Contents(name))), []byte("half a record"))
		}, nil, spool.Torn},
		{"flipped bit in the middle", func(d *cutdisk.Disk, names []string) {
			name, off := find(d, names, payload(99))
			d.Scar(name, int64(off), []byte("R"))
		}, []uint64{100}, spool.Damaged},
		{"flipped bit in a length", func(d *cutdisk.Disk, names []string) {
			name, off := find(d, names, payload(149))
			d.Scar(name, int64(off)-20, []byte{0xff, 0x0f})
		}, []uint64{150}, spool.Damaged},
		{"last record", func(d *cutdisk.Disk, names []string) {
			name, off := find(d, names, payload(299))
			d.Scar(name, int64(off), []byte("R"))
		}, []uint64{300}, spool.Damaged},
		{"damaged cursor", func(d *cutdisk.Disk, _ []string) {
			d.Scar(logDir+"/cursor", 9, []byte{77})
		}, nil, spool.CursorLost},
		{"missing cursor", func(d *cutdisk.Disk, _ []string) {
			if err := d.Session().Remove(logDir + "/cursor"); err != nil {
				t.Error(err)
			}
		}, nil, spool.CursorLost},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSample(t, 300)
			disk := s.disk.Clone()
			c.damage(disk, segments(disk))
			var reps reports
			opts := s.opts
			opts.OnReport = reps.hook
			sp, err := spool.OpenOn(disk.Session(), 7, logDir, &opts)
			if err != nil {
				t.Fatal(err)
			}
			defer sp.Close()
			last, n := uint64(0), 0
			for _, r := range all(t, sp) {
				if r.Seq <= last || string(r.Payload) != string(payload(int(r.Seq)-1)) {
					t.Fatalf("record %d %q behind %d", r.Seq, r.Payload, last)
				}
				if last = r.Seq; s.want[r.Seq] != "" {
					n++
				}
			}
			if n != len(s.want)-len(c.lost) {
				t.Errorf("%d records, want %d", n, len(s.want)-len(c.lost))
			}
			got := reps.take()
			if len(got) != 1 || got[0].Kind != c.kind {
				t.Fatalf("reports %v", got)
			}
			for _, seq := range c.lost {
				if got[0].First != seq || got[0].Last != seq || got[0].Records != 1 {
					t.Errorf("report %v", got[0])
				}
			}
			identity(t, sp)
			all(t, sp)
			if more := reps.take(); len(more) != 0 {
				t.Errorf("reported again: %v", more)
			}
		})
	}
}

func segments(disk *cutdisk.Disk) []string {
	return slices.DeleteFunc(disk.Names(), func(name string) bool { return !strings.HasSuffix(name, ".seg") })
}

// find returns the segment that holds b, and where.
func find(disk *cutdisk.Disk, names []string, b []byte) (string, int) {
	for _, name := range names {
		if at := strings.Index(string(disk.Contents(name)), string(b)); at >= 0 {
			return name, at
		}
	}
	panic("not found: " + string(b))
}
