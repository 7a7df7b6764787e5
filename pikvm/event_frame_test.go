package pikvm

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
)

func TestDecodeEvent(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, frame string
		want        EventType
		data        string // empty: none
		piecemeal   bool
	}{
		{"4.36 and later", `{"event_type":"atx","event":{"busy":false}}`, EventATX, `{"busy":false}`, false},
		{"members in any order", ` {"event": {"a": 1}, "event_type": "msd", "x": 2} `, EventMSD, `{"a": 1}`, false},
		{"null payload", `{"event_type":"loop","event":null}`, EventLoop, "", false},
		{"no payload", `{"event_type":"loop"}`, EventLoop, "", false},
		{"payload of another sort", `{"event_type":"new","event":[1]}`, "new", `[1]`, false},
		{"unknown name", `{"event_type":"future thing","event":{}}`, "", "", false},
		{"unknown legal name", `{"event_type":"wol","event":{}}`, "wol", `{}`, false},
		{"4.21 to 4.35", `{"event_type":"atx_state","event":{"a":1}}`, EventATX, `{"a":1}`, false},
		{"4.21 to 4.35 keymaps", `{"event_type":"hid_keymaps_state","event":{"keymaps":{}}}`, EventHIDKeymaps, `{"keymaps":{}}`, false},
		{"4.21 to 4.35 info", `{"event_type":"info_state","event":{"fan":{}}}`, EventInfo, `{"fan":{}}`, false},
		{"4.21 to 4.35 gpio", `{"event_type":"gpio_state","event":{"state":{"inputs":{}}}}`, EventGPIO, `{"state":{"inputs":{}}}`, false},
		{"4.20 gpio model", `{"event_type":"gpio_model_state","event":{"scheme":{}}}`, EventGPIO, `{"model":{"scheme":{}}}`, true},
		{"4.20 gpio state", `{"event_type":"gpio_state","event":{"inputs":{},"outputs":{}}}`, EventGPIO, `{"state":{"inputs":{},"outputs":{}}}`, true},
		{"4.20 info", `{"event_type":"info_hw_state","event":{"health":1}}`, EventInfo, `{"hw":{"health":1}}`, false},
		{"4.20 ocr", `{"event_type":"streamer_ocr_state","event":{"ocr":{"enabled":true}}}`, EventOCR, `{"enabled":true}`, false},
		{"4.20 null ocr", `{"event_type":"streamer_ocr_state","event":{"ocr":null}}`, EventOCR, "", false},
		{"4.20 empty ocr", `{"event_type":"streamer_ocr_state","event":{}}`, EventOCR, "", false},
		{"4.20 null", `{"event_type":"gpio_state","event":null}`, EventGPIO, "", false},
		{"very old", `{"event_type":"wol_state","event":{"enabled":false}}`, "wol", `{"enabled":false}`, false},
		{"suffix alone", `{"event_type":"_state","event":{}}`, "_state", `{}`, false},
		{"pong", `{"event_type":"pong","event":{}}`, eventPong, `{}`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := decodeEvent([]byte(tc.frame))
			if tc.want == "" {
				if !errors.Is(err, errkit.Protocol) {
					t.Fatalf("error is %v, not of kind Protocol", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.name != tc.want || string(got.data) != tc.data || got.piecemeal != tc.piecemeal {
				t.Errorf("got %s %s piecemeal %v, want %s %s piecemeal %v",
					got.name, got.data, got.piecemeal, tc.want, tc.data, tc.piecemeal)
			}
		})
	}
}

func TestDecodeEventRefusesNonsense(t *testing.T) {
	t.Parallel()
	for name, frame := range map[string]string{
		"empty":                "",
		"no JSON":              "<html>",
		"cut off":              `{"event_type":"atx","event":{`,
		"array":                `[]`,
		"null":                 `null`,
		"no name":              `{"event":{}}`,
		"null name":            `{"event_type":null}`,
		"number as name":       `{"event_type":7}`,
		"empty name":           `{"event_type":""}`,
		"name of the session":  `{"event_type":"@connected","event":{}}`,
		"control character":    `{"event_type":"a\nb"}`,
		"not ASCII":            `{"event_type":"ä"}`,
		"endless name":         `{"event_type":"` + strings.Repeat("a", maxEventName+1) + `"}`,
		"trailing text":        `{"event_type":"atx"} x`,
		"old OCR that is none": `{"event_type":"streamer_ocr_state","event":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := decodeEvent([]byte(frame))
			if err == nil {
				t.Fatalf("decoded as %q", f.name)
			}
			if !errors.Is(err, errkit.Protocol) && errkit.Classify(err) == 0 && errkit.KindOf(err) == 0 {
				t.Errorf("error without a kind: %v", err)
			}
		})
	}
}

// TestDecodeEventKeepsItsOwnMemory: the buffer of a connection is used again for the next frame.
func TestDecodeEventKeepsItsOwnMemory(t *testing.T) {
	t.Parallel()
	for _, frame := range []string{
		`{"event_type":"atx","event":{"busy":false}}`,
		`{"event_type":"gpio_model_state","event":{"scheme":{}}}`,
	} {
		buf := []byte(frame)
		f, err := decodeEvent(buf)
		if err != nil {
			t.Fatal(err)
		}
		before := string(f.data)
		for i := range buf {
			buf[i] = '#'
		}
		if d := cmp.Diff(before, string(f.data)); d != "" {
			t.Errorf("payload shares memory with the frame (-want +got):\n%s", d)
		}
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	if d := cmp.Diff([]byte{0}, encodePing(true)); d != "" {
		t.Errorf("binary ping (-want +got):\n%s", d)
	}
	if d := cmp.Diff(`{"event_type":"ping","event":{}}`, string(encodePing(false))); d != "" {
		t.Errorf("text ping (-want +got):\n%s", d)
	}
	for frame, want := range map[string]bool{"\xff": true, "\xff\x00": true, "\x00": false, "": false} {
		if got := isPong([]byte(frame)); got != want {
			t.Errorf("isPong(%q) is %v", frame, got)
		}
	}
}

// FuzzEvents feeds a device's frames to the decoder and to the state.
func FuzzEvents(f *testing.F) {
	for _, frame := range recordedFrames(f, "testdata/ws_initial_events.json") {
		f.Add(frame, frame)
	}
	f.Add([]byte(`{"event_type":"gpio_model_state","event":{}}`), []byte(`{"event_type":"gpio_state","event":{"inputs":{}}}`))
	f.Add([]byte(`{"event_type":"msd","event":{"enabled":true,"storage":{}}}`), []byte(`{"event_type":"msd","event":{"storage":null}}`))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		state := &State{live: true}
		for _, text := range [][]byte{first, second, first} {
			frame, err := decodeEvent(text)
			if err != nil {
				continue
			}
			before := state.Raw(frame.name)
			next, err := state.fold(frame)
			if d := cmp.Diff(string(before), string(state.Raw(frame.name))); d != "" {
				t.Fatalf("fold changed the old state (-before +after):\n%s", d)
			}
			if err != nil {
				continue
			}
			state = next
			if raw := state.Raw(frame.name); raw != nil && !json.Valid(raw) {
				t.Fatalf("state is no JSON: %q", raw)
			}
			if state.size < 0 || state.size > maxStateBytes {
				t.Fatalf("size %d", state.size)
			}
			_, _ = state.ATX()
			_, _ = state.Info()
			_, _ = state.Clients()
			_ = state.Version()
		}
	})
}

// recordedFrames returns the text frames of a recording that is a list of events.
func recordedFrames(tb testing.TB, path string) [][]byte {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var events []json.RawMessage
	if err := json.Unmarshal(text, &events); err != nil {
		tb.Fatal(err)
	}
	frames := make([][]byte, len(events))
	for i, ev := range events {
		frames[i] = ev
	}
	return frames
}
