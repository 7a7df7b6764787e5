package sioserver

import (
	"sync"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Packet is an event of a namespace on its way to any number of sockets. It never changes. It is encoded once, and all
// recipients share the bytes.
type Packet struct {
	namespace string
	name      string
	offset    string
	parser    packet.Parser

	argsOnce sync.Once
	args     packet.Args
	encOnce  sync.Once
	enc      packet.Encoded
	encErr   error
}

// newPacket makes a packet of values; what cannot be encoded is found here. Raw says that the packet is needed as
// arguments too, and not only in the form in which it is sent.
func (n *Namespace) newPacket(name string, values []any, raw bool) (*Packet, error) {
	p := &Packet{namespace: n.name, name: name, parser: n.server.opts.Parser}
	if raw {
		args, err := packet.NewArgs(values...)
		if err != nil {
			return nil, err
		}
		p.setArgs(args)
		return p, nil
	}
	p.encOnce.Do(func() { p.enc, p.encErr = p.parser.Encode(p.wire(), values...) })
	return p, p.encErr
}

// NewPacket returns a packet with an event of another node, for this host to deliver. The arguments are kept.
func (h *AdapterHost) NewPacket(name string, args packet.Args) *Packet {
	p := &Packet{namespace: h.n.name, name: name, parser: h.n.server.opts.Parser}
	p.setArgs(args)
	return p
}

func (p *Packet) setArgs(args packet.Args) { p.argsOnce.Do(func() { p.args = args }) }

// Namespace returns the namespace of the event.
func (p *Packet) Namespace() string { return p.namespace }

// Name returns the name of the event.
func (p *Packet) Name() string { return p.name }

// Offset returns the offset, "" if it has none.
func (p *Packet) Offset() string { return p.offset }

// Args returns the arguments, without the name and the offset. They must not be changed.
func (p *Packet) Args() packet.Args {
	p.argsOnce.Do(func() {
		p.args = decodeArgs(p.parser, p.enc)
		if p.offset != "" {
			p.args = p.args.Slice(0, p.args.Len()-1)
		}
	})
	return p.args
}

// withoutArgs returns the packet, which is encoded, without its arguments beside that: it takes half the memory.
func (p *Packet) withoutArgs() *Packet {
	q := &Packet{namespace: p.namespace, name: p.name, offset: p.offset, parser: p.parser}
	q.encOnce.Do(func() { q.enc, q.encErr = p.encoded() })
	return q
}

// WithOffset returns the packet with an offset, which its recipients get as one more argument.
func (p *Packet) WithOffset(offset string) *Packet {
	q := &Packet{namespace: p.namespace, name: p.name, offset: offset, parser: p.parser}
	q.setArgs(p.Args())
	return q
}

// Size returns the bytes that a recipient gets.
func (p *Packet) Size() int {
	enc, _ := p.encoded() // nothing if it cannot be encoded
	return enc.Size()
}

// wire is the packet without arguments.
func (p *Packet) wire() *packet.Packet {
	return &packet.Packet{Type: packet.Event, Namespace: p.namespace, Name: p.name}
}

func (p *Packet) encoded() (packet.Encoded, error) {
	p.encOnce.Do(func() {
		w := p.wire()
		w.Args = p.Args()
		if p.offset == "" {
			p.enc, p.encErr = p.parser.Encode(w)
			return
		}
		p.enc, p.encErr = p.parser.Encode(w, p.offset)
	})
	return p.enc, p.encErr
}

// messages returns what recipients are sent.
func (p *Packet) messages(to *Target) ([]engineio.Message, error) {
	enc, err := p.encoded()
	if err != nil {
		return nil, err
	}
	return messages(enc, to.NoCompress), nil
}

// acknowledged returns what recipients are sent that are to answer under an id.
func (p *Packet) acknowledged(id uint64, to *Target) ([]engineio.Message, error) {
	w := p.wire()
	w.Args, w.ID, w.HasID = p.Args(), id, true
	enc, err := p.parser.Encode(w)
	if err != nil {
		return nil, err
	}
	return messages(enc, to.NoCompress), nil
}

// messages wraps an encoded packet for the transport.
func messages(enc packet.Encoded, plain bool) []engineio.Message {
	msgs := make([]engineio.Message, 0, 1+len(enc.Binary))
	if enc.Text != nil {
		msgs = append(msgs, engineio.Encoded(enc.Text))
	}
	for _, b := range enc.Binary {
		msgs = append(msgs, engineio.Binary(b))
	}
	if plain {
		for i := range msgs {
			msgs[i] = msgs[i].Plain()
		}
	}
	return msgs
}

// decodeArgs reads the arguments of an event back from what was encoded here.
func decodeArgs(parser packet.Parser, enc packet.Encoded) packet.Args {
	const any = 1 << 30 // what this side encoded needs no limits
	d := parser.NewDecoder(packet.Limits{FromServer: true, MaxAttachments: any, MaxArgs: any, MaxDepth: any, MaxBytes: any})
	var pkt *packet.Packet
	var err error
	if enc.Text != nil {
		pkt, err = d.Text(enc.Text[1:])
	}
	for _, b := range enc.Binary {
		if err == nil && pkt == nil {
			pkt, err = d.Binary(b)
		}
	}
	if err != nil || pkt == nil {
		return packet.Args{} // not reached: the encoder does not write what the decoder refuses
	}
	return pkt.Args
}
