package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

// codec turns values into bytes and back.
type codec struct {
	name      string
	marshal   func(v any) ([]byte, error)
	unmarshal func(b []byte, v any) error
	// reuse returns a function that encodes into a buffer which is used again.
	reuse func() func(v any) error
}

// codecs are minijson and what a program would take in its place. All of them know the fields of structs by name.
var codecs = append([]codec{
	{"minijson", minijson.Marshal, minijson.Unmarshal, reuseMiniJSON},
	{"json", json.Marshal, json.Unmarshal, reuseJSON},
	{"msgpack", msgpack.Marshal, msgpack.Unmarshal, reuseMsgpack},
}, jsonV2...)

func reuseMiniJSON() func(any) error {
	var b []byte
	return func(v any) (err error) {
		b, err = minijson.Append(b[:0], v)
		return err
	}
}

func reuseJSON() func(any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	return func(v any) error {
		b.Reset()
		return enc.Encode(v)
	}
}

func reuseMsgpack() func(any) error {
	var b bytes.Buffer
	enc := msgpack.NewEncoder(&b)
	return func(v any) error {
		b.Reset()
		return enc.Encode(v)
	}
}

// atLeast is the target of minijson beside encoding/json, both ways.
var atLeast = map[string]float64{"json": 3}

// encoding is the row of a document that is encoded into a buffer that is used again, as a connection has one.
func encoding(name string, doc any, n int) row {
	r := codecRow("encode, "+name, n, func(c codec) (func() error, error) {
		encode := c.reuse()
		return func() error { return encode(doc) }, encode(doc) // the buffer has its size from then on
	})
	r.lean = true
	return r
}

// marshalling is the row of a document that is encoded into new memory.
func marshalling(name string, doc any, n int) row {
	return codecRow("encode into new memory, "+name, n, func(c codec) (func() error, error) {
		return func() error {
			_, err := c.marshal(doc)
			return err
		}, nil
	})
}

// decoding is the row of a document that is decoded, each time into a new value.
func decoding(name string, doc any, n int) row {
	return codecRow("decode, "+name, n, func(c codec) (func() error, error) {
		b, err := c.marshal(doc)
		if err != nil {
			return nil, err
		}
		t := reflect.TypeOf(doc).Elem()
		return func() error { return c.unmarshal(b, reflect.New(t).Interface()) }, nil
	})
}

func codecRow(name string, n int, prepare func(codec) (func() error, error)) row {
	r := row{name: name, n: n, things: "documents", figure: perSecond, unit: "K doc/s", targets: atLeast}
	for _, c := range codecs {
		r.contenders = append(r.contenders, contender{c.name, func() (func(int) (result, error), func() error, error) {
			once, err := prepare(c)
			return func(n int) (result, error) { return repeat(once, n) }, func() error { return nil }, err
		}})
	}
	return r
}

func repeat(once func() error, n int) (result, error) {
	meter := startMeter()
	for i := range n {
		if err := once(); err != nil {
			return result{}, fmt.Errorf("document %d: %w", i, err)
		}
	}
	return meter.stop(n), nil
}
