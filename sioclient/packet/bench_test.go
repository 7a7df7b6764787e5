package packet_test

import (
	"encoding/json"
	"testing"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// telemetry, as reading below has it, is 110 bytes of JSON.
type telemetry struct {
	Device string  `json:"device"`
	Time   int64   `json:"time"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Flags  []int   `json:"flags"`
	OK     bool    `json:"ok"`
	Note   string  `json:"note"`
}

var (
	reading = &telemetry{"sensor-17", 1763900000123, 21.53, "celsius", []int{1, 2, 3}, true, ""}
	rawJSON = mustJSON(reading)
	event   = &packet.Packet{Type: packet.Event, Name: "telemetry"}
	wire    = []byte(`2["telemetry",` + string(rawJSON) + `]`)
	blob    = make([]byte, 1024)
)

func mustJSON(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

func BenchmarkEncode(b *testing.B) {
	asMap := map[string]any{}
	if err := json.Unmarshal(rawJSON, &asMap); err != nil {
		b.Fatal(err)
	}
	args, err := packet.NewArgs(rawJSON)
	if err != nil {
		b.Fatal(err)
	}
	binary := struct {
		*telemetry
		Image []byte `json:"image"`
	}{reading, blob}
	b.Run("json.Marshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(reading); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, bb := range []struct {
		name   string
		parser packet.Parser
		value  any
	}{
		{"struct", packet.Default, reading},
		{"map", packet.Default, asMap},
		{"raw", packet.Default, rawJSON},
		{"args", packet.Default, args},
		{"string", packet.Default, reading.Device},
		{"attachment", packet.Default, blob},
		{"struct with attachment", packet.Default, &binary},
		{"msgpack struct", packet.Msgpack, reading},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bb.parser.Encode(event, bb.value); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(bb.name+" into a buffer", func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				var err error
				if buf, _, err = bb.parser.Append(buf[:0], event, bb.value); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	b.Run("json.Unmarshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v telemetry
			if err := json.Unmarshal(rawJSON, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	d := packet.Default.NewDecoder(packet.Limits{})
	b.Run("split", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := d.Text(wire); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("typed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			pkt, err := d.Text(wire)
			if err != nil {
				b.Fatal(err)
			}
			var v telemetry
			if err := pkt.Args.Decode(0, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("attachment", func(b *testing.B) {
		b.ReportAllocs()
		msg := []byte(`51-["telemetry",{"_placeholder":true,"num":0}]`)
		for b.Loop() {
			if _, err := d.Text(msg); err != nil {
				b.Fatal(err)
			}
			pkt, err := d.Binary(blob)
			if err != nil {
				b.Fatal(err)
			}
			var v []byte
			if err := pkt.Args.Decode(0, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("msgpack", func(b *testing.B) {
		e, err := packet.Msgpack.Encode(event, reading)
		if err != nil {
			b.Fatal(err)
		}
		d := packet.Msgpack.NewDecoder(packet.Limits{})
		b.ReportAllocs()
		for b.Loop() {
			if _, err := d.Binary(e.Binary[0]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
