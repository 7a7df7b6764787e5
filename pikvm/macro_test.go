package pikvm_test

import (
	"encoding/json"
	"errors"
	"image"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// uiMacro is testdata/macro_recorder.json, which has every step of the web interface.
var uiMacro = pikvm.Macro{
	pikvm.MacroDelay{Duration: 250 * time.Millisecond},
	pikvm.MacroKey{Key: "ControlLeft", Pressed: true},
	pikvm.MacroKey{Key: "KeyC", Pressed: true},
	pikvm.MacroKey{Key: "KeyC"},
	pikvm.MacroKey{Key: "ControlLeft"},
	pikvm.MacroPrint{Text: "echo 'hi'\n", Keymap: "en-us", Delay: 20 * time.Millisecond},
	pikvm.MacroPrint{Text: "x", Slow: true},
	pikvm.MacroMove{X: -100, Y: 32767},
	pikvm.MacroButton{Button: "left", Pressed: true},
	pikvm.MacroButton{Button: "left"},
	pikvm.MacroMoveBy{Steps: []pikvm.MouseStep{{X: 5, Y: -5}, {X: 127, Y: -127}}, Squash: true},
	pikvm.MacroWheel{Y: -3},
	pikvm.MacroRandomDelay{Min: 10 * time.Millisecond, Max: 20 * time.Millisecond},
	pikvm.MacroRandomMove{Min: -5, Max: 5},
	pikvm.MacroATX{Button: pikvm.ButtonPower},
	pikvm.MacroSwitch{Channel: "relay1", On: true},
	pikvm.MacroPulse{Channel: "button1"},
}

// extended has every extension.
var extended = pikvm.Macro{
	pikvm.MacroWaitText{Pattern: "log.n:", Region: image.Rect(0, 10, 640, 480), Languages: []string{"eng"}, Timeout: time.Second},
	pikvm.MacroWaitText{Pattern: ""},
	pikvm.MacroWaitPower{On: true},
	pikvm.MacroWaitPower{Timeout: time.Hour},
	pikvm.MacroScreenshot{Name: "after"},
	pikvm.MacroRepeat{Count: 3, Steps: pikvm.Macro{
		pikvm.MacroKey{Key: "Tab", Pressed: true},
		pikvm.MacroRepeat{Count: 1, Steps: pikvm.Macro{pikvm.MacroDelay{}}},
	}},
}

// TestMacroFiles reads what the web interface has recorded, and writes what it can read.
func TestMacroFiles(t *testing.T) {
	t.Parallel()
	got, err := pikvm.LoadMacro("testdata/macro_recorder.json")
	if d := cmp.Diff(uiMacro, got); d != "" || err != nil {
		t.Fatalf("macro (-want +got):\n%s%v", d, err)
	}
	for name, m := range map[string]pikvm.Macro{"recorded": uiMacro, "extended": extended, "empty": {}} {
		path := filepath.Join(t.TempDir(), name+".json")
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		got, err := pikvm.LoadMacro(path)
		if d := cmp.Diff(m, got, cmpopts.EquateEmpty()); d != "" || err != nil {
			t.Errorf("%s (-want +got):\n%s%v", name, d, err)
		}
	}
	// What is written has the members that the web interface asks for, even when they are zero.
	text, err := json.Marshal(pikvm.Macro{pikvm.MacroKey{Key: "KeyA"}, pikvm.MacroMoveBy{}, pikvm.MacroPrint{}, pikvm.MacroDelay{}})
	const want = `[{"event_type":"key","event":{"key":"KeyA","state":false}},` +
		`{"event_type":"mouse_relative","event":{"delta":[],"squash":false}},` +
		`{"event_type":"print","event":{"text":""}},{"event_type":"delay","event":{"millis":0}}]`
	if d := cmp.Diff(want, string(text)); d != "" || err != nil {
		t.Errorf("JSON (-want +got):\n%s%v", d, err)
	}
	for name, err := range map[string]error{
		"no file":      func() error { _, err := pikvm.LoadMacro(filepath.Join(t.TempDir(), "none")); return err }(),
		"no directory": uiMacro.Save(filepath.Join(t.TempDir(), "none", "none")),
		"wrong macro":  pikvm.Macro{pikvm.MacroKey{}}.Save(filepath.Join(t.TempDir(), "wrong")),
	} {
		if !errors.Is(err, pikvm.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMacroNumbers reads numbers as JavaScript takes them for integers.
func TestMacroNumbers(t *testing.T) {
	t.Parallel()
	got, err := pikvm.ParseMacro([]byte(`[{"event_type": "delay", "event": {"millis": 2.5e2}}, {"event_type": "mouse_wheel", "event": {"delta": {"x": 1.0, "y": -0}}}]`))
	want := pikvm.Macro{pikvm.MacroDelay{Duration: 250 * time.Millisecond}, pikvm.MacroWheel{X: 1}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("macro (-want +got):\n%s%v", d, err)
	}
}

// TestMacroProblems checks that every problem of a macro is found, each at its place, and that none repeats a value.
func TestMacroProblems(t *testing.T) {
	t.Parallel()
	nested := strings.Repeat(`[{"event_type":"repeat","event":{"count":1,"steps":`, 9) + `[{"event_type":"delay","event":{"millis":1}}]` + strings.Repeat(`}}]`, 9)
	for text, want := range map[string][]string{
		``: {"not a JSON array"}, `{}`: {"not a JSON array"}, `null`: {"not a JSON array"}, `[] x`: {"not a JSON array"},
		`[1, {}, null, {"event_type": 5}]`: {
			"step 0: not an object with an event_type", "step 1: not an object with an event_type",
			"step 2: not an object with an event_type", "step 3: not an object with an event_type",
		},
		`[{"event_type": "dance", "event": {}}]`: {"step 0: an event_type that there is not"},
		`[{"event_type": "delay"}, {"event_type": "delay", "event": null}, {"event_type": "delay", "event": [1]}]`: {
			"step 0 (delay): event is not an object", "step 1 (delay): event is not an object", "step 2 (delay): event is not an object",
		},
		`[{"event_type": "delay", "event": {}}, {"event_type": "delay", "event": {"millis": "S3CRET"}}, {"event_type": "delay", "event": {"millis": 1.5}},
		  {"event_type": "delay", "event": {"millis": -1}}, {"event_type": "delay", "event": {"millis": 86400001}}, {"event_type": "delay", "event": {"millis": 1e300}},
		  {"event_type": "delay", "event": {"millis": 9e15}}]`: {
			"step 0 (delay): millis is missing", "step 1 (delay): millis is not a number", "step 2 (delay): millis is not a whole number",
			"step 3 (delay): millis is not 0 to 24h in whole milliseconds", "step 4 (delay): millis is not 0 to 24h in whole milliseconds",
			"step 5 (delay): millis is not a whole number", "step 6 (delay): millis is not 0 to 24h in whole milliseconds",
		},
		`[{"event_type": "delay_random", "event": {"range": {"min": 3, "max": 2}}}, {"event_type": "delay_random", "event": {"range": {"min": 3}}},
		  {"event_type": "mouse_move_random", "event": {"range": {"min": 1, "max": 0}}}, {"event_type": "mouse_move_random", "event": {"range": {"min": -32769, "max": 0}}}]`: {
			"step 0 (delay_random): range.min is over range.max", "step 1 (delay_random): range.max is missing",
			"step 2 (mouse_move_random): range.min is over range.max", "step 3 (mouse_move_random): range is not within -32768 to 32767",
		},
		`[{"event_type": "print", "event": {"text": "S3CRET\u0007", "keymap": "../x", "delay": 5001}}, {"event_type": "print", "event": {"text": 1, "slow": 1}},
		  {"event_type": "print", "event": {"text": "a", "delay": -1}}]`: {
			"step 0 (print): text is not UTF-8, or has characters that cannot be typed", "step 0 (print): keymap is not the name of a layout",
			"step 0 (print): delay is not 0 to 5000", "step 1 (print): text is not a text", "step 1 (print): slow is not true or false",
			"step 2 (print): delay is not 0 to 5000",
		},
		`[{"event_type": "key", "event": {"key": "keya", "state": true}}, {"event_type": "key", "event": {"state": 1}}, {"event_type": "mouse_button", "event": {"button": "Left", "state": true}}]`: {
			"step 0 (key): key is none that there is", "step 1 (key): key is missing", "step 1 (key): state is not true or false",
			"step 2 (mouse_button): button is none that there is",
		},
		`[{"event_type": "mouse_move", "event": {"to": {"x": 32768, "y": 0}}}, {"event_type": "mouse_move", "event": {"to": 1}}, {"event_type": "mouse_wheel", "event": {"delta": {"x": 0, "y": 128}}},
		  {"event_type": "mouse_relative", "event": {"delta": [{"x": 1, "y": 1}, {"x": -128, "y": 0}], "squash": false}},
		  {"event_type": "mouse_relative", "event": {"delta": [{"x": 1}, 2]}}, {"event_type": "mouse_relative", "event": {"delta": {"x": 1, "y": 1}, "squash": false}}]`: {
			"step 0 (mouse_move): to is not within -32768 to 32767", "step 1 (mouse_move): to is not an object",
			"step 2 (mouse_wheel): delta is not within -127 to 127", "step 3 (mouse_relative): delta.1 is not within -127 to 127",
			"step 4 (mouse_relative): squash is missing", "step 4 (mouse_relative): delta.0.y is missing", "step 4 (mouse_relative): delta.1 is not an object",
			"step 5 (mouse_relative): delta is not an array",
		},
		`[{"event_type": "atx_button", "event": {"button": "off"}}, {"event_type": "gpio_switch", "event": {"channel": "1x", "state": true}}, {"event_type": "gpio_pulse", "event": {"channel": ""}}]`: {
			"step 0 (atx_button): button is none that there is", "step 1 (gpio_switch): channel is not the name of one", "step 2 (gpio_pulse): channel is not the name of one",
		},
		`[{"event_type": "wait_text", "event": {"pattern": "S3CRET(", "region": {"left": 0, "top": 0, "right": -1, "bottom": 1}, "languages": [1], "timeout_millis": "x"}},
		  {"event_type": "wait_text", "event": {"pattern": "S3CRET(", "region": {"left": 0, "top": 0, "right": -1, "bottom": 1}, "timeout_millis": -1}},
		  {"event_type": "wait_power", "event": {}}, {"event_type": "screenshot", "event": {}}, {"event_type": "wait_text", "event": {"pattern": "", "languages": ["eng,deu"]}}]`: {
			"step 0 (wait_text): timeout_millis is not a number", "step 0 (wait_text): languages is not an array of texts",
			"step 1 (wait_text): pattern is not a regular expression", "step 1 (wait_text): region is not on a screen",
			"step 1 (wait_text): timeout_millis is not 0 to 24h in whole milliseconds", "step 2 (wait_power): state is missing", "step 3 (screenshot): name is missing",
			"step 4 (wait_text): languages has an empty name, several in one, or too many",
		},
		`[{"event_type": "repeat", "event": {"count": 0, "steps": []}}, {"event_type": "repeat", "event": {"count": 1000001, "steps": [{"event_type": "delay", "event": {"millis": 1}}]}},
		  {"event_type": "repeat", "event": {"count": 2}}, {"event_type": "repeat", "event": {"count": 2, "steps": [{"event_type": "delay", "event": {"millis": 1}}, {"event_type": "key", "event": {"key": "x", "state": true}}]}}]`: {
			"step 0 (repeat): steps is empty", "step 0 (repeat): count is not 1 to 1000000", "step 1 (repeat): count is not 1 to 1000000",
			"step 2 (repeat): steps is missing", "step 3.1 (key): key is none that there is",
		},
		nested: {"step 0.0.0.0.0.0.0.0.0 (repeat): more than 8 repetitions within each other"},
		`[` + strings.Repeat(`{"event_type":"delay","event":{"millis":0}},`, 100_000) + `{"event_type":"delay","event":{"millis":0}}]`: {"more than 100000 steps"},
		`["` + strings.Repeat("x", 16<<20) + `"]`: {"larger than 16 MiB"},
	} {
		got, err := pikvm.ParseMacro([]byte(text))
		e, _ := errors.AsType[*pikvm.InvalidMacroError](err)
		if e == nil || got != nil {
			t.Errorf("%.80s: %d steps, %v", text, len(got), err)
			continue
		}
		var problems []string
		for _, p := range e.Problems {
			problems = append(problems, p.String())
		}
		if d := cmp.Diff(want, problems); d != "" {
			t.Errorf("%.80s (-want +got):\n%s", text, d)
		}
		plain, _ := errors.AsType[*pikvm.ConfigurationError](err)
		if plain == nil || !errors.Is(err, pikvm.ErrConfiguration) || !errors.Is(err, pikvm.ErrInvalidMacro) || strings.Contains(err.Error(), "S3CRET") {
			t.Errorf("error is %v", err)
		}
	}
}

// TestMacroValidate checks macros that were made here, and that no more than 100 problems are kept.
func TestMacroValidate(t *testing.T) {
	t.Parallel()
	many := make(pikvm.Macro, 500)
	for name, tc := range map[string]struct {
		macro    pikvm.Macro
		opts     *pikvm.MacroOptions
		problems int
		first    string
	}{
		"recorded, strictly": {uiMacro, &pikvm.MacroOptions{Strict: true}, 0, ""},
		"extended":           {extended, nil, 0, ""},
		"extended, strictly": {extended, &pikvm.MacroOptions{Strict: true, Picture: func(string, *pikvm.Snapshot) error { return nil }}, 7, "step 0 (wait_text): an extension, which the web interface does not know"},
		"no picture":         {extended, &pikvm.MacroOptions{}, 1, "step 4 (screenshot): nobody takes pictures: Picture of the options is nil"},
		"nil":                {many, nil, 100, "step 0: nil"},
		"fine delay":         {pikvm.Macro{pikvm.MacroDelay{Duration: 1}}, nil, 1, "step 0 (delay): millis is not 0 to 24h in whole milliseconds"},
	} {
		err := tc.macro.Validate(tc.opts)
		e, _ := errors.AsType[*pikvm.InvalidMacroError](err)
		switch {
		case tc.problems == 0 && err == nil:
		case e == nil || len(e.Problems) != tc.problems || e.Problems[0].String() != tc.first:
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzMacro checks that no text upsets the reader, that what it takes is valid, and that it can be written and read again.
func FuzzMacro(f *testing.F) {
	f.Add([]byte(readTestdata(f, "macro_recorder.json")))
	text, err := json.Marshal(extended)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	for _, seed := range []string{``, `[]`, `[null]`, `[{"event_type":"repeat","event":{"count":1,"steps":[{"event_type":"repeat","event":{}}]}}]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := pikvm.ParseMacro(text)
		if err != nil {
			e, _ := errors.AsType[*pikvm.InvalidMacroError](err)
			if e == nil || len(e.Problems) == 0 || len(e.Problems) > 100 || m != nil {
				t.Fatalf("%v with %v", m, err)
			}
			return
		}
		if err := m.Validate(nil); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pikvm.ParseMacro(again)
		if d := cmp.Diff(m, got, cmpopts.EquateEmpty()); d != "" || err != nil {
			t.Errorf("again (-want +got):\n%s%v", d, err)
		}
	})
}
