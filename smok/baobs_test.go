package smok_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

const baobsPath = "/v1/device/baobs"

// setBAOB writes a BAOB on the device.
func (w *world) setBAOB(d *smok.Device, key, contents string) smok.BAOB {
	w.t.Helper()
	blob, err := d.BAOBs().Set(w.t.Context(), key, strings.NewReader(contents))
	w.must(err)
	return blob
}

// held returns the BAOBs of the device as "version contents" by key.
func (w *world) held(d *smok.Device) map[string]string {
	w.t.Helper()
	all := make(map[string]string)
	for blob := range d.BAOBs().All() {
		all[blob.Key] = fmt.Sprint(blob.Version, " ", w.contents(d.BAOBs().Open(blob.Key)))
	}
	return all
}

func (w *world) contents(_ smok.BAOB, r io.ReadCloser, err error) string {
	w.t.Helper()
	if err != nil {
		return err.Error()
	}
	defer r.Close()
	all, err := io.ReadAll(r)
	w.must(err)
	return string(all)
}

func (w *world) wantHeld(d *smok.Device, want map[string]string) {
	w.t.Helper()
	if d := cmp.Diff(want, w.held(d)); d != "" {
		w.t.Errorf("on the device (-want +got):\n%s", d)
	}
}

// wantAtHub checks a BAOB at the hub, as "version contents"; empty means that it is not there.
func (w *world) wantAtHub(key, want string) {
	w.t.Helper()
	version, data, ok := w.pump.BAOB(key)
	if got := fmt.Sprint(version, " ", string(data)); ok && got != want || !ok && want != "" {
		w.t.Errorf("the hub has %q under %q, want %q", got, key, want)
	}
}

func TestBAOBsGetInStep(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetBAOB("theirs", 7, []byte("from the hub"))
		open := keptStore()
		d := w.device(smok.Options{Store: open()})
		if v, err := d.BAOBs().Version("ours"); v != -1 || err != nil {
			t.Errorf("%d, %v", v, err)
		}
		if blob := w.setBAOB(d, "ours", "a"); blob.Version != 0 {
			t.Errorf("%+v", blob)
		}
		if blob := w.setBAOB(d, "ours", "ab"); blob.Version != 1 || blob.Size != 2 {
			t.Errorf("%+v", blob)
		}
		w.start(d)
		w.sleep(time.Second)
		w.wantHeld(d, map[string]string{"theirs": "7 from the hub", "ours": "1 ab"})
		w.wantAtHub("ours", "1 ab")
		<-d.BAOBs().Loaded()

		w.setBAOB(d, "theirs", "changed") // at once, not in an hour
		w.sleep(time.Second)
		w.wantAtHub("theirs", "8 changed")

		w.pump.SetBAOB("ours", 2, []byte("changed there"))
		w.pump.DeleteBAOB("theirs")
		w.sleep(70 * time.Minute)
		w.wantHeld(d, map[string]string{"ours": "2 changed there"})
		w.must(d.Close())
		d = w.device(smok.Options{Store: open()})
		w.wantHeld(d, map[string]string{"ours": "2 changed there"})
		if errs := w.reported(); errs != nil {
			t.Errorf("reported %v", errs)
		}
	})
}

// TestBAOBsDoNotWaitForTheUptime: the original compares with the time since boot, and syncs nothing for the first hour.
func TestBAOBsDoNotWaitForTheUptime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetBAOB("k", 0, nil)
		d := w.run(smok.Options{})
		w.sleep(time.Second)
		w.wantHeld(d, map[string]string{"k": "0 "})
	})
}

// TestBAOBKeysArePaths: keys are not file names.
func TestBAOBKeysArePaths(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		want := make(map[string]string)
		for _, key := range []string{"../../etc/passwd", "/etc/passwd", "a b", "C:\\x", "ż"} {
			w.pump.SetBAOB(key, 1, []byte(key))
			want[key] = "1 " + key
		}
		w.must(d.BAOBs().Sync(t.Context()))
		w.wantHeld(d, want)
		for _, key := range []string{"", "..", "\x00backup/k", strings.Repeat("k", 2<<10), "\xff"} {
			if _, err := d.BAOBs().Set(t.Context(), key, strings.NewReader("")); !errors.Is(err, smok.ErrInvalidArgument) {
				t.Errorf("%q: %v", key, err)
			}
		}
		if _, err := d.BAOBs().Set(t.Context(), "k", nil); !errors.Is(err, smok.ErrInvalidArgument) {
			t.Errorf("%v", err)
		}
		if _, err := d.BAOBs().Get("none"); !errors.Is(err, smok.ErrNotFound) {
			t.Errorf("%v", err)
		}
	})
}

// TestBAOBConflict: both sides have changed one. The hub's higher version stands; the original loses ours without notice.
func TestBAOBConflict(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{Offline: true})
		w.setBAOB(d, "k", "ours")
		w.pump.SetBAOB("k", 5, []byte("theirs"))
		d.SetOffline(false)
		w.sleep(time.Second)
		w.wantHeld(d, map[string]string{"k": "5 theirs"})
		if got := w.contents(d.BAOBs().Backup("k")); got != "ours" {
			t.Errorf("backup %q", got)
		}
		if errs := w.reported(); len(errs) != 1 || !errors.Is(errs[0], smok.ErrConflict) || !strings.Contains(errs[0].Error(), `"k"`) {
			t.Errorf("reported %v", errs)
		}
		w.must(d.BAOBs().DropBackup("k"))
		if _, _, err := d.BAOBs().Backup("k"); !errors.Is(err, smok.ErrNotFound) {
			t.Errorf("%v", err)
		}
		// What came from the hub is nothing to be kept, and no conflict.
		w.pump.SetBAOB("k", 6, []byte("again"))
		w.must(d.BAOBs().Sync(t.Context()))
		if _, _, err := d.BAOBs().Backup("k"); !errors.Is(err, smok.ErrNotFound) || w.reported() != nil {
			t.Errorf("%v", err)
		}
	})
}

// TestDeletedBAOBOfOursIsKept: the hub deletes what the device has written, be it after a restart.
func TestDeletedBAOBOfOursIsKept(t *testing.T) {
	for name, sent := range map[string]bool{"sent": true, "never sent": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				w.pump.SetBAOB("theirs", 1, []byte("theirs"))
				open := keptStore()
				d := w.device(smok.Options{Store: open()})
				w.setBAOB(d, "k", "ours")
				w.must(d.BAOBs().Sync(t.Context()))
				if !sent {
					w.setBAOB(d, "k", "ours again")
					d.SetOffline(true)
				}
				w.must(d.Close())
				w.pump.DeleteBAOB("k")
				w.pump.DeleteBAOB("theirs")
				d = w.run(smok.Options{Store: open()})
				w.sleep(time.Second)
				w.wantHeld(d, map[string]string{})
				want := "ours"
				if !sent {
					want = "ours again"
				}
				if got := w.contents(d.BAOBs().Backup("k")); got != want {
					t.Errorf("backup %q", got)
				}
				if _, _, err := d.BAOBs().Backup("theirs"); !errors.Is(err, smok.ErrNotFound) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

func TestWatchBAOBs(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.pump.SetBAOB("first", 0, nil) // the first attempt is not told
		d := w.run(smok.Options{Offline: true})
		ctx, cancel := context.WithCancel(t.Context())
		changes := d.BAOBs().Watch(ctx)
		d.SetOffline(false)
		w.sleep(time.Second)
		w.setBAOB(d, "ours", "x") // its own is not told
		w.sleep(time.Second)
		w.pump.SetBAOB("k", 1, nil)
		w.must(d.BAOBs().Sync(ctx))
		w.pump.SetBAOB("k", 2, nil)
		w.pump.DeleteBAOB("ours")
		w.must(d.BAOBs().Sync(ctx))
		time.AfterFunc(time.Second, cancel)
		got := slices.Collect(changes)
		want := []smok.BAOBChange{{Key: "k", Version: 2}, {Key: "ours", Version: -1, Backup: true}}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// TestLoadedAfterTheFirstAttempt: also if that fails.
func TestLoadedAfterTheFirstAttempt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.hub.Down(smoktest.REST)
		d := w.run(smok.Options{})
		w.sleep(time.Second)
		select {
		case <-d.BAOBs().Loaded():
		default:
			t.Error("not loaded")
		}
	})
}

// TestBrokenBAOBTransfers: a transfer that breaks leaves what was there; the others of the same list are done; and nothing
// is done twice.
func TestBrokenBAOBTransfers(t *testing.T) {
	for name, fault := range map[string]smoktest.Fault{
		"truncated": {Kind: smoktest.FaultTruncate, Bytes: 3},
		"500":       {Kind: smoktest.FaultAnswer},
		"hang":      {Kind: smoktest.FaultHang},
		"reset":     {Kind: smoktest.FaultReset},
		"shape":     {Kind: smoktest.FaultWrongShape}, // no version in the header
		"404":       {Kind: smoktest.FaultAnswer, Status: 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				d := w.device(smok.Options{})
				w.pump.SetBAOB("b", 0, []byte("old"))
				w.must(d.BAOBs().Sync(t.Context()))
				w.pump.SetBAOB("b", 1, []byte("contents of the hub"))
				w.pump.SetBAOB("a", 1, []byte("a"))
				w.pump.SetBAOB("c", 1, []byte("c"))
				fault.Path, fault.Method, fault.Times = baobsPath+"/b", "GET", 1
				tries := 2
				if name == "reset" { // a connection that was idle may have been cut long ago: net/http asks again
					fault.Times, tries = 2, 3
				}
				w.hub.Inject(fault)
				w.hub.ClearRequests()
				err := d.BAOBs().Sync(t.Context())
				if name != "404" && !errors.Is(err, smok.ErrSync) {
					t.Errorf("%v", err)
				}
				w.wantHeld(d, map[string]string{"a": "1 a", "b": "0 old", "c": "1 c"})
				w.must(d.BAOBs().Sync(t.Context()))
				w.wantHeld(d, map[string]string{"a": "1 a", "b": "1 contents of the hub", "c": "1 c"})
				counts := make(map[string]int)
				for _, r := range w.hub.Requests() {
					counts[r.Path]++
				}
				if counts[baobsPath+"/a"] != 1 || counts[baobsPath+"/c"] != 1 || counts[baobsPath+"/b"] != tries {
					t.Errorf("%v", counts)
				}
			})
		})
	}
}

// TestBAOBPlansOfAnyShape: whatever the hub answers to the list, nothing is lost.
func TestBAOBPlansOfAnyShape(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		w.setBAOB(d, "k", "x")
		w.must(d.BAOBs().Sync(t.Context()))
		fault := w.hub.Inject(smoktest.Fault{Path: baobsPath, Kind: smoktest.FaultWrongShape})
		for range smoktest.WrongShapes() {
			if err := d.BAOBs().Sync(t.Context()); err != nil && !errors.Is(err, smok.ErrBadAnswer) {
				t.Errorf("%v", err)
			}
		}
		fault.Remove()
		for _, plan := range []string{
			`{"should_delete":["none",".."],"should_download":["k","k"],"should_upload":["none","\u0000backup/k"]}`,
			`{"should_delete":[],"should_download":["k"],"should_upload":["k"]}`,
		} {
			w.hub.Inject(smoktest.Fault{Path: baobsPath, Kind: smoktest.FaultAnswer, Status: 200, Body: []byte(plan), Times: 1})
			w.must(d.BAOBs().Sync(t.Context()))
		}
		w.wantHeld(d, map[string]string{"k": "0 x"})
	})
}

// TestOlderBAOBIsNotTaken: the hub says download and then sends less than the device has.
func TestOlderBAOBIsNotTaken(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		for range 3 {
			w.setBAOB(d, "k", "ours")
		}
		w.pump.SetBAOB("k", 1, []byte("old"))
		w.hub.Inject(smoktest.Fault{Path: baobsPath, Kind: smoktest.FaultAnswer, Status: 200, Body: []byte(`{"should_download":["k"]}`), Times: 1})
		if err := d.BAOBs().Sync(t.Context()); !errors.Is(err, smok.ErrBadEntry) || !errors.Is(err, errkit.Protocol) {
			t.Errorf("%v", err)
		}
		w.wantHeld(d, map[string]string{"k": "2 ours"})
	})
}

// TestLargeBAOBIsAskedForOnce: not with every list, for ever.
func TestLargeBAOBIsAskedForOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{MaxBAOB: 1000})
		w.pump.SetBAOB("large", 1, make([]byte, 200_000))
		w.pump.SetBAOB("fits", 1, make([]byte, 1000))
		for range 5 {
			w.must(d.BAOBs().Sync(t.Context()))
		}
		if v, err := d.BAOBs().Version("fits"); v != 1 || err != nil {
			t.Errorf("%d, %v", v, err)
		}
		if v, err := d.BAOBs().Version("large"); v != -1 || err != nil {
			t.Errorf("%d, %v", v, err)
		}
		if errs := w.reported(); len(errs) != 1 || !errors.Is(errs[0], errkit.TooLarge) {
			t.Errorf("reported %v", errs)
		}
		w.pump.SetBAOB("large", 2, []byte("smaller now"))
		w.must(d.BAOBs().Sync(t.Context()))
		if v, _ := d.BAOBs().Version("large"); v != 2 {
			t.Errorf("version %d", v)
		}
	})
}

// TestRefusedBAOBIsSentOnce: until it changes.
func TestRefusedBAOBIsSentOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		fault := w.hub.Inject(smoktest.Fault{Path: baobsPath + "/k", Method: "PUT", Kind: smoktest.FaultAnswer, Status: 413})
		d := w.device(smok.Options{})
		w.setBAOB(d, "k", "x")
		for range 5 {
			w.must(d.BAOBs().Sync(t.Context()))
		}
		if fault.Hits() != 1 || len(w.reported()) != 1 {
			t.Errorf("%d requests", fault.Hits())
		}
		fault.Remove()
		w.setBAOB(d, "k", "y")
		w.must(d.BAOBs().Sync(t.Context()))
		w.wantAtHub("k", "1 y")
	})
}

// TestBAOBChangedDuringItsDownload: what the program writes meanwhile stays, and the next exchange decides.
func TestBAOBChangedDuringItsDownload(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		w.pump.SetBAOB("k", 1, bytes.Repeat([]byte("x"), 100))
		w.hub.Inject(smoktest.Fault{
			Path: baobsPath + "/k", Method: "GET", Kind: smoktest.FaultSlow, Bytes: 10, Interval: time.Second, Times: 1,
		})
		done := make(chan error)
		go func() { done <- d.BAOBs().Sync(t.Context()) }()
		w.sleep(5 * time.Second)
		w.setBAOB(d, "k", "ours") // version 0, since there is none yet
		if err := <-done; err != nil {
			t.Errorf("%v", err)
		}
		w.wantHeld(d, map[string]string{"k": "0 ours"})
		w.must(d.BAOBs().Sync(t.Context()))
		w.wantHeld(d, map[string]string{"k": "1 " + strings.Repeat("x", 100)})
		if got := w.contents(d.BAOBs().Backup("k")); got != "ours" {
			t.Errorf("backup %q", got)
		}
	})
}

// TestFailedSetLeavesTheOld: contents that cannot be read change nothing.
func TestFailedSetLeavesTheOld(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		w.setBAOB(d, "k", "x")
		broken := io.MultiReader(strings.NewReader("half"), errReader{})
		if _, err := d.BAOBs().Set(t.Context(), "k", broken); !errors.Is(err, smok.ErrStore) {
			t.Errorf("%v", err)
		}
		w.wantHeld(d, map[string]string{"k": "0 x"})
		w.must(d.BAOBs().Sync(t.Context()))
		w.wantAtHub("k", "0 x")
	})
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestBAOBsAreOff(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{Disable: smok.Areas{BAOBs: true}})
		if _, err := d.BAOBs().Set(t.Context(), "k", strings.NewReader("")); !errors.Is(err, smok.ErrUnavailable) {
			t.Error(err)
		}
		if err := d.BAOBs().Sync(t.Context()); !errors.Is(err, smok.ErrUnavailable) {
			t.Error(err)
		}
	})
}
