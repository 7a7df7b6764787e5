package pikvmtest_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// quiet is the query of a socket that is no viewer of the stream.
const quiet = "?stream=0"

// fullStates are the types of events that a new client causes, in the order of this fake.
var fullStates = []string{
	"clients", "gpio", "atx", "msd", "ocr", "streamer", "hid_keymaps", "switch", "hid",
	"info", "info", "info", "info", "info", "info", "info", "info", "clients",
}

// TestInitialEvents compares what a new client gets with the recording. The order of full states is not fixed on a
// device, so each is looked up; the uptime, the images in the mass storage and the parameters of the streamer differ
// from device to device and are compared by their shape.
func TestInitialEvents(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/initial_events.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded []struct {
		Type  string `json:"event_type"`
		Event map[string]any
	}
	if err := json.Unmarshal(raw, &recorded); err != nil {
		t.Fatal(err)
	}
	key := func(kind string, event map[string]any) string {
		if kind == "info" {
			for sub := range event {
				return "info." + sub
			}
		}
		return kind
	}
	want := make(map[string]any)
	for _, r := range recorded[:len(recorded)-1] { // the last is a change of the storage
		want[key(r.Type, r.Event)] = soften(r.Type, r.Event)
	}
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{Host: pikvmtest.HostOptions{PoweredOn: true}})
		if err := k.PutImage("an image", []byte("x")); err != nil {
			t.Fatal(err)
		}
		l := k.listen(quiet)
		synctest.Wait()
		events := l.take()
		if events[0].Type != "loop" {
			t.Errorf("the first event is %s, want loop", events[0].Type)
		}
		got := make(map[string]any)
		for _, m := range events {
			event := m.Event.(map[string]any)
			got[key(m.Type, event)] = soften(m.Type, event)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("events (-want +got):\n%s", d)
		}
		if len(events) != len(recorded)-1 {
			t.Errorf("%d events, want %d", len(events), len(recorded)-1)
		}
	})
}

// soften replaces what differs from device to device by its shape.
func soften(kind string, event map[string]any) any {
	switch kind {
	case "msd":
		storage := event["storage"].(map[string]any)
		storage["parts"].(map[string]any)[""].(map[string]any)["free"] = "free"
		for name, image := range storage["images"].(map[string]any) {
			delete(storage["images"].(map[string]any), name)
			storage["images"].(map[string]any)["an image"] = shape(image)
		}
	case "streamer":
		event["params"], event["applied"] = shape(event["params"]), shape(event["applied"])
	case "info":
		if event["uptime"] != nil {
			return shape(event)
		}
	}
	return event
}

// shape replaces all values that are no objects by the name of their kind.
func shape(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			out[name] = shape(member)
		}
		return out
	case float64:
		return "number"
	case bool:
		return "bool"
	}
	return v
}

// TestRebroadcast shows that every new client makes the device send its full states to all.
func TestRebroadcast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		first := k.listen(quiet)
		synctest.Wait()
		if d := cmp.Diff(append([]string{"loop"}, fullStates...), first.types()); d != "" {
			t.Errorf("the only client (-want +got):\n%s", d)
		}
		second := k.listen("")
		synctest.Wait()
		again := first.take()
		var types []string
		for _, m := range again {
			types = append(types, m.Type)
		}
		if d := cmp.Diff(fullStates, types); d != "" {
			t.Errorf("the first client, when a second comes (-want +got):\n%s", d)
		}
		if d := cmp.Diff(map[string]any{"count": 1.0}, again[0].Event); d != "" {
			t.Errorf("viewers (-want +got):\n%s", d)
		}
		if got := second.take(); got[0].Type != "loop" {
			t.Errorf("the second client gets %s first", got[0].Type)
		}
		if err := second.conn.Close(1000, ""); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		left := first.take()
		if len(left) != 1 || left[0].Type != "clients" || !cmp.Equal(left[0].Event, map[string]any{"count": 0.0}) {
			t.Errorf("when the viewer leaves: %v", left)
		}
		if got := k.Sockets(); got != 1 {
			t.Errorf("%d sockets, want 1", got)
		}
	})
}

func TestPeriodicInfo(t *testing.T) {
	t.Parallel()
	for version, want := range map[string][]string{
		"4.197": {"info", "info", "info", "info"}, // uptime and health, twice
		"4.100": {"info", "info"},                 // health
		"4.50":  {"info", "info"},                 // hw
		"4.30":  {"info_state", "info_state"},
		"4.20":  {"info_hw_state", "info_hw_state"},
	} {
		t.Run(version, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := startInMemory(t, &pikvmtest.Options{Version: version})
				l := k.listen(quiet)
				time.Sleep(4900 * time.Millisecond)
				l.take()
				time.Sleep(6 * time.Second)
				if d := cmp.Diff(want, l.types()); d != "" {
					t.Errorf("events of ten seconds (-want +got):\n%s", d)
				}
			})
		})
	}
}

func TestPings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		l := k.listen(quiet)
		synctest.Wait()
		l.take()
		ask := func(typ wsconn.MessageType, data string) []message {
			l.send(typ, data)
			synctest.Wait()
			return l.take()
		}
		if got := ask(wsconn.Text, `{"event_type": "ping", "event": {}}`); len(got) != 1 || got[0].Type != "pong" ||
			!cmp.Equal(got[0].Event, map[string]any{}) {
			t.Errorf("answer to ping: %v", got)
		}
		if got := ask(wsconn.Binary, "\x00"); len(got) != 1 || got[0].Binary != "\xff" {
			t.Errorf("answer to the binary ping: %v", got)
		}
		if got := ask(wsconn.Binary, "\x00more"); len(got) != 1 || got[0].Binary != "\xff" {
			t.Errorf("answer to a longer binary ping: %v", got)
		}
		k.StallPings(true)
		if got := ask(wsconn.Binary, "\x00"); len(got) != 0 {
			t.Errorf("answer to a ping while they stall: %v", got)
		}
		k.StallPings(false)
		if got := ask(wsconn.Text, `{"event_type": "ping", "event": {"x": 1}}`); len(got) != 1 {
			t.Errorf("answer to ping after the stall: %v", got)
		}
	})
}

// TestOverlooked shows that messages which make no sense get no answer and do no harm.
func TestOverlooked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		l := k.listen(quiet)
		synctest.Wait()
		l.take()
		for _, text := range []string{
			"", "{", "null", "[]", `"ping"`, "{}", `{"event_type": "ping"}`, `{"event_type": "ping", "event": null}`,
			`{"event_type": "ping", "event": []}`, `{"event_type": 1, "event": {}}`, `{"event_type": null, "event": {}}`,
			`{"event_type": "nope", "event": {}}`, `{"EVENT_TYPE": "ping", "Event": {}}`,
			strings.Repeat("[", 100_000),
		} {
			l.send(wsconn.Text, text)
		}
		for _, binary := range []string{"", "\x63", "\xff", "\x01", "\x01\x01KeyA"} {
			l.send(wsconn.Binary, binary)
		}
		synctest.Wait()
		if got := l.take(); len(got) != 0 {
			t.Errorf("answers: %v", got)
		}
		l.send(wsconn.Binary, "\x00")
		synctest.Wait()
		if got := l.take(); len(got) != 1 {
			t.Errorf("afterwards a ping brings %v", got)
		}
	})
}

func TestBinaryPingOfOldVersions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{Version: "4.52"})
		l := k.listen(quiet)
		synctest.Wait()
		l.take()
		l.send(wsconn.Binary, "\x00")
		synctest.Wait()
		if got := l.take(); len(got) != 0 {
			t.Errorf("answer: %v", got)
		}
	})
}

func TestEventNames(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		version string
		want    []string
	}{
		{"4.36", []string{
			"loop", "gpio", "atx", "msd", "ocr", "streamer", "hid_keymaps", "switch", "hid",
			"info", "info", "info", "info", "info", "info",
		}},
		{"4.35", []string{
			"loop", "gpio_state", "atx_state", "msd_state", "ocr_state", "streamer_state", "hid_keymaps_state",
			"switch_state", "hid_state",
			"info_state", "info_state", "info_state", "info_state", "info_state", "info_state",
		}},
		{"4.21", []string{
			"loop", "gpio_state", "atx_state", "msd_state", "ocr_state", "streamer_state", "hid_keymaps_state",
			"hid_state",
			"info_state", "info_state", "info_state", "info_state", "info_state", "info_state",
		}},
		{"4.20", []string{
			"gpio_model_state", "gpio_state", "atx_state", "msd_state", "streamer_ocr_state", "streamer_state",
			"hid_keymaps_state", "hid_state", "info_auth_state", "info_extras_state", "info_fan_state",
			"info_hw_state", "info_meta_state", "info_system_state", "loop",
		}},
	} {
		t.Run(tc.version, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := startInMemory(t, &pikvmtest.Options{Version: tc.version})
				l := k.listen(quiet)
				synctest.Wait()
				got := l.take()
				var types []string
				loop := -1
				for i, m := range got {
					types = append(types, m.Type)
					if m.Type == "loop" {
						loop = i
					}
				}
				if d := cmp.Diff(tc.want, types); d != "" {
					t.Errorf("events (-want +got):\n%s", d)
				}
				if old := tc.version == "4.20"; loop >= 0 && old != cmp.Equal(got[loop].Event, map[string]any{}) {
					t.Errorf("loop carries %v", got[loop].Event)
				}
			})
		})
	}
}

// TestOldPayloads shows what the events before 4.21 wrap and unwrap.
func TestOldPayloads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{Version: "4.20"})
		l := k.listen(quiet)
		synctest.Wait()
		keys := make(map[string][]string)
		for _, m := range l.take() {
			var names []string
			for name := range m.Event.(map[string]any) {
				names = append(names, name)
			}
			slices.Sort(names)
			keys[m.Type] = names
		}
		want := map[string][]string{
			"gpio_model_state":   {"scheme", "view"},
			"gpio_state":         {"inputs", "outputs"},
			"streamer_ocr_state": {"ocr"},
			"info_hw_state":      {"health", "platform"},
			"info_system_state":  {"kernel", "kvmd", "streamer"},
			"atx_state":          {"busy", "enabled", "leds"},
			"hid_keymaps_state":  {"keymaps"},
		}
		for name, members := range want {
			if d := cmp.Diff(members, keys[name]); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
	})
}

func TestSocketRefused(t *testing.T) {
	t.Parallel()
	k := start(t, nil)
	admin := http.Header{"X-Kvmd-User": {"admin"}, "X-Kvmd-Passwd": {"admin"}}
	for _, tc := range []struct {
		name, query string
		header      http.Header
		fault       *pikvmtest.Fault
		status      int
	}{
		{"nobody", "", http.Header{}, nil, 401},
		{"wrong password", "", http.Header{"X-Kvmd-User": {"admin"}, "X-Kvmd-Passwd": {"x"}}, nil, 403},
		{"illegal user", "", http.Header{"X-Kvmd-User": {"Admin"}}, nil, 400},
		{"bad stream", "?stream=maybe", admin, nil, 400},
		{"trailing slash", "/", admin, nil, 308},
		{"daemon down", "", admin, &pikvmtest.Fault{Kind: pikvmtest.FaultPage}, 502},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := *k
			k.t = t
			if tc.fault != nil {
				defer k.Inject(*tc.fault).Remove()
			}
			_, err := k.dialSocket(tc.query, tc.header)
			var refused *wsconn.HandshakeError
			if !errors.As(err, &refused) || refused.StatusCode != tc.status {
				t.Errorf("error %v, want a handshake refused with %d", err, tc.status)
			}
		})
	}
}

// TestHandshakeProblems sends requests that only look like handshakes.
func TestHandshakeProblems(t *testing.T) {
	t.Parallel()
	k := start(t, nil)
	upgrade := []func(*http.Request){
		with("Upgrade", "websocket"), with("Connection", "Upgrade"),
		with("Sec-WebSocket-Version", "13"), with("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
	}
	for _, tc := range []struct {
		name    string
		options []func(*http.Request)
		want    string
	}{
		{"other upgrade", []func(*http.Request){with("Upgrade", "h2c")}, "No WebSocket UPGRADE hdr: h2c\n Can \"Upgrade\" only to \"WebSocket\"."},
		{"no connection header", []func(*http.Request){with("Connection", "keep-alive")}, "No CONNECTION upgrade hdr: keep-alive"},
		{"old version", []func(*http.Request){with("Sec-WebSocket-Version", "8")}, "Unsupported version: 8"},
		{"short key", []func(*http.Request){with("Sec-WebSocket-Key", "AAAA")}, "Handshake error: 'AAAA'"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := *k
			k.t = t
			got := k.do("GET", "/api/ws", append(slices.Clone(upgrade), tc.options...)...)
			if got.Status != 400 || got.Body != tc.want {
				t.Errorf("%d %q, want 400 %q", got.Status, got.Body, tc.want)
			}
		})
	}
}
