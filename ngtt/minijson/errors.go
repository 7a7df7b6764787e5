package minijson

import (
	"log/slog"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"
)

// The classes of errors. All of them are below [Err], which is below ngtt.Err.
var (
	// Err is matched by every error of this package.
	Err = ngtterr.ErrMiniJSON

	// ErrEncoding: a Go value has no MiniJSON form. See [EncodingError].
	ErrEncoding = ngtterr.ErrEncoding

	// ErrDecoding: bytes are not the MiniJSON that was asked for. See [DecodingError].
	ErrDecoding = ngtterr.ErrDecoding

	// ErrLimit: bytes ask for more than a limit of [DecodeOptions] allows. It is below [ErrDecoding] and carried by a
	// [DecodingError].
	ErrLimit = ngtterr.ErrLimit

	// ErrTarget: the value to decode into is no pointer, or its type has no MiniJSON form. No input was looked at.
	ErrTarget = ngtterr.ErrTarget

	// ErrStream: the reader under a [Decoder] or the writer under an [Encoder] failed; its error is the cause.
	ErrStream = ngtterr.ErrStream
)

// Reason says what an [EncodingError] or a [DecodingError] found.
type Reason string

// The reasons.
const (
	ReasonTruncated    Reason = "truncated"              // decoding: the input ends inside a value
	ReasonUnknownTag   Reason = "unknown tag"            // decoding: the tag is not assigned
	ReasonTrailing     Reason = "trailing data"          // decoding: bytes after the value
	ReasonUTF8         Reason = "invalid UTF-8"          // both: in a string or a key
	ReasonKey          Reason = "not a key"              // both: a list, object or map as a key
	ReasonDuplicateKey Reason = "duplicate key"          // both: twice in one object or map
	ReasonUnknownKey   Reason = "unknown key"            // decoding: the struct has no such field
	ReasonType         Reason = "type does not fit"      // both: the Go type has no such form, or none at all
	ReasonRange        Reason = "out of range"           // both: a number or length that the other side cannot hold
	ReasonDepth        Reason = "nested too deep"        // both: more open lists, objects and maps than allowed
	ReasonSize         Reason = "too large"              // decoding: more bytes than allowed
	ReasonCount        Reason = "too many elements"      // decoding: more elements than allowed
	ReasonMethod       Reason = "method of type failed"  // both: the cause is what a method of the Go type returned
	ReasonSequence     Reason = "call out of sequence"   // encoding: a stream's call does not fit where it stands
	ReasonSyntax       Reason = "not the expected input" // encoding: [FromJSON] was given no JSON text
)

// limit reports whether a limit of the options was hit.
func (r Reason) limit() bool { return r == ReasonDepth || r == ReasonSize || r == ReasonCount }

// EncodingError reports a Go value that has no MiniJSON form. Nothing was written or appended.
// Its kind is errkit.Invalid, with errkit.TooLarge for a value that is nested too deep.
type EncodingError struct {
	errkit.Info
	Path   string // where in the value, such as ".orders[3].value"; empty at its top
	Reason Reason
	Type   string // the Go type, if that is what does not fit
}

func (e *EncodingError) Error() string {
	detail := string(e.Reason)
	if e.Type != "" {
		detail += " " + e.Type
	}
	if e.Path != "" {
		detail += " at " + e.Path
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns place, reason and type for structured logs.
func (e *EncodingError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("path", e.Path), slog.String("reason", string(e.Reason)), slog.String("type", e.Type)}
}

// DecodingError reports bytes that are no MiniJSON, that pass a limit, or that do not fit the Go value to decode into.
// Its kind is errkit.Protocol, with errkit.TooLarge for a limit.
type DecodingError struct {
	errkit.Info
	Offset int64 // of the tag or key at fault, in bytes from the beginning of the input
	Tag    byte  // the byte at Offset; 0 if the input ends there
	Reason Reason
	Type   string // the Go type, if that is what the value does not fit
}

func (e *DecodingError) Error() string {
	detail := string(e.Reason)
	if e.Type != "" {
		detail += " " + e.Type
	}
	detail += " at offset " + strconv.FormatInt(e.Offset, 10) + ", tag 0x"
	if e.Tag < 0x10 {
		detail += "0"
	}
	return errkit.Message(&e.Info, detail+strconv.FormatUint(uint64(e.Tag), 16))
}

// ErrorAttrs returns place, tag, reason and type for structured logs.
func (e *DecodingError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{
		slog.Int64("offset", e.Offset), slog.Int("tag", int(e.Tag)), slog.String("reason", string(e.Reason)),
		slog.String("type", e.Type),
	}
}

func encodingError(reason Reason, goType string, cause error) error {
	info := errkit.Info{Class: ErrEncoding, Op: "minijson.encode", Err: errkit.CleanCause(cause)}
	if reason.limit() {
		info.Kind = errkit.TooLarge
	}
	return &EncodingError{Info: info, Reason: reason, Type: goType}
}

func decodingError(at int64, tag byte, reason Reason, goType string, cause error) error {
	class := ErrDecoding
	if reason.limit() {
		class = ErrLimit
	}
	return &DecodingError{
		Info:   errkit.Info{Class: class, Op: "minijson.decode", Err: errkit.CleanCause(cause)},
		Offset: at, Tag: tag, Reason: reason, Type: goType,
	}
}
