package sioclient

import (
	"context"
	"encoding/json"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/alarm"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
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
	patience   *alarm.Alarm[link] // for the server's answer
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
