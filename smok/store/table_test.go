package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openTable(t testing.TB, l store.Log, opts *store.TableOptions) *store.Table {
	t.Helper()
	table, err := store.OpenTable(l, opts)
	must(t, err)
	return table
}

// list returns the entries as "key=value", in their order.
func list(table *store.Table) []string {
	got := []string{}
	for key, value := range table.All() {
		got = append(got, key+"="+string(value))
	}
	return got
}

func TestTable(t *testing.T) {
	t.Parallel()
	l := store.NewLog(nil)
	table := openTable(t, l, nil)
	ctx := t.Context()
	value := []byte("1")
	must(t, table.Put(ctx, "a", value))
	value[0] = 'X'
	must(t, table.Put(ctx, "b", []byte("2")))
	must(t, table.Put(ctx, "c", nil))
	must(t, table.Put(ctx, "a", []byte("3"))) // keeps its place
	must(t, table.Delete(ctx, "c", "never there"))
	must(t, table.Delete(ctx))
	must(t, table.Put(ctx, "c", []byte("4")))
	want := []string{"a=3", "b=2", "c=4"}
	for name, table := range map[string]*store.Table{"as it is": table, "opened again": openTable(t, l, nil)} {
		if d := cmp.Diff(want, list(table)); d != "" {
			t.Errorf("%s, -want +got:\n%s", name, d)
		}
		if n := table.Len(); n != 3 {
			t.Errorf("%s: %d entries", name, n)
		}
		got, err := table.Get("b")
		must(t, err)
		got[0] = 'X'
		if again, _ := table.Get("b"); string(again) != "2" {
			t.Errorf("%s: the value is not the caller's own", name)
		}
		if _, err := table.Get("z"); !errors.Is(err, errkit.NotFound) || !errors.Is(err, smokerr.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTableRefuses(t *testing.T) {
	t.Parallel()
	table := openTable(t, store.NewLog(nil), nil)
	long := make([]byte, 1<<20)
	for name, edits := range map[string][]store.Edit{
		"no key":         {{Key: "a"}, {Value: []byte("x")}},
		"long key":       {{Key: "a"}, {Key: strings.Repeat("k", store.MaxKey+1)}},
		"long value":     {{Key: "a", Value: long}},
		"long, together": {{Key: "a", Value: long[:600_000]}, {Key: "b", Value: long[:600_000]}},
	} {
		if err := table.Apply(t.Context(), edits...); !errors.Is(err, errkit.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := table.Len(); n != 0 {
		t.Errorf("%d entries", n)
	}
}

// TestTableBound: a table without room refuses, or drops what is in it longest; either way a call is made whole or not.
func TestTableBound(t *testing.T) {
	t.Parallel()
	value := []byte(strings.Repeat("v", 67)) // 100 bytes with a key of one byte and the rest
	for _, c := range []struct {
		name  string
		drop  bool
		edits []store.Edit
		full  bool
		want  []string
		drops []string
	}{
		{"refused", false, []store.Edit{{Key: "a", Delete: true}, {Key: "e", Value: value}, {Key: "f", Value: value}}, true, []string{"a", "b", "c", "d"}, nil},
		{"makes its own room", false, []store.Edit{{Key: "a", Delete: true}, {Key: "e", Value: value}}, false, []string{"b", "c", "d", "e"}, nil},
		{"oldest are dropped", true, []store.Edit{{Key: "e", Value: value}, {Key: "f", Value: value}}, false, []string{"c", "d", "e", "f"}, []string{"a", "b"}},
		{"not what it puts", true, []store.Edit{{Key: "a", Value: append(value, value...)}}, false, []string{"a", "c", "d"}, []string{"b"}},
		{"never fits", true, []store.Edit{{Key: "e", Value: make([]byte, 500)}}, true, []string{"a", "b", "c", "d"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var dropped []string
			l := store.NewLog(nil)
			table := openTable(t, l, &store.TableOptions{MaxBytes: 400, DropOldest: c.drop, OnDrop: func(keys []string) {
				dropped = append(dropped, keys...)
			}})
			for _, key := range []string{"a", "b", "c", "d"} {
				must(t, table.Put(t.Context(), key, value))
			}
			if err := table.Apply(t.Context(), c.edits...); errors.Is(err, smokerr.ErrQueueFull) != c.full || !c.full && err != nil {
				t.Errorf("Apply: %v", err)
			}
			for name, table := range map[string]*store.Table{"as it is": table, "opened again": openTable(t, l, nil)} {
				var keys []string
				for key := range table.All() {
					keys = append(keys, key)
				}
				if d := cmp.Diff(c.want, keys); d != "" {
					t.Errorf("%s, -want +got:\n%s", name, d)
				}
			}
			if d := cmp.Diff(c.drops, dropped); d != "" {
				t.Errorf("dropped, -want +got:\n%s", d)
			}
			if n := table.Bytes(); n > 400 {
				t.Errorf("%d bytes", n)
			}
		})
	}
}

// TestTableCompacts: the log stays within three times the entries, whatever is done, and holds what the table holds.
func TestTableCompacts(t *testing.T) {
	t.Parallel()
	l := store.NewLog(nil)
	table := openTable(t, l, nil)
	rng := rand.New(rand.NewPCG(1, 1))
	want := make(map[string]string)
	most := int64(0)
	for range 3000 {
		key := fmt.Sprint("key", rng.IntN(50))
		value := strings.Repeat("v", rng.IntN(1000))
		if rng.IntN(3) == 0 {
			must(t, table.Delete(t.Context(), key))
			delete(want, key)
		} else {
			must(t, table.Put(t.Context(), key, []byte(value)))
			want[key] = value
		}
		most = max(most, l.Bytes()-2*table.Bytes())
	}
	if most > 70<<10 {
		t.Errorf("the log was %d bytes longer than twice the entries", most)
	}
	got := make(map[string]string)
	for key, value := range openTable(t, l, nil).All() {
		got[key] = string(value)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	must(t, table.Delete(t.Context(), slices.Collect(maps.Keys(want))...))
}

// failing is a log whose appends fail after a while.
type failing struct {
	store.Log
	left int
}

func (f *failing) AppendBatch(ctx context.Context, entries []store.Entry) (uint64, error) {
	if f.left--; f.left < 0 {
		return 0, smokerr.Store("append", "test", errors.New("disk on fire"))
	}
	return f.Log.AppendBatch(ctx, entries)
}

// TestTableLogFails: a change that is not in the log is not made; one that is stays, also if what follows fails. It is the
// same after each append that fails, those of writing the entries anew among them.
func TestTableLogFails(t *testing.T) {
	t.Parallel()
	for left := range 120 {
		l := &failing{Log: store.NewLog(nil), left: left}
		table := openTable(t, l, nil)
		want := make(map[string]string)
		for i := range 130 {
			key, value := fmt.Sprint("key", i%7), fmt.Sprint(i, strings.Repeat("v", 2000))
			if err := table.Put(t.Context(), key, []byte(value)); err == nil {
				want[key] = value
			} else if !errors.Is(err, smokerr.ErrStore) {
				t.Fatal(err)
			}
			if i == 125 {
				l.left = 1000
			}
		}
		for name, table := range map[string]*store.Table{"as it is": table, "opened again": openTable(t, l.Log, nil)} {
			got := make(map[string]string)
			for key, value := range table.All() {
				got[key] = string(value)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("failing after %d, %s, -want +got:\n%s", left, name, d)
			}
		}
	}
}

// TestTableConcurrent: changes of several goroutines share appends, and none is lost or mixed.
func TestTableConcurrent(t *testing.T) {
	t.Parallel()
	s, err := spool.Open(t.TempDir(), nil)
	must(t, err)
	defer s.Close()
	table := openTable(t, s, nil)
	const callers, each = 16, 30
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for j := range each {
				value := fmt.Appendf(nil, "%d/%d", i, j)
				if err := table.Apply(t.Context(), store.Edit{Key: fmt.Sprint(i), Value: value}, store.Edit{Key: "last", Value: value}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	again := openTable(t, s, nil)
	for i := range callers {
		if got, err := again.Get(fmt.Sprint(i)); string(got) != fmt.Sprintf("%d/%d", i, each-1) {
			t.Errorf("caller %d: %q, %v", i, got, err)
		}
	}
	if d := cmp.Diff(list(table), list(again)); d != "" {
		t.Errorf("-table +opened again:\n%s", d)
	}
	if st := s.Stats(); st.Groups > st.Appended {
		t.Errorf("%d writes of %d records", st.Groups, st.Appended)
	}
}

func TestTableCanceled(t *testing.T) {
	t.Parallel()
	table := openTable(t, store.NewLog(nil), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 { // with no one else writing, either may win
		if err := table.Put(ctx, "a", nil); err != nil && !errors.Is(err, errkit.Canceled) {
			t.Fatal(err)
		}
	}
}

// TestTableForeign: a log of something else, or of a newer version, is not a table.
func TestTableForeign(t *testing.T) {
	t.Parallel()
	for name, payload := range map[string]string{
		"empty": "", "newer": "\x02", "text": "hello", "no operation": "\x01\x07\x01\x01k", "cut short": "\x01\x01\x01\x05k",
	} {
		l := store.NewLog(nil)
		_, err := l.Append(t.Context(), store.Entry{Payload: []byte(payload)})
		must(t, err)
		if _, err := store.OpenTable(l, nil); !errors.Is(err, smokerr.ErrStore) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
