package wire_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

var (
	hello  = wire.Packet{Type: wire.Message, Data: []byte("hello")}
	binary = wire.Packet{Type: wire.Message, Binary: true, Data: []byte{1, 2, 3, 4}}
)

// TestPacketText has the encodings of the protocol documents.
func TestPacketText(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		r      wire.Revision
		packet wire.Packet
		text   string
	}{
		"open":                    {wire.V4, wire.Packet{Type: wire.Open, Data: []byte(`{}`)}, "0{}"},
		"close":                   {wire.V4, wire.Packet{Type: wire.Close, Data: []byte{}}, "1"},
		"probe":                   {wire.V4, wire.Packet{Type: wire.Ping, Data: []byte("probe")}, "2probe"},
		"probe answered":          {wire.V3, wire.Packet{Type: wire.Pong, Data: []byte("probe")}, "3probe"},
		"message":                 {wire.V4, hello, "4hello"},
		"message in revision 3":   {wire.V3, hello, "4hello"},
		"euro":                    {wire.V4, wire.Packet{Type: wire.Message, Data: []byte("€")}, "4€"},
		"empty message is kept":   {wire.V4, wire.Packet{Type: wire.Message, Data: []byte{}}, "4"},
		"upgrade":                 {wire.V4, wire.Packet{Type: wire.Upgrade, Data: []byte{}}, "5"},
		"noop":                    {wire.V4, wire.Packet{Type: wire.Noop, Data: []byte{}}, "6"},
		"binary":                  {wire.V4, binary, "bAQIDBA=="},
		"binary in revision 3":    {wire.V3, binary, "b4AQIDBA=="},
		"empty binary":            {wire.V4, wire.Packet{Type: wire.Message, Binary: true, Data: []byte{}}, "b"},
		"empty binary revision 3": {wire.V3, wire.Packet{Type: wire.Message, Binary: true, Data: []byte{}}, "b4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := row.r.AppendText([]byte("x"), row.packet)
			if diff := cmp.Diff("x"+row.text, string(text)); diff != "" {
				t.Errorf("encoded, -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(len(row.text), row.r.TextLen(row.packet)); diff != "" {
				t.Errorf("length, -want +got:\n%s", diff)
			}
			packet, err := row.r.ParseText(text[1:])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.packet, packet); diff != "" {
				t.Errorf("decoded, -want +got:\n%s", diff)
			}
		})
	}
}

func TestPacketTextRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		r      wire.Revision
		text   string
		detail string
	}{
		"empty":                           {wire.V4, "", "empty packet"},
		"type 7":                          {wire.V4, "7", "unknown packet type"},
		"letter":                          {wire.V4, "a", "unknown packet type"},
		"null byte":                       {wire.V4, "\x00", "unknown packet type"},
		"not base64":                      {wire.V4, "b!!!!", "invalid base64"},
		"padding missing":                 {wire.V4, "bAQIDBA", "invalid base64"},
		"URL alphabet":                    {wire.V4, "b__-_", "invalid base64"},
		"line break in base64":            {wire.V4, "bAQID\nBA==", "invalid base64"},
		"bits after the end":              {wire.V4, "bAQIDBB==", "invalid base64"},
		"revision 3, b alone":             {wire.V3, "b", "binary packet is not a message"},
		"revision 3, without type":        {wire.V3, "bAQIDBA==", "binary packet is not a message"},
		"revision 3, binary ping":         {wire.V3, "b2AQIDBA==", "binary packet is not a message"},
		"revision 4, type in the base64s": {wire.V4, "b4AQIDBA==", "invalid base64"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := row.r.ParseText([]byte(row.text))
			checkRefused(t, row.detail, err)
		})
	}
}

// checkRefused checks an error of a decoder.
func checkRefused(t *testing.T, detail string, err error) {
	t.Helper()
	e, ok := errors.AsType[*sioerr.PacketError](err)
	if !ok {
		t.Fatalf("got error %v, want a *PacketError", err)
	}
	if diff := cmp.Diff(detail, e.Detail); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !errors.Is(err, sioerr.ErrPacket) || !errors.Is(err, errkit.Protocol) {
		t.Errorf("%v has the wrong class", err)
	}
}

func TestPacketBinary(t *testing.T) {
	t.Parallel()
	for r, want := range map[wire.Revision]string{wire.V4: "\x01\x02\x03\x04", wire.V3: "\x04\x01\x02\x03\x04"} {
		frame := r.AppendBinary(nil, binary.Data)
		if diff := cmp.Diff(want, string(frame)); diff != "" {
			t.Errorf("revision %d, -want +got:\n%s", r, diff)
		}
		packet, err := r.ParseBinary(frame)
		if diff := cmp.Diff(binary, packet); diff != "" || err != nil {
			t.Errorf("revision %d: %v, -want +got:\n%s", r, err, diff)
		}
	}
	for _, frame := range []string{"", "4abc", "\x02"} {
		_, err := wire.V3.ParseBinary([]byte(frame))
		checkRefused(t, "binary packet is not a message", err)
	}
	if p, err := wire.V4.ParseBinary(nil); err != nil || !p.Binary {
		t.Errorf("an empty binary message: %+v, %v", p, err)
	}
}

func TestTypeString(t *testing.T) {
	t.Parallel()
	if got := wire.Upgrade.String() + " " + wire.Type(9).String(); got != "upgrade type 9" {
		t.Error(got)
	}
}
