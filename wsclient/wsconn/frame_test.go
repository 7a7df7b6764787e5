package wsconn

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParseHeader(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		bytes []byte
		want  header
	}{
		{"empty text", []byte{0x81, 0}, header{opcode: 1, fin: true, size: 2}},
		{"fragment", []byte{0x02, 5}, header{opcode: 2, payload: 5, size: 2}},
		{"compressed", []byte{0xC1, 125}, header{opcode: 1, fin: true, rsv1: true, payload: 125, size: 2}},
		{"masked", []byte{0x89, 0x81, 1, 2, 3, 4}, header{opcode: 9, fin: true, masked: true, payload: 1, size: 6}},
		{"16 bits", []byte{0x82, 126, 1, 0}, header{opcode: 2, fin: true, payload: 256, size: 4}},
		{
			"64 bits, masked",
			[]byte{0x82, 255, 0, 0, 0, 1, 0, 0, 0, 0, 9, 9, 9, 9},
			header{opcode: 2, fin: true, masked: true, payload: 1 << 32, size: 14},
		},
		{
			"sign bit",
			[]byte{0x82, 127, 0xFF, 0, 0, 0, 0, 0, 0, 0},
			header{opcode: 2, fin: true, payload: math.MaxInt64, size: 10},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for n := range tt.bytes {
				if _, ok := parseHeader(tt.bytes[:n]); ok {
					t.Errorf("complete after %d bytes", n)
				}
			}
			got, ok := parseHeader(append(tt.bytes, "payload"...))
			if !ok {
				t.Fatal("incomplete")
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(header{})); diff != "" {
				t.Error("-want +got", diff)
			}
		})
	}
}

// What is built can be parsed, and unmasks to what it was.
func TestControlFrame(t *testing.T) {
	t.Parallel()
	for _, client := range []bool{false, true} {
		for n := range maxControl + 1 {
			payload := bytes.Repeat([]byte{byte(n)}, n)
			b := appendControl([]byte("before"), opPing, payload, client)[len("before"):]
			h, ok := parseHeader(b)
			if !ok || h.opcode != opPing || !h.fin || h.masked != client || int(h.payload) != n || len(b) != h.size+n {
				t.Fatalf("%d bytes: %+v", n, h)
			}
			got := b[h.size:]
			if client {
				key := b[h.size-keySize : h.size]
				for i := range got {
					got[i] ^= key[i%keySize]
				}
			}
			if !bytes.Equal(got, payload) {
				t.Fatalf("%d bytes differ", n)
			}
		}
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	var k keys
	for n := range 1100 {
		src := bytes.Repeat([]byte{0xA5}, n)
		mask := k.next()
		key := [keySize]byte(mask[:])
		got := make([]byte, n)
		mask.apply(got, src)
		for i := range got {
			if got[i] != src[i]^key[i%keySize] {
				t.Fatalf("byte %d of %d", i, n)
			}
		}
	}
}

// However the stream is cut up, the scanner says the same of it.
func FuzzScanner(f *testing.F) {
	f.Add([]byte("\x81\x05hello\x01\x01a\x80\x01b\x88\x02\x03\xe8"), uint8(3))
	f.Add([]byte("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"), uint8(1))
	f.Add([]byte("\xc1\x7e\xff\xff"), uint8(2))
	f.Add([]byte("\x81\x85\x01\x02\x03\x04hello"), uint8(4))
	f.Fuzz(func(t *testing.T, stream []byte, piece uint8) {
		whole := scanner{limit: 100}
		passed, ok := whole.scan(stream, false)
		if !ok && passed == len(stream) || ok && passed != len(stream) {
			t.Fatalf("%d of %d bytes, %t", passed, len(stream), ok)
		}
		pieces := scanner{limit: 100}
		for rest := stream; len(rest) > 0; {
			p := rest[:min(len(rest), int(piece)+1)]
			if _, still := pieces.scan(p, false); !still {
				if ok {
					t.Fatal("rejected in pieces only")
				}
				return
			}
			rest = rest[len(p):]
		}
		if !ok {
			t.Fatal("rejected as a whole only")
		}
		if diff := cmp.Diff(&whole, &pieces, cmp.AllowUnexported(scanner{}),
			cmpopts.IgnoreFields(scanner{}, "partial", "tooBig")); diff != "" {
			t.Error("-whole +pieces", diff)
		}
		if whole.tooBig.Load() != pieces.tooBig.Load() {
			t.Errorf("too big: %d as a whole, %d in pieces", whole.tooBig.Load(), pieces.tooBig.Load())
		}
	})
}
