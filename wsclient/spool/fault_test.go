package spool_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/cutdisk"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// faulty is a spool on a disk in memory whose operations fail when the test says so.
type faulty struct {
	*spool.Spool
	disk  *cutdisk.Disk
	fault atomic.Pointer[func(op cutdisk.Op, site string) error]
}

func newFaulty(t *testing.T, opts *spool.Options) *faulty {
	t.Helper()
	f := &faulty{disk: cutdisk.New()}
	f.reopen(t, opts)
	return f
}

func (f *faulty) reopen(t *testing.T, opts *spool.Options) {
	t.Helper()
	session := f.disk.Session()
	session.Fail = func(op cutdisk.Op, site string) error {
		if fail := f.fault.Load(); fail != nil {
			return (*fail)(op, site)
		}
		return nil
	}
	s, err := spool.OpenOn(session, 1, logDir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	f.Spool = s
}

// fail lets operations of a kind fail from now on.
func (f *faulty) fail(err error, kinds ...cutdisk.Kind) {
	fn := func(op cutdisk.Op, _ string) error {
		if slices.Contains(kinds, op.Kind) {
			return err
		}
		return nil
	}
	f.fault.Store(&fn)
}

func (f *faulty) heal() { f.fault.Store(nil) }

// QU-25: a disk that is full, read-only or failing gives a typed error; what was accepted stays, and when the disk is
// well again the log goes on.
func TestDiskFails_QU25(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		err   error
		kind  errkit.Kind
		where []cutdisk.Kind
	}{
		{"no space", syscall.ENOSPC, errkit.Full, []cutdisk.Kind{cutdisk.Write, cutdisk.Create}},
		{"read-only", syscall.EROFS, errkit.Denied, []cutdisk.Kind{cutdisk.Write, cutdisk.Create, cutdisk.Rename}},
		{"write error", syscall.EIO, errkit.Internal, []cutdisk.Kind{cutdisk.Write}},
		{"sync error", syscall.EIO, errkit.Internal, []cutdisk.Kind{cutdisk.Sync}},
		{"directory sync error", syscall.EIO, errkit.Internal, []cutdisk.Kind{cutdisk.SyncDir, cutdisk.Sync}},
	} {
		for _, policy := range []spool.SyncPolicy{spool.SyncAlways, spool.SyncEvery, spool.SyncNone} {
			t.Run(c.name+"/"+policy.String(), func(t *testing.T) {
				t.Parallel()
				opts := &spool.Options{SegmentBytes: 4096, Sync: policy, SyncInterval: time.Hour, CursorInterval: time.Hour}
				f := newFaulty(t, opts)
				want := fill(t, f.Spool, 20)
				f.fail(c.err, c.where...)
				for range 5 {
					seq, err := f.Append(t.Context(), spool.Entry{Payload: []byte("refused")})
					if err == nil && policy != spool.SyncAlways {
						want[seq] = "refused" // accepted without a sync
						err = f.Sync()
					}
					e, ok := errors.AsType[*spool.SpoolError](err)
					if !ok || e.Path == "" || !errors.Is(err, c.kind) || !errors.Is(err, spool.Err) || !errors.Is(err, c.err) {
						t.Fatalf("Append: %v", err)
					}
				}
				check := func() {
					t.Helper()
					got := make(map[uint64]string)
					for _, r := range all(t, f.Spool) {
						got[r.Seq] = string(r.Payload)
					}
					if d := cmp.Diff(want, got); d != "" {
						t.Errorf("-want +got:\n%s", d)
					}
					identity(t, f.Spool)
				}
				check()
				f.heal()
				for range 30 {
					seq, err := f.Append(t.Context(), spool.Entry{Payload: []byte("after")})
					if err != nil {
						t.Fatal(err)
					}
					want[seq] = "after"
				}
				check()
				if err := f.Close(); err != nil {
					t.Fatal(err)
				}
				f.reopen(t, opts)
				check()
			})
		}
	}
}

// A failed sync is not tried again on the same pages: the records move to a new file.
func TestFailedSyncIsNotTrustedAgain(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	fill(t, f.Spool, 3)
	f.fail(syscall.EIO, cutdisk.Sync)
	if _, err := f.Append(t.Context(), spool.Entry{Payload: []byte("lost")}); err == nil {
		t.Fatal("accepted")
	}
	f.heal()
	before := f.disk.Names()
	if _, err := f.Append(t.Context(), spool.Entry{Payload: []byte("kept")}); err != nil {
		t.Fatal(err)
	}
	if names := f.disk.Names(); len(names) != len(before)+1 {
		t.Errorf("files %v, before %v", names, before)
	}
	recs := all(t, f.Spool)
	if len(recs) != 4 || string(recs[3].Payload) != "kept" || recs[3].Seq != 4 {
		t.Errorf("records %v", recs)
	}
}

func TestNoSpaceForTheCursor(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, &spool.Options{SegmentBytes: 4096, CursorInterval: time.Hour})
	fill(t, f.Spool, 200)
	segments := f.Stats().Segments
	failed := false
	fn := func(op cutdisk.Op, _ string) error {
		if op.Kind == cutdisk.Remove {
			f.heal() // a deleted segment gives room
			return nil
		}
		if op.Kind == cutdisk.Write {
			failed = true
			return syscall.ENOSPC
		}
		return nil
	}
	f.fault.Store(&fn)
	if err := f.Remove(150); err != nil || !failed {
		t.Errorf("Remove: %v", err)
	}
	if st := f.Stats(); st.Segments >= segments || st.Records != 50 {
		t.Errorf("%+v", st)
	}
}

func TestFailureInTheBackground(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var reps reports
		f := newFaulty(t, &spool.Options{Sync: spool.SyncEvery, OnReport: reps.hook})
		f.fail(syscall.EIO, cutdisk.Sync)
		want := fill(t, f.Spool, 10)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := reps.take(); len(got) == 0 || got[0].Kind != spool.Failed || !errors.Is(got[0].Err, syscall.EIO) {
			t.Errorf("reports %v", got)
		}
		f.heal()
		time.Sleep(time.Second)
		synctest.Wait()
		if got := all(t, f.Spool); len(got) != len(want) {
			t.Errorf("%d records", len(got))
		}
		ops := f.disk.Ops()
		plan := cutdisk.Plan{Brief: true}
		plan.Cuts(nil, ops, func(d *cutdisk.Disk, before int) bool {
			if before < len(ops) {
				return true
			}
			s, err := spool.OpenOn(d.Session(), 2, logDir, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if n := s.Len(); n != int64(len(want)) {
				t.Errorf("after a cut %d records", n)
			}
			return true
		})
	})
}

func TestSyncEvery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFaulty(t, &spool.Options{Sync: spool.SyncEvery, CursorInterval: time.Hour})
		before := f.Stats().Syncs
		fill(t, f.Spool, 50)
		time.Sleep(199 * time.Millisecond)
		synctest.Wait()
		if n := f.Stats().Syncs - before; n != 0 {
			t.Errorf("%d syncs before the interval", n)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if n := f.Stats().Syncs - before; n != 1 {
			t.Errorf("%d syncs after the interval", n)
		}
		time.Sleep(time.Hour / 2)
		synctest.Wait()
		if n := f.Stats().Syncs - before; n != 1 {
			t.Errorf("%d syncs while nothing happens", n)
		}
	})
}

func TestCursorIsWrittenInGroups(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFaulty(t, nil)
		before := f.Stats().CursorWrites
		fill(t, f.Spool, 100)
		for seq := range uint64(90) {
			if err := f.Remove(seq + 1); err != nil {
				t.Fatal(err)
			}
		}
		if n := f.Stats().CursorWrites - before; n != 0 {
			t.Errorf("written %d times at once", n)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := f.Stats().CursorWrites - before; n != 1 {
			t.Errorf("written %d times after a second", n)
		}
	})
}

func TestReadOnlyDirectory_QU25(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere; TestDiskFails_QU25 covers the rest")
	}
	dir := filepath.Join(t.TempDir(), "log")
	if err := os.Mkdir(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	_, err := spool.Open(dir, nil)
	if e, ok := errors.AsType[*spool.SpoolError](err); !ok || !errors.Is(err, errkit.Denied) || e.Path == "" {
		t.Errorf("%v", err)
	}
}

// TestDirectoriesAbove: what is above and cannot be synced does not matter, what fails there does.
func TestDirectoriesAbove(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err error
		ok  bool
	}{
		{syscall.EACCES, true},
		{syscall.EINVAL, true}, // a file system without it, such as squashfs
		{syscall.EROFS, true},
		{syscall.EIO, false},
	} {
		t.Run(c.err.Error(), func(t *testing.T) {
			t.Parallel()
			session := cutdisk.New().Session()
			session.Fail = func(op cutdisk.Op, _ string) error {
				if op.Kind == cutdisk.SyncDir && op.Name != logDir {
					return c.err
				}
				return nil
			}
			s, err := spool.OpenOn(session, 1, logDir, nil)
			if c.ok != (err == nil) || err != nil && !errors.Is(err, c.err) {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			if _, err := s.Append(t.Context(), spool.Entry{}); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
