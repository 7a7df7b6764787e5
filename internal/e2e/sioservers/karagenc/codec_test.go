package main

import (
	"reflect"
	"testing"

	"github.com/karagenc/socket.io-go/parser"
	jsonparser "github.com/karagenc/socket.io-go/parser/json"
	"github.com/karagenc/socket.io-go/parser/json/serializer/stdjson"
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
	p := jsonparser.NewCreator(0, stdjson.New())()
	b.ReportAllocs()
	for b.Loop() {
		values := []any{"telemetry", reading}
		list, err := p.Encode(&parser.PacketHeader{Type: parser.PacketTypeEvent, Namespace: "/"}, &values)
		if err != nil || len(list) != 1 || len(list[0]) != len(wire) {
			b.Fatal(list, err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	p := jsonparser.NewCreator(0, stdjson.New())()
	into := reflect.TypeFor[*telemetry]()
	text := []byte(wire)
	b.ReportAllocs()
	for b.Loop() {
		var failed error
		err := p.Add(text, func(_ *parser.PacketHeader, _ string, decode parser.Decode) { _, failed = decode(into) })
		if err != nil || failed != nil {
			b.Fatal(err, failed)
		}
	}
}
