package event

import (
	"sync/atomic"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Event is an event that arrived. It belongs to the handlers that get it; in handlers that run on the reading goroutine
// its arguments are valid until the handler returns: see [packet.Args.Clone].
type Event struct {
	Name string
	Args packet.Args

	acker Acker // nil if the peer wants no acknowledgement
	id    uint64
	acked atomic.Bool
}

// Acker sends acknowledgements: the socket that an event came to.
type Acker interface {
	SendAck(id uint64, args []any) error
}

// New returns an event whose peer wants no acknowledgement.
func New(name string, args packet.Args) *Event { return &Event{Name: name, Args: args} }

// NewAcked returns an event that the peer wants acknowledged under an id.
func NewAcked(name string, args packet.Args, acker Acker, id uint64) *Event {
	return &Event{Name: name, Args: args, acker: acker, id: id}
}

// WantsAck reports whether the peer waits for an acknowledgement and got none yet.
func (e *Event) WantsAck() bool { return e.acker != nil && !e.acked.Load() }

// Ack acknowledges the event with the given values, which may be none. It does nothing if the peer wants no
// acknowledgement, and from the second call on. It may be called from any goroutine, also after the handler returned.
//
// Its errors are those of an emit; one of a value that cannot be encoded leaves the event unacknowledged.
func (e *Event) Ack(args ...any) error {
	if e.acker == nil || !e.acked.CompareAndSwap(false, true) {
		return nil
	}
	err := e.acker.SendAck(e.id, args)
	if err != nil {
		e.acked.Store(false)
	}
	return err
}

// Decode reads the first arguments into the values that the pointers point to, as json.Unmarshal does, and binary ones
// into []byte. An argument that is missing leaves its value as it is; further arguments are ignored. The error is a
// *[sioerr.DecodeError].
func (e *Event) Decode(targets ...any) error { return Decode(e.Name, e.Args, targets...) }

// Handler handles an event. An error, which may be one of decoding, goes to the OnError listeners of the socket, and
// ends nothing. So does a panic, as an error that matches ErrHandler.
type Handler func(e *Event) error
