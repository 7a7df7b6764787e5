package pikvmtest_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// notes are the input of a device, one word per event.
func notes(k *kvm) string {
	var words []string
	for _, e := range k.HIDLog() {
		what := fmt.Sprintf("%s:%d,%d", e.Kind, e.X, e.Y)
		if e.Name != "" {
			what = e.Name + map[bool]string{true: "+", false: "-"}[e.Pressed]
		}
		words = append(words, string(e.Origin)+"/"+what)
	}
	return strings.Join(words, " ")
}

// TestSocketInput shows what the device makes of input over the event socket, and that it overlooks what is wrong.
func TestSocketInput(t *testing.T) {
	t.Parallel()
	name32 := hex.EncodeToString([]byte(strings.Repeat("x", 32)))
	for _, tc := range []struct{ version, message, want string }{ // binary messages are in hex
		{"4.197", "01014b657941", "binary/KeyA+"},
		{"4.197", "01034b657941", "binary/KeyA+ binary/KeyA-"},
		{"4.32", "01034b657941", "binary/KeyA+"},
		{"3.227", "01014b657941", ""},
		{"4.197", "0103" + hex.EncodeToString([]byte("ShiftLeft")), "binary/ShiftLeft+"},
		{"4.197", "0100" + hex.EncodeToString([]byte("KeyA")), ""}, // is not pressed
		{"4.197", "0181001e", "binary/KeyA+"},
		{"4.71", "0181001e", ""},
		{"4.197", "01810000", ""},
		{"4.197", "018100", ""},
		{"4.197", "0101" + name32, ""},
		{"4.197", "01014b657961", ""},
		{"4.197", "01", ""},
		{"4.197", "0101", ""},
		{"4.197", "02016c656674", "binary/left+"},
		{"4.197", "02036c656674", "binary/left+"}, // buttons are not finished
		{"4.197", "02810112", "binary/middle+"},
		{"4.197", "0281ffff", ""},
		{"4.197", "0201" + hex.EncodeToString([]byte("wheel")), ""},
		{"4.197", "0380007fff", "binary/move:-32768,32767"},
		{"4.197", "03000000", ""},
		{"4.197", "030000000000", ""},
		{"4.197", "0400817f", ""}, // the mouse is absolute
		{"4.197", "050080050001", "binary/wheel:-127,5 binary/wheel:0,1"},
		{"4.197", "050100fb00fb", "binary/wheel:0,-10"},
		{"4.197", "05010040004000010000", "binary/wheel:0,64 binary/wheel:0,65"},
		{"4.197", "0501000100ff", ""},
		{"4.197", "0500", ""},
		{"4.197", "05000100ff", ""},
		{"4.197", "05", ""},
		{"4.197", "06", ""},

		{"3.333", `{"event_type":"key","event":{"key":"KeyA","state":true}}`, "text/KeyA+"},
		{"4.197", `{"event_type":"key","event":{"key":"KeyA","state":1,"finish":"yes"}}`, "text/KeyA+ text/KeyA-"},
		{"4.32", `{"event_type":"key","event":{"key":"KeyA","state":true,"finish":true}}`, "text/KeyA+"},
		{"4.197", `{"event_type":"key","event":{"key":"keya","state":true}}`, ""},
		{"4.197", `{"event_type":"key","event":{"key":"KeyA"}}`, ""},
		{"4.197", `{"event_type":"key","event":{"key":"KeyA","state":"maybe"}}`, ""},
		{"4.197", `{"event_type":"key","event":{"key":"KeyA","state":true,"finish":[]}}`, ""},
		{"4.197", `{"event_type":"mouse_button","event":{"button":"left","state":true}}`, "text/left+"},
		{"4.197", `{"event_type":"mouse_button","event":{"state":true}}`, ""},
		{"4.197", `{"event_type":"mouse_move","event":{"to":{"x":-99999,"y":"0x7f"}}}`, "text/move:-32768,127"},
		{"4.197", `{"event_type":"mouse_move","event":{"to":{"x":1}}}`, ""},
		{"4.197", `{"event_type":"mouse_move","event":{"to":[1,2]}}`, ""},
		{"4.197", `{"event_type":"mouse_wheel","event":{"delta":{"x":500,"y":-500}}}`, "text/wheel:127,-127"},
		{"4.197", `{"event_type":"mouse_wheel","event":{"delta":[{"x":1,"y":2},{"x":3,"y":4}],"squash":true}}`, "text/wheel:4,6"},
		{"4.197", `{"event_type":"mouse_wheel","event":{"delta":[{"x":1,"y":2},{}]}}`, ""},
		{"4.197", `{"event_type":"mouse_wheel","event":{"delta":5}}`, ""}, // what one client sends
		{"4.197", `{"event_type":"mouse_wheel","event":{"delta":[`, ""},
		{"4.197", `{"event_type":"mouse_wheel","event":{"delta":{"x":1,"y":1},"squash":7}}`, ""},
		{"4.197", `{"event_type":"mouse_relative","event":{"delta":{"x":1,"y":1}}}`, ""}, // the mouse is absolute
	} {
		t.Run(tc.version+" "+tc.message, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k := startInMemory(t, &pikvmtest.Options{Version: tc.version})
				l := k.listen(quiet)
				synctest.Wait()
				if raw, err := hex.DecodeString(tc.message); err == nil {
					l.send(wsconn.Binary, string(raw))
				} else {
					l.send(wsconn.Text, tc.message)
				}
				synctest.Wait()
				if d := cmp.Diff(tc.want, notes(k)); d != "" {
					t.Errorf("input (-want +got):\n%s", d)
				}
				if k.Sockets() != 1 {
					t.Error("the device dropped the client")
				}
			})
		})
	}
}

// TestSocketInputRelative shows that a relative mouse moves by steps and not to positions.
func TestSocketInputRelative(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{HID: pikvmtest.HIDOptions{MouseOutputs: []string{"usb_rel"}}})
		l := k.listen(quiet)
		for _, message := range []string{"\x03\x00\x01\x00\x01", "\x04\x00\x81\x7f", "\x04\x01\x40\x00\x40\x00"} {
			l.send(wsconn.Binary, message)
		}
		synctest.Wait()
		want := "binary/relative:-127,127 binary/relative:64,0 binary/relative:64,0"
		if d := cmp.Diff(want, notes(k)); d != "" {
			t.Errorf("input (-want +got):\n%s", d)
		}
	})
}

// TestSocketInputIsReleased shows that the device releases everything when any client comes or goes.
func TestSocketInputIsReleased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		l := k.listen(quiet)
		l.send(wsconn.Binary, "\x01\x01KeyA")
		l.send(wsconn.Binary, "\x02\x01left")
		synctest.Wait()
		if d := cmp.Diff([]string{"KeyA", "left"}, k.Pressed()); d != "" {
			t.Errorf("pressed (-want +got):\n%s", d)
		}
		other := k.listen(quiet)
		synctest.Wait()
		if len(k.Pressed()) != 0 {
			t.Errorf("pressed %v when another client has come", k.Pressed())
		}
		l.send(wsconn.Binary, "\x01\x01KeyB")
		synctest.Wait()
		_ = other.conn.Close(1000, "")
		synctest.Wait()
		want := "binary/KeyA+ binary/left+ socket/KeyA- socket/left- binary/KeyB+ socket/KeyB-"
		if d := cmp.Diff(want, notes(k)); d != "" {
			t.Errorf("input (-want +got):\n%s", d)
		}
	})
}
