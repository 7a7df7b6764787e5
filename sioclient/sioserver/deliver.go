package sioserver

import (
	"context"
	"sync"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// deliver queues a packet for sockets of this node.
func (n *Namespace) deliver(p *Packet, to *Target) error {
	msgs, err := p.messages(to)
	if err != nil {
		return err
	}
	r := n.selectSockets(to)
	defer r.release()
	for _, s := range r.sockets {
		if s.connected() {
			s.transmit(p, msgs, to.Volatile)
		}
	}
	return nil
}

// deliverWithAck queues a packet for sockets of this node and waits until each has acknowledged it, is gone, or ctx is
// done. See [Adapter] for count and answer.
func (n *Namespace) deliverWithAck(ctx context.Context, p *Packet, to *Target, count func(int), answer func(packet.Args)) error {
	id := n.ackID.Add(1) - 1
	msgs, err := p.acknowledged(id, to)
	if err != nil {
		return err
	}
	r := n.selectSockets(to)
	defer r.release()
	asked := r.sockets[:0]
	for _, s := range r.sockets {
		if s.connected() {
			asked = append(asked, s)
		}
	}
	count(len(asked))
	if len(asked) == 0 {
		return nil
	}
	w := &ackWait{left: len(asked), single: to.Single, answer: answer, done: make(chan struct{})}
	for _, s := range asked {
		if s.acks.AddID(id, w.resolve) && !s.transmit(p, msgs, to.Volatile) {
			s.acks.Fail(id, s.disconnected("call")) // dropped: nothing can be waited for
		}
	}
	select {
	case <-w.done:
	case <-ctx.Done():
	}
	for _, s := range asked {
		s.acks.Remove(id)
	}
	return w.end(ctx)
}

// ackWait waits for the acknowledgements of one packet by many sockets.
type ackWait struct {
	mu     sync.Mutex // guards what follows; held while answer is called, so that nothing is called after the end
	left   int
	single bool
	closed bool
	err    error // of a socket that is gone
	answer func(packet.Args)
	done   chan struct{}
}

func (w *ackWait) resolve(args packet.Args, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	if err != nil {
		w.err = err
	} else {
		w.answer(args.Clone())
	}
	w.left--
	if w.left == 0 || w.single && err == nil {
		w.closed = true
		close(w.done)
	}
}

func (w *ackWait) end(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.closed = true
		return context.Cause(ctx)
	}
	if w.single && w.left > 0 {
		return nil
	}
	return w.err
}

// serverSideEvent hands an event of another node to the listeners.
func (n *Namespace) serverSideEvent(p *Packet, reply func(packet.Args)) {
	e := event.New(p.Name(), p.Args())
	if reply != nil {
		e = event.NewAcked(p.Name(), p.Args(), serverSideAck(reply), 0)
	}
	n.events.Dispatch(e, func(e *event.Event, err error) { n.server.report("server-side event", err) })
}

// serverSideAck acknowledges an event of another node.
type serverSideAck func(packet.Args)

func (reply serverSideAck) SendAck(_ uint64, values []any) error {
	args, err := packet.NewArgs(values...)
	if err == nil {
		reply(args)
	}
	return err
}
