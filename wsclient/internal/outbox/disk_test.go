package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/outbox"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// faulty is a spool on a disk that can fail.
type faulty struct {
	*spool.Spool
	full  atomic.Bool // nothing can be written
	blind atomic.Bool // nothing can be read
}

func (f *faulty) Append(ctx context.Context, e spool.Entry) (uint64, error) {
	if f.full.Load() {
		return 0, wserr.Spool("spool.append", "dir", syscall.ENOSPC)
	}
	return f.Spool.Append(ctx, e)
}

func (f *faulty) PeekFrom(seq uint64, n int) ([]spool.Record, error) {
	if f.blind.Load() {
		return nil, wserr.Spool("spool.peek", "dir", syscall.EIO)
	}
	return f.Spool.PeekFrom(seq, n)
}

func openSpool(t *testing.T, dir string, opts *spool.Options) *faulty {
	t.Helper()
	if opts == nil {
		opts = &spool.Options{Sync: spool.SyncNone}
	}
	s, err := spool.Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &faulty{Spool: s}
}

// drainAll writes everything that there is, and returns it.
func drainAll(t *testing.T, b *outbox.Box) []string {
	t.Helper()
	stop := make(chan struct{})
	sent := make(chan []string)
	go func() { sent <- serve(b, stop) }()
	b.Seal()
	<-b.Empty()
	close(stop)
	return <-sent
}

func TestSpoolIsTakenUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openSpool(t, dir, nil)
	b := outbox.New(outbox.Config{Spool: s})
	put(t, b, 1, 3000)
	b.Up(1)
	first := next(t, b)
	b.Sent(len(first))
	b.Down(0, nil)
	b.Close(errEnd)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b = outbox.New(outbox.Config{Spool: openSpool(t, dir, nil)})
	equal(t, 3000-len(first), b.Stats().Depth)
	put(t, b, 3001, 3010)
	b.Up(1)
	equal(t, numbers(len(first)+1, 3010), drainAll(t, b))
	identity(t, b)
}

// Records are numbered in another order than their calls return in, and all receipts are served.
func TestSpoolServesEveryReceipt(t *testing.T) {
	t.Parallel()
	b := outbox.New(outbox.Config{Spool: openSpool(t, t.TempDir(), &spool.Options{Sync: spool.SyncNone})})
	b.Up(1)
	stop := make(chan struct{})
	sent := make(chan []string)
	go func() { sent <- serve(b, stop) }()
	var wg sync.WaitGroup
	for p := range 8 {
		wg.Go(func() {
			for i := range 500 {
				r := new(outbox.Receipt)
				if err := b.Put(context.Background(), wsconn.Text, fmt.Appendf(nil, "%d %d", p, i), r); err != nil {
					t.Error(err)
					return
				}
				if i%3 == 0 {
					<-r.Done()
					if s := r.State(); s != outbox.Written {
						t.Errorf("state %v", s)
					}
				}
			}
		})
	}
	wg.Wait()
	b.Seal()
	<-b.Empty()
	close(stop)
	next := make(map[int]int)
	for _, s := range <-sent {
		var p, i int
		_, _ = fmt.Sscan(s, &p, &i)
		if i != next[p] {
			t.Fatalf("message %d of producer %d, want %d", i, p, next[p])
		}
		next[p]++
	}
	identity(t, b)
}

// Only what is to be sent next is in memory, and the number of receipts that are kept has a bound.
func TestSpoolBoundsMemory(t *testing.T) {
	t.Parallel()
	b := outbox.New(outbox.Config{Spool: openSpool(t, t.TempDir(), nil)})
	rs := put(t, b, 1, 22_000)
	if s := b.Stats(); s.Bytes > 100<<10 || s.Depth != 22_000 {
		t.Errorf("%+v", s)
	}
	equal(t, outbox.Unknown, rs[21_999].State())
	<-rs[21_999].Done()
	b.Up(1)
	equal(t, numbers(1, 22_000), drainAll(t, b))
	equal(t, outbox.Written, rs[15_000].State())
	identity(t, b)
}

func TestSpoolCancel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openSpool(t, dir, nil)
	b := outbox.New(outbox.Config{Spool: s})
	rs := put(t, b, 1, 2000)
	if !rs[1].Cancel() || !rs[1998].Cancel() { // in memory, and not
		t.Error("not canceled")
	}
	b.Close(errEnd)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b = outbox.New(outbox.Config{Spool: openSpool(t, dir, nil)})
	b.Up(1)
	want := slices.DeleteFunc(numbers(1, 2000), func(s string) bool { return s == "2" || s == "1999" })
	equal(t, want, drainAll(t, b))
	identity(t, b)
}

func TestSpoolPoisonIsQuarantined_QU28(t *testing.T) {
	t.Parallel()
	s := openSpool(t, t.TempDir(), nil)
	b := outbox.New(outbox.Config{Spool: s})
	put(t, b, 1, 2)
	for gen := range uint64(3) {
		b.Up(gen)
		next(t, b)
		b.Sent(0)
		b.Down(1007, &wserr.ClosedError{Code: 1007, Reason: "what is this"})
	}
	b.Up(4)
	equal(t, []string{"2"}, next(t, b))
	b.Sent(1)
	bad, err := s.Quarantined()
	if err != nil || len(bad) != 1 || string(bad[0].Payload) != "1" {
		t.Errorf("quarantine %v, %v", bad, err)
	}
	identity(t, b)
}

func TestSpoolFailure_QU25(t *testing.T) {
	t.Parallel()
	t.Run("refuse", func(t *testing.T) {
		t.Parallel()
		s := openSpool(t, t.TempDir(), nil)
		b := outbox.New(outbox.Config{Spool: s})
		put(t, b, 1, 2)
		s.full.Store(true)
		err := b.Put(t.Context(), wsconn.Text, []byte("lost"), nil)
		if _, ok := errors.AsType[*wserr.SpoolError](err); !ok || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("error %v", err)
		}
		s.full.Store(false)
		put(t, b, 3, 4)
		b.Up(1)
		equal(t, numbers(1, 4), drainAll(t, b))
		identity(t, b)
	})
	t.Run("fall back", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			s := openSpool(t, dir, nil)
			b := outbox.New(outbox.Config{Spool: s, Fallback: true, MaxMessages: 4})
			put(t, b, 1, 2)
			s.full.Store(true)
			put(t, b, 3, 6)
			err := b.Put(t.Context(), wsconn.Text, []byte("lost"), nil)
			if !errors.Is(err, wserr.ErrQueueFull) {
				t.Errorf("the memory has no bound: %v", err)
			}
			identity(t, b)
			equal(t, int64(2), s.Len())
			s.full.Store(false)
			time.Sleep(time.Second)
			put(t, b, 7, 8) // moves the others first
			equal(t, int64(8), s.Len())
			identity(t, b)
			b.Up(1)
			equal(t, numbers(1, 8), drainAll(t, b))
			identity(t, b)
		})
	})
	t.Run("send from memory", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := openSpool(t, t.TempDir(), nil)
			b := outbox.New(outbox.Config{Spool: s, Fallback: true, MaxMessages: 4, Ack: &outbox.Ack{Window: 10}})
			first := put(t, b, 1, 2)
			s.full.Store(true)
			rs := put(t, b, 3, 4)
			b.Up(1)
			equal(t, numbers(1, 4), next(t, b))
			b.Sent(4)
			s.full.Store(false)
			time.Sleep(time.Second)
			last := put(t, b, 5, 5)
			equal(t, []string{"5"}, next(t, b))
			b.Sent(1)
			if a, z := rs[0].Number(), rs[1].Number(); a <= first[1].Number() || z <= a || z >= 1<<53 {
				t.Errorf("numbers %d, %d", a, z)
			}
			equal(t, uint64(3), last[0].Number())
			b.Down(0, nil)
			b.Up(2)
			equal(t, numbers(1, 5), next(t, b))
			b.Sent(5)
			for _, r := range slices.Concat(first, rs, last) {
				b.Acknowledge(2, []string{strconv.FormatUint(r.Number(), 10)}, false)
				equal(t, outbox.Acked, r.State())
			}
			idle(t, b)
			equal(t, int64(0), s.Len())
			identity(t, b)
		})
	})
	t.Run("back at the end", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := openSpool(t, dir, nil)
		b := outbox.New(outbox.Config{Spool: s, Fallback: true, MaxMessages: 4})
		s.full.Store(true)
		put(t, b, 1, 4)
		if unsent, _ := b.Left(); unsent != 4 {
			t.Errorf("%d left", unsent)
		}
		s.full.Store(false)
		b.Close(errEnd)
		equal(t, int64(4), s.Len())
		if unsent, _ := b.Left(); unsent != 0 {
			t.Errorf("%d left", unsent)
		}
		identity(t, b)
	})
	t.Run("unreadable", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			s := openSpool(t, dir, nil)
			b := outbox.New(outbox.Config{Spool: s})
			put(t, b, 1, 3)
			b.Close(errEnd)
			s.blind.Store(true)
			b = outbox.New(outbox.Config{Spool: s})
			b.Up(1)
			idle(t, b)
			fails := b.Stats().DiskFails
			if fails == 0 || fails > 2 {
				t.Errorf("%d attempts to read", fails)
			}
			s.blind.Store(false)
			equal(t, numbers(1, 3), next(t, b)) // tried again after a second
			b.Sent(3)
			identity(t, b)
			b.Close(errEnd)
		})
	})
}

func TestSpoolThatDropsIsAccounted(t *testing.T) {
	t.Parallel()
	s := openSpool(t, t.TempDir(), &spool.Options{Sync: spool.SyncNone, MaxRecords: 1500, Policy: spool.DropOldest})
	b := outbox.New(outbox.Config{Spool: s})
	rs := put(t, b, 1, 4000)
	b.Up(1)
	sent := drainAll(t, b)
	// What was in memory already is sent all the same.
	equal(t, numbers(2501, 4000), sent[len(sent)-1500:])
	st := b.Stats()
	equal(t, st.Delivered+st.Vanished, uint64(4000))
	for i, r := range rs {
		want := outbox.Dropped
		if slices.Contains(sent, strconv.Itoa(i+1)) {
			want = outbox.Written
		}
		if r.State() != want {
			t.Fatalf("message %d is %v, want %v", i+1, r.State(), want)
		}
	}
	identity(t, b)
}

func TestSpoolExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))) // the bubble starts in 2000
		dir := t.TempDir()
		s := openSpool(t, dir, nil)
		b := outbox.New(outbox.Config{Spool: s, TTL: time.Minute})
		put(t, b, 1, 2)
		time.Sleep(40 * time.Second)
		put(t, b, 3, 4)
		b.Close(errEnd)
		time.Sleep(30 * time.Second)
		b = outbox.New(outbox.Config{Spool: s, TTL: time.Minute})
		b.Up(1)
		equal(t, numbers(3, 4), drainAll(t, b))
		equal(t, uint64(2), b.Stats().Expired)
		identity(t, b)
		b.Close(errEnd)
	})
}
