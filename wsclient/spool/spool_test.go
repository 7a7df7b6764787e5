package spool_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

func TestAppendPeekRemove(t *testing.T) {
	t.Parallel()
	for _, policy := range []spool.SyncPolicy{spool.SyncAlways, spool.SyncEvery, spool.SyncNone} {
		t.Run(policy.String(), func(t *testing.T) {
			t.Parallel()
			opts := &spool.Options{Sync: policy, SegmentBytes: 4096}
			dir := t.TempDir()
			s := open(t, dir, opts)
			at := time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC)
			if seq, err := s.Append(t.Context(), spool.Entry{Payload: []byte("one"), Tag: 7, Time: at}); seq != 1 || err != nil {
				t.Fatal(seq, err)
			}
			first, err := s.AppendBatch(t.Context(), []spool.Entry{{Payload: []byte("two")}, {}, {Payload: make([]byte, 9000)}})
			if first != 2 || err != nil {
				t.Fatal(first, err)
			}
			recs := all(t, s)
			if len(recs) != 4 || string(recs[0].Payload) != "one" || recs[0].Tag != 7 || !recs[0].Time.Equal(at) {
				t.Fatalf("records %v", recs)
			}
			if len(recs[2].Payload) != 0 || len(recs[3].Payload) != 9000 {
				t.Fatalf("records %v", recs)
			}
			if err := s.Remove(2); err != nil {
				t.Fatal(err)
			}
			if s.Len() != 2 || s.Bytes() != 9048 {
				t.Errorf("%d records, %d bytes", s.Len(), s.Bytes())
			}
			identity(t, s)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir, opts)
			if again := all(t, s); len(again) != 2 || again[0].Seq != 3 || s.Bytes() != 9048 {
				t.Errorf("after opening again %v, %d bytes", again, s.Bytes())
			}
			identity(t, s)
		})
	}
}

func TestSegmentsComeAndGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, &spool.Options{SegmentBytes: 4096, Sync: spool.SyncNone})
	want := fill(t, s, 1000)
	if n := s.Stats().Segments; n < 10 {
		t.Errorf("%d segments", n)
	}
	for seq := uint64(1); seq <= 1000; seq += 37 {
		for _, r := range all(t, s) {
			if want[r.Seq] != string(r.Payload) {
				t.Fatalf("record %d is %q", r.Seq, r.Payload)
			}
		}
		if err := s.Remove(seq); err != nil {
			t.Fatal(err)
		}
		if s.Len() != int64(1000-seq) {
			t.Errorf("after removing %d: %d records", seq, s.Len())
		}
	}
	if err := s.Remove(1000); err != nil {
		t.Fatal(err)
	}
	if s.Len() != 0 || s.Bytes() != 0 || s.Stats().Segments != 1 {
		t.Errorf("empty: %d records, %d bytes, %d segments", s.Len(), s.Bytes(), s.Stats().Segments)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil || len(files) != 1 {
		t.Errorf("files %v, %v", files, err)
	}
	identity(t, s)
}

// QU-26: order is that of the numbers, whatever the clock says.
func TestOrderWithinOneMillisecond_QU26(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), &spool.Options{Sync: spool.SyncEvery})
	at := time.Now()
	const n = 100_000
	for i := 0; i < n; i += 1000 {
		batch := make([]spool.Entry, 1000)
		for j := range batch {
			batch[j] = spool.Entry{Payload: payload(i + j), Time: at}
		}
		if _, err := s.AppendBatch(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	next := uint64(1)
	for rec, err := range s.Records(t.Context(), 0) {
		if err != nil || rec.Seq != next || string(rec.Payload) != string(payload(int(next)-1)) {
			t.Fatalf("record %d %q, %v; want %d", rec.Seq, rec.Payload, err, next)
		}
		if next++; next > n {
			break
		}
	}
}

func TestConcurrentAppendsShareSyncs(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), &spool.Options{SegmentBytes: 64 << 10})
	const writers, each = 16, 200
	seqs := make([][]uint64, writers)
	read := make(chan error, 1)
	go func() {
		next := uint64(1)
		for rec, err := range s.Records(context.Background(), 0) {
			if err != nil || rec.Seq != next {
				read <- errors.Join(err, errors.New("out of order"))
				return
			}
			if next++; next > writers*each {
				break
			}
			if rec.Seq%100 == 0 {
				if err := s.Remove(rec.Seq); err != nil {
					read <- err
					return
				}
			}
		}
		read <- nil
	}()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				seq, err := s.Append(context.Background(), spool.Entry{Payload: payload(i)})
				if err != nil {
					t.Error(err)
					return
				}
				seqs[w] = append(seqs[w], seq)
			}
		})
	}
	wg.Wait()
	if err := <-read; err != nil {
		t.Error(err)
	}
	seen := make(map[uint64]bool)
	for _, list := range seqs {
		for i, seq := range list {
			if seen[seq] || (i > 0 && seq <= list[i-1]) {
				t.Fatalf("number %d given twice or out of order", seq)
			}
			seen[seq] = true
		}
	}
	st := s.Stats()
	if st.Groups >= writers*each {
		t.Errorf("%d groups for %d records", st.Groups, writers*each)
	}
	identity(t, s)
}

func TestSecondOpener_QU25(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, nil)
	_, err := spool.Open(dir, nil)
	if c, ok := errors.AsType[*spool.ConfigError](err); !ok || c.Field != "dir" || !errors.Is(err, errkit.Conflict) {
		t.Errorf("second opener got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir, nil)
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	for field, opts := range map[string]*spool.Options{
		"Sync":           {Sync: 3},
		"SyncInterval":   {SyncInterval: -1},
		"Policy":         {Policy: 9},
		"SegmentBytes":   {SegmentBytes: 100},
		"MaxBytes":       {MaxBytes: 100},
		"CursorInterval": {CursorInterval: -1},
	} {
		_, err := spool.Open(t.TempDir(), opts)
		if c, ok := errors.AsType[*spool.ConfigError](err); !ok || c.Field != field || !errors.Is(err, spool.ErrConfig) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := spool.Open("", nil); !errors.Is(err, spool.ErrConfig) {
		t.Errorf("empty directory: %v", err)
	}
	s := open(t, t.TempDir(), &spool.Options{MaxBytes: 10000, MaxRecords: 2})
	if _, err := s.Append(t.Context(), spool.Entry{Payload: make([]byte, spool.MaxPayload+1)}); !errors.Is(err, spool.ErrMessageTooBig) {
		t.Errorf("over the limit: %v", err)
	}
	if _, err := s.Append(t.Context(), spool.Entry{Payload: make([]byte, 10000)}); !errors.Is(err, spool.ErrMessageTooBig) {
		t.Errorf("over the bound: %v", err)
	}
	if _, err := s.AppendBatch(t.Context(), make([]spool.Entry, 3)); !errors.Is(err, spool.ErrConfig) {
		t.Errorf("too many: %v", err)
	}
	if seq, err := s.AppendBatch(t.Context(), nil); seq != 0 || err != nil {
		t.Errorf("nothing: %d, %v", seq, err)
	}
	for name, err := range map[string]error{"remove": s.Remove(1), "quarantine": s.Quarantine(1, "")} {
		if !errors.Is(err, spool.ErrConfig) {
			t.Errorf("%s of a record that is not there: %v", name, err)
		}
	}
	if st := s.Stats(); st.Appended != 0 || st.Records != 0 {
		t.Errorf("something was stored: %+v", st)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), nil)
	wait := make(chan error)
	go func() {
		for _, err := range s.Records(context.Background(), 0) {
			wait <- err
		}
	}()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	_, peekErr := s.Peek(1)
	_, appendErr := s.Append(t.Context(), spool.Entry{})
	_, listErr := s.Quarantined()
	for name, err := range map[string]error{
		"Records": <-wait, "Peek": peekErr, "Append": appendErr, "Quarantined": listErr, "Remove": s.Remove(1),
		"Quarantine": s.Quarantine(1, ""), "Sync": s.Sync(), "Wait": s.Wait(t.Context(), 0),
	} {
		if !errors.Is(err, spool.ErrClosed) || !errors.Is(err, errkit.Closed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestContextEnds(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Append(ctx, spool.Entry{})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, errkit.NotSent) || s.Len() != 0 {
		t.Errorf("Append: %v", err)
	}
	if err := s.Wait(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v", err)
	}
	for range s.Records(ctx, 0) {
		t.Error("a record")
	}
}

func TestQuarantine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var reps reports
	opts := &spool.Options{SegmentBytes: 4096, OnReport: reps.hook}
	s := open(t, dir, opts)
	want := fill(t, s, 100)
	for _, seq := range []uint64{1, 50, 100} {
		if err := s.Quarantine(seq, "peer answered 1009"); err != nil {
			t.Fatal(err)
		}
		delete(want, seq)
	}
	if err := s.Quarantine(50, "again"); !errors.Is(err, spool.ErrConfig) {
		t.Errorf("quarantined twice: %v", err)
	}
	if got := reps.take(); len(got) != 3 || got[1].Kind != spool.Quarantined || got[1].First != 50 || got[1].Reason == "" {
		t.Errorf("reports %v", got)
	}
	check := func() {
		t.Helper()
		if s.Len() != 97 {
			t.Errorf("%d records", s.Len())
		}
		got := make(map[uint64]string)
		for _, r := range all(t, s) {
			got[r.Seq] = string(r.Payload)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		list, err := s.Quarantined()
		if err != nil || len(list) != 3 || list[1].First != 50 || string(list[1].Payload) != string(payload(49)) {
			t.Errorf("quarantine %v, %v", list, err)
		}
		identity(t, s)
	}
	check()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, opts)
	check()
	if err := s.Remove(100); err != nil || s.Len() != 0 {
		t.Errorf("%v, %d records", err, s.Len())
	}
}

func TestQuarantineIsBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, &spool.Options{QuarantineBytes: 10000})
	fill(t, s, 1)
	for i := range uint64(200) {
		if _, err := s.Append(t.Context(), spool.Entry{Payload: make([]byte, 1000)}); err != nil {
			t.Fatal(err)
		}
		if err := s.Quarantine(i+2, "too big for the peer"); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "quarantine"))
	if err != nil || info.Size() > 24000 {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, nil)
	if got := all(t, s); len(got) != 1 {
		t.Errorf("quarantined records came back: %d", len(got))
	}
}
