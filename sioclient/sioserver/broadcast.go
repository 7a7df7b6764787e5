package sioserver

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// DefaultCallTimeout is how long calls wait for acknowledgements if neither the context nor the operator limits it.
const DefaultCallTimeout = time.Minute

// Broadcast says which sockets are meant, and acts on them. It never changes: each step returns another one, so a value
// can be kept and used from any goroutine. It begins with a method of a [Namespace], a [Parent] or a [Socket].
//
//	nsp.To("room1", "room2").Except("room3").Emit("news", 1)
type Broadcast struct {
	over audience
	to   Target
}

// audience is the namespaces that a broadcast goes to.
type audience interface {
	namespaces() []*Namespace
}

// To adds rooms: the sockets in any of them are meant. Without rooms, all sockets of the namespace are.
func (b Broadcast) To(rooms ...string) Broadcast {
	b.to.Rooms = slices.Concat(b.to.Rooms, rooms)
	return b
}

// In is To.
func (b Broadcast) In(rooms ...string) Broadcast { return b.To(rooms...) }

// Except leaves out the sockets in any of the rooms. A socket's id is a room too.
func (b Broadcast) Except(rooms ...string) Broadcast {
	b.to.Except = slices.Concat(b.to.Except, rooms)
	return b
}

// Local means the sockets of this node alone.
func (b Broadcast) Local() Broadcast {
	b.to.Local = true
	return b
}

// Volatile lets an event be dropped for each client that is not ready to receive at once.
func (b Broadcast) Volatile() Broadcast {
	b.to.Volatile = true
	return b
}

// Compress says whether the event is worth compressing where compression is on. It is, if nothing is said.
func (b Broadcast) Compress(on bool) Broadcast {
	b.to.NoCompress = !on
	return b
}

// Timeout sets how long [Broadcast.Call] waits. Zero means [DefaultCallTimeout].
func (b Broadcast) Timeout(d time.Duration) Broadcast {
	b.to.Timeout = d
	return b
}

// Emit sends an event to the sockets that are meant, each once. It only queues, and waits for nobody. A client whose
// queue is full is disconnected, which is no error here.
//
// The error tells of a reserved name or an argument that cannot be encoded; then nothing was sent.
func (b Broadcast) Emit(event string, args ...any) error {
	if err := checkName("emit", event); err != nil {
		return err
	}
	for _, n := range b.over.namespaces() {
		p, err := n.newPacket(event, args, n.rawArgs)
		if err != nil {
			return err
		}
		if err := n.adapter.Broadcast(p, &b.to); err != nil {
			return err
		}
	}
	return nil
}

// Call sends an event to the sockets that are meant and waits until all have acknowledged it, or ctx or the timeout
// ends. It returns the arguments of the acknowledgements in the order in which they came. If some did not come it
// returns those that did with a *[sioclient.AckTimeoutError], which holds them too.
func (b Broadcast) Call(ctx context.Context, event string, args ...any) ([]packet.Args, error) {
	n, err := b.single("Call")
	if err != nil {
		return nil, err
	}
	if err := checkName("call", event); err != nil {
		return nil, err
	}
	p, err := n.newPacket(event, args, true)
	if err != nil {
		return nil, err
	}
	to := b.to
	ctx, limit, cancel := callContext(ctx, to.Timeout)
	defer cancel()
	if to.Timeout == 0 {
		to.Timeout = limit
	}
	var got collected
	err = n.adapter.BroadcastWithAck(ctx, p, &to, got.count, got.answer)
	return got.result(event, limit, err)
}

// collected gathers acknowledgements.
type collected struct {
	mu       sync.Mutex
	expected int
	answers  []packet.Args
}

func (c *collected) count(clients int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expected += clients
}

func (c *collected) answer(args packet.Args) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers = append(c.answers, args)
}

func (c *collected) result(event string, limit time.Duration, err error) ([]packet.Args, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil || errors.Is(err, sioerr.ErrNotSupported) || errors.Is(err, sioerr.ErrInvalid) {
		return c.answers, err
	}
	e := &sioerr.AckTimeoutError{Expected: c.expected}
	e.Info = errkit.Info{Class: sioerr.ErrAckTimeout, Op: "call", Err: errkit.CleanCause(err)}
	e.Event, e.Limit = event, limit
	for _, args := range c.answers {
		first := args.Clone().Raw(0)
		if first == nil {
			first = json.RawMessage("null")
		}
		e.Responses = append(e.Responses, first)
	}
	return c.answers, e
}

// SocketsJoin lets the sockets join rooms.
func (b Broadcast) SocketsJoin(rooms ...string) error {
	return b.each(func(n *Namespace) error {
		return n.adapter.SocketsJoin(&b.to, rooms)
	})
}

// SocketsLeave lets the sockets leave rooms.
func (b Broadcast) SocketsLeave(rooms ...string) error {
	return b.each(func(n *Namespace) error {
		return n.adapter.SocketsLeave(&b.to, rooms)
	})
}

// DisconnectSockets disconnects the sockets, with closeConn the connections below them too.
func (b Broadcast) DisconnectSockets(closeConn bool) error {
	return b.each(func(n *Namespace) error {
		return n.adapter.DisconnectSockets(&b.to, closeConn)
	})
}

// FetchSockets returns the sockets, those of other nodes included. With an error there may be some of them.
func (b Broadcast) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	n, err := b.single("FetchSockets")
	if err != nil {
		return nil, err
	}
	infos, err := n.adapter.FetchSockets(ctx, &b.to)
	sockets := make([]*RemoteSocket, len(infos))
	for i, info := range infos {
		sockets[i] = &RemoteSocket{SocketInfo: info, n: n}
	}
	return sockets, err
}

// single returns the one namespace that is meant. A [Parent] cannot say.
func (b Broadcast) single(op string) (*Namespace, error) {
	if n, ok := b.over.(*Namespace); ok {
		return n, nil
	}
	return nil, sioerr.Bare(sioerr.ErrNotSupported, op, nil)
}

func (b Broadcast) each(act func(*Namespace) error) error {
	var errs []error
	for _, n := range b.over.namespaces() {
		errs = append(errs, act(n))
	}
	return errors.Join(errs...)
}

// checkName refuses names that belong to the protocol.
func checkName(op, event string) error {
	if !packet.Reserved(event) {
		return nil
	}
	e := sioerr.Invalid(op, "event", "reserved name "+event)
	e.Class = sioerr.ErrReserved
	return e
}
