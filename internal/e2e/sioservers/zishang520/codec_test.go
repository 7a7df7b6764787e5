package main

import (
	"testing"

	"github.com/zishang520/socket.io/parsers/socket/v3/parser"
)

// telemetry, as reading has it, is the object of 110 bytes that all codecs are measured with.
type telemetry struct {
	Device string  `json:"device"`
	Time   int64   `json:"time"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Flags  []int   `json:"flags"`
	OK     bool    `json:"ok"`
	Note   string  `json:"note"`
}

var reading = &telemetry{"sensor-17", 1763900000123, 21.53, "celsius", []int{1, 2, 3}, true, ""}

const wire = `2["telemetry",{"device":"sensor-17","time":1763900000123,"value":21.53,"unit":"celsius",` +
	`"flags":[1,2,3],"ok":true,"note":""}]`

func BenchmarkEncode(b *testing.B) {
	e := parser.NewEncoder()
	b.ReportAllocs()
	for b.Loop() {
		packet := &parser.Packet{Type: parser.EVENT, Nsp: "/", Data: []any{"telemetry", reading}}
		if list := e.Encode(packet); len(list) != 1 || list[0].Len() != len(wire) {
			b.Fatal(list)
		}
	}
}

// The decoder makes maps and slices of what it gets; there is no way to a struct.
func BenchmarkDecode(b *testing.B) {
	d := parser.NewDecoder()
	decoded := 0
	if err := d.On("decoded", func(...any) { decoded++ }); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Add(wire); err != nil {
			b.Fatal(err)
		}
	}
	if decoded == 0 {
		b.Fatal("nothing was decoded")
	}
}
