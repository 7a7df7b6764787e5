package wire_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

const benchBody = 64 << 10

// endless gives the same bytes for ever, with a copy as fast as the machine has it.
type endless struct {
	b  []byte
	at int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.b[e.at:])
	if e.at += n; e.at == len(e.b) {
		e.at = 0
	}
	return n, nil
}

// BenchmarkCodec measures writing and reading frames of 64 KiB, with a plain copy of the same bytes beside them.
func BenchmarkCodec(b *testing.B) {
	frame := wire.Frame{Type: wire.TypeOrder, TID: 1, Body: bytes.Repeat([]byte("x"), benchBody)}
	stream, err := wire.AppendFrame(nil, frame)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("append", func(b *testing.B) {
		b.SetBytes(int64(len(stream)))
		b.ReportAllocs()
		buf := make([]byte, 0, len(stream))
		for b.Loop() {
			if buf, err = wire.AppendFrame(buf[:0], frame); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(stream)))
		b.ReportAllocs()
		r := wire.NewReader(&endless{b: stream}, 1<<20)
		for b.Loop() {
			if _, err := r.Next(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read small", func(b *testing.B) {
		small, err := wire.AppendFrame(nil, wire.Frame{Type: wire.TypeOrder, TID: 1, Body: frame.Body[:64]})
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(small)))
		b.ReportAllocs()
		r := wire.NewReader(&endless{b: bytes.Repeat(small, 1000)}, 1<<20)
		for b.Loop() {
			if _, err := r.Next(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("copy", func(b *testing.B) {
		b.SetBytes(int64(len(stream)))
		source, target := &endless{b: stream}, make([]byte, len(stream))
		for b.Loop() {
			if _, err := io.ReadFull(source, target); err != nil {
				b.Fatal(err)
			}
		}
	})
}
