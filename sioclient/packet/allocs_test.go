//go:build !race

package packet_test

import (
	"encoding/json"
	"testing"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// What events cost in allocations. Not under the race detector, whose pools forget.
func TestAllocs(t *testing.T) {
	var buf []byte
	args := newArgs(t, rawJSON)
	encode := func(value any) func() error {
		return func() error { _, err := packet.Default.Encode(event, value); return err }
	}
	appendTo := func(value any) func() error {
		return func() error {
			var err error
			buf, _, err = packet.Default.Append(buf[:0], event, value)
			return err
		}
	}
	expectAllocs(t, "encode a struct", 1, encode(reading))
	expectAllocs(t, "encode raw JSON", 1, encode(rawJSON))
	expectAllocs(t, "encode Args", 1, encode(args))
	expectAllocs(t, "encode a string", 1, encode("text"))
	expectAllocs(t, "append a struct", 0, appendTo(reading))
	expectAllocs(t, "append raw JSON", 0, appendTo(rawJSON))
	expectAllocs(t, "append Args", 0, appendTo(args))
	expectAllocs(t, "append a string", 0, appendTo("text"))
	expectAllocs(t, "append an attachment", 1, appendTo(blob))

	d := packet.Default.NewDecoder(packet.Limits{})
	in := []byte(`2/sensors,17["telemetry",` + string(rawJSON) + `,"\u00fc",[1,[2]],null]`)
	expectAllocs(t, "split", 0, func() error { _, err := d.Text(in); return err })
	alone := testing.AllocsPerRun(200, func() {
		var v telemetry
		_ = json.Unmarshal(rawJSON, &v)
	})
	expectAllocs(t, "decode a struct", alone, func() error {
		pkt, err := d.Text(wire)
		if err != nil {
			return err
		}
		var v telemetry
		return pkt.Args.Decode(0, &v)
	})
	expectAllocs(t, "clone", 2, func() error {
		pkt, err := d.Text(in)
		if err != nil {
			return err
		}
		kept = pkt.Args.Clone()
		return nil
	})
}

var kept packet.Args

func expectAllocs(t *testing.T, what string, want float64, fn func() error) {
	t.Helper()
	var err error
	got := testing.AllocsPerRun(200, func() {
		if failed := fn(); failed != nil {
			err = failed
		}
	})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if got > want {
		t.Errorf("%s: %v allocations, want at most %v", what, got, want)
	}
}
