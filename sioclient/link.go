package sioclient

import (
	"context"
	"errors"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// link is one connection of the transport and what the sockets have on it. It is the handler of that connection: its
// packets come from the one goroutine that reads.
type link struct {
	m       *Manager
	conn    *engineio.Conn
	old     bool // whether the server speaks Socket.IO 2
	parser  packet.Parser
	decoder *packet.Decoder
	size    int // bytes of the packet that is being read

	ctx    context.Context // ends when nothing more is to be read
	cancel context.CancelFunc
	ready  chan struct{} // closed when the sockets have begun
	done   chan struct{} // closed when it is over

	// The manager's lock guards what follows.
	members map[string]membership
	main    bool                 // whether the server has connected the main namespace by itself (Socket.IO 2)
	left    bool                 // whether the main namespace was left since
	backlog [][]engineio.Message // control packets that wait for room
	onDuty  bool                 // whether the sockets know of it
	over    bool
	err     error // why it ended; not nil once it is over
}

// maxBacklog is how many control packets may wait. One namespace has two at most; a server can provoke more.
const maxBacklog = 1024

// membership is how far a namespace came on a link.
type membership int

const (
	outside membership = iota
	asked              // CONNECT was sent, or is not needed, and no answer came
	joined
)

// dialLink makes a connection. Nothing that arrives is handled before begin.
func dialLink(ctx context.Context, m *Manager, a *Attempt) (*link, error) {
	l := &link{
		m: m, ready: make(chan struct{}), done: make(chan struct{}), members: make(map[string]membership),
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	opened := a.Engine.OnOpen
	a.Engine.OnOpen = func(c *engineio.Conn) {
		l.opened(c)
		if opened != nil {
			opened(c)
		}
	}
	if _, err := engineio.Dial(ctx, a.URL, &a.Engine, l); err != nil {
		l.cancel()
		return nil, err
	}
	return l, nil
}

func (l *link) opened(c *engineio.Conn) {
	l.conn = c
	l.parser = l.m.opts.Parser
	if c.Protocol() == int(Version3) {
		l.old, l.parser = true, packet.Revision4
	}
	l.decoder = l.parser.NewDecoder(l.m.opts.Limits)
}

// begin lets packets be handled.
func (l *link) begin() { close(l.ready) }

// HandleMessage gets a message of the server.
func (l *link) HandleMessage(binary bool, data []byte) {
	select {
	case <-l.ready:
	case <-l.ctx.Done():
	}
	if l.ctx.Err() != nil {
		return
	}
	l.size += len(data)
	var p *packet.Packet
	var err error
	if binary {
		p, err = l.decoder.Binary(data)
	} else {
		p, err = l.decoder.Text(data)
	}
	if err != nil {
		l.fail(ParseError, err)
		return
	}
	if p == nil {
		return // attachments follow
	}
	size := l.size
	l.size = 0
	l.handle(p, size)
}

// HandleUpgrade is told when the connection goes over to WebSocket.
func (l *link) HandleUpgrade() {
	if f := l.m.opts.Hooks.OnUpgrade; f != nil {
		l.m.tell(f)
	}
}

// HandleClose gets the end of the connection.
func (l *link) HandleClose(reason Reason, err error) {
	m := l.m
	var after deferred
	l.cancel()
	m.mu.Lock()
	l.over = true
	l.err = disconnected("connection", m.target, reason, err)
	if m.link == l {
		m.link = nil
		quiet := m.opts.Version == VersionAuto && errors.Is(err, errOldServer)
		for _, s := range m.all() {
			s.linkEnded(l, reason, err, quiet, &after)
		}
		m.stopIfIdle()
	}
	told := l.onDuty
	m.mu.Unlock()
	after.run()
	if told {
		m.opts.Logger.Info("connection ended", "module", "sioclient", "target", m.target, "reason", string(reason), "error", err)
		if f := m.opts.Hooks.OnClose; f != nil {
			m.tell(func() { f(reason, err) })
		}
	}
	close(l.done)
}

// close ends the connection in good order. HandleClose follows.
func (l *link) close() {
	l.cancel()
	l.conn.Close(false)
}

// fail ends the connection at once, for a reason of this side's. HandleClose follows.
func (l *link) fail(reason Reason, err error) {
	l.cancel()
	l.conn.CloseWith(reason, err)
}

// HandleDrain is told that a connection takes messages again after it was full.
func (l *link) HandleDrain() {
	m := l.m
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(l.backlog) > 0 {
		if err := l.send(l.backlog[0]); err != nil {
			return // it is full again, or has ended
		}
		l.backlog = l.backlog[1:]
	}
	for _, s := range m.all() {
		if s.link == l {
			s.flush()
		}
	}
}

// send gives a packet to the connection, all of its messages or none.
func (l *link) send(msgs []engineio.Message) error {
	err := l.conn.Send(msgs...)
	if errors.Is(err, ErrClosed) { // by fail: the program has closed nothing, and HandleClose is on its way
		gone := disconnected("send", l.m.target, "", nil)
		gone.Kind = errkit.NotSent
		return gone
	}
	return err
}

// control sends a packet that is not an event, as soon as there is room for it. One that cannot be sent ends the
// connection: the two ends would not agree any more on what is connected. The caller holds the lock.
func (l *link) control(p *packet.Packet) {
	enc, err := l.parser.Encode(p)
	if err != nil {
		l.fail(TransportError, err)
		return
	}
	msgs := messages(enc, false)
	if len(l.backlog) == 0 {
		err = l.send(msgs)
	}
	switch full := len(l.backlog) > 0 || errors.Is(err, ErrBufferFull); {
	case full && len(l.backlog) < maxBacklog:
		l.backlog = append(l.backlog, msgs)
	case full || err != nil:
		l.fail(TransportError, err)
	}
}

// messages returns an encoded packet in the form that the transport takes.
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

// disconnected makes the error of a link that ended.
func disconnected(op, target string, reason Reason, cause error) *DisconnectedError {
	return &DisconnectedError{
		Info:   errkit.Info{Class: ErrDisconnected, Op: op, Target: target, Err: cause},
		Reason: reason,
	}
}
