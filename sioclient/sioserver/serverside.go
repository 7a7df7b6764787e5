package sioserver

import (
	"context"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// On adds a handler for events that the same namespace on other nodes sends with [Namespace.ServerSideEmit]. The
// function that it returns removes it.
func (n *Namespace) On(name string, h Handler) (off func()) { return n.events.On(name, h) }

// OnAny adds a handler for all events of other nodes. It runs before those of the event's name.
func (n *Namespace) OnAny(h Handler) (off func()) { return n.events.OnAny(h) }

// ServerSideEmit sends an event to this namespace on all other nodes of the cluster. The error matches
// [sioclient.ErrNotSupported] if the server is no part of a cluster.
func (n *Namespace) ServerSideEmit(event string, args ...any) error {
	p, err := n.serverSidePacket("ServerSideEmit", event, args)
	if err != nil {
		return err
	}
	return n.adapter.ServerSideEmit(n.server.ctx, p, nil)
}

// ServerSideCall is ServerSideEmit that waits for an acknowledgement of each node, for [DefaultCallTimeout] if ctx has
// no deadline. If some do not come it returns those that did with a *[sioclient.AckTimeoutError].
func (n *Namespace) ServerSideCall(ctx context.Context, event string, args ...any) ([]packet.Args, error) {
	p, err := n.serverSidePacket("ServerSideCall", event, args)
	if err != nil {
		return nil, err
	}
	var limit time.Duration
	ctx, limit, cancel := callContext(ctx, limit)
	defer cancel()
	var got collected
	err = n.adapter.ServerSideEmit(ctx, p, got.answer)
	return got.result(event, limit, err)
}

// serverSidePacket refuses names that namespaces report their own state under.
func (n *Namespace) serverSidePacket(op, event string, args []any) (*Packet, error) {
	switch event {
	case "connect", "connection", "new_namespace":
		e := sioerr.Invalid(op, "event", "reserved name "+event)
		e.Class = sioerr.ErrReserved
		return nil, e
	}
	return n.newPacket(event, args, true)
}
