package storetest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// Log tests a [store.Log]. place prepares a new, empty log for each test, with room for 16 MiB.
func Log(t *testing.T, place func(t *testing.T) Open[store.Log], durable bool) {
	t.Helper()
	run(t, place, durable, []row[store.Log]{
		{"numbers ascend from 1, in order", false, logOrder},
		{"a record has its payload, tag and time", false, logRecord},
		{"payloads belong to who gave or got them", false, logOwner},
		{"a batch is stored whole, behind one another", false, logBatch},
		{"an entry without a time gets the present one", false, logTime},
		{"PeekFrom removes nothing and starts where it is told", false, logPeek},
		{"Remove takes out what it is told, once", false, logRemove},
		{"Remove of a number that was never given is refused", false, logRemoveUnknown},
		{"Quarantine takes one record out, wherever", false, logQuarantine},
		{"a canceled context accepts nothing", false, logCanceled},
		{"Len and Bytes follow the records", false, logSizes},
		{"Wait ends with a record, the context or Close", false, logWait},
		{"several goroutines lose and mix nothing", false, logConcurrent},
		{"after Close everything is refused", false, logClosed},
		{"records, numbers and removals last", true, logLasts},
		{"a second opener is refused", true, logExclusive},
	})
}

func entries(texts ...string) []store.Entry {
	list := make([]store.Entry, len(texts))
	for i, text := range texts {
		list[i].Payload = []byte(text)
	}
	return list
}

func fill(t *testing.T, l store.Log, texts ...string) {
	t.Helper()
	_, err := l.AppendBatch(t.Context(), entries(texts...))
	must(t, err)
}

// contents returns the numbers and payloads of all records.
func contents(t *testing.T, l store.Log) []string {
	t.Helper()
	list := []string{}
	for next := uint64(0); ; {
		records, err := l.PeekFrom(next, 100)
		must(t, err)
		if len(records) == 0 {
			return list
		}
		for _, r := range records {
			list = append(list, fmt.Sprintf("%d %s", r.Seq, r.Payload))
			next = r.Seq + 1
		}
	}
}

func logOrder(t *testing.T, open Open[store.Log]) {
	l := start(t, open)
	for i := range uint64(5) {
		seq, err := l.Append(t.Context(), store.Entry{Payload: fmt.Appendf(nil, "r%d", i+1)})
		must(t, err)
		same(t, "number", i+1, seq)
	}
	same(t, "records", []string{"1 r1", "2 r2", "3 r3", "4 r4", "5 r5"}, contents(t, l))
}

func logRecord(t *testing.T, open Open[store.Log]) {
	l := start(t, open)
	at := time.Date(2026, 11, 22, 10, 0, 0, 123456000, time.UTC)
	_, err := l.AppendBatch(t.Context(), []store.Entry{
		{Payload: []byte{0, 1, 255}, Tag: 7, Time: at}, {Tag: 255, Time: at.Add(-time.Hour)},
	})
	must(t, err)
	records, err := l.PeekFrom(0, 10)
	must(t, err)
	if len(records) != 2 {
		t.Fatalf("%d records", len(records))
	}
	for i, want := range []store.Record{
		{Seq: 1, Tag: 7, Payload: []byte{0, 1, 255}, Time: at}, {Seq: 2, Tag: 255, Time: at.Add(-time.Hour)},
	} {
		r := records[i]
		if r.Seq != want.Seq || r.Tag != want.Tag || !bytes.Equal(r.Payload, want.Payload) || !r.Time.Equal(want.Time) {
			t.Errorf("record %v, want %v", r, want)
		}
	}
}

func logOwner(t *testing.T, open Open[store.Log]) {
	l := start(t, open)
	payload := []byte("mine")
	_, err := l.Append(t.Context(), store.Entry{Payload: payload})
	must(t, err)
	payload[0] = 'X'
	records, err := l.PeekFrom(0, 1)
	must(t, err)
	records[0].Payload[1] = 'X'
	same(t, "records", []string{"1 mine"}, contents(t, l))
}

func logBatch(t *testing.T, open Open[store.Log]) {
	l := start(t, open)
	fill(t, l, "a")
	first, err := l.AppendBatch(t.Context(), entries("b", "c", "d"))
	must(t, err)
	same(t, "first number", 2, first)
	none, err := l.AppendBatch(t.Context(), nil)
	must(t, err)
	same(t, "number of an empty batch", 0, none)
	same(t, "records", []string{"1 a", "2 b", "3 c", "4 d"}, contents(t, l))
}

func logTime(t *testing.T, open Open[store.Log]) {
	l := start(t, open)
	before := time.Now().Add(-time.Millisecond)
	fill(t, l, "a")
	records, err := l.PeekFrom(0, 1)
	must(t, err)
	if at := records[0].Time; at.Before(before) || at.After(time.Now()) {
		t.Errorf("time %v", at)
	}
}

func logPeek(t *testing.T, open Open[store.Log]) {
	l := start(t, open)
	none, err := l.PeekFrom(0, 5)
	must(t, err)
	same(t, "records of an empty log", 0, len(none))
	fill(t, l, "a", "b", "c", "d")
	for _, c := range []struct {
		seq  uint64
		n    int
		want []uint64
	}{{0, 2, []uint64{1, 2}}, {1, 1, []uint64{1}}, {3, 10, []uint64{3, 4}}, {5, 10, nil}, {2, 0, nil}} {
		records, err := l.PeekFrom(c.seq, c.n)
		must(t, err)
		var got []uint64
		for _, r := range records {
			got = append(got, r.Seq)
		}
		same(t, fmt.Sprintf("numbers from %d, at most %d", c.seq, c.n), c.want, got)
	}
	same(t, "length", 4, l.Len())
}

func logRemove(t *testing.T, open Open[store.Log]) {
	l := start(t, open)
	fill(t, l, "a", "b", "c", "d")
	must(t, l.Remove(2))
	must(t, l.Remove(2))
	must(t, l.Remove(1))
	must(t, l.Remove(0))
	same(t, "records", []string{"3 c", "4 d"}, contents(t, l))
	must(t, l.Remove(4))
	same(t, "records", []string{}, contents(t, l))
	fill(t, l, "e")
	same(t, "records", []string{"5 e"}, contents(t, l))
}

func logRemoveUnknown(t *testing.T, open Open[store.Log]) {
	l := start(t, open)
	fill(t, l, "a")
	wants(t, "Remove", l.Remove(2), errkit.Invalid)
	same(t, "records", []string{"1 a"}, contents(t, l))
}

func logQuarantine(t *testing.T, open Open[store.Log]) {
	l := start(t, open)
	fill(t, l, "a", "b", "c")
	must(t, l.Quarantine(2, "refused by the hub"))
	same(t, "records", []string{"1 a", "3 c"}, contents(t, l))
	must(t, l.Quarantine(1, "refused by the hub"))
	wants(t, "Quarantine again", l.Quarantine(2, "x"), errkit.Invalid)
	wants(t, "Quarantine of nothing", l.Quarantine(9, "x"), errkit.Invalid)
	must(t, l.Remove(2))
	same(t, "records", []string{"3 c"}, contents(t, l))
	same(t, "length", 1, l.Len())
}

func logCanceled(t *testing.T, open Open[store.Log]) {
	l := start(t, open)
	_, err := l.Append(canceled(t), store.Entry{Payload: []byte("a")})
	wants(t, "Append", err, errkit.Canceled)
	same(t, "records", []string{}, contents(t, l))
}

func logSizes(t *testing.T, open Open[store.Log]) {
	l := start(t, open)
	same(t, "length", 0, l.Len())
	empty := l.Bytes()
	fill(t, l, "a", string(make([]byte, 1000)))
	full := l.Bytes()
	if full < empty+1001 {
		t.Errorf("%d bytes, and %d when empty", full, empty)
	}
	same(t, "length", 2, l.Len())
	must(t, l.Remove(2))
	same(t, "length", 0, l.Len())
	if n := l.Bytes(); n > empty {
		t.Errorf("%d bytes, and %d when it was empty", n, empty)
	}
	must(t, l.Sync())
}

func logWait(t *testing.T, open Open[store.Log]) {
	l := start(t, open)
	fill(t, l, "a")
	must(t, l.Wait(t.Context(), 1))
	wants(t, "Wait with a canceled context", l.Wait(canceled(t), 2), errkit.Canceled)
	got := make(chan error, 1)
	go func() { got <- l.Wait(context.Background(), 3) }()
	fill(t, l, "b")
	fill(t, l, "c")
	must(t, <-got)
	go func() { got <- l.Wait(context.Background(), 100) }()
	must(t, l.Close())
	wants(t, "Wait when closed", <-got, errkit.Closed)
}

func logConcurrent(t *testing.T, open Open[store.Log]) {
	l := start(t, open)
	const callers, each = 8, 50
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for j := range each {
				if _, err := l.AppendBatch(t.Context(), entries(fmt.Sprintf("%d/%d", i, j), fmt.Sprintf("%d/%d+", i, j))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := make(map[string]int) // number of callers' texts, by caller
	taken := 0
	last := ""
	for next := uint64(0); taken < 2*callers*each && !t.Failed(); {
		must(t, l.Wait(t.Context(), max(next, 1)))
		records, err := l.PeekFrom(next, 7)
		must(t, err)
		for _, r := range records {
			text := string(r.Payload)
			if second := text[len(text)-1] == '+'; second && last+"+" != text {
				t.Errorf("%q behind %q", text, last)
			}
			var caller, n int
			_, err := fmt.Sscanf(text, "%d/%d", &caller, &n)
			must(t, err)
			key := fmt.Sprint(caller)
			same(t, "texts of a caller before "+text, 2*n+map[bool]int{true: 1}[text[len(text)-1] == '+'], seen[key])
			seen[key]++
			last, next = text, r.Seq+1
			taken++
		}
		if len(records) > 0 {
			must(t, l.Remove(next-1))
		}
	}
	wg.Wait()
	same(t, "length", 0, l.Len())
}

func logClosed(t *testing.T, open Open[store.Log]) {
	l := start(t, open)
	fill(t, l, "a")
	must(t, l.Close())
	must(t, l.Close())
	_, err := l.Append(t.Context(), store.Entry{})
	wants(t, "Append", err, errkit.Closed)
	_, err = l.AppendBatch(t.Context(), entries("a"))
	wants(t, "AppendBatch", err, errkit.Closed)
	_, err = l.PeekFrom(0, 1)
	wants(t, "PeekFrom", err, errkit.Closed)
	wants(t, "Remove", l.Remove(1), errkit.Closed)
	wants(t, "Quarantine", l.Quarantine(1, ""), errkit.Closed)
	wants(t, "Sync", l.Sync(), errkit.Closed)
	wants(t, "Wait", l.Wait(t.Context(), 5), errkit.Closed)
}

func logLasts(t *testing.T, open Open[store.Log]) {
	l := start(t, open)
	fill(t, l, "a", "b", "c", "d")
	must(t, l.Quarantine(3, "poison"))
	must(t, l.Remove(1))
	must(t, l.Close())
	l = start(t, open)
	same(t, "records", []string{"2 b", "4 d"}, contents(t, l))
	must(t, l.Remove(4))
	must(t, l.Close())
	l = start(t, open)
	fill(t, l, "e")
	same(t, "records", []string{"5 e"}, contents(t, l))
}

func logExclusive(t *testing.T, open Open[store.Log]) {
	l := start(t, open)
	fill(t, l, "a")
	if other, err := open(); err == nil {
		_ = other.Close() // it should not be there
		t.Error("two have the log open")
	}
	same(t, "records", []string{"1 a"}, contents(t, l))
}
