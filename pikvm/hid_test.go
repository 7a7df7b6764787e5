package pikvm_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestHIDState checks the recorded states.
func TestHIDState(t *testing.T) {
	t.Parallel()
	plain := pikvm.HIDState{
		Enabled: true, Online: true,
		Keyboard: pikvm.HIDKeyboard{Online: true, Outputs: pikvm.HIDOutputs[pikvm.KeyboardOutput]{Available: []pikvm.KeyboardOutput{}}},
		Mouse: pikvm.HIDMouse{Online: true, Absolute: true, Outputs: pikvm.HIDOutputs[pikvm.MouseOutput]{
			Available: []pikvm.MouseOutput{pikvm.MouseUSB, pikvm.MouseUSBRelative}, Active: pikvm.MouseUSB,
		}},
		Jiggler: &pikvm.HIDJiggler{Enabled: true, Interval: time.Minute},
	}
	jiggling, relative := plain, plain
	jiggling.Jiggler = &pikvm.HIDJiggler{Enabled: true, Active: true, Interval: time.Minute}
	relative.Mouse.Absolute, relative.Mouse.Outputs.Active = false, pikvm.MouseUSBRelative
	for name, want := range map[string]pikvm.HIDState{"hid": plain, "hid_jiggler_on": jiggling, "hid_rel": relative} {
		got, err := replay(t, exchangeNamed(t, name), nil).HID.State(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(&want, got, cmpopts.IgnoreFields(pikvm.HIDState{}, "Raw")); d != "" || !json.Valid(got.Raw) {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	idle, err := replay(t, exchangeNamed(t, "hid_inactivity"), nil).HID.Inactivity(t.Context())
	if idle != 106*time.Second || err != nil {
		t.Errorf("inactive for %v, %v", idle, err)
	}
	keymaps, err := replay(t, exchangeNamed(t, "hid_keymaps"), nil).HID.Keymaps(t.Context())
	if err != nil || keymaps.Default != "en-us" || len(keymaps.Available) != 36 || keymaps.Available[0] != "ar" {
		t.Errorf("keymaps are %+v, %v", keymaps, err)
	}
}

// TestHIDOddAnswers checks other versions, and what is no state.
func TestHIDOddAnswers(t *testing.T) {
	t.Parallel()
	var state pikvm.HIDState
	const old = `{"online": 1, "connected": false, "keyboard": {"leds": {"caps": 1}}, "mouse": {"absolute": 0, "new": []}}`
	if err := json.Unmarshal([]byte(old), &state); err != nil || !state.Online || state.Jiggler != nil || !state.Keyboard.LEDs.Caps ||
		state.Connected == nil || *state.Connected {
		t.Errorf("state is %+v, %v", state, err)
	}
	for _, body := range []string{`{}`, `[]`, `{"online": true}`, `{"online": "yes", "mouse": {"absolute": 1}}`, `{"mouse": {"absolute": 1}}`} {
		if err := json.Unmarshal([]byte(body), &state); err == nil {
			t.Errorf("%s is %+v, want an error", body, state)
		}
	}
	var keymaps pikvm.Keymaps
	for _, body := range []string{`{}`, `[]`, `{"keymaps": null}`, `{"keymaps": {"available": "en-us"}}`} {
		if err := json.Unmarshal([]byte(body), &keymaps); err == nil {
			t.Errorf("%s is %+v, want an error", body, keymaps)
		}
	}
}

// TestKeys checks that the package knows the keys that the device knows.
func TestKeys(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("pikvmtest/device/hid_keys.json")
	if err != nil {
		t.Fatal(err)
	}
	var known struct{ Keys map[pikvm.Key]int }
	if err := json.Unmarshal(text, &known); err != nil {
		t.Fatal(err)
	}
	if len(known.Keys) != 126 || pikvm.KnownKeys() != 126 {
		t.Errorf("%d keys, the device has %d", pikvm.KnownKeys(), len(known.Keys))
	}
	for key := range known.Keys {
		if !key.Valid() {
			t.Errorf("%s is unknown", key)
		}
		got, err := pikvm.ParseShortcut(strings.ToUpper(string(key)))
		if err != nil || len(got) != 1 || got[0] != key {
			t.Errorf("%s is read as %v, %v", key, got, err)
		}
	}
}

// TestParseShortcut checks names as people write them.
func TestParseShortcut(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]pikvm.Key{
		"ctrl+alt+del":       {pikvm.KeyControlLeft, pikvm.KeyAltLeft, pikvm.KeyDelete},
		" Shift + F12":       {pikvm.KeyShiftLeft, pikvm.KeyF12},
		"a":                  {pikvm.KeyA},
		"AltGr+7":            {pikvm.KeyAltRight, pikvm.KeyDigit7},
		"cmd+left":           {pikvm.KeyMetaLeft, pikvm.KeyArrowLeft},
		"control+PrtSc":      {pikvm.KeyControlLeft, pikvm.KeyPrintScreen},
		"numpadenter+pgup":   {pikvm.KeyNumpadEnter, pikvm.KeyPageUp},
		"esc+return+ins+tab": {pikvm.KeyEscape, pikvm.KeyEnter, pikvm.KeyInsert, pikvm.KeyTab},
	} {
		got, err := pikvm.ParseShortcut(text)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%q (-want +got):\n%s%v", text, d, err)
		}
	}
	for _, text := range []string{"", "+", "ctrl+", "ctrl++a", "ctrl-a", "f25", "10", "ä", "board"} {
		got, err := pikvm.ParseShortcut(text)
		if !errors.Is(err, pikvm.ErrConfiguration) || got != nil {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
}

// TestMousePosition checks pixels at the edges and both ways.
func TestMousePosition(t *testing.T) {
	t.Parallel()
	for _, size := range []int{2, 640, 1080, 1920, 3840} {
		for pixel, want := range map[int]int{-1: -32768, 0: -32768, size - 1: 32767, size: 32767} {
			if got := pikvm.MousePosition(pixel, size); got != want {
				t.Errorf("pixel %d of %d is at %d, want %d", pixel, size, got, want)
			}
		}
		for pixel := range size {
			if got := pikvm.MousePixel(pikvm.MousePosition(pixel, size), size); got != pixel {
				t.Errorf("pixel %d of %d comes back as %d", pixel, size, got)
			}
		}
	}
	if pikvm.MousePosition(5, 1) != 0 || pikvm.MousePosition(5, 0) != 0 || pikvm.MousePixel(99999, 0) != 0 {
		t.Error("no screen")
	}
}

// input is what reached the host, without the time.
type input struct {
	Origin  pikvmtest.HIDOrigin
	Kind    pikvmtest.HIDKind
	Name    string
	Pressed bool
	X, Y    int
}

func inputs(f *fake) []input {
	var all []input
	for _, e := range f.HIDLog() {
		all = append(all, input{e.Origin, e.Kind, e.Name, e.Pressed, e.X, e.Y})
	}
	return all
}

// TestHIDInput checks what reaches the host of every sort of input.
func TestHIDInput(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		ctx, hid := t.Context(), f.client.HID
		relative := pikvm.MouseUSBRelative
		for i, err := range []error{
			hid.Key(ctx, pikvm.KeyA, pikvm.Tap),
			hid.Key(ctx, pikvm.KeyShiftRight, pikvm.Tap), // which stays pressed
			hid.Key(ctx, pikvm.KeyShiftRight, pikvm.Release),
			hid.Shortcut(ctx, pikvm.KeyControlLeft, pikvm.KeyC),
			hid.Button(ctx, pikvm.MouseRight, pikvm.Tap),
			hid.Button(ctx, pikvm.MouseLeft, pikvm.Press),
			hid.MoveTo(ctx, -32768, 32767),
			hid.MoveBy(ctx, 5, 5), // not with an absolute mouse
			hid.Wheel(ctx, 0, -127),
			hid.SetParams(ctx, &pikvm.HIDParams{MouseOutput: &relative}),
			hid.MoveBy(ctx, -127, 127),
			hid.Reset(ctx),
		} {
			if err != nil {
				t.Fatalf("%d: %v", i, err)
			}
		}
		const rest, key, button = pikvmtest.OriginREST, pikvmtest.HIDKey, pikvmtest.HIDButton
		want := []input{
			{rest, key, "KeyA", true, 0, 0},
			{rest, key, "KeyA", false, 0, 0},
			{rest, key, "ShiftRight", true, 0, 0},
			{rest, key, "ShiftRight", false, 0, 0},
			{rest, key, "ControlLeft", true, 0, 0},
			{rest, key, "KeyC", true, 0, 0},
			{rest, key, "KeyC", false, 0, 0},
			{rest, key, "ControlLeft", false, 0, 0},
			{rest, button, "right", true, 0, 0},
			{rest, button, "right", false, 0, 0},
			{rest, button, "left", true, 0, 0},
			{rest, pikvmtest.HIDMove, "", false, -32768, 32767},
			{rest, pikvmtest.HIDWheel, "", false, 0, -127},
			{rest, pikvmtest.HIDRelative, "", false, -127, 127},
			{pikvmtest.OriginReset, button, "left", false, 0, 0},
		}
		if d := cmp.Diff(want, inputs(f)); d != "" {
			t.Errorf("input (-want +got):\n%s", d)
		}
		if f.Typed() != "a" || len(f.Pressed()) != 0 {
			t.Errorf("typed %q, pressed %v", f.Typed(), f.Pressed())
		}
		log := f.HIDLog()
		if took := log[7].Time.Sub(log[3].Time); took != 200*time.Millisecond {
			t.Errorf("the shortcut took %v", took)
		}
		time.Sleep(42 * time.Second)
		if idle, err := hid.Inactivity(ctx); idle != 42*time.Second || err != nil {
			t.Errorf("inactive for %v, %v", idle, err)
		}
	})
}

// TestHIDPrint checks text, layouts, delays, a text over the default limit of the device, and what it takes of time.
func TestHIDPrint(t *testing.T) {
	t.Parallel()
	const line = "Hello, World! ~`|\\ {}[] <>?/ \"':;\t(2+2=4) 100% #1 $^&*_-\n"
	long := strings.Repeat(line, 100)
	const ms = time.Millisecond
	for _, tc := range []struct {
		name       string
		text, want string
		opts       *pikvm.PrintOptions
		took       time.Duration
	}{
		{"signs", line, line, nil, 0},
		{"nothing", "", "", nil, 0},
		{"over the limit", long, long, nil, 0},
		{"typographic", "‘a’ “b” 1–2\r\n", "'a' \"b\" 1-2\n", nil, 0},
		{"left out", "grün", "grn", nil, 0},
		{"slow", "Hello", "Hello", &pikvm.PrintOptions{Slow: true}, 240 * ms},
		{"delay", "Hello", "Hello", &pikvm.PrintOptions{Delay: 5 * time.Second, Slow: true}, time.Minute},
		{"delay of 1ms", "ab", "ab", &pikvm.PrintOptions{Delay: ms}, 4 * ms},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				begin := time.Now()
				if err := f.client.HID.Print(t.Context(), tc.text, tc.opts); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin); took != tc.took {
					t.Errorf("took %v, want %v", took, tc.took)
				}
				if d := cmp.Diff(tc.want, f.Typed()); d != "" || len(f.Pressed()) != 0 {
					t.Errorf("typed (-want +got):\n%spressed %v", d, f.Pressed())
				}
			})
		})
	}
	t.Run("unknown layout", func(t *testing.T) {
		t.Parallel()
		inBubble(t, &pikvmtest.Options{HID: pikvmtest.HIDOptions{Keymaps: []string{"fr", "de"}}}, nil, func(t *testing.T, f *fake) {
			err := f.client.HID.Print(t.Context(), "x", &pikvm.PrintOptions{Keymap: "en-us"})
			failure{Type: "APIError", Class: pikvm.ErrInvalidArgument, Kinds: errkit.Invalid, Status: 400}.check(t, err)
			keymaps, err := f.client.HID.Keymaps(t.Context())
			if err != nil || keymaps.Default != "fr" || len(keymaps.Available) != 2 || f.Typed() != "" {
				t.Errorf("keymaps are %+v, %v", keymaps, err)
			}
		})
	})
	t.Run("deadline of the caller", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			err := f.client.HID.Print(within(t, time.Second), "Hello", &pikvm.PrintOptions{Delay: time.Second})
			failure{Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout}.check(t, err)
			if err := f.WaitTyped(within(t, time.Minute), "Hello"); err != nil { // the device goes on
				t.Error(err)
			}
		})
	})
}

// TestHIDVersions checks that a device that would overlook a delay is not asked to print, and what older ones lack.
func TestHIDVersions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		version string
		opts    pikvm.PrintOptions
		ok      bool
	}{
		{"4.24", pikvm.PrintOptions{}, true},
		{"4.24", pikvm.PrintOptions{Slow: true}, false},
		{"4.25", pikvm.PrintOptions{Slow: true}, true},
		{"4.91", pikvm.PrintOptions{Delay: time.Second}, false},
		{"4.92", pikvm.PrintOptions{Delay: time.Second}, true},
	} {
		inBubble(t, &pikvmtest.Options{Version: tc.version}, nil, func(t *testing.T, f *fake) {
			err := f.client.HID.Print(t.Context(), "x", &tc.opts)
			if tc.ok {
				if err != nil || f.Typed() != "x" {
					t.Errorf("%s: typed %q, %v", tc.version, f.Typed(), err)
				}
				return
			}
			failure{Type: "APIError", Class: pikvm.ErrNotSupported, Kinds: errkit.Unsupported | errkit.NotSent}.check(t, err)
			if f.Typed() != "" {
				t.Errorf("%s: typed %q", tc.version, f.Typed())
			}
		})
	}
	inBubble(t, &pikvmtest.Options{Version: "4.78"}, nil, func(t *testing.T, f *fake) {
		if err := f.client.HID.Shortcut(t.Context(), pikvm.KeyA); !errors.Is(err, pikvm.ErrNotFound) {
			t.Errorf("shortcut: %v", err)
		}
		if _, err := f.client.HID.Inactivity(t.Context()); err != nil && !errors.Is(err, pikvm.ErrNotFound) {
			t.Errorf("inactivity: %v", err)
		}
	})
}

// TestHIDKnobs checks what the device shows when it is away, busy, unplugged and lit, by request and by event, and that an
// event socket that opens or closes releases what is pressed.
func TestHIDKnobs(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"4.197", "4.35", "4.20", "3.333"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			device := &pikvmtest.Options{Version: version, HID: pikvmtest.HIDOptions{
				Microcontroller: true, KeyboardOutputs: []string{"usb", "ps2"},
			}}
			inBubble(t, device, nil, func(t *testing.T, f *fake) {
				ctx, hid := t.Context(), f.client.HID
				ps2 := pikvm.KeyboardPS2
				if err := hid.Key(ctx, pikvm.KeyShiftLeft, pikvm.Press); err != nil {
					t.Fatal(err)
				}
				s := f.open(t, nil)
				synctest.Wait()
				if len(f.Pressed()) != 0 {
					t.Errorf("pressed %v after a socket has opened", f.Pressed())
				}
				f.SetHIDOnline(false, true)
				f.SetHIDBusy(true)
				f.SetHIDLEDs(pikvmtest.HIDLEDs{Num: true})
				for _, err := range []error{
					hid.Key(ctx, pikvm.KeyA, pikvm.Press), // which is lost
					hid.SetParams(ctx, &pikvm.HIDParams{KeyboardOutput: &ps2}),
					hid.SetConnected(ctx, false),
				} {
					if err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				want, err := hid.State(ctx)
				if err != nil {
					t.Fatal(err)
				}
				got, ok := s.State().HID()
				if d := cmp.Diff(want, got, cmpopts.IgnoreFields(pikvm.HIDState{}, "Raw")); d != "" || !ok {
					t.Errorf("state by events (-want +got):\n%s", d)
				}
				if got.Online || got.Keyboard.Online || !got.Mouse.Online || !got.Busy || *got.Connected ||
					!got.Keyboard.LEDs.Num || got.Keyboard.Outputs.Active != pikvm.KeyboardPS2 || len(f.Pressed()) != 0 {
					t.Errorf("state is %+v, pressed %v", got, f.Pressed())
				}
				f.SetHIDOnline(true, true)
				if err := hid.SetConnected(ctx, true); err != nil {
					t.Fatal(err)
				}
				if err := hid.Key(ctx, pikvm.KeyCapsLock, pikvm.Tap); err != nil {
					t.Fatal(err)
				}
				if err := hid.Key(ctx, pikvm.KeyA, pikvm.Press); err != nil {
					t.Fatal(err)
				}
				if f.Typed() != "A" {
					t.Errorf("typed %q with caps", f.Typed())
				}
				synctest.Wait()
				if got, ok := s.State().HID(); !ok || !got.Keyboard.LEDs.Caps {
					t.Errorf("no caps in %+v", got)
				}
				keymaps, err := hid.Keymaps(ctx)
				if err != nil {
					t.Fatal(err)
				}
				shown, ok := s.State().Keymaps()
				if d := cmp.Diff(keymaps, shown, cmpopts.IgnoreFields(pikvm.Keymaps{}, "Raw")); d != "" || !ok {
					t.Errorf("keymaps by events (-want +got):\n%s", d)
				}
				_ = s.Close()
				synctest.Wait()
				if len(f.Pressed()) != 0 {
					t.Errorf("pressed %v after a socket has closed", f.Pressed())
				}
			})
		})
	}
}
