package packet

// What a decoder accepts when [Limits] do not say otherwise.
const (
	DefaultMaxAttachments       = 10   // of a packet from a client, like the official parser since 4.2.6
	DefaultServerMaxAttachments = 1000 // of a packet from a server, and of any packet in [Msgpack]
	DefaultMaxArgs              = 1024
	DefaultMaxDepth             = 512
	DefaultMaxBytes             = 16 << 20 // of a packet from a client
	DefaultServerMaxBytes       = 64 << 20 // of a packet from a server
)

// maxDepth is the deepest JSON that encoding/json decodes: nobody could read what is nested deeper.
const maxDepth = 10_000

// Limits bound what a [Decoder] accepts from its peer. A zero field, and a negative one, means the default.
type Limits struct {
	// FromServer says that the peer is a server. It may then send CONNECT_ERROR, a DISCONNECT with a payload, and, by
	// default, larger packets.
	FromServer bool
	// MaxAttachments is the number of binary attachments of one packet.
	MaxAttachments int
	// MaxArgs is the number of arguments of one packet.
	MaxArgs int
	// MaxDepth is how deep arrays and objects may be nested, the outermost array included. It is at most 10,000.
	MaxDepth int
	// MaxBytes is the size of a packet together with its attachments. A message alone is never above it: the transport
	// limits that.
	MaxBytes int
}

// filled returns the limits with the defaults of a parser in place.
func (l Limits) filled(p Parser) Limits {
	attachments, bytes := DefaultMaxAttachments, DefaultMaxBytes
	if l.FromServer {
		bytes = DefaultServerMaxBytes
	}
	if l.FromServer || p == Msgpack {
		attachments = DefaultServerMaxAttachments
	}
	l.MaxAttachments = orDefault(l.MaxAttachments, attachments)
	l.MaxArgs = orDefault(l.MaxArgs, DefaultMaxArgs)
	l.MaxDepth = min(orDefault(l.MaxDepth, DefaultMaxDepth), maxDepth)
	l.MaxBytes = orDefault(l.MaxBytes, bytes)
	return l
}

func orDefault(value, otherwise int) int {
	if value <= 0 {
		return otherwise
	}
	return value
}
