package spool_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/cutdisk"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// TestWear counts what reaches the disk for records of 100 bytes, removals and their cursor included.
func TestWear(t *testing.T) {
	t.Parallel()
	const size = 100
	for _, c := range []struct {
		name  string
		opts  spool.Options
		batch int
		n     int
		most  float64
	}{
		{"a sync for every record", spool.Options{CursorInterval: time.Hour}, 1, 5000, 2},
		{"batches of 10", spool.Options{CursorInterval: time.Hour}, 10, 20_000, 1.3},
		{"batches of 100", spool.Options{CursorInterval: time.Hour}, 100, 100_000, 1.3},
		{"sync every 200 ms", spool.Options{Sync: spool.SyncEvery, CursorInterval: time.Hour}, 1, 50_000, 1.3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			disk := cutdisk.New()
			s, err := spool.OpenOn(disk.Session(), 1, logDir, &c.opts)
			if err != nil {
				t.Fatal(err)
			}
			batch := make([]spool.Entry, c.batch)
			for i := range batch {
				batch[i].Payload = make([]byte, size)
			}
			for range c.n / c.batch {
				first, err := s.AppendBatch(t.Context(), batch)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Remove(first + uint64(c.batch) - 1); err != nil {
					t.Fatal(err)
				}
			}
			st := s.Stats()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			wear := float64(disk.Bytes) / float64(c.n*size)
			perGroup := float64(disk.Syncs) / float64(st.Groups)
			t.Logf("%.3f bytes written per byte of payload, %.3f syncs per group", wear, perGroup)
			if wear > c.most {
				t.Errorf("%.3f bytes written per byte of payload, at most %.1f allowed", wear, c.most)
			}
			// Besides one per group: two for each segment, two each time the cursor is written, and the directories once.
			files := int(disk.Bytes/(4<<20)) + 1
			if extra := disk.Syncs - int(st.Groups); c.opts.Sync == spool.SyncAlways && extra > 2*int(st.CursorWrites)+2*files+5 {
				t.Errorf("%d syncs for %d groups", disk.Syncs, st.Groups)
			}
		})
	}
}

// TestOneSyncPerGroup: appends that come while a sync runs share the next one.
func TestOneSyncPerGroup(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	release, entered := make(chan struct{}), make(chan struct{}, 100)
	fn := func(op cutdisk.Op, site string) error {
		if site == "commit:file" {
			entered <- struct{}{}
			<-release
		}
		return nil
	}
	f.fault.Store(&fn)
	before := f.Stats().Syncs
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = f.Append(context.Background(), numbered(0)) })
	<-entered // the first one syncs
	for i := range 50 {
		wg.Go(func() {
			if _, err := f.Append(context.Background(), numbered(i)); err != nil {
				t.Error(err)
			}
		})
	}
	for f.Queued() < 50 {
		<-time.After(time.Millisecond)
	}
	close(release)
	wg.Wait()
	st := f.Stats()
	if st.Groups != 2 || st.Syncs-before != 2 || st.Records != 51 {
		t.Errorf("%d groups, %d syncs, %d records", st.Groups, st.Syncs-before, st.Records)
	}
}
