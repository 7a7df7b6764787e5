package smok_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

const alarmsPath = "/v1/device/alarms"

// raise raises an event with this message.
func (w *world) raise(d *smok.Device, message string) smok.Event {
	w.t.Helper()
	e, err := d.OpenEvent(w.t.Context(), smok.Event{Message: message, Color: smok.Red})
	w.must(err)
	return e
}

// keptStore returns a store that outlives devices: what closes it is left out.
func keptStore() (open func() *store.Store) {
	s := store.Memory(nil)
	return func() *store.Store {
		again := *s
		again.Events, again.State, again.Writes = keptLog{s.Events}, keptLog{s.State}, keptLog{s.Writes}
		again.Trend, again.Permanent, again.Journal, again.Logs = keptLog{s.Trend}, keptLog{s.Permanent}, keptLog{s.Journal}, keptLog{s.Logs}
		again.Keyed, again.Blobs = keptKeyed{s.Keyed}, keptBlobs{s.Blobs}
		return &again
	}
}

type (
	keptLog   struct{ store.Log }
	keptKeyed struct{ store.Keyed }
	keptBlobs struct{ store.Blobs }
)

func (keptLog) Close() error   { return nil }
func (keptKeyed) Close() error { return nil }
func (keptBlobs) Close() error { return nil }

// onlyEvents are the options of a device for which hours pass quickly.
var onlyEvents = smok.Options{Disable: smok.Areas{
	Pathpoints: true, Archives: true, Orders: true, Macros: true, Predicates: true, Sensors: true, SensorWrites: true,
	Metadata: true, BAOBs: true, Logs: true,
}}

// posts returns how often each alarm at the hub was posted, by its message.
func (w *world) posts() map[string]int {
	all := make(map[string]int)
	for _, a := range w.pump.Alarms() {
		all[a.Message] += a.Posts
	}
	return all
}

func TestEventReachesTheHubWithAllItsFields(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		e, err := d.OpenEvent(t.Context(), smok.Event{
			Color: smok.Yellow, Token: "fire", Group: "A", Message: "hot", HandledBy: "me", Metadata: map[string]string{"a": "1"},
		})
		w.must(err)
		w.sleep(time.Second)
		want := smoktest.Alarm{
			Started: e.StartedOn.Truncate(time.Second), Color: 1, Token: "fire", Group: "A", Message: "hot", HandledBy: "me",
			Metadata: map[string]string{"a": "1", smoktest.ProvisionalKey: e.Provisional}, Posts: 1,
		}
		got := w.pump.Alarms()
		if d := cmp.Diff([]smoktest.Alarm{want}, got, cmpopts.IgnoreFields(smoktest.Alarm{}, "UUID"), cmpopts.EquateApproxTime(0)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		known, err := d.Event(e.Provisional)
		if err != nil || known.UUID != got[0].UUID {
			t.Errorf("%+v, %v", known, err)
		}
		if byUUID, err := d.Event(known.UUID); err != nil || byUUID.Provisional != e.Provisional {
			t.Errorf("%+v, %v", byUUID, err)
		}
		if len(e.Provisional) != 32 {
			t.Errorf("provisional uuid %q", e.Provisional)
		}
	})
}

// TestOpenEventIsPostedOnce: the original posts open events in every round.
func TestOpenEventIsPostedOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		e := w.raise(d, "hot")
		w.sleep(time.Hour)
		if n := w.posts()["hot"]; n != 1 {
			t.Fatalf("posted %d times", n)
		}
		_, err := d.UpdateEvent(t.Context(), e.Provisional, func(e *smok.Event) { e.HandledBy, e.UUID = "me", "forged" })
		w.must(err)
		w.sleep(time.Hour)
		if a := w.pump.Alarms()[0]; a.Posts != 2 || a.HandledBy != "me" {
			t.Errorf("%+v", a)
		}
	})
}

// TestEventOpenedAndClosedOffline: the original posts such an event twice, and the hub has two alarms.
func TestEventOpenedAndClosedOffline(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{Offline: true})
		e := w.raise(d, "hot")
		w.sleep(90 * time.Second)
		closed, err := d.CloseEvent(t.Context(), e.Provisional)
		w.must(err)
		d.SetOffline(false)
		w.sleep(time.Second)
		all := w.pump.Alarms()
		if len(all) != 1 || all[0].Posts != 1 || all[0].Ended.Unix() != closed.EndedOn.Unix() {
			t.Errorf("%+v, ended on %v", all, closed.EndedOn)
		}
		if n := w.pump.Counts().FloatTimes; n != 0 {
			t.Errorf("%d times as floats", n)
		}
	})
}

func TestClosedEvents(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		ctx := t.Context()
		point, err := d.OpenEvent(ctx, smok.Event{Message: "point", IsPoint: true})
		w.must(err)
		open := w.raise(d, "open")
		w.sleep(time.Second) // an event that is closed before it was sent is sent once, and later ones twice
		_, err = d.CloseEvent(ctx, open.Provisional)
		w.must(err)
		for name, call := range map[string]func() error{
			"point":  func() error { _, err := d.CloseEvent(ctx, point.Provisional); return err },
			"closed": func() error { _, err := d.CloseEvent(ctx, open.Provisional); return err },
			"color":  func() error { _, err := d.OpenEvent(ctx, smok.Event{Color: 3}); return err },
			"new":    func() error { _, err := d.OpenEvent(ctx, smok.Event{UUID: "u"}); return err },
			"large": func() error {
				_, err := d.OpenEvent(ctx, smok.Event{Message: strings.Repeat("x", 64<<10)})
				return err
			},
			"text": func() error { _, err := d.OpenEvent(ctx, smok.Event{Message: "\xff"}); return err },
		} {
			if err := call(); !errors.Is(err, smok.ErrInvalidArgument) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := d.CloseEvent(ctx, "nobody"); !errors.Is(err, smok.ErrNotFound) {
			t.Errorf("%v", err)
		}
		w.sleep(time.Second)
		if d := cmp.Diff(map[string]int{"point": 1, "open": 2}, w.posts()); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// TestForgetEventsKeepsOpenOnes: the original also drops open events that the hub has.
func TestForgetEventsKeepsOpenOnes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		ctx := t.Context()
		closed := w.raise(d, "closed")
		_, err := d.CloseEvent(ctx, closed.Provisional)
		w.must(err)
		w.raise(d, "open")
		w.sleep(time.Second)
		w.hub.Down(smoktest.REST)
		unsent := w.raise(d, "unsent")
		_, err = d.CloseEvent(ctx, unsent.Provisional)
		w.must(err)
		if n, err := d.ForgetEvents(ctx); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		var left []string
		for e := range d.Events() {
			left = append(left, e.Message)
		}
		if d := cmp.Diff([]string{"open", "unsent"}, left); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// TestOldEventsAreForgotten: closed events that the hub has go after KeepEvents, by the time they ended.
func TestOldEventsAreForgotten(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		opts := onlyEvents
		opts.KeepEvents = 24 * time.Hour
		d := w.run(opts)
		old := w.raise(d, "old")
		w.raise(d, "open")
		w.sleep(20 * time.Hour)
		_, err := d.CloseEvent(t.Context(), old.Provisional)
		w.must(err)
		w.sleep(20 * time.Hour)
		if _, err := d.Event(old.Provisional); err != nil {
			t.Errorf("20 h after its end: %v", err)
		}
		w.sleep(6 * time.Hour)
		if n := len(slices.Collect(d.Events())); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}

// TestEventWhoseAnswerIsLost comes again under the same provisional uuid: the hub has one alarm.
func TestEventWhoseAnswerIsLost(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.hub.Inject(smoktest.Fault{Path: alarmsPath, Kind: smoktest.FaultReset, AfterEffect: true, Times: 1})
		d := w.run(smok.Options{})
		e := w.raise(d, "hot")
		w.sleep(time.Minute)
		if c := w.pump.Counts(); c.Alarms != 1 || c.AlarmPosts != 2 {
			t.Errorf("%+v", c)
		}
		if known, _ := d.Event(e.Provisional); known.UUID != w.pump.Alarms()[0].UUID {
			t.Errorf("%+v", known)
		}
	})
}

// TestEventClosedDuringItsUpload: what changes while the answer is on its way is sent too.
func TestEventClosedDuringItsUpload(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.hub.Inject(smoktest.Fault{Path: alarmsPath, Kind: smoktest.FaultDelay, AfterEffect: true, Delay: 10 * time.Second, Times: 1})
		d := w.run(smok.Options{})
		e := w.raise(d, "hot")
		w.sleep(5 * time.Second)
		_, err := d.CloseEvent(t.Context(), e.Provisional)
		w.must(err)
		w.sleep(time.Minute)
		if all := w.pump.Alarms(); len(all) != 1 || all[0].Ended.IsZero() || all[0].Posts != 2 {
			t.Errorf("%+v", all)
		}
	})
}

// TestEventsAfterRestart: events are stored before the call returns, and go out once.
func TestEventsAfterRestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		open := keptStore()
		d := w.device(smok.Options{Store: open(), Offline: true})
		e := w.raise(d, "hot")
		w.must(d.Close())
		d = w.run(smok.Options{Store: open()})
		w.sleep(time.Second)
		known, err := d.Event(e.Provisional)
		if err != nil || known.UUID == "" {
			t.Fatalf("%+v, %v", known, err)
		}
		w.must(d.Close())
		d = w.run(smok.Options{Store: open()})
		w.sleep(time.Hour)
		if known, err := d.Event(known.UUID); err != nil || known.Provisional != e.Provisional || known.Message != "hot" {
			t.Errorf("%+v, %v", known, err)
		}
		if d := cmp.Diff(map[string]int{"hot": 1}, w.posts()); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// TestRefusedEventsCostOnlyThemselves: the hub refuses what has one event in it; the others get through, and the event is
// kept, reported, and sent again when it changes.
func TestRefusedEventsCostOnlyThemselves(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{Offline: true})
		var bad smok.Event
		for _, message := range []string{"a", "b", "bad", "c", "d"} {
			if e := w.raise(d, message); message == "bad" {
				bad = e
			}
		}
		// The batch of five, then of two, three, of which one is refused alone.
		for _, skip := range []int{0, 1, 1} {
			w.hub.Inject(smoktest.Fault{Path: alarmsPath, Kind: smoktest.FaultAnswer, Status: 422, Skip: skip, Times: 1})
		}
		d.SetOffline(false)
		w.sleep(time.Hour)
		if d := cmp.Diff(map[string]int{"a": 1, "b": 1, "c": 1, "d": 1}, w.posts()); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if errs := w.reported(); len(errs) != 1 || !errors.Is(errs[0], smok.ErrClientFault) || !errors.Is(errs[0], smok.ErrSync) {
			t.Errorf("reported %v", errs)
		}
		_, err := d.CloseEvent(t.Context(), bad.Provisional)
		w.must(err)
		w.sleep(time.Second)
		if n := w.posts()["bad"]; n != 1 {
			t.Errorf("posted %d times", n)
		}
	})
}

// TestEventsOutliveTheHub: whatever the hub does instead of an answer, every event arrives, once.
func TestEventsOutliveTheHub(t *testing.T) {
	for name, fault := range map[string]smoktest.Fault{
		"500":     {Kind: smoktest.FaultAnswer, Status: 500, AfterEffect: true},
		"401":     {Kind: smoktest.FaultAnswer, Status: 401},
		"429":     {Kind: smoktest.FaultAnswer, Status: 429, RetryAfter: 20 * time.Second},
		"hang":    {Kind: smoktest.FaultHang, AfterEffect: true},
		"garbage": {Kind: smoktest.FaultGarbage, AfterEffect: true},
		"shapes":  {Kind: smoktest.FaultWrongShape, AfterEffect: true},
		"cut":     {Kind: smoktest.FaultTruncate, Bytes: 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				fault.Path, fault.Times = alarmsPath, 5
				if fault.Kind == smoktest.FaultWrongShape {
					fault.Times = len(smoktest.WrongShapes())
				}
				injected := w.hub.Inject(fault)
				d := w.run(onlyEvents)
				for _, message := range []string{"a", "b", "c"} {
					w.raise(d, message)
					w.sleep(time.Second)
				}
				for n := 0; injected.Hits() < fault.Times && n < 24; n++ {
					w.sleep(30 * time.Minute)
				}
				w.sleep(time.Hour)
				w.raise(d, "d")
				w.sleep(time.Minute)
				var have []string
				for _, a := range w.pump.Alarms() {
					have = append(have, a.Message)
				}
				slices.Sort(have)
				if d := cmp.Diff([]string{"a", "b", "c", "d"}, have); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
				for e := range d.Events() {
					if e.UUID == "" {
						t.Errorf("%s has no uuid", e.Message)
					}
				}
				for _, err := range w.reported() {
					if !errors.Is(err, smok.Err) {
						t.Errorf("untyped: %v", err)
					}
				}
			})
		})
	}
}

// TestShortAnswerAcknowledgesOnlyItsOwn: events that the hub says nothing of are sent again.
func TestShortAnswerAcknowledgesOnlyItsOwn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{Offline: true})
		for _, message := range []string{"a", "b", "c"} {
			w.raise(d, message)
		}
		w.hub.Inject(smoktest.Fault{
			Path: alarmsPath, Kind: smoktest.FaultAnswer, Status: 200, Body: []byte(`[{"uuid":"u-a"}]`), Times: 1,
		})
		d.SetOffline(false)
		w.sleep(time.Minute)
		if d := cmp.Diff(map[string]int{"b": 1, "c": 1}, w.posts()); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if _, err := d.Event("u-a"); err != nil {
			t.Error(err)
		}
	})
}

func TestEventsInBatches(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{Offline: true})
		for range 250 {
			w.raise(d, "x")
		}
		w.hub.ClearRequests()
		d.SetOffline(false)
		w.sleep(time.Second)
		requests := 0
		for _, r := range w.hub.Requests() {
			if r.Path == alarmsPath {
				requests++
			}
		}
		if c := w.pump.Counts(); requests != 3 || c.Alarms != 250 || c.AlarmPosts != 250 {
			t.Errorf("%d requests, %+v", requests, c)
		}
	})
}

// TestEventsAreBounded: without room, closed events that the hub has make place, and then the caller is told.
func TestEventsAreBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		ctx := t.Context()
		text := strings.Repeat("x", 60<<10)
		var failure error
		for range 150 {
			e := w.raise(d, text)
			_, err := d.CloseEvent(ctx, e.Provisional)
			w.must(err)
		}
		w.sleep(time.Minute)
		for range 400 {
			if _, failure = d.OpenEvent(ctx, smok.Event{Message: text}); failure != nil {
				break
			}
		}
		if !errors.Is(failure, smok.ErrQueueFull) {
			t.Fatalf("%v", failure)
		}
		n := 0
		for e := range d.Events() {
			if n++; e.Closed() {
				t.Error("a closed event is kept, and an open one had no room")
				break
			}
		}
		if n < 200 {
			t.Errorf("only %d events have room", n)
		}
	})
}

func TestEventsAreOff(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{Disable: smok.Areas{Events: true}})
		if _, err := d.OpenEvent(t.Context(), smok.Event{}); !errors.Is(err, smok.ErrUnavailable) {
			t.Error(err)
		}
		on := w.device(smok.Options{})
		w.must(on.Close())
		if _, err := on.OpenEvent(context.Background(), smok.Event{}); !errors.Is(err, smok.ErrClosed) {
			t.Error(err)
		}
	})
}
