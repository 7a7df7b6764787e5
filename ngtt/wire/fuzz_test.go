package wire_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// FuzzReader feeds any bytes in pieces of any size: no panic, no body above the limit, an end that says what it is, and
// encoding what was decoded gives the bytes again.
func FuzzReader(f *testing.F) {
	_, stream := all()
	f.Add(stream, 7)
	for _, g := range golden {
		f.Add(unhex(g.hex), 1)
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 1, 0, 1, 0}, 3)
	f.Fuzz(func(t *testing.T, stream []byte, piece int) {
		const limit = 1 << 12
		piece = max(piece%100, 1)
		var source parts
		for rest := stream; len(rest) > 0; {
			n := min(piece, len(rest))
			source, rest = append(source, rest[:n]), rest[n:]
		}
		r := wire.NewReader(&source, limit)
		var again []byte
		for {
			frame, err := r.Next()
			if err != nil {
				end(t, err, len(stream)-len(again))
				break
			}
			if len(frame.Body) > limit {
				t.Fatalf("a body of %d bytes", len(frame.Body))
			}
			again, err = wire.AppendFrame(again, frame)
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.HasPrefix(stream, again) {
			t.Fatalf("%x became %x", stream, again)
		}
	})
}

// end checks the error at the end of a stream of which so many bytes were left.
func end(t *testing.T, err error, left int) {
	t.Helper()
	switch {
	case errors.Is(err, wire.ErrInvalidFrame):
		if left < wire.HeaderSize {
			t.Fatalf("%v without a header", err)
		}
	case err == io.EOF && left != 0, err == io.ErrUnexpectedEOF && left == 0, err != io.EOF && err != io.ErrUnexpectedEOF:
		t.Fatalf("%v with %d bytes left", err, left)
	}
}
