package sioclient

import (
	"context"
	"encoding/json"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Socket is the client's end of a namespace, made by [Manager.Socket] or [Dial]. All methods may be called from any
// goroutine, and from handlers.
//
// Handlers and the functions of OnConnect and the like run one at a time, in the order in which things happened, on a
// goroutine that exists only while there is something to run. They may block, and may wait for acknowledgements; when too
// many events wait for them, the connection, which all sockets of the manager share, is not read until they catch up.
type Socket struct {
	m    *Manager
	nsp  string
	seq  uint64
	opts SocketOptions
	auth json.RawMessage
	owns bool // whether the manager ends with it: see Dial

	listeners event.Listeners
	outgoing  event.Listeners
	watchers  watchers
	acks      event.Acks
	queue     *event.Queue
	inbox     *inbox

	// The manager's lock guards what follows.
	active     bool  // whether it is connected or wants to be
	persistent bool  // whether it wants to for good, not for a call of Connect alone
	gone       error // why it is not active any more
	waiters    waiters
	asking     context.CancelFunc // ends the call of AuthFunc
	patience   *time.Timer        // for the server's answer
	link       *link              // on which it is connected
	acker      event.Acker
	id         string
	pid        string // opens the session to whoever knows it
	offset     string
	recovered  bool
	early      []earlyEvent
	earlyBytes int
	buffer     buffer
	retries    retries
}

func newSocket(m *Manager, namespace string, opts SocketOptions) *Socket {
	s := &Socket{m: m, nsp: namespace, seq: uint64(len(m.sockets)), opts: opts}
	s.inbox = newInbox(opts.InboxMessages, opts.InboxBytes)
	s.queue = event.NewQueue(event.Limits{Messages: opts.QueueMessages, Bytes: opts.QueueBytes}, s.handle)
	s.auth, _ = encodeAuth(opts.Auth) // withDefaults has tried
	s.buffer.limits = event.Limits{Messages: opts.BufferMessages, Bytes: opts.BufferBytes}
	s.retries.s = s
	return s
}

// Namespace returns the name of the namespace.
func (s *Socket) Namespace() string { return s.nsp }

// Manager returns the manager whose connection the socket uses.
func (s *Socket) Manager() *Manager { return s.m }

// ID returns the id that the server gave this connection to the namespace; "" while there is none.
func (s *Socket) ID() string {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return s.id
}

// Connected reports whether the server has confirmed the namespace.
func (s *Socket) Connected() bool {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return s.link != nil
}

// Active reports whether the socket is connected or will be connected again by itself.
func (s *Socket) Active() bool {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return s.active
}

// Recovered reports whether this connection continues the one before it: the server kept id and rooms, and has sent what
// was missed.
func (s *Socket) Recovered() bool {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return s.recovered
}

// Open lets the socket connect, and connect again after every loss, without waiting. It does nothing if the socket is
// active. The error matches [ErrClosed].
func (s *Socket) Open() error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.m.closed {
		return s.m.closedError("open")
	}
	s.persistent = true
	s.activate()
	return nil
}

// Connect lets the socket connect and waits until the server has confirmed it. From then on it connects again after every
// loss by itself. After an error it is at rest, unless [Socket.Open] was called, and what waited to be sent is dropped as
// with [Socket.Disconnect]. Errors:
//   - *[ConnectionRefusedError]: the server refused, with its text and data. There are no further attempts.
//   - *[ConnectionError]: there is no connection to the server; see Options.RetryFirst. It matches [ErrConnectTimeout]
//     if the time was up, and the error of the context if that was done. It matches [ErrAlreadyConnected] if the socket is
//     connected.
//   - *[DisconnectedError]: all attempts are used up (it matches [ErrReconnect]), or Disconnect was called meanwhile.
//   - one that matches [ErrClosed]: the manager was closed.
func (s *Socket) Connect(ctx context.Context) error {
	m := s.m
	if ctx.Err() != nil {
		return m.contextError(ctx, "connect", []string{s.nsp})
	}
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return m.closedError("connect")
	}
	if s.link != nil {
		m.mu.Unlock()
		return &ConnectionError{
			Info:       errkit.Info{Class: sioerr.ErrAlreadyConnected, Op: "connect", Target: m.target},
			Namespaces: []string{s.nsp},
		}
	}
	w := s.waiters.add()
	s.activate()
	m.mu.Unlock()
	var after deferred
	defer func() { after.run() }()
	return s.waiters.wait(ctx, w, m, []string{s.nsp}, func(err error) {
		s.restUnlessWanted(err, &after)
		m.stopIfIdle()
	})
}

// Disconnect leaves the namespace, or stops the attempts to join it; if no other socket needs the connection, that is
// closed too, after what was sent before. It does not wait. Calls that wait for acknowledgements end with a
// *[DisconnectedError]. What waits to be sent is dropped, which OnError tells. The socket can connect again.
func (s *Socket) Disconnect() error {
	var after deferred
	s.m.mu.Lock()
	if s.active {
		s.leave(disconnected("disconnect", s.m.target, IOClientDisconnect, nil), &after)
		s.m.stopIfIdle()
	}
	s.m.mu.Unlock()
	after.run()
	return nil
}

// Close is Disconnect, and for a socket of [Dial] it is [Manager.Close].
func (s *Socket) Close() error {
	if s.owns {
		return s.m.Close()
	}
	return s.Disconnect()
}

// close ends the socket for good.
func (s *Socket) close() {
	err := s.m.closedError("close")
	var after deferred
	s.m.mu.Lock()
	if s.active {
		s.leave(err, &after)
	}
	s.gone = err
	s.waiters.end(err)
	s.drop(err, &after)
	s.m.mu.Unlock()
	after.run()
	s.acks.Close(err)
	s.queue.Close()
	s.inbox.end(err) // now: what waits in the queue does not run any more
}

// activate makes the socket want a connection. The caller holds the lock.
func (s *Socket) activate() {
	if s.active {
		return
	}
	s.active, s.gone = true, nil
	s.queue.Do(s.inbox.reopen)
	s.m.start()
	if l := s.m.link; l != nil {
		s.join(l)
	}
}

// restUnlessWanted makes the socket rest that a call of Connect woke. The caller holds the lock.
func (s *Socket) restUnlessWanted(cause error, after *deferred) {
	if s.active && !s.persistent && s.link == nil && len(s.waiters) == 0 {
		s.rest(cause)
		s.drop(cause, after)
	}
}

// rest makes the socket want no connection any more. The caller holds the lock, and has dealt with the link.
func (s *Socket) rest(cause error) {
	s.active, s.persistent, s.gone = false, false, cause
	s.stopAsking()
	s.early, s.earlyBytes = nil, 0
	s.pid, s.offset = "", ""
	s.waiters.end(cause)
	s.queue.Do(func() { s.inbox.end(cause) })
}

// join asks the server to let the socket into its namespace. The caller holds the lock.
func (s *Socket) join(l *link) {
	if l.members[s.nsp] != outside {
		return // the answer to an earlier question counts
	}
	l.members[s.nsp] = asked
	s.waitPatiently(l)
	switch {
	case l.old && s.nsp == "/" && l.main:
		l.members[s.nsp] = joined
		s.confirmed(l, confirmation{SID: oldID("/", l.conn.ID())})
	case l.old && s.nsp == "/" && !l.left: // the server connects it by itself
	case l.old:
		l.control(&packet.Packet{Type: packet.Connect, Namespace: s.nsp, Query: s.opts.Query.Encode()})
	case s.opts.AuthFunc != nil:
		l.members[s.nsp] = outside // until the packet is sent
		s.ask(l)
	default:
		s.sendConnect(l, s.auth)
	}
}

// sendConnect asks for the namespace. The caller holds the lock.
func (s *Socket) sendConnect(l *link, auth []byte) {
	l.members[s.nsp] = asked
	l.control(&packet.Packet{Type: packet.Connect, Namespace: s.nsp, Data: s.credentials(auth)})
}

// credentials puts what a recovery needs in front of the program's own.
func (s *Socket) credentials(auth []byte) []byte {
	if s.pid == "" {
		return auth
	}
	session := struct {
		PID    string `json:"pid"`
		Offset string `json:"offset,omitempty"`
	}{s.pid, s.offset}
	raw, err := packet.Marshal(session)
	if err != nil || len(auth) <= len(`{}`) {
		return raw
	}
	return append(append(raw[:len(raw)-1:len(raw)-1], ','), auth[1:]...) // of a name twice the second counts
}

// waitPatiently reports an answer that does not come. The caller holds the lock.
func (s *Socket) waitPatiently(l *link) {
	limit := s.m.opts.Timeout
	if limit <= 0 {
		return
	}
	s.stopPatience()
	s.patience = time.AfterFunc(limit, func() {
		var after deferred
		defer func() { after.run() }()
		s.m.mu.Lock()
		defer s.m.mu.Unlock()
		if s.active && s.link == nil && !l.over && s.m.link == l {
			s.waitPatiently(l)
			s.connectFailed(&ConnectionError{
				Info:       errkit.Info{Class: ErrConnectTimeout, Op: "connect", Target: s.m.target},
				Namespaces: []string{s.nsp},
			}, &after)
			s.m.stopIfIdle()
		}
	})
}

func (s *Socket) stopPatience() {
	if s.patience != nil {
		s.patience.Stop()
		s.patience = nil
	}
}

// stopAsking ends what waits for the server's answer. The caller holds the lock.
func (s *Socket) stopAsking() {
	s.stopPatience()
	if s.asking != nil {
		s.asking()
		s.asking = nil
	}
}

// confirmed is told that the server let the socket in. The caller holds the lock.
func (s *Socket) confirmed(l *link, c confirmation) {
	s.stopAsking()
	s.link, s.acker = l, &acker{s: s, l: l}
	s.id = c.SID
	s.recovered = c.PID != "" && c.PID == s.pid
	if !s.recovered {
		s.offset = ""
	}
	s.pid = c.PID
	s.persistent = true
	for _, e := range s.early {
		s.m.counters.received.Add(1)
		s.queue.Force(s.arrived(e.name, e.args, e.id, e.hasID), e.size)
	}
	s.early, s.earlyBytes = nil, 0
	s.flush()
	s.retries.next()
	there := s.watchers.connect.now() // one who comes later, as after Dial, comes for the next time
	s.queue.Tell(func() { s.watchers.connect.eachOf(there, s.guarded, func(f func()) { f() }) })
	s.waiters.end(nil)
}

// connectFailed is told that there is no connection yet. The caller holds the lock, and calls stopIfIdle.
func (s *Socket) connectFailed(err error, after *deferred) {
	if s.link != nil {
		return
	}
	s.tellConnectError(err)
	if !s.m.opts.RetryFirst {
		s.waiters.end(err)
		s.restUnlessWanted(err, after)
	}
}

func (s *Socket) tellConnectError(err error) {
	s.queue.Tell(func() { s.watchers.connectError.each(s.guarded, func(f func(error)) { f(err) }) })
}

// linkEnded is told of the end of a link. The caller holds the lock, and calls stopIfIdle.
func (s *Socket) linkEnded(l *link, reason Reason, err error, quiet bool, after *deferred) {
	if s.link == l {
		s.unlink(reason, err, after)
		return
	}
	if !s.active {
		return
	}
	s.stopAsking()
	s.early, s.earlyBytes = nil, 0
	if !quiet {
		s.connectFailed(&ConnectionError{
			Info:       errkit.Info{Class: ErrConnection, Op: "connect", Target: s.m.target, Kind: errkit.Disconnected, Err: err},
			Namespaces: []string{s.nsp},
		}, after)
	}
}

// unlink is told that the socket is not connected any more. The caller holds the lock.
func (s *Socket) unlink(reason Reason, err error, after *deferred) {
	s.link, s.acker, s.id, s.recovered = nil, nil, "", false
	waiting := s.buffer.unlink()
	fail := s.acks.Detach(func(id uint64) bool { return !waiting[id] })
	after.add(func() { fail(disconnected("call", s.m.target, reason, perhapsSent(err))) })
	s.queue.Tell(func() {
		s.watchers.disconnect.each(s.guarded, func(f func(Reason, error)) { f(reason, err) })
	})
}

// leave ends the membership by this side's will. The caller holds the lock, and calls stopIfIdle.
func (s *Socket) leave(cause error, after *deferred) {
	if l := s.link; l != nil {
		l.control(&packet.Packet{Type: packet.Disconnect, Namespace: s.nsp})
		delete(l.members, s.nsp)
		if s.nsp == "/" {
			l.main, l.left = false, true
		}
		s.unlink(IOClientDisconnect, nil, after)
	}
	s.rest(cause)
	s.drop(cause, after)
}

// kicked is told that the server ended the membership. The caller holds the lock, and calls stopIfIdle.
func (s *Socket) kicked(cause error, after *deferred) {
	s.unlink(IOServerDisconnect, cause, after)
	end := disconnected("receive", s.m.target, IOServerDisconnect, cause)
	s.rest(end)
	s.drop(end, after)
}

// abandon is told that there are no further attempts, because the server refused or because as many failed as were
// allowed. The caller holds the lock, and calls stopIfIdle.
func (s *Socket) abandon(cause error, after *deferred) {
	s.tellConnectError(cause)
	s.rest(cause)
	s.drop(cause, after)
}
