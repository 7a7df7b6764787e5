package minijson_test

import (
	"errors"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

var errBoom = errors.New("boom")

// failingMethods has methods that fail.
type failingMethods struct{ cause error }

func (f failingMethods) MarshalMiniJSON() (any, error) { return nil, f.cause }

func (f *failingMethods) UnmarshalMiniJSON([]byte) error { return f.cause }

func marshalError(cause error) error {
	_, err := minijson.Marshal(map[string]any{"a": failingMethods{cause}})
	return err
}

func unmarshalError(cause error) error {
	return minijson.Unmarshal([]byte{0x08}, &failingMethods{cause})
}

func depthError() error {
	return minijson.DecodeOptions{MaxDepth: 1}.Unmarshal([]byte{0x41, 0x40}, new(any))
}

func streamError(cause error) error {
	return minijson.NewEncoder(failing{cause}, nil).Encode(1)
}

func TestErrors(t *testing.T) { // counts allocations, so alone
	errkittest.Run(t, errkittest.Module{
		Base: minijson.Err.Parent(),
		Classes: []*errkit.Class{
			minijson.Err.Parent(), minijson.Err, minijson.ErrEncoding, minijson.ErrDecoding, minijson.ErrLimit,
			minijson.ErrTarget, minijson.ErrStream,
		},
		Samples: []errkittest.Sample{
			{
				Name: "encoding", Err: marshalError(errBoom), Class: minijson.ErrEncoding,
				Kinds: errkit.Invalid | errkit.NotSent, Types: []any{(*minijson.EncodingError)(nil)},
				Text: "ngtt: minijson.encode: cannot encode: method of type failed minijson_test.failingMethods at .a: boom",
				Build: func(_ string, cause error) error {
					return minijson.NewEncodingError(minijson.ReasonMethod, "T", cause)
				},
			},
			{
				Name: "decoding", Err: minijson.Unmarshal([]byte{0x41, 0x81, 0xFF}, new(any)), Class: minijson.ErrDecoding,
				Kinds: errkit.Protocol, Types: []any{(*minijson.DecodingError)(nil)},
				Text: "ngtt: minijson.decode: cannot decode: invalid UTF-8 at offset 1, tag 0x81",
				Build: func(_ string, cause error) error {
					return minijson.NewDecodingError(1, 0x81, minijson.ReasonUTF8, "", cause)
				},
			},
			{
				Name: "limit", Err: depthError(), Class: minijson.ErrLimit,
				Kinds: errkit.Protocol | errkit.TooLarge, Types: []any{(*minijson.DecodingError)(nil)},
				Text: "ngtt: minijson.decode: cannot decode: nested too deep at offset 1, tag 0x40",
				Build: func(_ string, cause error) error {
					return minijson.NewDecodingError(1, 0x40, minijson.ReasonDepth, "", cause)
				},
			},
			{
				Name: "target", Err: minijson.Unmarshal([]byte{8}, 1), Class: minijson.ErrTarget,
				Kinds: errkit.Invalid, Types: []any{(*errkit.Basic)(nil)},
				Text:  "ngtt: minijson.decode: cannot decode into this: int is no pointer to a value",
				Build: func(_ string, cause error) error { return minijson.ErrTarget.Wrap("minijson.decode", "", cause) },
			},
			{
				Name: "stream", Err: streamError(errBoom), Class: minijson.ErrStream,
				Types: []any{(*errkit.Basic)(nil)},
				Text:  "ngtt: minijson.encode: stream failed: boom",
				Build: func(_ string, cause error) error { return minijson.ErrStream.Wrap("minijson.encode", "", cause) },
			},
		},
	})
}

func TestMethodErrors(t *testing.T) {
	t.Parallel()
	for _, err := range []error{marshalError(errBoom), unmarshalError(errBoom)} {
		if !errors.Is(err, errBoom) {
			t.Errorf("%v does not match its cause", err)
		}
	}
}

func TestMain(m *testing.M) { leak.Main(m) }
