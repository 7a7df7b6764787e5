package pikvm

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
)

const (
	atxOn   = `{"enabled":true,"busy":false,"acts":{"power":false,"reset":false},"leds":{"power":true,"hdd":false}}`
	msdFull = `{"enabled":true,"online":true,"storage":{"images":{"a":{"size":1},"b":{"size":2}}}}`
)

// TestStateIsImmutable: what was handed out stays as it was, whatever comes later and whatever the reader does
// with it.
func TestStateIsImmutable(t *testing.T) {
	t.Parallel()
	old := foldAll(t, "atx "+atxOn, "msd "+msdFull)
	want := string(old.Raw(EventMSD))
	next := old
	for _, frame := range []string{
		`{"event_type":"msd","event":{"storage":{"images":{}}}}`,
		`{"event_type":"msd","event":{"enabled":false}}`,
		`{"event_type":"atx","event":{"leds":{"power":false}}}`,
	} {
		var err error
		if next, err = next.fold(mustDecode(t, frame)); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(want, string(old.Raw(EventMSD))); d != "" {
		t.Errorf("the old state changed (-want +got):\n%s", d)
	}
	if atx, ok := old.ATX(); !ok || !atx.LEDs.Power {
		t.Errorf("the old state changed: %+v, %v", atx, ok)
	}
	if atx, ok := next.ATX(); !ok || atx.LEDs.Power {
		t.Errorf("the new state did not: %+v, %v", atx, ok)
	}

	raw := old.Raw(EventMSD)
	for i := range raw {
		raw[i] = '#'
	}
	atx, _ := old.ATX()
	atx.LEDs.Power = false
	for i := range atx.Raw {
		atx.Raw[i] = '#'
	}
	if again, _ := old.ATX(); !again.LEDs.Power || string(again.Raw)[0] != '{' {
		t.Errorf("a reader changed the state: %s", again.Raw)
	}
	if d := cmp.Diff(want, string(old.Raw(EventMSD))); d != "" {
		t.Errorf("a reader changed the state (-want +got):\n%s", d)
	}
}

// TestStateIsReadWhileItGrows: snapshots are read, and what they return is changed, in many goroutines while events
// are folded. The race detector watches.
func TestStateIsReadWhileItGrows(t *testing.T) {
	t.Parallel()
	state := foldAll(t, "atx "+atxOn, "msd "+msdFull)
	var readers sync.WaitGroup
	for i := range 200 {
		next, err := state.fold(mustDecode(t, fmt.Sprintf(`{"event_type":"msd","event":{"storage":{"parts":{"":{"free":%d}}}}}`, i)))
		if err != nil {
			t.Fatal(err)
		}
		state = next
		for range 3 {
			readers.Go(func() {
				raw := next.Raw(EventMSD)
				var msd struct {
					Storage struct {
						Images map[string]any
						Parts  map[string]struct{ Free int }
					}
				}
				if err := json.Unmarshal(raw, &msd); err != nil || len(msd.Storage.Images) != 2 || msd.Storage.Parts[""].Free != i {
					t.Errorf("snapshot %d is %s, %v", i, raw, err)
				}
				clear(raw)
				if atx, ok := next.ATX(); !ok || !atx.LEDs.Power {
					t.Errorf("ATX of snapshot %d is %+v, %v", i, atx, ok)
				} else {
					clear(atx.Raw)
				}
				_ = next.Version()
				_ = next.stale()
			})
		}
	}
	readers.Wait()
}

func TestStateBeforeAnyEvent(t *testing.T) {
	t.Parallel()
	state := new(State)
	if _, ok := state.ATX(); ok {
		t.Error("ATX is known")
	}
	if _, ok := state.Info(); ok {
		t.Error("info is known")
	}
	if _, ok := state.Clients(); ok {
		t.Error("clients are known")
	}
	if state.Live() || state.Raw(EventMSD) != nil || state.Version() != (Version{}) {
		t.Error("something else is known")
	}
	var v any
	err := state.Decode(EventMSD, &v)
	if !errors.Is(err, ErrWebSocket) || !errors.Is(err, errkit.NotReady) {
		t.Errorf("error is %v", err)
	}
}

func TestStateDecode(t *testing.T) {
	t.Parallel()
	state := foldAll(t, "msd "+msdFull, `atx {"enabled":"yes"}`, `clients {"count":3.0}`)
	var msd struct {
		Storage struct {
			Images map[string]struct{ Size int }
		}
	}
	if err := state.Decode(EventMSD, &msd); err != nil || msd.Storage.Images["b"].Size != 2 {
		t.Errorf("decoded %+v, %v", msd, err)
	}
	var wrong []int
	if err := state.Decode(EventMSD, &wrong); !errors.Is(err, ErrWebSocket) || !errors.Is(err, errkit.Protocol) {
		t.Errorf("error is %v, not a WebSocketError of kind Protocol", err)
	}
	if _, ok := state.ATX(); ok {
		t.Error("nonsense is a state of ATX")
	}
	if n, ok := state.Clients(); n != 3 || !ok {
		t.Errorf("clients are %d, %v", n, ok)
	}
}

func TestStateVersion(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		events []string
		want   Version
	}{
		{"loop", []string{`loop {"version":{"major":4,"minor":197}}`}, Version{4, 197}},
		{"info of 4.20", []string{`info_system_state {"kvmd":{"version":"4.20"}}`, `loop {}`}, Version{4, 20}},
		{"none", []string{`loop {}`}, Version{}},
		{"nonsense", []string{`loop {"version":"new"}`}, Version{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tc.want, foldAll(t, tc.events...).Version()); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// TestStateIsBounded: a device that never stops making up names is refused, not stored.
func TestStateIsBounded(t *testing.T) {
	t.Parallel()
	t.Run("subsystems", func(t *testing.T) {
		t.Parallel()
		state := new(State)
		refused := 0
		for i := range 2 * maxStateParts {
			next, err := state.fold(mustDecode(t, fmt.Sprintf(`{"event_type":"made-up-%d","event":{}}`, i)))
			if err != nil {
				if !errors.Is(err, errkit.Protocol) || !errors.Is(err, errkit.TooLarge) {
					t.Fatalf("error is %v", err)
				}
				refused++
				continue
			}
			state = next
		}
		if refused != maxStateParts {
			t.Errorf("refused %d of %d", refused, 2*maxStateParts)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		t.Parallel()
		state := new(State)
		refused := 0
		text := strings.Repeat("x", 1<<20)
		for i := range maxStateBytes >> 20 {
			next, err := state.fold(eventFrame{name: EventInfo, data: fmt.Appendf(nil, `{"m%d":"%s"}`, i, text)})
			if err != nil {
				refused++
				continue
			}
			state = next
		}
		if refused == 0 || state.size > maxStateBytes {
			t.Errorf("%d bytes, %d refused", state.size, refused)
		}
		next, err := state.fold(mustDecode(t, `{"event_type":"info","event":{"m0":1}}`))
		if err != nil || next.size >= state.size {
			t.Errorf("replacing does not free: %v", err)
		}
	})
}

// TestStateRefusesOddSubsystem: one that makes no sense changes nothing.
func TestStateRefusesOddSubsystem(t *testing.T) {
	t.Parallel()
	state := foldAll(t, "atx "+atxOn)
	for _, frame := range []string{`{"event_type":"atx","event":[]}`, `{"event_type":"info","event":"x"}`, `{"event_type":"msd","event":7}`} {
		if _, err := state.fold(mustDecode(t, frame)); !errors.Is(err, errkit.Protocol) && errkit.KindOf(err) != errkit.Protocol {
			t.Errorf("%s: error is %v", frame, err)
		}
	}
	if atx, ok := state.ATX(); !ok || !atx.LEDs.Power {
		t.Errorf("the state is %+v, %v", atx, ok)
	}
}
