package minijson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

// The documents that devices and hubs exchange.
type (
	benchOrder struct {
		Type   string  `json:"type"`
		Path   string  `json:"path"`
		Value  float64 `json:"value"`
		Advise int     `json:"advise"`
	}
	benchSection struct {
		Orders      []benchOrder `json:"orders"`
		Disposition int          `json:"disposition"`
	}
	benchSeries struct {
		Path   string     `json:"path"`
		Values [][2]int64 `json:"values"`
	}
	benchRecord struct {
		Service string `json:"service"`
		When    int64  `json:"when"`
		Message string `json:"message"`
		Level   int    `json:"level"`
		Trouble string `json:"exception_text,omitempty"`
	}
	benchCall struct {
		Service string            `json:"service"`
		When    int64             `json:"when"`
		Message string            `json:"message"`
		Level   int               `json:"level"`
		Args    map[string]string `json:"args,omitempty"`
	}
)

func benchOrders() []benchSection {
	sections := make([]benchSection, 4)
	for i := range sections {
		sections[i].Disposition = i % 2
		for j := range 8 {
			sections[i].Orders = append(sections[i].Orders, benchOrder{"write", fmt.Sprintf("W%d", 8*i+j), 21.5 + float64(j), 1})
		}
	}
	return sections
}

func benchSamples() []benchSeries {
	series := make([]benchSeries, 10)
	for i := range series {
		series[i].Path = fmt.Sprintf("r0.temp.%d", i)
		for j := range 100 {
			series[i].Values = append(series[i].Values, [2]int64{1_795_000_000_000 + int64(1000*j), int64(200 + j*i)})
		}
	}
	return series
}

func benchLog() []benchRecord {
	records := make([]benchRecord, 50)
	for i := range records {
		records[i] = benchRecord{
			Service: "gateway", When: 1_795_000_000_000_000 + int64(i), Level: 10 * (i % 5),
			Message: "pathpoint r0.temp.1 was written and read again: the value did not change",
		}
	}
	return records
}

// benchCalls returns a log whose records have arguments.
func benchCalls() []benchCall {
	calls := make([]benchCall, 50)
	for i, r := range benchLog() {
		calls[i] = benchCall{
			Service: r.Service, When: r.When, Message: r.Message, Level: r.Level,
			Args: map[string]string{"path": "r0.temp.1", "device": "0000000a"},
		}
	}
	return calls
}

// benchTree returns the log as a dynamic tree.
func benchTree() any {
	b, err := minijson.Marshal(benchLog())
	if err != nil {
		panic(err)
	}
	v, _, err := minijson.Parse(b)
	if err != nil {
		panic(err)
	}
	return v
}

var benchDocuments = []struct {
	name string
	doc  any
	zero func() any // pointer to decode into
}{
	{"orders", pointer(benchOrders()), func() any { return new([]benchSection) }},
	{"samples", pointer(benchSamples()), func() any { return new([]benchSeries) }},
	{"log", pointer(benchLog()), func() any { return new([]benchRecord) }},
	{"log with arguments", pointer(benchCalls()), func() any { return new([]benchCall) }},
	{"tree", benchTree(), func() any { return new(any) }},
}

func pointer[T any](v T) *T { return &v }

// BenchmarkMarshal encodes each document with this package and with encoding/json, in turns; json/own is how many
// times as long encoding/json takes.
func BenchmarkMarshal(b *testing.B) {
	for _, d := range benchDocuments {
		b.Run(d.name, func(b *testing.B) {
			own, _ := minijson.Marshal(d.doc)
			text, _ := json.Marshal(d.doc)
			inTurns(b, len(own), len(text),
				func() error { _, err := minijson.Marshal(d.doc); return err },
				func() error { _, err := json.Marshal(d.doc); return err })
		})
	}
}

// BenchmarkMarshalReuse is BenchmarkMarshal into buffers that are used again: most of what a Marshal takes is the new
// memory.
func BenchmarkMarshalReuse(b *testing.B) {
	for _, d := range benchDocuments {
		b.Run(d.name, func(b *testing.B) {
			own, err := minijson.Marshal(d.doc)
			if err != nil {
				b.Fatal(err)
			}
			var text bytes.Buffer
			enc := json.NewEncoder(&text)
			if err := enc.Encode(d.doc); err != nil {
				b.Fatal(err)
			}
			inTurns(b, len(own), text.Len(),
				func() (err error) { own, err = minijson.Append(own[:0], d.doc); return err },
				func() error { text.Reset(); return enc.Encode(d.doc) })
		})
	}
}

// BenchmarkUnmarshal decodes what BenchmarkMarshal encodes, each time into a new value.
func BenchmarkUnmarshal(b *testing.B) {
	for _, d := range benchDocuments {
		b.Run(d.name, func(b *testing.B) {
			own, _ := minijson.Marshal(d.doc)
			text, _ := json.Marshal(d.doc)
			inTurns(b, len(own), len(text),
				func() error { return minijson.Unmarshal(own, d.zero()) },
				func() error { return json.Unmarshal(text, d.zero()) })
		})
	}
}

// inTurns measures two ways to do the same work, so that what else the machine does meets both alike.
func inTurns(b *testing.B, ownSize, jsonSize int, own, peer func() error) {
	var ownTime, peerTime time.Duration
	for b.Loop() {
		start := time.Now()
		if err := own(); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		if err := peer(); err != nil {
			b.Fatal(err)
		}
		ownTime += middle.Sub(start)
		peerTime += time.Since(middle)
	}
	b.ReportMetric(0, "ns/op") // of both together, which says nothing
	b.ReportMetric(float64(ownTime.Nanoseconds())/float64(b.N), "own-ns/op")
	b.ReportMetric(float64(peerTime.Nanoseconds())/float64(b.N), "json-ns/op")
	b.ReportMetric(float64(peerTime)/float64(ownTime), "json/own")
	b.ReportMetric(float64(jsonSize)/float64(ownSize), "json/own-size")
}

// BenchmarkAppend encodes into a buffer that is used again.
func BenchmarkAppend(b *testing.B) {
	for _, d := range benchDocuments {
		b.Run(d.name, func(b *testing.B) {
			buf, _ := minijson.Marshal(d.doc)
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if buf, err = minijson.Append(buf[:0], d.doc); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAppendX writes single values into a buffer that is used again.
func BenchmarkAppendX(b *testing.B) {
	buf := make([]byte, 0, 1024)
	for _, x := range appenders {
		b.Run(x.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := x.append(buf[:0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkValid(b *testing.B) {
	for _, d := range benchDocuments {
		b.Run(d.name, func(b *testing.B) {
			doc, _ := minijson.Marshal(d.doc)
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if err := minijson.Valid(doc); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncoder(b *testing.B) {
	enc := minijson.NewEncoder(io.Discard, nil)
	doc := any(benchLog())
	b.ReportAllocs()
	for b.Loop() {
		if err := enc.Encode(doc); err != nil {
			b.Fatal(err)
		}
	}
}
