package minijson_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

// TestStreamVectors reads all good vectors from one stream, however it is cut, and finds each where it begins.
func TestStreamVectors(t *testing.T) {
	t.Parallel()
	var (
		stream []byte
		values []any
	)
	for _, v := range readVectors(t) {
		b, ok := v.bytes(t)
		if !ok || v.Error || v.EncodeError || len(b) > 1000 {
			continue
		}
		x, _, err := minijson.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		stream, values = append(stream, b...), append(values, x)
	}
	readers := map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "halves": iotest.HalfReader,
		"data with the end": iotest.DataErrReader,
	}
	for name, cut := range readers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dec := minijson.NewDecoder(cut(bytes.NewReader(stream)), nil)
			for i, want := range values {
				var got any
				if err := dec.Decode(&got); err != nil {
					t.Fatalf("value %d: %v", i, err)
				}
				if d := diff(want, got); d != "" {
					t.Fatalf("value %d (-want +got):\n%s", i, d)
				}
			}
			if dec.Offset() != int64(len(stream)) {
				t.Errorf("offset %d of %d", dec.Offset(), len(stream))
			}
			for range 2 {
				if err := dec.Decode(new(any)); err != io.EOF {
					t.Errorf("at the end: %v", err)
				}
			}
		})
	}
}

// TestStreamTruncated cuts a document at every byte.
func TestStreamTruncated(t *testing.T) {
	t.Parallel()
	doc, err := minijson.Marshal(benchOrders()[:1])
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n < len(doc); n++ {
		dec := minijson.NewDecoder(bytes.NewReader(doc[:n]), nil)
		err := dec.Decode(new(any))
		if e := wantDecodingError(t, err); e.Reason != minijson.ReasonTruncated || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if again := dec.Decode(new(any)); again != err {
			t.Fatalf("%d bytes, again: %v", n, again)
		}
		if e := wantDecodingError(t, minijson.Unmarshal(doc[:n], new([]benchSection))); e.Reason != minijson.ReasonTruncated {
			t.Fatalf("%d bytes in memory: %v", n, e)
		}
	}
}

func TestStreamErrors(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	limits := minijson.DecodeOptions{MaxBytes: 8, MaxCount: 3, MaxDepth: 2}
	tests := []struct {
		name   string
		stream io.Reader
		good   int
		reason minijson.Reason // "" means an error of the reader
		offset int64
	}{
		{"unknown tag", strings.NewReader("\x08\x08\x1c"), 2, minijson.ReasonUnknownTag, 2},
		{"too large by its length, before it is there", io.MultiReader(strings.NewReader("\x08\x0e\xff\xff\xff\xff"), iotest.ErrReader(boom)), 1, minijson.ReasonSize, 1},
		{"too large by its count, before it is there", io.MultiReader(strings.NewReader("\x10\xff\xff\xff\xff"), iotest.ErrReader(boom)), 0, minijson.ReasonSize, 0},
		{"too large in the sum", strings.NewReader("\x42\x83abc\x83abc"), 0, minijson.ReasonSize, 5},
		{"too many", strings.NewReader("\x42\x08\x42\x08\x08"), 0, minijson.ReasonCount, 2},
		{"too deep", strings.NewReader("\x41\x41\x41\x08"), 0, minijson.ReasonDepth, 2},
		{"invalid UTF-8", strings.NewReader("\x81\xff"), 0, minijson.ReasonUTF8, 0},
		{"reader fails at once", iotest.ErrReader(boom), 0, "", 0},
		{"reader fails inside a value", io.MultiReader(strings.NewReader("\x08\x42"), iotest.ErrReader(boom)), 1, "", 0},
		{"reader times out", iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("\x08\x08"))), 1, "", 0},
		{"reader gives nothing", nothing{}, 0, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dec := minijson.NewDecoder(tt.stream, &limits)
			for i := range tt.good {
				if err := dec.Decode(new(any)); err != nil {
					t.Fatalf("value %d: %v", i, err)
				}
			}
			err := dec.Decode(new(any))
			if again := dec.Decode(new(any)); again != err {
				t.Errorf("%v, then %v", err, again)
			}
			if tt.reason == "" {
				if !errors.Is(err, minijson.ErrStream) || !errors.Is(err, minijson.Err) || errors.Is(err, minijson.ErrDecoding) {
					t.Errorf("got %v", err)
				}
				return
			}
			if e := wantDecodingError(t, err); e.Reason != tt.reason || e.Offset != tt.offset {
				t.Errorf("got %v, want %q at offset %d", err, tt.reason, tt.offset)
			}
		})
	}
}

// nothing is a reader that returns neither bytes nor an error.
type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, nil }

// TestStreamGoesOn: a value that does not fit the target does not end the stream.
func TestStreamGoesOn(t *testing.T) {
	t.Parallel()
	dec := minijson.NewDecoder(strings.NewReader("\x08\x81a\x03\x07"), nil)
	var n int
	if err := dec.Decode(&n); err != nil {
		t.Fatal(err)
	}
	if e := wantDecodingError(t, dec.Decode(&n)); e.Offset != 1 || e.Reason != minijson.ReasonType {
		t.Error(e)
	}
	if err := dec.Decode(n); !errors.Is(err, minijson.ErrTarget) {
		t.Errorf("no pointer: %v", err)
	}
	if err := dec.Decode(&n); err != io.EOF {
		t.Errorf("got %v", err)
	}
}

func TestStreamLenient(t *testing.T) {
	t.Parallel()
	dec := minijson.NewDecoder(strings.NewReader("\x08\x41\x19\x02a"), &minijson.DecodeOptions{Lenient: true})
	var a, b any
	if err := errors.Join(dec.Decode(&a), dec.Decode(&b)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]any{[]byte("a")}, b); d != "" {
		t.Errorf("value (-want +got):\n%s", d)
	}
	if err := dec.Decode(&a); err != io.EOF {
		t.Error(err)
	}
}

func TestEncoder(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	enc := minijson.NewEncoder(&out, nil)
	steps := []error{
		enc.Encode("first"),
		enc.BeginObject(3),
		enc.Key("list"), enc.BeginList(2), enc.Encode(1), enc.BeginList(0),
		enc.Key("empty"), enc.BeginObject(0),
		enc.Key("last"), enc.Encode(position{Lat: 1}),
		enc.BeginList(0),
		enc.Close(),
	}
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	dec, texts := minijson.NewDecoder(&out, nil), []string{}
	for {
		var raw minijson.RawValue
		if err := dec.Decode(&raw); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		text, err := minijson.ToJSON(raw)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	want := []string{`"first"`, `{"list":[1,[]],"empty":{},"last":{"lat":1.0,"lon":0.0}}`, `[]`}
	if d := cmp.Diff(want, texts); d != "" {
		t.Errorf("values (-want +got):\n%s", d)
	}
}

// TestEncoderRefuses: a call that cannot be served writes nothing and changes nothing.
func TestEncoderRefuses(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	enc := minijson.NewEncoder(&out, &minijson.EncodeOptions{MaxDepth: 2})
	refused := func(err error, reason minijson.Reason) {
		t.Helper()
		if e := wantEncodingError(t, err); e.Reason != reason {
			t.Errorf("got %v, want %q", err, reason)
		}
	}
	refused(enc.Key("a"), minijson.ReasonSequence)
	refused(enc.BeginList(-1), minijson.ReasonRange)
	refused(enc.Encode([][][]int{{{}}}), minijson.ReasonDepth)
	refused(enc.Encode([]any{1, "\xff"}), minijson.ReasonUTF8)
	if err := enc.BeginObject(1); err != nil {
		t.Fatal(err)
	}
	refused(enc.Encode(1), minijson.ReasonSequence)
	refused(enc.BeginList(1), minijson.ReasonSequence)
	refused(enc.Close(), minijson.ReasonSequence)
	refused(enc.Key("\xff"), minijson.ReasonUTF8)
	if err := enc.Key("a"); err != nil {
		t.Fatal(err)
	}
	refused(enc.Key("b"), minijson.ReasonSequence)
	refused(enc.Encode([][]int{{}}), minijson.ReasonDepth)
	if err := enc.BeginList(1); err != nil {
		t.Fatal(err)
	}
	refused(enc.BeginList(1), minijson.ReasonDepth)
	refused(enc.Encode([]int{}), minijson.ReasonDepth)
	if err := errors.Join(enc.Encode(1), enc.Close()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(fromHex(t, "51016141"+"0301"), out.Bytes()); d != "" {
		t.Errorf("output (-want +got):\n%s", d)
	}
}

func TestEncoderWriterFails(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]io.Writer{"error": failing{errors.New("boom")}, "short": failing{nil}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			enc := minijson.NewEncoder(w, nil)
			err := enc.Encode(1)
			if !errors.Is(err, minijson.ErrStream) || !errors.Is(err, errkit.Err) || errors.Is(err, minijson.ErrEncoding) {
				t.Errorf("got %v", err)
			}
			for _, again := range []error{enc.Encode(1), enc.BeginList(1), enc.Key("a"), enc.Close()} {
				if again != err {
					t.Errorf("then %v", again)
				}
			}
		})
	}
}

// failing is a writer that takes nothing.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
