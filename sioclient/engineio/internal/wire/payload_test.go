package wire_test

import (
	"bytes"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
)

// collect returns the packets before an error, copied, and the error.
func collect(packets iter.Seq2[wire.Packet, error]) ([]wire.Packet, error) {
	var all []wire.Packet
	for p, err := range packets {
		if err != nil {
			return all, err
		}
		p.Data = append([]byte{}, p.Data...)
		all = append(all, p)
	}
	return all, nil
}

func text(t wire.Type, data string) wire.Packet { return wire.Packet{Type: t, Data: []byte(data)} }

// TestPayload has samples of the protocol documents and of real peers.
func TestPayload(t *testing.T) {
	t.Parallel()
	open := `{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}`
	for name, row := range map[string]struct {
		r       wire.Revision
		packets []wire.Packet
		body    string
	}{
		"revision 4, one":          {wire.V4, []wire.Packet{hello}, "4hello"},
		"revision 4, with binary":  {wire.V4, []wire.Packet{hello, binary}, "4hello\x1ebAQIDBA=="},
		"revision 4, empty ones":   {wire.V4, []wire.Packet{text(wire.Message, ""), text(wire.Noop, "")}, "4\x1e6"},
		"revision 3, with binary":  {wire.V3, []wire.Packet{hello, binary}, "6:4hello10:b4AQIDBA=="},
		"revision 3, Socket.IO 2":  {wire.V3, []wire.Packet{text(wire.Open, open), text(wire.Message, "0")}, "97:0" + open + "2:40"},
		"revision 3, euro":         {wire.V3, []wire.Packet{text(wire.Message, `2["message-back","€"]`)}, `22:42["message-back","€"]`},
		"revision 3, emoji is two": {wire.V3, []wire.Packet{text(wire.Message, "😀"), hello}, "3:4😀6:4hello"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var body []byte
			for _, p := range row.packets {
				body = row.r.AppendPayload(body, p)
			}
			if diff := cmp.Diff(row.body, string(body)); diff != "" {
				t.Errorf("encoded, -want +got:\n%s", diff)
			}
			packets, err := collect(row.r.Payload(body))
			if diff := cmp.Diff(row.packets, packets); diff != "" || err != nil {
				t.Errorf("decoded: %v, -want +got:\n%s", err, diff)
			}
		})
	}
}

// TestPayloadRefused also checks that what stands before the fault is delivered.
func TestPayloadRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		r      wire.Revision
		body   string
		good   int
		detail string
	}{
		"empty":                             {wire.V4, "", 0, "empty packet"},
		"separator at the end":              {wire.V4, "4a\x1e", 1, "empty packet"},
		"unknown type behind good ones":     {wire.V4, "4a\x1e4b\x1exyz", 2, "unknown packet type"},
		"not UTF-8":                         {wire.V4, "4a\x1e4\xff", 1, "text is not UTF-8"},
		"revision 3, empty":                 {wire.V3, "", 0, "no length before a packet"},
		"revision 3, no length":             {wire.V3, ":4a", 0, "no length before a packet"},
		"revision 3, no colon":              {wire.V3, "4a", 0, "no length before a packet"},
		"revision 3, length no number":      {wire.V3, "2:4ax:4a", 1, "invalid length of a packet"},
		"revision 3, negative":              {wire.V3, "-2:4a", 0, "invalid length of a packet"},
		"revision 3, too short":             {wire.V3, "2:4a6:4b", 1, "packet shorter than its length"},
		"revision 3, garbage behind":        {wire.V3, "2:4agarbage", 1, "no length before a packet"},
		"revision 3, endless length":        {wire.V3, strings.Repeat("9", 400) + ":4", 0, "no length before a packet"},
		"revision 3, huge length":           {wire.V3, "999999999999999999:4a", 0, "packet shorter than its length"},
		"revision 3, half of an emoji":      {wire.V3, "2:4😀", 0, "length of a packet ends within a character"},
		"revision 3, a payload of 4":        {wire.V3, "4hello\x1e4x", 0, "no length before a packet"},
		"revision 4, a payload of 3":        {wire.V4, "97:0{}", 0, "unknown packet type"},
		"revision 3, not UTF-8":             {wire.V3, "2:4a2:4\xff", 1, "text is not UTF-8"},
		"revision 3, unknown type":          {wire.V3, "2:4a1:7", 1, "unknown packet type"},
		"revision 3, nothing after a colon": {wire.V3, "2:", 0, "packet shorter than its length"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			packets, err := collect(row.r.Payload([]byte(row.body)))
			checkRefused(t, row.detail, err)
			if diff := cmp.Diff(row.good, len(packets)); diff != "" {
				t.Errorf("good packets, -want +got:\n%s", diff)
			}
		})
	}
}

// TestPayloadZeroLength: packets without anything are skipped in revision 3, where "0:" is an empty payload.
func TestPayloadZeroLength(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]wire.Packet{"0:": nil, "0:2:4a0:": {text(wire.Message, "a")}} {
		got, err := collect(wire.V3.Payload([]byte(body)))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v, -want +got:\n%s", body, err, diff)
		}
	}
}

// TestPayloadBinary has the sample of the protocol document: a text of 50 bytes and four bytes of binary data.
func TestPayloadBinary(t *testing.T) {
	t.Parallel()
	packets := []wire.Packet{text(wire.Message, strings.Repeat("x", 49)), binary}
	want := "\x00\x05\x00\xff4" + strings.Repeat("x", 49) + "\x01\x05\xff\x04\x01\x02\x03\x04"
	var body []byte
	for _, p := range packets {
		body = wire.AppendBinaryPayload(body, p)
	}
	if diff := cmp.Diff(want, string(body)); diff != "" {
		t.Errorf("encoded, -want +got:\n%s", diff)
	}
	got, err := collect(wire.BinaryPayload(body))
	if diff := cmp.Diff(packets, got); diff != "" || err != nil {
		t.Errorf("decoded: %v, -want +got:\n%s", err, diff)
	}
	euro := wire.AppendBinaryPayload(nil, text(wire.Message, "€"))
	if diff := cmp.Diff("\x00\x04\xff4€", string(euro)); diff != "" {
		t.Errorf("the length counts bytes, -want +got:\n%s", diff)
	}
}

func TestPayloadBinaryRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		body   string
		good   int
		detail string
	}{
		"empty":             {"", 0, "empty payload"},
		"kind 2":            {"\x02\x01\xff4", 0, "unknown kind of a packet"},
		"no length":         {"\x00\xff4", 0, "no length before a packet"},
		"kind alone":        {"\x00", 0, "no end of the length of a packet"},
		"digit in ASCII":    {"\x00" + "1\xff4", 0, "invalid length of a packet"},
		"endless length":    {"\x00" + strings.Repeat("\x09", 400), 0, "no end of the length of a packet"},
		"huge length":       {"\x00" + strings.Repeat("\x09", 18) + "\xff4", 0, "packet shorter than its length"},
		"too short":         {"\x00\x01\xff4\x00\x02\xff4", 1, "packet shorter than its length"},
		"not UTF-8":         {"\x00\x02\xff4\xff", 0, "text is not UTF-8"},
		"binary ping":       {"\x01\x01\xff\x02", 0, "binary packet is not a message"},
		"binary of nothing": {"\x01\x00\xff", 0, "binary packet is not a message"},
		"unknown type":      {"\x00\x01\xff4\x00\x01\xff9", 1, "unknown packet type"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			packets, err := collect(wire.BinaryPayload([]byte(row.body)))
			checkRefused(t, row.detail, err)
			if diff := cmp.Diff(row.good, len(packets)); diff != "" {
				t.Errorf("good packets, -want +got:\n%s", diff)
			}
		})
	}
	if got, err := collect(wire.BinaryPayload([]byte("\x00\x00\xff\x00\x01\xff6"))); len(got) != 1 || err != nil {
		t.Errorf("a text of nothing is not skipped: %v, %v", got, err)
	}
}

// TestPayloadStops: a reader that has had enough ends the decoding.
func TestPayloadStops(t *testing.T) {
	t.Parallel()
	bodies := map[string]iter.Seq2[wire.Packet, error]{
		"revision 4": wire.V4.Payload([]byte("1\x1ex")),
		"revision 3": wire.V3.Payload([]byte("1:1x")),
		"binary":     wire.BinaryPayload([]byte("\x00\x01\xff1x")),
	}
	for name, packets := range bodies {
		first, _ := collect(packets)
		again, _ := collect(packets)
		if diff := cmp.Diff(first, again); diff != "" {
			t.Errorf("%s, read again, -want +got:\n%s", name, diff)
		}
		for p, err := range packets {
			if p.Type != wire.Close || err != nil {
				t.Errorf("%s: %v, %v", name, p, err)
			}
			break
		}
	}
}

func TestSpeaksV3(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		`97:0{"sid":"x"}2:40`: true, "97:": true, `0{"sid":"x"}`: false, "": false, ":0": false,
		"12": false, "12:4x": false, `{"code":0}`: false, "x1:0": false,
		"1:0": true, string(bytes.Repeat([]byte("1"), 30)) + ":0": false,
	} {
		if got := wire.SpeaksV3([]byte(body)); got != want {
			t.Errorf("%q: got %v", body, got)
		}
	}
}
