package pikvmtest

import (
	"math"
	"testing"
)

// FuzzSocketInput shows that whatever a client sends, the host gets nothing that a keyboard or a mouse could not do.
func FuzzSocketInput(f *testing.F) {
	for _, seed := range []string{
		`{"event_type":"key","event":{"key":"KeyA","state":true,"finish":true}}`,
		`{"event_type":"mouse_button","event":{"button":"left","state":0}}`,
		`{"event_type":"mouse_move","event":{"to":{"x":-99999,"y":"0x7f"}}}`,
		`{"event_type":"mouse_wheel","event":{"delta":[{"x":1,"y":500},{"x":3,"y":4}],"squash":true}}`,
	} {
		f.Add(false, []byte(seed))
	}
	for _, seed := range []string{
		"\x01\x03KeyA", "\x01\x81\x00\x1e", "\x02\x01left", "\x03\x80\x00\x7f\xff", "\x04\x00\x80\x7f", "\x05\x01\x00\xfb\x00\xfb",
	} {
		f.Add(true, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, binary bool, data []byte) {
		h := New(nil).hid
		h.mouseOutput = "usb_rel"
		b := inbox{make(map[string]func(*socket, inbound)), make(map[byte]func(*socket, inbound))}
		h.socketRoutes(&b)
		b.deliver(nil, binary, data)
		for _, ev := range h.log {
			_, button := buttonCodes[ev.Name]
			switch ev.Kind {
			case HIDKey:
				if !isKey(ev.Name) {
					t.Errorf("%q gave %+v", data, ev)
				}
			case HIDButton:
				if !button {
					t.Errorf("%q gave %+v", data, ev)
				}
			default:
				if x, y := math.Abs(float64(ev.X)), math.Abs(float64(ev.Y)); x > maxStep || y > maxStep {
					t.Errorf("%q gave %+v", data, ev)
				}
			}
		}
	})
}
