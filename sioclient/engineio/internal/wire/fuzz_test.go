package wire_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
)

var payloads = []string{
	"4hello\x1ebAQIDBA==", "4", "", "b", "2probe", "4a\x1e", "4€\x1e6",
	"6:4hello10:b4AQIDBA==", "0:", `22:42["message-back","€"]`, "3:4😀6:4hello", "2:4😀", "999999999999999999:4",
	"\x00\x01\xff4\x01\x05\xff\x04\x01\x02\x03\x04", "\x01\x00\xff", "\x00\x09\x09\x09\xff",
}

// FuzzPayload: whatever comes, packets that were decoded are encoded to a payload that decodes to the same packets, and
// they hold no more than came in.
func FuzzPayload(f *testing.F) {
	for _, body := range payloads {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, r := range []wire.Revision{wire.V4, wire.V3} {
			packets, _ := collect(r.Payload(body))
			checkAgain(t, packets, len(body), r.AppendPayload, func(b []byte) ([]wire.Packet, error) {
				return collect(r.Payload(b))
			})
		}
		packets, _ := collect(wire.BinaryPayload(body))
		checkAgain(t, packets, len(body), wire.AppendBinaryPayload, func(b []byte) ([]wire.Packet, error) {
			return collect(wire.BinaryPayload(b))
		})
	})
}

func checkAgain(t *testing.T, packets []wire.Packet, limit int, add func([]byte, wire.Packet) []byte,
	decode func([]byte) ([]wire.Packet, error),
) {
	t.Helper()
	if len(packets) == 0 {
		return
	}
	var body []byte
	size := 0
	for _, p := range packets {
		body = add(body, p)
		size += len(p.Data)
	}
	if size > limit {
		t.Fatalf("%d bytes of data out of %d", size, limit)
	}
	again, err := decode(body)
	if diff := cmp.Diff(packets, again); diff != "" || err != nil {
		t.Fatalf("%v, -want +got:\n%s", err, diff)
	}
}

// FuzzPacket does the same for single packets, whose encoding is the only one there is.
func FuzzPacket(f *testing.F) {
	for _, s := range []string{"4hello", "b", "b4AQIDBA==", "bAQIDBA==", "\x04\x01", "2probe", "bAA=="} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, r := range []wire.Revision{wire.V4, wire.V3} {
			if p, err := r.ParseText(b); err == nil {
				if again := r.AppendText(nil, p); !bytes.Equal(b, again) || r.TextLen(p) != len(b) {
					t.Fatalf("text %q became %q", b, again)
				}
			}
			if p, err := r.ParseBinary(b); err == nil {
				if again := r.AppendBinary(nil, p.Data); !bytes.Equal(b, again) {
					t.Fatalf("binary %q became %q", b, again)
				}
			}
		}
	})
}

// FuzzHandshake: what was accepted is safe for timers, and is written and read again to the same.
func FuzzHandshake(f *testing.F) {
	f.Add([]byte(`{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`))
	f.Add([]byte(`{"sid":"a","upgrades":null,"pingInterval":1.5,"pingTimeout":2e3}`))
	f.Add([]byte(`{"sid":"\u0000","upgrades":[""],"pingInterval":1e300,"pingTimeout":1,"maxPayload":1e300}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := wire.ParseHandshake(data)
		if err != nil {
			return
		}
		if h.SID == "" || h.PingInterval <= 0 || h.PingTimeout <= 0 || h.MaxPayload < 0 {
			t.Fatalf("accepted %+v", h)
		}
		first := wire.AppendHandshake(nil, h)
		again, err := wire.ParseHandshake(first)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(first), string(wire.AppendHandshake(nil, again))); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	})
}
