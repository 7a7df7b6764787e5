package packet_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// samples are text messages, of the protocol's own text and of peers that break it.
var samples = []string{
	`0`, `0/admin,{"token":"123"}`, `0{"sid":"oSO0OpakMV_3jnilAAAA"}`, `4{"message":"Not authorized"}`, `2["foo"]`,
	`2/admin,["bar"]`, `212["foo"]`, `3/admin,13["bar"]`, `1/admin,`, `0/custom?token=1,`, `4/none,"Invalid namespace"`,
	`51-["baz",{"_placeholder":true,"num":0}]`,
	`52-/admin,["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`,
	`61-15["bar",{"_placeholder":true,"num":0}]`, `59000000000000-["bin"]`, `50-["bin",{"_placeholder":true,"num":7}]`,
	`299999999999999999999["message"]`, `2[1]`, `2["\u0064isconnect"]`, "2[ \"m\" ,\t1 ,\r\n[ ] ] ", `3`, `21x["a"]`,
	`2["telemetry",{"device":"sensor-17","time":1763900000123,"value":-2.5e-3,"ok":[true,false,null]}]`,
	`51-["e",{"a":{"b":{"_placeholder":true,"num":0}},"a":"x"}]`,
	`51-["a",{"b":[{"\u005fplaceholder":true,"num":0},{"_placeholder":true,"num":0,"x":{}}]}]`,
}

func FuzzDefault(f *testing.F)   { fuzzText(f, packet.Default) }
func FuzzRevision4(f *testing.F) { fuzzText(f, packet.Revision4) }

// fuzzText gives a decoder a text message and attachments. What it accepts must be the same after encoding and decoding,
// and its values must be those of encoding/json.
func fuzzText(f *testing.F, p packet.Parser) {
	for _, s := range samples {
		f.Add([]byte(s), []byte("attachment"), true)
		f.Add([]byte(s), []byte(nil), false)
	}
	f.Fuzz(func(t *testing.T, msg, attachment []byte, fromServer bool) {
		limits := packet.Limits{FromServer: fromServer}
		d := p.NewDecoder(limits)
		pkt, err := d.Text(msg)
		for range 10 {
			if pkt != nil || err != nil {
				break
			}
			pkt, err = d.Binary(bytes.Clone(attachment))
		}
		if pkt == nil {
			expectReady(t, freshAfter(d))
			return
		}
		checkPacket(t, p, pkt)
	})
}

// freshAfter returns d without the packet that it may be waiting for.
func freshAfter(d *packet.Decoder) *packet.Decoder {
	d.Reset()
	return d
}

func FuzzMsgpack(f *testing.F) {
	for _, s := range samples {
		pkt, err := packet.Default.NewDecoder(packet.Limits{FromServer: true}).Text([]byte(s))
		if err != nil || pkt == nil {
			continue
		}
		if e, err := packet.Msgpack.Encode(pkt, []byte("bin"), -1, 1.5, []any{nil, true}); err == nil {
			f.Add(e.Binary[0], false)
		}
		if e, err := packet.Msgpack.Encode(pkt); err == nil {
			f.Add(e.Binary[0], true)
		}
	}
	f.Add([]byte("\x82\xa4type\x02\xa4data\x95\xa1a\xd4\x00\x00\xd7\x00\x00\x00\x01\x9a\xa7\xb1\x8d\x55\xc7\x02\x2aAB\xca\x3f\xc0\x00\x00"), false)
	f.Fuzz(func(t *testing.T, msg []byte, fromServer bool) {
		pkt, err := packet.Msgpack.NewDecoder(packet.Limits{FromServer: fromServer}).Binary(msg)
		if err == nil {
			checkPacket(t, packet.Msgpack, pkt)
		}
	})
}

// checkPacket sends a decoded packet on.
func checkPacket(t *testing.T, p packet.Parser, pkt *packet.Packet) {
	t.Helper()
	for i := range pkt.Args.Len() {
		if !json.Valid(pkt.Args.Raw(i)) {
			t.Fatalf("argument %d is no JSON: %q", i, pkt.Args.Raw(i))
		}
		var v any
		if err := pkt.Args.UseNumber().Decode(i, &v); err != nil {
			t.Fatalf("argument %d, %q: %v", i, pkt.Args.Raw(i), err)
		}
	}
	if pkt.Data != nil && !json.Valid(pkt.Data) {
		t.Fatalf("data is no JSON: %q", pkt.Data)
	}
	sent := *pkt
	if sent.Type == packet.Disconnect {
		sent.Data = nil // only servers say more
	}
	e, err := p.Encode(&sent)
	if err != nil {
		return // such as acknowledgements without an id
	}
	d := p.NewDecoder(packet.Limits{FromServer: true, MaxDepth: 10_000})
	var again *packet.Packet
	if e.Text != nil {
		again, err = d.Text(e.Text[1:])
	}
	for _, b := range e.Binary {
		if err != nil {
			break
		}
		again, err = d.Binary(b)
	}
	if again == nil || err != nil {
		t.Fatalf("%q, %q: %v, %v", e.Text, e.Binary, again, err)
	}
	if diff := cmp.Diff(meaning(t, &sent), meaning(t, again)); diff != "" {
		t.Fatalf("%q: -want +got\n%s", e.Text, diff)
	}
}

// meaning is what a packet says, whatever the numbers of its attachments and the spaces in it.
func meaning(t *testing.T, p *packet.Packet) any {
	t.Helper()
	args := make([]any, p.Args.Len())
	for i := range args {
		if err := p.Args.Decode(i, &args[i]); err != nil {
			args[i] = "error" // such as a number that no float64 holds
		}
	}
	return []any{p.Type, p.Namespace, p.Query, p.ID, p.HasID, bytes.ToValidUTF8([]byte(p.Name), []byte("\uFFFD")), string(p.Data), args}
}

// FuzzSplit compares how arrays are split with what encoding/json makes of them.
func FuzzSplit(f *testing.F) {
	for _, s := range samples {
		f.Add([]byte(s[1:]))
	}
	for _, s := range []string{
		`[]`, ` [ ] `, `[1`, `[1,]`, `[,1]`, `[01]`, `[-]`, `[-0]`, `[1.]`, `[.5]`, `[1e]`, `[1e+5]`, `[1E-5]`, `[+1]`, `["\u12G4"]`,
		`["\x"]`, "[\"\t\"]", `["12345678\"0"]`, `["1234567\\"]`, "[\"\u00ff\xff\x7f\"]", `[tru]`, `[nulll]`, `[{"a":1,}]`, `[{"a" 1}]`, `[{1:1}]`,
		`[{"a":{"b":[{}]}}]`, "[1\f]", "\ufeff[]", "[\"12345678\x1f\"]", "[\"\x1f2345678\"]", "[\"1234567\x00\"]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, array []byte) {
		var want []json.RawMessage
		err := json.Unmarshal(array, &want)
		a, splitErr := packet.ParseArgs(array, nil)
		if string(bytes.Trim(array, " \t\r\n")) == "null" {
			return // which encoding/json takes for an array
		}
		if (err == nil) != (splitErr == nil) {
			t.Fatalf("%q: encoding/json %v, here %v", array, err, splitErr)
		}
		if err != nil {
			return
		}
		if a.Len() != len(want) {
			t.Fatalf("%q: %d elements, want %d", array, a.Len(), len(want))
		}
		for i := range want {
			if got := a.Raw(i); !bytes.Equal(got, want[i]) {
				t.Errorf("%q: element %d is %q, want %q", array, i, got, want[i])
			}
		}
	})
}

// FuzzString compares strings with encoding/json, both ways.
func FuzzString(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\/\b\f\n\r\t\x00\x1f\x7f", "ü\u2028\U0001F600", "\xff\xc3", "a\xf0\x9f\x98", "\ufffd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := packet.Default.Encode(&packet.Packet{Type: packet.Event, Name: s}, s)
		if packet.Reserved(s) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		if err := json.Unmarshal(e.Text[2:], &got); err != nil {
			t.Fatalf("%q: %v", e.Text, err)
		}
		var want string
		if err := json.Unmarshal(mustJSON(s), &want); err != nil {
			t.Fatal(err)
		}
		pkt, err := packet.Default.NewDecoder(packet.Limits{}).Text(e.Text[1:])
		if err != nil {
			t.Fatal(err)
		}
		var back string
		if err := pkt.Args.Decode(0, &back); err != nil || back != want || pkt.Name != want || got[0] != want || got[1] != want {
			t.Errorf("%q: encoded as %q, %q, %q, want %q", s, got, pkt.Name, back, want)
		}
	})
}
