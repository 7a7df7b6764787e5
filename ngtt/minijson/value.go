package minijson

// Pair is one entry of a [Map].
type Pair struct {
	Key   any // nil, bool, an integer, a float, a string or []byte
	Value any
}

// Map is a generic map, or an object whose order matters: its pairs in the order of the bytes.
//
// Decoding into an any gives a Map for a map in which some key is not a string; decoding into a Map takes every object
// and map. Encoding writes an object if all keys are strings of at most 255 bytes, else a generic map. Two equal keys
// are an [EncodingError].
type Map []Pair

// RawValue is one encoded value. Decoding into it copies the value's bytes, encoding copies them to the output: for
// parts of a document that are decoded later or not at all. An empty RawValue is written as null.
type RawValue []byte

// Marshaler is a type that says itself what is written for it.
type Marshaler interface {
	// MarshalMiniJSON returns a value to encode instead: often a number, a string, a map or a [RawValue].
	MarshalMiniJSON() (any, error)
}

// Unmarshaler is a type that reads itself from a value.
type Unmarshaler interface {
	// UnmarshalMiniJSON decodes b, exactly one well-formed value. It must copy what it keeps of b.
	UnmarshalMiniJSON(b []byte) error
}
