package smok_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

const metadataPath = "/v1/device/metadata/plain/"

// wantMetadata checks what the hub has under a key; an empty value means nothing.
func (w *world) wantMetadata(key, want string) {
	w.t.Helper()
	if got, _, _ := w.pump.Metadata(key); got != want {
		w.t.Errorf("the hub has %q under %q, want %q", got, key, want)
	}
}

// wantGet checks what the device says of a key; an empty value means that there is none.
func (w *world) wantGet(d *smok.Device, key, want string) {
	w.t.Helper()
	got, err := d.Metadata().Get(w.t.Context(), key)
	if got != want || (want == "") != errors.Is(err, smok.ErrNotFound) {
		w.t.Errorf("get %q: %q, %v, want %q", key, got, err, want)
	}
}

// metadataCalls returns the methods of the requests for metadata since the last call.
func (w *world) metadataCalls() string {
	var methods []string
	for _, r := range w.hub.Requests() {
		if strings.HasPrefix(r.Path, metadataPath) {
			methods = append(methods, r.Method)
		}
	}
	w.hub.ClearRequests()
	return strings.Join(methods, " ")
}

// TestMetadataReachesTheHubWithinASecond: the original sends one change a minute, with a time that is off by up to 64 s.
func TestMetadataReachesTheHubWithinASecond(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		m := d.Metadata()
		ctx := t.Context()
		w.sleep(time.Minute + 300*time.Millisecond)
		at := time.Now()
		for i := range 10 {
			w.must(m.Set(ctx, fmt.Sprint("key ", i), "v"))
		}
		w.sleep(time.Second)
		for i := range 10 {
			value, when, _ := w.pump.Metadata(fmt.Sprint("key ", i))
			if value != "v" || when.Unix() != at.Unix() {
				t.Errorf("%q, %v, want %v", value, when, at)
			}
		}
		if n := w.pump.Counts().FloatTimes; n != 0 {
			t.Errorf("%d times as floats", n)
		}
	})
}

// TestMetadataDelete: the original cannot; its thread dies.
func TestMetadataDelete(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		ctx := t.Context()
		for _, remove := range []func(key string) error{
			func(key string) error { return d.Metadata().Delete(ctx, key) },
			func(key string) error { return d.Metadata().Set(ctx, key, "") },
		} {
			w.must(d.Metadata().Set(ctx, "k", "v"))
			w.sleep(time.Second)
			w.wantMetadata("k", "v")
			w.must(remove("k"))
			w.wantGet(d, "k", "")
			w.sleep(time.Second)
			w.wantMetadata("k", "")
			w.wantGet(d, "k", "")
		}
		w.must(d.Metadata().Delete(ctx, "never there"))
		w.sleep(time.Minute)
		if errs := w.reported(); errs != nil {
			t.Errorf("reported %v", errs)
		}
	})
}

func TestMetadataCache(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetMetadata("k", "old", time.Now())
		d := w.run(smok.Options{CacheMetadata: 10 * time.Second})
		w.sleep(time.Second)
		w.wantGet(d, "k", "old")
		w.pump.SetMetadata("k", "new", time.Now())
		w.sleep(9 * time.Second)
		w.wantGet(d, "k", "old")
		w.sleep(2 * time.Second)
		w.wantGet(d, "k", "new")
		if calls := w.metadataCalls(); calls != "GET GET" {
			t.Errorf("requests %s", calls)
		}
		w.pump.DeleteMetadata("k")
		w.sleep(time.Minute)
		w.wantGet(d, "k", "")
		w.wantGet(d, "k", "") // that there is none is kept as well
		if calls := w.metadataCalls(); calls != "GET" {
			t.Errorf("requests %s", calls)
		}
	})
}

// TestMetadataWithoutTheHub: what is known is the answer, and what is not known says why.
func TestMetadataWithoutTheHub(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetMetadata("k", "v", time.Now())
		open := keptStore()
		d := w.run(smok.Options{Store: open()})
		w.sleep(time.Second)
		w.wantGet(d, "k", "v")
		w.hub.Down(smoktest.REST)
		w.sleep(time.Hour)
		w.wantGet(d, "k", "v")
		if _, err := d.Metadata().Get(t.Context(), "other"); !errors.Is(err, smok.ErrNoLink) || errors.Is(err, smok.ErrNotFound) {
			t.Errorf("%v", err)
		}
		w.must(d.Close())
		d = w.run(smok.Options{Store: open(), Offline: true})
		w.wantGet(d, "k", "v")
		w.wantGet(d, "other", "")
	})
}

// TestMetadataIsNotOverwrittenByAnOlderRead: in the original a read before the write went out replaces it.
func TestMetadataIsNotOverwrittenByAnOlderRead(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetMetadata("k", "theirs", time.Now())
		d := w.run(smok.Options{CacheMetadata: -1})
		ctx := t.Context()
		w.sleep(10 * time.Second)
		w.hub.Inject(smoktest.Fault{Path: metadataPath + "k", Method: "PUT", Kind: smoktest.FaultAnswer, Status: 500, Times: 5})
		w.must(d.Metadata().Set(ctx, "k", "ours"))
		w.sleep(time.Second)
		w.wantGet(d, "k", "ours")
		w.wantMetadata("k", "theirs")
		w.sleep(10 * time.Minute)
		w.wantMetadata("k", "ours")

		// A write during the read: the answer of the hub is older.
		w.hub.Inject(smoktest.Fault{Path: metadataPath + "k", Method: "GET", Kind: smoktest.FaultDelay, AfterEffect: true, Delay: 5 * time.Second, Times: 1})
		done := make(chan string)
		go func() {
			got, _ := d.Metadata().Get(ctx, "k")
			done <- got
		}()
		w.sleep(time.Second)
		w.must(d.Metadata().Set(ctx, "k", "newer"))
		if got := <-done; got != "newer" {
			t.Errorf("%q", got)
		}
		w.sleep(time.Second)
		w.wantMetadata("k", "newer")
	})
}

// TestLaterMetadataOfTheHubWins: a value that was written at the hub after ours, while ours could not be sent.
func TestLaterMetadataOfTheHubWins(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{CacheMetadata: -1, Offline: true})
		w.must(d.Metadata().Set(t.Context(), "k", "ours"))
		w.must(d.Metadata().Set(t.Context(), "l", "ours"))
		w.sleep(10 * time.Second)
		w.pump.SetMetadata("k", "theirs", time.Now())
		w.pump.SetMetadata("l", "theirs", time.Now().Add(-time.Minute))
		w.wantGet(d, "k", "ours")
		d.SetOffline(false)
		w.wantGet(d, "k", "theirs")
		w.sleep(time.Minute)
		w.wantMetadata("k", "theirs")
		w.wantGet(d, "k", "theirs")
		w.wantMetadata("l", "ours")
	})
}

// TestMetadataAfterRestart: what was written is durable, deletions too, and the last of several values goes out, alone.
func TestMetadataAfterRestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetMetadata("gone", "v", time.Now())
		open := keptStore()
		d := w.device(smok.Options{Store: open(), Offline: true})
		m := d.Metadata()
		ctx := t.Context()
		w.sleep(time.Second)
		for i := range 5 {
			w.must(m.Set(ctx, "k", fmt.Sprint(i)))
		}
		w.must(m.Delete(ctx, "gone"))
		if err := m.Flush(ctx); !errors.Is(err, smok.ErrSyncDisabled) {
			t.Errorf("%v", err)
		}
		w.must(d.Close())
		d = w.device(smok.Options{Store: open()})
		w.wantGet(d, "gone", "")
		w.hub.ClearRequests()
		w.must(d.Metadata().Flush(ctx))
		w.wantMetadata("k", "4")
		w.wantMetadata("gone", "")
		if calls := w.metadataCalls(); calls != "PUT DELETE" && calls != "DELETE PUT" {
			t.Errorf("requests %s", calls)
		}
		w.must(d.Metadata().Flush(ctx))
		if calls := w.metadataCalls(); calls != "" {
			t.Errorf("requests %s", calls)
		}
	})
}

// TestRefusedMetadata: it is given up and reported, the other keys get through, and the hub's value shows again.
func TestRefusedMetadata(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetMetadata("bad", "theirs", time.Now())
		w.hub.Inject(smoktest.Fault{Path: metadataPath + "bad", Method: "PUT", Kind: smoktest.FaultAnswer, Status: 422})
		d := w.run(smok.Options{})
		w.must(d.Metadata().Set(t.Context(), "bad", "x"))
		w.must(d.Metadata().Set(t.Context(), "good", "x"))
		w.sleep(time.Second)
		w.wantMetadata("good", "x")
		w.wantGet(d, "bad", "theirs")
		w.sleep(time.Hour)
		if errs := w.reported(); len(errs) != 1 || !errors.Is(errs[0], smok.ErrSync) {
			t.Errorf("reported %v", errs)
		}
	})
}

// TestMetadataOfOneKeyDoesNotHoldTheOthers: a key for which the hub always fails.
func TestMetadataOfOneKeyDoesNotHoldTheOthers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.hub.Inject(smoktest.Fault{Path: metadataPath + "a", Method: "PUT", Kind: smoktest.FaultReset})
		d := w.run(smok.Options{})
		for _, key := range []string{"a", "b", "c"} {
			w.must(d.Metadata().Set(t.Context(), key, "x"))
		}
		w.sleep(30 * time.Second) // what comes while a round fails waits for the delay after it, which is random
		w.wantMetadata("b", "x")
		w.wantMetadata("c", "x")
	})
}

// TestMetadataOfAnUnsetClock waits until the clock is set, and then counts as written when it was.
func TestMetadataOfAnUnsetClock(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetMetadata("k", "theirs", time.Now())
		var off atomic.Int64
		off.Store(int64(10 * 365 * 24 * time.Hour))
		wall := func() time.Time { return time.Now().Add(-time.Duration(off.Load())) }
		d := w.run(smok.Options{Time: wall, ClockFloor: time.Now().Add(-time.Hour), CacheMetadata: -1})
		w.must(d.Metadata().Set(t.Context(), "k", "ours"))
		w.sleep(time.Minute)
		w.wantMetadata("k", "theirs")
		w.wantGet(d, "k", "ours")
		off.Store(0)
		w.sleep(5 * time.Minute)
		w.wantMetadata("k", "ours")
		if _, at, _ := w.pump.Metadata("k"); time.Since(at) < 6*time.Minute || time.Since(at) > 7*time.Minute {
			t.Errorf("written %v ago", time.Since(at))
		}
	})
}

func TestMetadataArguments(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		ctx := t.Context()
		m := d.Metadata()
		for name, call := range map[string]func() error{
			"dots":         func() error { return m.Set(ctx, "..", "v") },
			"no key":       func() error { _, err := m.Get(ctx, ""); return err },
			"long key":     func() error { return m.Delete(ctx, strings.Repeat("k", 2<<10)) },
			"key's text":   func() error { return m.Set(ctx, "\xff", "v") },
			"long value":   func() error { return m.Set(ctx, "k", strings.Repeat("v", 65<<10)) },
			"value's text": func() error { return m.Set(ctx, "k", "\xff") },
		} {
			if err := call(); !errors.Is(err, smok.ErrInvalidArgument) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, key := range []string{"a b", "a/b", "a+b", "ż", "...", "%41"} {
			w.must(m.Set(ctx, key, "v "+key))
			w.must(m.Flush(ctx))
			w.wantMetadata(key, "v "+key)
		}
		off := w.device(smok.Options{Disable: smok.Areas{Metadata: true}})
		if _, err := off.Metadata().Get(ctx, "k"); !errors.Is(err, smok.ErrUnavailable) {
			t.Error(err)
		}
	})
}

// TestMetadataIsBounded: what is known of very many keys is forgotten, what is to be sent is not.
func TestMetadataIsBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{Offline: true})
		ctx := t.Context()
		text := strings.Repeat("x", 60<<10)
		n := 0
		for ; ; n++ {
			if err := d.Metadata().Set(ctx, fmt.Sprint(n), text); err != nil {
				if !errors.Is(err, smok.ErrQueueFull) {
					t.Fatal(err)
				}
				break
			}
		}
		if n < 200 {
			t.Errorf("room for %d", n)
		}
		for i := range n {
			if got, err := d.Metadata().Get(ctx, fmt.Sprint(i)); err != nil || got != text {
				t.Fatalf("key %d is lost: %v", i, err)
			}
		}
	})
}

// TestMetadataIsStoredInTheEnd: when the store could not take it at once.
func TestMetadataIsStoredInTheEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		w.pump.SetMetadata("k", "v", time.Now())
		p := m.boot(smok.Options{}, nil)
		p.stuck.Store(true)
		w.wantGet(p.device, "k", "v")
		p.stuck.Store(false)
		w.sleep(2 * time.Minute)
		w.wantGet(p.device, "k", "v") // asks again
		p.kill()
		p.bury()
		p = m.boot(smok.Options{Offline: true}, nil)
		w.wantGet(p.device, "k", "v")
	})
}
