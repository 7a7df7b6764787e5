// Package minijson reads and writes MiniJSON, the binary form of JSON that SMOK devices and hubs speak: one byte says
// what a value is and, for most, how long. It knows what JSON text does not: bytes, integers of up to 255 bytes,
// single and double floats, infinities and NaN, and maps whose keys are no strings.
//
//	b, err := minijson.Marshal(order)
//	err = minijson.Unmarshal(b, &order)
//
// [Marshal] and [Unmarshal] work as those of encoding/json do, with the struct tag minijson:"name,omitempty" or,
// without one, json:"name,omitempty". [Parse] decodes one value of unknown shape and says where it ends. [Encoder] and
// [Decoder] work on streams. The functions AppendX write one value each and allocate nothing but room in their output.
// [ToJSON] shows a document to people.
//
// # Types
//
// Written are, each in its shortest form:
//
//   - nil and nil pointers as null
//   - bool, all integers and *[big.Int]; a float32 as binary32 and a float64 as [FloatPolicy] says, losslessly by default
//   - strings, which must be valid UTF-8
//   - []byte and [N]byte as bytes, other slices and arrays as lists
//   - maps with string keys as objects, sorted by key; other maps as generic maps, sorted by their encoded keys
//   - structs as objects, their fields in order, with the options omitempty and omitzero of encoding/json
//   - [Map], [RawValue], json.Number, and what a [Marshaler] returns
//
// A nil slice or map in a field or an element is an empty list or object. In an interface and behind a pointer it is
// null. A [time.Time] is refused: its unit is not for this package to guess.
//
// A value of unknown type becomes nil, bool, int64, uint64 (from 2^63 on), *[big.Int] (beyond 64 bits), float64,
// string, []byte, []any, map[string]any, or a [Map] if some key is no string.
//
// In a typed value an integer fits a float, and a float fits an integer if it is integral. A number that the type
// cannot hold is an error, never another number. Null makes pointers, interfaces, slices and maps nil and leaves the
// rest alone. Keys belong to fields of exactly their name. Of two equal keys the last one counts; 1 and 1.0 are two
// keys, 0.0 and -0.0 are one.
//
// # Limits
//
// Input is not trusted. Lengths and counts are compared with what is there before memory is reserved. At most 512
// lists and objects may be open at once, in both directions. [DecodeOptions] has limits on size and on the number of
// elements.
//
// # Errors
//
// Every error is below [Err], ngtt.Err and errkit.Err: *[EncodingError] says where in a value and why,
// *[DecodingError] at which offset and why.
//
// All functions may be called from several goroutines; an Encoder or Decoder is for one at a time.
package minijson
