package spool_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

func TestMain(m *testing.M) {
	if runChild() {
		return
	}
	leak.Main(m)
}

// open opens dir and closes it at the end of the test.
func open(t testing.TB, dir string, opts *spool.Options) *spool.Spool {
	t.Helper()
	s, err := spool.Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// payload is what record id holds: recognizable, and of different lengths.
func payload(id int) []byte {
	return fmt.Appendf(nil, "record %d %s", id, "......................................................................................"[:id*7%86])
}

// fill appends records and returns their payloads by number.
func fill(t testing.TB, s *spool.Spool, n int) map[uint64]string {
	t.Helper()
	want := make(map[uint64]string, n)
	for i := range n {
		seq, err := s.Append(context.Background(), spool.Entry{Payload: payload(i)})
		if err != nil {
			t.Fatal(err)
		}
		want[seq] = string(payload(i))
	}
	return want
}

// all returns what is in the spool.
func all(t testing.TB, s *spool.Spool) []spool.Record {
	t.Helper()
	var recs []spool.Record
	for seq := uint64(0); ; {
		part, err := s.PeekFrom(seq, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(part) == 0 {
			return recs
		}
		recs = append(recs, part...)
		seq = part[len(part)-1].Seq + 1
	}
}

// reports collects what a spool reports.
type reports struct {
	mu   sync.Mutex
	list []spool.Report
}

func (r *reports) hook(rep spool.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, rep)
}

func (r *reports) take() []spool.Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.list = nil }()
	return slices.Clone(r.list)
}

// lost returns the numbers of the reported records, of all kinds given.
func lost(reps []spool.Report, kinds ...spool.ReportKind) map[uint64]bool {
	set := make(map[uint64]bool)
	for _, r := range reps {
		if slices.Contains(kinds, r.Kind) && r.First > 0 {
			for seq := r.First; seq <= r.Last; seq++ {
				set[seq] = true
			}
		}
	}
	return set
}

// identity checks the law of the counts.
func identity(t testing.TB, s *spool.Spool) {
	t.Helper()
	st := s.Stats()
	in := st.Recovered + st.Appended
	out := uint64(st.Records) + st.Removed + st.Dropped + st.Expired + st.Quarantined + st.Damaged
	if in != out {
		t.Errorf("recovered and appended %d, accounted for %d: %+v", in, out, st)
	}
}
