package engineio

import (
	"iter"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

const opRead = "engine.read"

// packets are those of a payload, decoded one by one. An error is the last pair.
type packets = iter.Seq2[wire.Packet, error]

// run is the goroutine that reads. It alone calls the handler.
func (c *Conn) run(rest packets) {
	if rest != nil {
		c.deliver(rest)
	}
	if c.poller != nil {
		c.poll()
	}
	if ws, first := c.reading(); ws != nil {
		c.readWebSocket(ws, first)
	}
	c.finish()
}

// readWebSocket reads until the connection ends, after what was read already, if something was.
func (c *Conn) readWebSocket(ws *wsconn.Conn, read *webSocketRead) {
	var buf []byte
	for {
		if read == nil {
			read = &webSocketRead{}
			read.typ, read.data, read.err = ws.Read(buf)
		}
		if read.err != nil {
			c.failed(webSocketReason(read.err), c.target.webSocketError(opRead, c.handshake.SID, read.err))
			return
		}
		var p wire.Packet
		var err error
		if p, buf, err = read.parse(c.framing); err != nil {
			c.failed(sioerr.ParseError, c.target.engineError(sioerr.ErrEngine, opRead, WebSocket, c.handshake.SID, err))
			return
		}
		if !c.receive(p) {
			return
		}
		read = nil
	}
}

// poll makes one request after another until the connection ends or goes over to the other transport.
func (c *Conn) poll() {
	for c.polls() {
		answer, err := c.poller.get(c.requests)
		if err != nil {
			c.failed(sioerr.TransportError, err)
			return
		}
		c.deliver(answer)
	}
}

// deliver does what the packets of a payload say, in order.
func (c *Conn) deliver(all packets) {
	for p, err := range all {
		if err != nil {
			c.failed(sioerr.ParseError, c.target.engineError(sioerr.ErrEngine, opRead, Polling, c.handshake.SID, err))
			return
		}
		if !c.receive(p) {
			return
		}
	}
}

// receive does what a packet of the server says. It reports whether the connection goes on.
func (c *Conn) receive(p wire.Packet) bool {
	if p.Type == wire.Message {
		c.mu.Lock()
		deaf := c.deaf || c.ended
		c.mu.Unlock()
		if !deaf {
			c.handler.HandleMessage(p.Binary, p.Data)
		}
		return !deaf
	}
	switch {
	case p.Type == wire.Close:
		c.failed(sioerr.TransportClose, c.target.engineError(
			sioerr.ErrEngine, opRead, c.Transport(), c.handshake.SID, errClosedByServer))
		return false
	case p.Type == wire.Ping && c.framing.revision == wire.V4:
		c.pinged(p.Data)
	case p.Type == wire.Pong && c.framing.revision == wire.V3:
		c.ponged()
	}
	// Others make sense at other times only, and are as harmless as they are useless.
	return true
}
