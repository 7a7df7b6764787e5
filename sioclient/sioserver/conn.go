package sioserver

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/alarm"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// conn is the connection of one client, with the sockets that it has in namespaces. It is the handler of its Engine.IO
// session.
type conn struct {
	server  *Server
	session *engineio.Session
	parser  packet.Parser
	decoder *packet.Decoder // used by the goroutine that reads

	mu      sync.Mutex // guards what follows
	members []member
	timer   *alarm.Alarm[conn] // until the first namespace was joined
	closed  bool
	cancel  context.CancelFunc // ends ctx
	ctx     context.Context    // for middlewares; made when needed first
}

// onSession begins a connection.
func (s *Server) onSession(session *engineio.Session) engineio.Handler {
	c := &conn{server: s, session: session, parser: s.opts.Parser}
	if session.Protocol() == 3 && c.parser == packet.Default {
		c.parser = packet.Revision4
	}
	c.decoder = c.parser.NewDecoder(s.opts.Limits)
	s.mu.Lock()
	closing := s.closing
	if !closing {
		s.conns[c] = struct{}{}
	}
	s.mu.Unlock()
	if closing {
		c.closed = true
		session.Close(true)
		return c
	}
	s.traffic.opened.Add(1)
	s.eachObserver(func(o *Observer) {
		if o.Opened != nil {
			o.Opened()
		}
	})
	c.await(s.opts.ConnectTimeout)
	if session.Protocol() == 3 {
		c.request("/", nil) // revision 4 of the protocol: the main namespace is joined without a request
	}
	return c
}

// await starts the clock that waits for the first namespace, unless the server was closed meanwhile.
func (c *conn) await(limit time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.timer = alarm.After(limit, c, (*conn).expire)
	}
}

// expire ends a connection that has joined no namespace in time.
func (c *conn) expire() {
	c.mu.Lock()
	pending := c.timer != nil
	c.mu.Unlock()
	if pending {
		c.end(sioerr.ForcedServerClose, sioerr.Packet("connect", "no namespace joined in time", nil))
	}
}

// HandleMessage gets each message of the client.
func (c *conn) HandleMessage(binary bool, data []byte) {
	c.server.traffic.messagesIn.Add(1)
	c.server.traffic.bytesIn.Add(int64(len(data)))
	var p *packet.Packet
	var err error
	if binary {
		p, err = c.decoder.Binary(data)
	} else {
		p, err = c.decoder.Text(data)
	}
	if err != nil {
		c.malformed(err)
		return
	}
	if p != nil {
		c.receive(p, len(data))
	}
}

// HandleClose is the end of the connection.
func (c *conn) HandleClose(reason engineio.Reason, err error) {
	c.release(reason, err)
	c.server.mu.Lock()
	_, known := c.server.conns[c]
	delete(c.server.conns, c)
	c.server.mu.Unlock()
	if !known {
		return
	}
	c.server.eachObserver(func(o *Observer) {
		if o.Closed != nil {
			o.Closed(reason)
		}
	})
}

// HandleUpgrade tells that the session has gone over to WebSocket.
func (c *conn) HandleUpgrade() {
	for _, m := range c.list() {
		if m.socket != nil && m.socket.connected() {
			m.socket.observe(func(o *Observer) {
				if o.Updated != nil {
					o.Updated(m.socket)
				}
			})
		}
	}
}

// receive does what a packet of the client says.
func (c *conn) receive(p *packet.Packet, size int) {
	if p.Type == packet.Connect {
		c.connect(p)
		return
	}
	s := c.find(p.Namespace)
	if s == nil || !s.connected() {
		if s != nil && s.left() {
			return // it left while the packet was on its way
		}
		c.illegal(p.Type.String() + " for a namespace that is not joined")
		return
	}
	switch p.Type {
	case packet.Event:
		s.receive(p, size)
	case packet.Ack:
		if p.HasID {
			s.acks.Resolve(p.ID, p.Args)
		}
	case packet.Disconnect:
		c.drop(s)
		s.detach(sioerr.ClientNamespaceDisconnect, nil)
	default:
		c.illegal(p.Type.String() + " from a client")
	}
}

// connect takes the request for a namespace.
func (c *conn) connect(p *packet.Packet) {
	auth := slices.Clone(p.Data)
	if p.Query != "" {
		auth = queryAuth(p.Query)
	}
	c.request(p.Namespace, auth)
}

// request lets the client into a namespace, or refuses it.
func (c *conn) request(name string, auth json.RawMessage) {
	switch c.claim(name) {
	case claimTaken:
		c.illegal("CONNECT to a namespace that is joined already")
		return
	case claimTooMany:
		c.refuse(name, &refusal{Message: "Too many namespaces"})
		return
	case claimClosed:
		return
	}
	n, slow := c.server.find(name)
	if !slow {
		c.join(n, name, auth)
		return
	}
	ctx := c.context()
	c.server.work.Add(1)
	go func() {
		defer c.server.work.Done()
		c.join(c.server.ask(ctx, name, auth), name, auth)
	}()
}

// joined stops the clock that waits for the first namespace.
func (c *conn) joined() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

// context returns a context that ends with the connection.
func (c *conn) context() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil {
		c.ctx, c.cancel = context.WithCancel(c.server.ctx)
		if c.closed {
			c.cancel()
		}
	}
	return c.ctx
}

// refusal is the payload of a CONNECT_ERROR.
type refusal struct {
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// refuse tells the client that it is not let in. The connection stays. The place of the namespace has been given up: the
// client may ask again at once.
func (c *conn) refuse(name string, r *refusal) {
	var payload any = r
	if c.parser == packet.Revision4 && r != invalidNamespace {
		payload = r.Message
		if r.Data != nil {
			payload = r.Data
		}
	}
	data, err := packet.Marshal(payload)
	if err != nil {
		data = nil // data of the program that is no JSON
	}
	_ = c.control(&packet.Packet{Type: packet.ConnectError, Namespace: name, Data: data}) // the connection is ending
}

var invalidNamespace = &refusal{Message: "Invalid namespace"}

// control sends a packet of the protocol.
func (c *conn) control(p *packet.Packet) error {
	enc, err := c.parser.Encode(p)
	if err != nil {
		return err
	}
	_, err = c.send(messages(enc, false), false)
	return err
}

// send queues messages. A client that does not read them is disconnected; what is volatile is dropped instead, and
// sent is false.
func (c *conn) send(msgs []engineio.Message, volatile bool) (sent bool, err error) {
	if volatile && !c.session.Writable() {
		c.server.traffic.dropped.Add(1)
		return false, nil
	}
	if err := c.session.Send(msgs...); err != nil {
		return false, c.unsent(err, volatile)
	}
	c.count(msgs)
	return true, nil
}

// sendOne is send for a single message, which is most often what there is.
func (c *conn) sendOne(msg engineio.Message, volatile bool) (sent bool, err error) {
	msgs := [1]engineio.Message{msg}
	return c.send(msgs[:], volatile)
}

// unsent deals with messages that the session did not take.
func (c *conn) unsent(err error, volatile bool) error {
	if errors.Is(err, sioerr.ErrClosed) || !errors.Is(err, sioerr.ErrBufferFull) {
		return err // that of a closed session may tell of a full buffer as the cause
	}
	if volatile {
		c.server.traffic.dropped.Add(1)
		return nil
	}
	c.server.traffic.slow.Add(1)
	c.session.CloseWith(sioerr.TransportError, err)
	return err
}

func (c *conn) count(msgs []engineio.Message) {
	size := 0
	for i := range msgs {
		size += msgs[i].Len()
	}
	c.server.traffic.messagesOut.Add(int64(len(msgs)))
	c.server.traffic.bytesOut.Add(int64(size))
}

// malformed ends the connection because of a packet that cannot be decoded.
func (c *conn) malformed(err error) {
	reported := false
	for _, m := range c.list() {
		if m.socket != nil && m.socket.connected() {
			m.socket.failLater(nil, err)
			reported = true
		}
	}
	if !reported {
		c.server.report("decode", err)
	}
	c.end(sioerr.ForcedClose, err)
}

// illegal ends the connection because of a packet that must not come now.
func (c *conn) illegal(detail string) {
	c.end(sioerr.ForcedServerClose, sioerr.Packet("receive", detail, nil))
}

// end disconnects all sockets and closes the connection, after what waits was sent.
func (c *conn) end(reason sioerr.Reason, err error) {
	c.server.log.Debug("connection ended", "module", "sioclient", "target", c.session.Handshake().RemoteAddr,
		"reason", reason, errkit.Attr(err))
	c.release(reason, err)
	c.session.Close(false)
}

// release takes all sockets out of their namespaces.
func (c *conn) release(reason sioerr.Reason, err error) {
	c.mu.Lock()
	members := c.members
	c.members, c.closed = nil, true
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if c.cancel != nil {
		c.cancel()
	}
	c.mu.Unlock()
	for _, m := range members {
		if m.socket != nil {
			m.socket.detach(reason, err)
		}
	}
}
