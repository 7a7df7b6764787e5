package pikvm

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// foldAll folds events, each "type payload", into a new state.
func foldAll(t *testing.T, events ...string) *State {
	t.Helper()
	state := &State{live: true}
	for _, ev := range events {
		name, data, _ := strings.Cut(ev, " ")
		next, err := state.fold(mustDecode(t, `{"event_type":"`+name+`","event":`+data+`}`))
		if err != nil {
			t.Fatalf("%s: %v", ev, err)
		}
		state = next
	}
	return state
}

func mustDecode(t *testing.T, frame string) eventFrame {
	t.Helper()
	f, err := decodeEvent([]byte(frame))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func decodeAny(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if len(text) == 0 {
		return nil
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func TestMergeRules(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		events []string
		of     EventType
		want   string // empty: nothing known
	}{
		{"atx replaces members", []string{
			`atx {"enabled":true,"busy":false,"leds":{"power":false,"hdd":true}}`, `atx {"busy":true,"leds":{"power":true}}`,
		}, EventATX, `{"enabled":true,"busy":true,"leds":{"power":true}}`},
		{"clients", []string{`clients {"count":0}`, `clients {"count":2}`}, EventClients, `{"count":2}`},
		{"ocr", []string{`ocr {"enabled":true,"langs":{"available":["eng"]}}`, `ocr {"langs":{"available":[]}}`}, EventOCR, `{"enabled":true,"langs":{"available":[]}}`},
		{"hid_keymaps", []string{
			`hid_keymaps {"keymaps":{"default":"en","available":["en","de"]}}`, `hid_keymaps {"keymaps":{"available":["en"]}}`,
		}, EventHIDKeymaps, `{"keymaps":{"available":["en"]}}`},
		{"info part by part", []string{
			`info {"uptime":{"total":1,"parts":{}}}`, `info {"fan":{"monitored":true}}`, `info {"uptime":{"total":2}}`, `info {"fan":null}`,
		}, EventInfo, `{"uptime":{"total":2},"fan":null}`},
		{"hid keyboard one level", []string{
			`hid {"online":true,"keyboard":{"online":true,"leds":{"caps":true,"num":true}},"mouse":{"absolute":true}}`,
			`hid {"keyboard":{"leds":{"caps":false}}}`,
		}, EventHID, `{"online":true,"keyboard":{"online":true,"leds":{"caps":false}},"mouse":{"absolute":true}}`},
		{"hid mouse one level", []string{
			`hid {"mouse":{"absolute":true,"outputs":{"available":["usb","usb_rel"],"active":"usb"}}}`, `hid {"mouse":{"outputs":{"active":"usb_rel"}},"busy":true}`,
		}, EventHID, `{"busy":true,"mouse":{"absolute":true,"outputs":{"active":"usb_rel"}}}`},

		{"gpio input replaced", []string{
			`gpio {"model":{},"state":{"inputs":{"a":{"online":true,"state":true},"b":{"state":true}},"outputs":{"r":{}}}}`,
			`gpio {"state":{"inputs":{"a":{"online":false}}}}`,
		}, EventGPIO, `{"model":{},"state":{"inputs":{"a":{"online":false},"b":{"state":true}},"outputs":{"r":{}}}}`},
		{"gpio channel replaced", []string{
			`gpio {"model":{"x":1},"state":{"inputs":{"a":{"online":true,"state":true}},"outputs":{"r":{"busy":false},"s":{"busy":false}}}}`,
			`gpio {"state":{"outputs":{"r":{"busy":true}}}}`,
		}, EventGPIO, `{"model":{"x":1},"state":{"inputs":{"a":{"online":true,"state":true}},"outputs":{"r":{"busy":true},"s":{"busy":false}}}}`},
		{"gpio complete removes channels", []string{
			`gpio {"model":{"x":1},"state":{"outputs":{"r":{},"s":{}}}}`, `gpio {"model":{"x":2},"state":{"outputs":{"s":{}}}}`,
		}, EventGPIO, `{"model":{"x":2},"state":{"outputs":{"s":{}}}}`},
		{"gpio partial first", []string{`gpio {"state":{"outputs":{"r":{}}}}`}, EventGPIO, ""},
		{"gpio before 4.21", []string{
			`gpio_state {"inputs":{},"outputs":{"r":{},"s":{}}}`, `gpio_model_state {"m":1}`,
			`gpio_state {"inputs":{},"outputs":{"s":{}}}`, `gpio_model_state {"m":2}`,
		}, EventGPIO, `{"model":{"m":2},"state":{"inputs":{},"outputs":{"s":{}}}}`},

		{"msd images replaced whole", []string{
			`msd {"enabled":true,"busy":false,"storage":{"images":{"a":{},"b":{}},"parts":{"":{}},"uploading":null}}`,
			`msd {"busy":true,"storage":{"images":{"b":{}}}}`, `msd {"storage":{"uploading":{"written":1}}}`,
		}, EventMSD, `{"enabled":true,"busy":true,"storage":{"images":{"b":{}},"parts":{"":{}},"uploading":{"written":1}}}`},
		{"msd drive replaced whole", []string{
			`msd {"enabled":true,"drive":{"image":{"name":"a"},"rw":true}}`, `msd {"drive":{"image":null}}`,
		}, EventMSD, `{"enabled":true,"drive":{"image":null}}`},
		{"msd transfers begin and end", []string{
			`msd {"enabled":true,"storage":{"images":{},"uploading":null,"downloading":null}}`,
			`msd {"storage":{"downloading":{"name":"a","size":9}}}`, `msd {"storage":{"downloading":null,"uploading":{"name":"b"}}}`,
		}, EventMSD, `{"enabled":true,"storage":{"images":{},"downloading":null,"uploading":{"name":"b"}}}`},
		{"msd complete removes", []string{
			`msd {"enabled":true,"online":true,"busy":true,"drive":{},"storage":{"images":{"a":{}}}}`, `msd {"enabled":false,"online":false}`,
		}, EventMSD, `{"enabled":false,"online":false}`},
		{"msd storage gone and back", []string{
			`msd {"enabled":true,"storage":{"images":{"a":{}}}}`, `msd {"storage":null}`, `msd {"storage":{"images":{}}}`,
		}, EventMSD, `{"enabled":true,"storage":{"images":{}}}`},
		{"msd complete by online", []string{`msd {"online":false,"drive":null}`, `msd {"busy":true}`}, EventMSD, `{"online":false,"drive":null,"busy":true}`},
		{"msd partial first", []string{`msd {"busy":true}`}, EventMSD, ""},
		{"msd partial before complete leaves nothing", []string{`msd {"busy":true}`, `msd {"enabled":true}`}, EventMSD, `{"enabled":true}`},

		{"streamer members", []string{
			`streamer {"features":{"h264":true},"params":{"fps":1,"q":2},"streamer":{"x":1},"snapshot":{"saved":null}}`,
			`streamer {"params":{"fps":3},"streamer":null}`,
		}, EventStreamer, `{"features":{"h264":true},"params":{"fps":3},"streamer":null,"snapshot":{"saved":null}}`},
		{"streamer complete removes", []string{
			`streamer {"features":{},"params":{"fps":1},"applied":{"fps":1}}`, `streamer {"features":{},"params":{"q":2}}`,
		}, EventStreamer, `{"features":{},"params":{"q":2}}`},
		{"streamer snapshot and limits", []string{
			`streamer {"features":{},"limits":{"fps":{"max":70}},"snapshot":{"saved":{"online":true}}}`,
			`streamer {"limits":{"q":1},"snapshot":{"saved":null}}`,
		}, EventStreamer, `{"features":{},"limits":{"q":1},"snapshot":{"saved":null}}`},
		{"streamer partial first", []string{`streamer {"streamer":null}`}, EventStreamer, ""},
		{"switch EDID removed", []string{
			`switch {"model":{},"edids":{"all":{"default":{},"x":{}}},"summary":{"active_port":-1}}`, `switch {"edids":{"all":{"default":{}}}}`,
		}, EventSwitch, `{"model":{},"edids":{"all":{"default":{}}},"summary":{"active_port":-1}}`},

		{"switch members replaced whole", []string{
			`switch {"model":{},"summary":{"active_port":1,"synced":true},"beacons":{"ports":[true]},"atx":{"busy":[true]}}`,
			`switch {"summary":{"active_port":2},"beacons":{"ports":[]},"video":{"links":[]},"usb":{},"colors":{},"atx":{}}`,
		}, EventSwitch, `{"model":{},"summary":{"active_port":2},"beacons":{"ports":[]},"video":{"links":[]},"usb":{},"colors":{},"atx":{}}`},
		{"switch complete removes", []string{`switch {"model":{"units":[1]},"edids":{}}`, `switch {"model":{"units":[]}}`}, EventSwitch, `{"model":{"units":[]}}`},
		{"switch partial first", []string{`switch {"summary":{}}`}, EventSwitch, ""},

		{"unknown subsystem", []string{`wol {"a":1,"b":{"c":1}}`, `wol {"b":{"d":2}}`}, "wol", `{"a":1,"b":{"d":2}}`},
		{"unknown event of another sort", []string{`thing [1,2]`}, "thing", ""},
		{"null changes nothing", []string{`atx {"enabled":true}`, `atx null`}, EventATX, `{"enabled":true}`},
		{"names are escaped", []string{`info {"a\"b<":1}`}, EventInfo, `{"a\"b<":1}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := foldAll(t, tc.events...).Raw(tc.of)
			if d := cmp.Diff(decodeAny(t, []byte(tc.want)), decodeAny(t, got)); d != "" {
				t.Errorf("state of %s (-want +got):\n%s", tc.of, d)
			}
		})
	}
}

// TestMergeFollowsRecordedSession folds a recorded session of 70 s and compares with what the device answered to
// requests meanwhile.
func TestMergeFollowsRecordedSession(t *testing.T) {
	t.Parallel()
	var session []struct {
		Text    json.RawMessage `json:"text"`
		Request string          `json:"rest_answered"`
		Status  int             `json:"status"`
	}
	readJSON(t, "testdata/ws_session.json", &session)
	answers := recordedAnswers(t)
	state := &State{live: true}
	var got []string
	var ahead json.RawMessage // the last answer that differed, until the next event of its subsystem
	var aheadOf EventType
	for i, entry := range session {
		switch {
		case entry.Text != nil:
			f, err := decodeEvent(entry.Text)
			if err != nil {
				t.Fatalf("entry %d: %v", i, err)
			}
			if f.name == eventPong {
				continue
			}
			if state, err = state.fold(f); err != nil {
				t.Fatalf("entry %d: %v", i, err)
			}
			if f.name == aheadOf {
				got = append(got, string(aheadOf)+" after the next event: "+differences(t, ahead, state.Raw(aheadOf)))
				aheadOf = ""
			}
		case entry.Request != "":
			answer := answers[0]
			answers = answers[1:]
			if answer.Status != entry.Status {
				t.Fatalf("entry %d: answer has status %d, recorded %d", i, answer.Status, entry.Status)
			}
			of, ok := map[string]EventType{"GET /api/streamer": EventStreamer, "GET /api/msd": EventMSD}[entry.Request]
			if !ok {
				continue
			}
			diff := differences(t, answer.Body.Result, state.Raw(of))
			got = append(got, string(of)+": "+diff)
			if diff != "" {
				ahead, aheadOf = answer.Body.Result, of
			}
		}
	}
	want := []string{
		"streamer: ", "streamer: ",
		"streamer: snapshot", "streamer: snapshot", // DELETE of a snapshot sends no event,
		"streamer after the next event: snapshot streamer.h264 streamer.source", // which says that the signal is lost
		"msd: ",
		"msd: storage.uploading", "msd after the next event: ", // answered 2 ms before the event arrived
		"msd: ", "msd: ", "msd: ", "msd: ",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("members that differ from the device's answers (-want +got):\n%s", d)
	}
	if d := cmp.Diff(Version{4, 197}, state.Version()); d != "" {
		t.Errorf("version (-want +got):\n%s", d)
	}
	if n, ok := state.Clients(); n != 0 || !ok {
		t.Errorf("clients are %d, %v", n, ok)
	}
	if atx, ok := state.ATX(); !ok || !atx.LEDs.Power || !atx.Enabled {
		t.Errorf("ATX is %+v, %v", atx, ok)
	}
	if info, ok := state.Info(); !ok || info.System == nil || info.System.KVMD != (Version{4, 197}) {
		t.Errorf("info is %+v, %v", info, ok)
	}
}

// TestMergeFollowsRecordedPowerCycle: on, reset and a hard off, as a device told them.
func TestMergeFollowsRecordedPowerCycle(t *testing.T) {
	t.Parallel()
	var entries []struct{ Event json.RawMessage }
	readJSON(t, "testdata/ws_atx_cycle.json", &entries)
	state := new(State)
	var got []string
	for _, entry := range entries {
		if entry.Event == nil {
			continue
		}
		f := mustDecode(t, string(entry.Event))
		var err error
		if state, err = state.fold(f); err != nil {
			t.Fatal(err)
		}
		if atx, ok := state.ATX(); ok && f.name == EventATX {
			got = append(got, fmt.Sprintf("led %v busy %v power %v reset %v", atx.LEDs.Power, atx.Busy, atx.Acts.Power, atx.Acts.Reset))
		}
	}
	want := []string{
		"led false busy false power false reset false",
		"led false busy true power true reset false", // on
		"led true busy true power true reset false",
		"led true busy false power false reset false",
		"led true busy true power false reset true", // reset_hard
		"led true busy false power false reset false",
		"led true busy true power true reset false", // off_hard
		"led false busy true power true reset false",
		"led false busy false power false reset false",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

type recordedAnswer struct {
	Status int
	Body   struct{ Result json.RawMessage }
}

// recordedAnswers returns the answers that were given during the recorded session, in order.
func recordedAnswers(t *testing.T) []recordedAnswer {
	t.Helper()
	var all []struct {
		Name, Config string
		Status       int
		Body         json.RawMessage
	}
	readJSON(t, "testdata/exchanges.json", &all)
	var answers []recordedAnswer
	for _, e := range all {
		if e.Name != "" {
			continue // recorded at another time
		}
		a := recordedAnswer{Status: e.Status}
		_ = json.Unmarshal(e.Body, &a.Body) // not all bodies are JSON objects
		answers = append(answers, a)
	}
	return answers
}

// differences names the members in which two JSON objects differ, two levels deep.
func differences(t *testing.T, want, got json.RawMessage) string {
	t.Helper()
	a, b := decodeAny(t, want).(map[string]any), decodeAny(t, got).(map[string]any)
	var names []string
	for name := range a {
		if cmp.Equal(a[name], b[name]) {
			continue
		}
		inner, ok := a[name].(map[string]any)
		other, ok2 := b[name].(map[string]any)
		if !ok || !ok2 || name == "snapshot" {
			names = append(names, name)
			continue
		}
		for member := range inner {
			if !cmp.Equal(inner[member], other[member]) {
				names = append(names, name+"."+member)
			}
		}
	}
	if len(a) != len(b) {
		names = append(names, "number of members")
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}
