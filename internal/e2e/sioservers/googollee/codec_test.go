package main

import (
	"bytes"
	"io"
	"reflect"
	"testing"

	"github.com/googollee/go-socket.io/engineio/session"
	"github.com/googollee/go-socket.io/parser"
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

// frames is a connection that keeps what is written, and of which wire can be read again and again.
type frames struct{ bytes.Buffer }

func (f *frames) NextWriter(session.FrameType) (io.WriteCloser, error) {
	f.Reset()
	return f, nil
}

func (f *frames) NextReader() (session.FrameType, io.ReadCloser, error) {
	f.Reset()
	f.WriteString(wire)
	return session.TEXT, f, nil
}

func (f *frames) Close() error { return nil }

func BenchmarkEncode(b *testing.B) {
	f := &frames{}
	e := parser.NewEncoder(f)
	b.ReportAllocs()
	for b.Loop() {
		if err := e.Encode(parser.Header{Type: parser.Event}, []any{"telemetry", reading}); err != nil || f.Len() < len(wire) {
			b.Fatal(f.String(), err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	d := parser.NewDecoder(&frames{})
	into := []reflect.Type{reflect.TypeFor[telemetry]()}
	b.ReportAllocs()
	for b.Loop() {
		var h parser.Header
		var event string
		if err := d.DecodeHeader(&h, &event); err != nil {
			b.Fatal(err)
		}
		if _, err := d.DecodeArgs(into); err != nil || event != "telemetry" {
			b.Fatal(event, err)
		}
	}
}
