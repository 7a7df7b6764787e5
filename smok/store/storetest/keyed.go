package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// Keyed tests a [store.Keyed]. place prepares a new, empty one for each test, with room for 16 MiB.
func Keyed(t *testing.T, place func(t *testing.T) Open[store.Keyed], durable bool) {
	t.Helper()
	run(t, place, durable, []row[store.Keyed]{
		{"a value is there until it is deleted", false, keyedPut},
		{"areas have keys of their own", false, keyedAreas},
		{"values belong to who gave or got them", false, keyedOwner},
		{"any bytes are a key, and any a value", false, keyedBytes},
		{"Each goes by ascending keys and stops at an error", false, keyedEach},
		{"Each lets its function use the store", false, keyedEachReentrant},
		{"an area is replaced as a whole", false, keyedReplace},
		{"changes are made in their order", false, keyedOrder},
		{"wrong arguments change nothing", false, keyedInvalid},
		{"several goroutines see whole changes", false, keyedConcurrent},
		{"after Close everything is refused", false, keyedClosed},
		{"values last", true, keyedLasts},
		{"a second opener is refused", true, keyedExclusive},
	})
}

func put(area, key, value string) store.Change {
	return store.Change{Area: area, Key: key, Value: []byte(value)}
}

// area returns all entries of an area as "key=value", in the order of Each.
func area(t *testing.T, k store.Keyed, name string) []string {
	t.Helper()
	list := []string{}
	must(t, k.Each(name, func(key string, value []byte) error {
		list = append(list, key+"="+string(value))
		return nil
	}))
	return list
}

func keyedPut(t *testing.T, open Open[store.Keyed]) {
	k := start(t, open)
	_, err := k.Get("a", "k")
	wants(t, "Get before", err, errkit.NotFound)
	must(t, k.Apply())
	must(t, k.Apply(put("a", "k", "1")))
	must(t, k.Apply(put("a", "k", "2")))
	value, err := k.Get("a", "k")
	must(t, err)
	same(t, "value", "2", string(value))
	must(t, k.Apply(store.Change{Area: "a", Key: "k", Delete: true}))
	must(t, k.Apply(store.Change{Area: "a", Key: "k", Delete: true}))
	_, err = k.Get("a", "k")
	wants(t, "Get after", err, errkit.NotFound)
}

func keyedAreas(t *testing.T, open Open[store.Keyed]) {
	k := start(t, open)
	must(t, k.Apply(put("a", "k", "1"), put("ab", "k", "2"), put("a", "bk", "3")))
	same(t, "area a", []string{"bk=3", "k=1"}, area(t, k, "a"))
	same(t, "area ab", []string{"k=2"}, area(t, k, "ab"))
	must(t, k.Apply(store.Change{Area: "a", Delete: true}))
	same(t, "area a", []string{}, area(t, k, "a"))
	same(t, "area ab", []string{"k=2"}, area(t, k, "ab"))
	same(t, "area that was never there", []string{}, area(t, k, "x"))
}

func keyedOwner(t *testing.T, open Open[store.Keyed]) {
	k := start(t, open)
	value := []byte("mine")
	must(t, k.Apply(store.Change{Area: "a", Key: "k", Value: value}))
	value[0] = 'X'
	got, err := k.Get("a", "k")
	must(t, err)
	got[1] = 'X'
	must(t, k.Each("a", func(_ string, value []byte) error {
		value[2] = 'X'
		return nil
	}))
	same(t, "area", []string{"k=mine"}, area(t, k, "a"))
}

func keyedBytes(t *testing.T, open Open[store.Keyed]) {
	k := start(t, open)
	long := strings.Repeat("x", store.MaxKey)
	keys := []string{"\x00", "\x00\x00", " ", "../../etc/passwd", "ü", "\xff", long}
	for _, key := range keys {
		must(t, k.Apply(put("a", key, key+"!"), put("a", "empty", "")))
	}
	for _, key := range keys {
		value, err := k.Get("a", key)
		must(t, err)
		same(t, "value", key+"!", string(value))
	}
	empty, err := k.Get("a", "empty")
	must(t, err)
	if empty == nil || len(empty) > 0 {
		t.Errorf("an empty value is %v", empty)
	}
	big := strings.Repeat("0123456789abcdef", store.MaxValue/16)
	must(t, k.Apply(put("a", "big", big)))
	value, err := k.Get("a", "big")
	must(t, err)
	if string(value) != big {
		t.Error("a long value is another one")
	}
}

func keyedEach(t *testing.T, open Open[store.Keyed]) {
	k := start(t, open)
	want := []string{}
	for i := range 700 {
		key := fmt.Sprintf("%04d", (i*271)%700)
		must(t, k.Apply(put("a", key, key)))
		want = append(want, fmt.Sprintf("%04d=%04d", i, i))
	}
	same(t, "area", want, area(t, k, "a"))
	stop, n := errors.New("stop"), 0
	err := k.Each("a", func(string, []byte) error {
		n++
		if n == 3 {
			return stop
		}
		return nil
	})
	same(t, "calls", 3, n)
	if !errors.Is(err, stop) {
		t.Errorf("Each: %v", err)
	}
}

func keyedEachReentrant(t *testing.T, open Open[store.Keyed]) {
	k := start(t, open)
	must(t, k.Apply(put("a", "1", "x"), put("a", "2", "x"), put("a", "3", "x")))
	must(t, k.Each("a", func(key string, _ []byte) error {
		if _, err := k.Get("a", key); err != nil {
			return err
		}
		return k.Apply(put("b", key, strings.Repeat("y", 100_000)), store.Change{Area: "a", Key: key, Delete: true})
	}))
	same(t, "area a", []string{}, area(t, k, "a"))
	same(t, "length of area b", 3, len(area(t, k, "b")))
}

func keyedReplace(t *testing.T, open Open[store.Keyed]) {
	k := start(t, open)
	must(t, k.Apply(put("a", "1", "old"), put("a", "2", "old"), put("b", "1", "old")))
	must(t, k.Apply(store.Change{Area: "a", Delete: true}, put("a", "2", "new"), put("a", "3", "new")))
	same(t, "area a", []string{"2=new", "3=new"}, area(t, k, "a"))
	same(t, "area b", []string{"1=old"}, area(t, k, "b"))
}

func keyedOrder(t *testing.T, open Open[store.Keyed]) {
	k := start(t, open)
	must(t, k.Apply(put("a", "1", "x"), store.Change{Area: "a", Key: "1", Delete: true}, put("a", "1", "y"), put("a", "1", "z"),
		put("a", "2", "x"), store.Change{Area: "a", Key: "2", Delete: true}))
	same(t, "area", []string{"1=z"}, area(t, k, "a"))
}

func keyedInvalid(t *testing.T, open Open[store.Keyed]) {
	k := start(t, open)
	for name, c := range map[string]store.Change{
		"no area":            put("", "k", "v"),
		"long area":          put(strings.Repeat("a", store.MaxArea+1), "k", "v"),
		"zero in the area":   put("a\x00b", "k", "v"),
		"no key":             put("a", "", "v"),
		"long key":           put("a", strings.Repeat("k", store.MaxKey+1), "v"),
		"long key to delete": {Area: "a", Key: strings.Repeat("k", store.MaxKey+1), Delete: true},
		"long value":         {Area: "a", Key: "k", Value: make([]byte, store.MaxValue+1)},
	} {
		wants(t, name, k.Apply(put("a", "first", "v"), c), errkit.Invalid)
	}
	same(t, "area", []string{}, area(t, k, "a"))
}

func keyedConcurrent(t *testing.T, open Open[store.Keyed]) {
	k := start(t, open)
	must(t, k.Apply(put("a", "x", "0"), put("a", "y", "0")))
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for i := range 4 {
		wg.Go(func() {
			for j := range 10 {
				value := fmt.Sprintf("%d/%d", i, j)
				if err := k.Apply(put("a", "x", value), put("own", fmt.Sprint(i, "/", j), value), put("a", "y", value)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if got := area(t, k, "a"); len(got) != 2 || got[0][2:] != got[1][2:] {
				t.Errorf("half a change is seen: %v", got)
				return
			}
		}
	})
	wg.Wait()
	close(stop)
	reader.Wait()
	same(t, "entries", 40, len(area(t, k, "own")))
}

func keyedClosed(t *testing.T, open Open[store.Keyed]) {
	k := start(t, open)
	must(t, k.Apply(put("a", "k", "v")))
	must(t, k.Close())
	must(t, k.Close())
	_, err := k.Get("a", "k")
	wants(t, "Get", err, errkit.Closed)
	wants(t, "Each", k.Each("a", func(string, []byte) error { return nil }), errkit.Closed)
	wants(t, "Apply", k.Apply(put("a", "k", "v")), errkit.Closed)
}

func keyedLasts(t *testing.T, open Open[store.Keyed]) {
	k := start(t, open)
	must(t, k.Apply(put("a", "1", "x"), put("a", "2", "y"), put("b", "1", "z")))
	must(t, k.Apply(store.Change{Area: "a", Key: "1", Delete: true}))
	must(t, k.Close())
	k = start(t, open)
	same(t, "area a", []string{"2=y"}, area(t, k, "a"))
	must(t, k.Apply(put("a", "3", "w"), store.Change{Area: "b", Delete: true}))
	must(t, k.Close())
	k = start(t, open)
	same(t, "area a", []string{"2=y", "3=w"}, area(t, k, "a"))
	same(t, "area b", []string{}, area(t, k, "b"))
}

func keyedExclusive(t *testing.T, open Open[store.Keyed]) {
	k := start(t, open)
	must(t, k.Apply(put("a", "1", "x")))
	if other, err := open(); err == nil {
		_ = other.Close() // it should not be there
		t.Error("two have the store open")
	}
	same(t, "area", []string{"1=x"}, area(t, k, "a"))
}
