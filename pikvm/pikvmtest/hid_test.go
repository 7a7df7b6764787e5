package pikvmtest_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestKeyFinish shows which keys a press leaves pressed, before and after the device learned to finish.
func TestKeyFinish(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		version, query string
		pressed        []string
	}{
		{"4.197", "key=KeyA", nil},
		{"4.197", "key=KeyA&state=1", []string{"KeyA"}},
		{"4.197", "key=KeyA&state=1&finish=1", nil},
		{"4.197", "key=MetaRight", []string{"MetaRight"}},
		{"4.197", "key=PrintScreen&state=1&finish=1", []string{"PrintScreen"}},
		{"4.197", "key=KeyA&state=0", nil},
		{"4.32", "key=KeyA&state=1&finish=1", []string{"KeyA"}},
		{"4.32", "key=MetaRight", nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			k := startInMemory(t, &pikvmtest.Options{Version: tc.version})
			k.want(k.do("POST", "/api/hid/events/send_key?"+tc.query), 200, "", "")
			if d := cmp.Diff(tc.pressed, k.Pressed()); d != "" {
				t.Errorf("%s %s: pressed (-want +got):\n%s", tc.version, tc.query, d)
			}
		})
	}
}

// TestMouseClamps shows that the device cuts what is too far, and that an absolute mouse does not step.
func TestMouseClamps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		for _, path := range []string{
			"send_mouse_move?to_x=-99999&to_y=0x7fff", "send_mouse_relative?delta_x=1&delta_y=1", "send_mouse_wheel?delta_x=500&delta_y=-500",
		} {
			k.want(k.do("POST", "/api/hid/events/"+path), 200, "", "")
		}
		k.want(k.do("POST", "/api/hid/set_params?mouse_output=usb_rel"), 200, "", "")
		k.want(k.do("POST", "/api/hid/events/send_mouse_relative?delta_x=-128&delta_y=128"), 200, "", "")
		k.want(k.do("POST", "/api/hid/events/send_mouse_move?to_x=1&to_y=1"), 200, "", "")
		var got [][3]any
		for _, e := range k.HIDLog() {
			got = append(got, [3]any{e.Kind, e.X, e.Y})
		}
		want := [][3]any{
			{pikvmtest.HIDMove, -32768, 32767}, {pikvmtest.HIDWheel, 127, -127}, {pikvmtest.HIDRelative, -127, 127},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("events (-want +got):\n%s", d)
		}
		k.ClearHIDLog()
		if len(k.HIDLog()) != 0 {
			t.Error("the log is not empty")
		}
	})
}

// TestPrintLimit shows that the device cuts a long text without a word, and that Close ends a slow one.
func TestPrintLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		for query, want := range map[string]int{"": 1024, "?limit=7": 7, "?limit=0": 2000} {
			k.ClearHIDLog()
			k.want(k.do("POST", "/api/hid/print"+query, body("text/plain", strings.Repeat("x", 2000))), 200, "", "")
			if got := len(k.Typed()); got != want {
				t.Errorf("%q: typed %d characters, want %d", query, got, want)
			}
		}
		done := make(chan error)
		go func() {
			_, err := k.try("POST", "/api/hid/print?delay=5", body("text/plain", "XYZ"))
			done <- err
		}()
		synctest.Wait()
		_ = k.Close()
		if err := <-done; err == nil {
			t.Error("an answer from a closed device")
		}
	})
}
