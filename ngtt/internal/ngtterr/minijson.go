package ngtterr

import "github.com/fieldlink-go/fieldlink/errkit"

// The classes of package minijson.
var (
	// ErrMiniJSON: a MiniJSON value could not be written or read.
	ErrMiniJSON = Err.New("minijson", "minijson", 0)

	// ErrEncoding: a Go value has no MiniJSON form; nothing was written.
	ErrEncoding = ErrMiniJSON.New("encoding", "cannot encode", errkit.Invalid|errkit.NotSent)

	// ErrDecoding: bytes are not the MiniJSON that was asked for.
	ErrDecoding = ErrMiniJSON.New("decoding", "cannot decode", errkit.Protocol)

	// ErrLimit: bytes ask for more than a limit of the decoder allows.
	ErrLimit = ErrDecoding.New("limit", "cannot decode", errkit.TooLarge)

	// ErrTarget: the Go value to decode into cannot be decoded into; no input was looked at.
	ErrTarget = ErrMiniJSON.New("target", "cannot decode into this", errkit.Invalid)

	// ErrStream: the reader or writer under a stream failed.
	ErrStream = ErrMiniJSON.New("stream", "stream failed", 0)
)
