package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// TestMemoryLogPolicies: a log in memory heeds the bounds of a spool.
func TestMemoryLogPolicies(t *testing.T) {
	t.Parallel()
	entry := func(i int) store.Entry { return store.Entry{Payload: fmt.Appendf(nil, "%076d", i)} } // 100 bytes
	for _, c := range []struct {
		name    string
		opts    spool.Options
		full    bool
		want    []uint64
		reports []string
	}{
		{"refuse", spool.Options{MaxBytes: 300}, true, []uint64{1, 2, 3}, nil},
		{"drop oldest", spool.Options{MaxBytes: 300, Policy: spool.DropOldest}, false, []uint64{2, 3, 4}, []string{"dropped 1-1 1"}},
		{"drop newest", spool.Options{MaxBytes: 300, Policy: spool.DropNewest}, true, []uint64{1, 2, 3}, []string{"refused 0-0 1"}},
		{"records", spool.Options{MaxRecords: 2, Policy: spool.DropOldest}, false, []uint64{3, 4}, []string{"dropped 1-1 1", "dropped 2-2 1"}},
		{"no bound", spool.Options{MaxBytes: -1}, false, []uint64{1, 2, 3, 4}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var reports []string
			c.opts.OnReport = func(r spool.Report) {
				reports = append(reports, fmt.Sprintf("%v %d-%d %d", r.Kind, r.First, r.Last, r.Records))
			}
			l := store.NewLog(&c.opts)
			var err error
			for i := range 4 {
				_, err = l.Append(t.Context(), entry(i))
			}
			if errors.Is(err, smokerr.ErrQueueFull) != c.full || errors.Is(err, errkit.Full) != c.full {
				t.Errorf("the last append: %v", err)
			}
			records, err := l.PeekFrom(0, 10)
			must(t, err)
			var got []uint64
			for _, r := range records {
				got = append(got, r.Seq)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("numbers, -want +got:\n%s", d)
			}
			if d := cmp.Diff(c.reports, reports); d != "" {
				t.Errorf("reports, -want +got:\n%s", d)
			}
		})
	}
}

func TestMemoryLogBlocks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := store.NewLog(&spool.Options{MaxRecords: 1, Policy: spool.Block})
		_, err := l.Append(t.Context(), store.Entry{})
		must(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := l.Append(ctx, store.Entry{}); !errors.Is(err, errkit.Timeout) {
			t.Errorf("Append: %v", err)
		}
		done := make(chan error)
		go func() {
			_, err := l.Append(t.Context(), store.Entry{})
			done <- err
		}()
		synctest.Wait()
		must(t, l.Remove(1))
		must(t, <-done)
	})
}

func TestMemoryLogExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var lost []store.Report
		s := store.Memory(&store.MemoryOptions{MaxAge: time.Hour, OnReport: func(r store.Report) { lost = append(lost, r) }})
		_, err := s.Trend.AppendBatch(t.Context(), []store.Entry{{Payload: []byte("a")}, {Payload: []byte("b")}})
		must(t, err)
		time.Sleep(time.Hour + time.Second)
		_, err = s.Trend.Append(t.Context(), store.Entry{Payload: []byte("c")})
		must(t, err)
		if n := s.Trend.Len(); n != 1 {
			t.Errorf("%d records", n)
		}
		_, err = s.Trend.Append(t.Context(), store.Entry{Time: time.Unix(1, 0)}) // the clock was not set
		must(t, err)
		_, err = s.Trend.Append(t.Context(), store.Entry{})
		must(t, err)
		if n := s.Trend.Len(); n != 3 {
			t.Errorf("%d records", n)
		}
		if len(lost) != 1 || lost[0].Area != "trend" || lost[0].Kind != spool.Expired || lost[0].Records != 2 {
			t.Errorf("reports %v", lost)
		}
		must(t, s.Close())
	})
}

// TestMonthWithoutLink: two values every five minutes for 30 days, one in ten of them permanent: the store stays within its bound, and
// drops and reports exactly the oldest trend values, and the permanent ones that are too old.
func TestMonthWithoutLink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lost := make(map[string]uint64)
		const bound = 200 << 10
		s := store.Memory(&store.MemoryOptions{MaxValues: bound, OnReport: func(r store.Report) {
			lost[r.Area+" "+r.Kind.String()] += r.Records
		}})
		payload := []byte(strings.Repeat("v", 40))
		appended := make(map[string]uint64)
		for round := range 30 * 24 * 12 {
			time.Sleep(5 * time.Minute)
			for i := range 2 {
				l, area := s.Trend, "trend"
				if i == 0 && round%5 == 0 {
					l, area = s.Permanent, "permanent"
				}
				_, err := l.Append(t.Context(), store.Entry{Payload: payload})
				must(t, err)
				appended[area]++
			}
			if n := s.Trend.Bytes() + s.Permanent.Bytes(); n > bound {
				t.Fatalf("%d bytes", n)
			}
		}
		oldest, err := s.Permanent.PeekFrom(0, 1) // drops what is too old
		must(t, err)
		trend, permanent := uint64(s.Trend.Len()), uint64(s.Permanent.Len())
		if age := time.Since(oldest[0].Time); age > store.DefaultMaxAge {
			t.Errorf("a value of %v ago", age)
		}
		must(t, s.Close())
		if lost["trend dropped"] == 0 || lost["permanent dropped"] > 0 {
			t.Errorf("lost: %v", lost)
		}
		if n := trend + lost["trend dropped"] + lost["trend expired"]; n != appended["trend"] {
			t.Errorf("trend: %d accounted for, %d appended", n, appended["trend"])
		}
		if n := permanent + lost["permanent dropped"] + lost["permanent expired"]; n != appended["permanent"] {
			t.Errorf("permanent: %d accounted for, %d appended", n, appended["permanent"])
		}
	})
}

func TestReportString(t *testing.T) {
	t.Parallel()
	r := store.Report{Area: "keyed", Key: "sensors/a b", Report: spool.Report{Kind: spool.Damaged, Records: 1, Reason: "a value is damaged"}}
	if text := r.String(); !strings.HasPrefix(text, "keyed: damaged") || !strings.HasSuffix(text, `key "sensors/a b"`) {
		t.Errorf("%q", text)
	}
}
