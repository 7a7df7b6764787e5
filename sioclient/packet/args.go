package packet

import (
	"encoding/json"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// Args are the arguments of an event, without its name, or of an acknowledgement. The zero value has none.
//
// Args of a decoded packet share the memory of the message and are valid until the decoder's next call; Clone keeps them.
type Args struct {
	text []byte
	bin  [][]byte
}

// NewArgs encodes values.
func NewArgs(values ...any) (Args, error) {
	return Args{}, sioerr.Bare(sioerr.ErrNotSupported, "encode", nil)
}

// ParseArgs reads a JSON array; its placeholders stand for the attachments if there are any.
func ParseArgs(array json.RawMessage, attachments [][]byte) (Args, error) {
	return Args{}, sioerr.Bare(sioerr.ErrNotSupported, "decode", nil)
}

// Len returns the number of arguments.
func (a Args) Len() int { return 0 }

// Raw returns argument i as JSON, with placeholders where binary values stand; nil if there is no argument i.
func (a Args) Raw(i int) json.RawMessage { return nil }

// Bytes returns argument i if it is binary.
func (a Args) Bytes(i int) ([]byte, bool) { return nil, false }

// Decode reads argument i into the value that target points to.
func (a Args) Decode(i int, target any) error { return nil }

// DecodeAll reads the first arguments, one into each target.
func (a Args) DecodeAll(targets ...any) error { return nil }

// Slice returns arguments i to j, j excluded.
func (a Args) Slice(i, j int) Args { return a }

// UseNumber returns the same arguments, which decode numbers into targets of type any as [json.Number], not float64.
func (a Args) UseNumber() Args { return a }

// LastString returns the last argument if it is a string: the offset of connection state recovery is one.
func (a Args) LastString() (string, bool) { return "", false }

// JSON returns the arguments as a JSON array, with placeholders.
func (a Args) JSON() json.RawMessage { return nil }

// Attachments returns what the placeholders stand for.
func (a Args) Attachments() [][]byte { return a.bin }

// Clone returns a copy that stays valid. Attachments are shared.
func (a Args) Clone() Args { return a }
