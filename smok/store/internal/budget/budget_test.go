package budget_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/internal/budget"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

func TestMain(m *testing.M) { leak.Main(m) }

// entry is a record of so many bytes with its frame.
func entry(size int) spool.Entry { return spool.Entry{Payload: []byte(strings.Repeat("v", size-24))} }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// numbers returns those of the records of a log.
func numbers(t *testing.T, l budget.Log) []uint64 {
	t.Helper()
	list := []uint64{}
	records, err := l.PeekFrom(0, 1000)
	must(t, err)
	for _, r := range records {
		list = append(list, r.Seq)
	}
	return list
}

func unbounded() store.Log { return store.NewLog(&spool.Options{MaxBytes: -1}) }

// TestNoMoreThanNeeded: of records of different sizes, the fewest go; removed and quarantined ones are not counted again.
func TestNoMoreThanNeeded(t *testing.T) {
	t.Parallel()
	lesser, greater := budget.Share(unbounded(), unbounded(), budget.Options{MaxBytes: 1000})
	for _, size := range []int{100, 50, 300, 200, 150} { // 800
		_, err := lesser.Append(t.Context(), entry(size))
		must(t, err)
	}
	_, err := greater.Append(t.Context(), entry(301)) // 101 over: 100 do not suffice
	must(t, err)
	if d := cmp.Diff([]uint64{3, 4, 5}, numbers(t, lesser)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	must(t, lesser.Remove(3))
	must(t, lesser.Quarantine(4, "poison"))          // 451 are left
	_, err = greater.Append(t.Context(), entry(549)) // just fits
	must(t, err)
	if d := cmp.Diff([]uint64{5}, numbers(t, lesser)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	_, err = greater.Append(t.Context(), entry(30))
	must(t, err)
	if d := cmp.Diff([]uint64{}, numbers(t, lesser)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	must(t, errors.Join(lesser.Close(), greater.Close()))
}

// TestAge: what is too old makes room before anything is dropped or refused, and is not counted twice.
func TestAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var reports []string
		hook := func(r spool.Report) {
			mu.Lock()
			defer mu.Unlock()
			reports = append(reports, fmt.Sprintf("%v %d-%d %d", r.Kind, r.First, r.Last, r.Records))
		}
		aging := func() store.Log {
			return store.NewLog(&spool.Options{MaxBytes: -1, MaxAge: time.Hour, OnReport: hook})
		}
		lesser, greater := budget.Share(aging(), aging(), budget.Options{MaxBytes: 1000, OnLesser: hook, OnGreater: hook})
		for range 5 {
			_, err := lesser.Append(t.Context(), entry(100))
			must(t, err)
			_, err = greater.Append(t.Context(), entry(100))
			must(t, err)
		}
		_, err := greater.Append(t.Context(), entry(100)) // the first of lesser goes
		must(t, err)
		time.Sleep(time.Hour + time.Minute)
		_, err = lesser.Append(t.Context(), entry(1000))
		must(t, err)
		if lesser.Len() != 1 || greater.Len() != 0 {
			t.Errorf("%d and %d records", lesser.Len(), greater.Len())
		}
		must(t, errors.Join(lesser.Close(), greater.Close()))
		if d := cmp.Diff([]string{"dropped 1-1 1", "expired 1-6 6", "expired 2-5 4"}, reports); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	})
}

// TestTooLong: what can never fit displaces nothing.
func TestTooLong(t *testing.T) {
	t.Parallel()
	lesser, greater := budget.Share(unbounded(), unbounded(), budget.Options{MaxBytes: 1000})
	_, err := lesser.Append(t.Context(), entry(500))
	must(t, err)
	_, err = greater.Append(t.Context(), entry(300))
	must(t, err)
	for name, l := range map[string]struct {
		budget.Log
		size int
	}{"lesser": {lesser, 701}, "greater": {greater, 1001}} {
		if _, err := l.Append(t.Context(), entry(l.size)); !errors.Is(err, smokerr.ErrQueueFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if lesser.Len() != 1 || greater.Len() != 1 {
		t.Errorf("%d and %d records", lesser.Len(), greater.Len())
	}
	must(t, errors.Join(lesser.Close(), greater.Close()))
}

// TestConcurrent: several goroutines at once never pass the bound, and every record is there or reported.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	lost := uint64(0)
	hook := func(r spool.Report) {
		mu.Lock()
		defer mu.Unlock()
		lost += r.Records
	}
	lesser, greater := budget.Share(unbounded(), unbounded(), budget.Options{MaxBytes: 5000, OnLesser: hook, OnGreater: hook})
	const callers, each = 8, 200
	refused := uint64(0)
	var wg sync.WaitGroup
	for i := range callers {
		l := lesser
		if i%2 == 0 {
			l = greater
		}
		wg.Go(func() {
			for range each {
				if _, err := l.Append(t.Context(), entry(100)); errors.Is(err, smokerr.ErrQueueFull) {
					mu.Lock()
					refused++
					mu.Unlock()
				} else if err != nil {
					t.Error(err)
				}
				// The greater log first: what it takes from the lesser one in between must not count twice.
				if n := greater.Bytes() + lesser.Bytes(); n > 5000 {
					t.Errorf("%d bytes", n)
				}
			}
		})
	}
	wg.Wait()
	left := uint64(lesser.Len() + greater.Len())
	must(t, errors.Join(lesser.Close(), greater.Close()))
	if left+lost != callers*each || lost < refused {
		t.Errorf("%d left, %d reported lost, %d of them refused; %d were tried", left, lost, refused, callers*each)
	}
}

// TestReportsAreGathered: a full store reports once a second what it lost, the rest when it is closed.
func TestReportsAreGathered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var reports []string
		lesser, greater := budget.Share(unbounded(), unbounded(), budget.Options{MaxBytes: 1000, OnLesser: func(r spool.Report) {
			reports = append(reports, fmt.Sprintf("%v %d-%d %d", r.Kind, r.First, r.Last, r.Records))
		}})
		for range 2 {
			for range 20 {
				_, err := lesser.Append(t.Context(), entry(100))
				must(t, err)
			}
			time.Sleep(900 * time.Millisecond)
		}
		synctest.Wait()
		if d := cmp.Diff([]string{"dropped 1-30 30"}, reports); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		_, err := lesser.Append(t.Context(), entry(100))
		must(t, err)
		must(t, errors.Join(lesser.Close(), greater.Close()))
		if d := cmp.Diff([]string{"dropped 1-30 30", "dropped 31-31 1"}, reports); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	})
}
