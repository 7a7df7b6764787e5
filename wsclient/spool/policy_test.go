package spool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// numbered is a record of 100 bytes on the disk.
func numbered(i int) spool.Entry {
	p := make([]byte, 76)
	p[0] = byte(i)
	return spool.Entry{Payload: p}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	for _, bound := range []struct {
		name string
		opts spool.Options
	}{
		{"records", spool.Options{MaxRecords: 50}},
		{"bytes", spool.Options{MaxBytes: 5000}},
	} {
		for _, policy := range []spool.Policy{spool.Refuse, spool.DropNewest, spool.DropOldest} {
			t.Run(bound.name+"/"+policy.String(), func(t *testing.T) {
				t.Parallel()
				var reps reports
				opts := bound.opts
				opts.Policy, opts.OnReport, opts.SegmentBytes = policy, reps.hook, 4096
				s := open(t, t.TempDir(), &opts)
				refused := 0
				for i := range 120 {
					_, err := s.Append(t.Context(), numbered(i))
					if err != nil {
						e, ok := errors.AsType[*spool.QueueFullError](err)
						if !ok || e.QueueSize != 50 || !errors.Is(err, errkit.Full|errkit.NotSent) {
							t.Fatal(err)
						}
						refused++
					}
				}
				identity(t, s)
				st := s.Stats()
				recs := all(t, s)
				if len(recs) != 50 || st.Records != 50 {
					t.Fatalf("%d records, %+v", len(recs), st)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				var told uint64
				for _, r := range reps.take() {
					told += r.Records
				}
				switch policy {
				case spool.DropOldest:
					if refused != 0 || st.Dropped != 70 || told != 70 || recs[0].Seq != 71 || recs[0].Payload[0] != 70 {
						t.Errorf("%d refused, %d dropped, %d told, first %d", refused, st.Dropped, told, recs[0].Seq)
					}
				case spool.DropNewest:
					if refused != 70 || st.Refused != 70 || told != 70 || recs[0].Seq != 1 {
						t.Errorf("%d refused, %+v, %d told", refused, st, told)
					}
				default:
					if refused != 70 || st.Refused != 70 || told != 0 || recs[0].Seq != 1 {
						t.Errorf("%d refused, %+v, %d told", refused, st, told)
					}
				}
			})
		}
	}
}

func TestBlock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFaulty(t, &spool.Options{MaxRecords: 10, Policy: spool.Block})
		fill(t, f.Spool, 10)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := f.Append(ctx, numbered(1)); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errkit.NotSent) {
			t.Errorf("without room: %v", err)
		}
		done := make(chan uint64)
		for range 3 {
			go func() {
				seq, err := f.Append(context.Background(), numbered(2))
				if err != nil {
					t.Error(err)
				}
				done <- seq
			}()
		}
		synctest.Wait()
		if n := f.Len(); n != 10 {
			t.Errorf("%d records", n)
		}
		for seq := range uint64(3) {
			if err := f.Remove(seq + 1); err != nil {
				t.Fatal(err)
			}
			if got := <-done; got != 11+seq {
				t.Errorf("number %d", got)
			}
		}
		identity(t, f.Spool)
	})
}

func TestCloseEndsWaitingAppends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFaulty(t, &spool.Options{MaxRecords: 1, Policy: spool.Block})
		fill(t, f.Spool, 1)
		done := make(chan error)
		go func() {
			_, err := f.Append(context.Background(), numbered(2))
			done <- err
		}()
		synctest.Wait()
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, spool.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestMaxAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))) // the bubble starts in 2000
		var reps reports
		f := newFaulty(t, &spool.Options{MaxAge: time.Hour, OnReport: reps.hook})
		fill(t, f.Spool, 10)
		if _, err := f.Append(t.Context(), spool.Entry{Time: time.Unix(1000, 0), Payload: []byte("clock not set")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Minute)
		fill(t, f.Spool, 5)
		if n := len(all(t, f.Spool)); n != 16 {
			t.Errorf("%d records", n)
		}
		time.Sleep(31 * time.Minute)
		if recs := all(t, f.Spool); len(recs) != 6 || recs[0].Seq != 11 {
			t.Errorf("records %v", recs)
		}
		if got := reps.take(); len(got) != 1 || got[0].Kind != spool.Expired || got[0].Records != 10 || got[0].Last != 10 {
			t.Errorf("reports %v", got)
		}
		identity(t, f.Spool)
	})
}

func TestLossesAreToldAtMostOncePerSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var reps reports
		f := newFaulty(t, &spool.Options{MaxRecords: 10, Policy: spool.DropOldest, OnReport: reps.hook})
		fill(t, f.Spool, 1010)
		if got := reps.take(); len(got) != 1 || got[0].Records != 1 {
			t.Errorf("at once: %v", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := reps.take(); len(got) != 1 || got[0].Records != 999 || got[0].First != 2 || got[0].Last != 1000 {
			t.Errorf("after a second: %v", got)
		}
		identity(t, f.Spool)
	})
}
