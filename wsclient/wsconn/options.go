//go:build !js

package wsconn

import (
	"log/slog"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// MessageType says what a message holds (RFC 6455, section 5.6).
type MessageType int

const (
	// Text is a message of UTF-8 text, such as JSON.
	Text MessageType = 1
	// Binary is a message of any bytes.
	Binary MessageType = 2
)

// String returns "text" or "binary".
func (t MessageType) String() string {
	switch t {
	case Text:
		return "text"
	case Binary:
		return "binary"
	}
	return "unknown"
}

// Compression is a mode of the permessage-deflate extension (RFC 7692). Both ends must want it; if the peer declines,
// the connection goes on uncompressed (see [Conn.Compressed]).
type Compression int

const (
	// CompressionOff offers and accepts no compression. It is the default: compression costs memory and processor
	// time, and helps only with large texts on slow links.
	CompressionOff Compression = iota
	// CompressionContextTakeover keeps the window between messages: best for many alike messages, at a fixed price of
	// about 1.2 MB for writing and 32 KiB for reading per connection.
	CompressionContextTakeover
	// CompressionNoContextTakeover compresses each message on its own, with shared buffers.
	CompressionNoContextTakeover
)

// Options are the settings common to both ends of a connection. The zero value is good for use.
type Options struct {
	// ReadLimit bounds a message, in bytes, after decompression. A longer one ends the connection with close code
	// 1009 and a *MessageTooBigError. Zero means 1 MiB, negative means no limit.
	ReadLimit int64

	// ReadBuffer is the size of the block in which a busy connection is read, from 16 KiB to 64 KiB. An idle
	// connection holds no block. Zero means 64 KiB.
	ReadBuffer int

	// WriteTimeout is the longest time that a write may make no progress. It bounds no whole message: on a slow link
	// a long one takes as long as it takes. Detection may need half as long again. Zero means 10 s, negative means no
	// limit.
	WriteTimeout time.Duration

	// CloseTimeout bounds the close handshake. Zero means 1 s; more than 5 s, the limit of the library below, mean 5 s.
	CloseTimeout time.Duration

	// PingTimeout is how long [Conn.Ping] waits while nothing at all arrives. Zero means 10 s, negative means no limit
	// but that of its context.
	PingTimeout time.Duration

	// Compression is off by default.
	Compression Compression

	// CompressionThreshold is the length from which on messages are compressed, in bytes. Zero means 128 with context
	// takeover and 512 without.
	CompressionThreshold int

	// SkipUTF8 switches off the check that text messages, in both directions, are UTF-8.
	SkipUTF8 bool

	// Logger gets the beginning and the end of each connection at debug level. Nil discards.
	Logger *slog.Logger
}

const (
	minReadBuffer = 16 << 10
	maxReadBuffer = 64 << 10

	maxCloseTimeout = 5 * time.Second
)

// withDefaults checks the options and fills in what is zero.
func (o Options) withDefaults(op string) (Options, error) {
	if o.ReadBuffer == 0 {
		o.ReadBuffer = maxReadBuffer
	}
	if o.ReadLimit == 0 {
		o.ReadLimit = 1 << 20
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = 10 * time.Second
	}
	if o.CloseTimeout == 0 {
		o.CloseTimeout = time.Second
	}
	o.CloseTimeout = min(o.CloseTimeout, maxCloseTimeout)
	if o.PingTimeout == 0 {
		o.PingTimeout = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case o.ReadBuffer < minReadBuffer || o.ReadBuffer > maxReadBuffer:
		return o, wserr.Config(op, "ReadBuffer", "not between 16 KiB and 64 KiB")
	case o.CloseTimeout < 0:
		return o, wserr.Config(op, "CloseTimeout", "negative")
	case o.Compression < CompressionOff || o.Compression > CompressionNoContextTakeover:
		return o, wserr.Config(op, "Compression", "unknown mode")
	case o.CompressionThreshold < 0:
		return o, wserr.Config(op, "CompressionThreshold", "negative")
	}
	return o, nil
}
