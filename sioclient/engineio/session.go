package engineio

import (
	"sync"
	"sync/atomic"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Session is the server's end of one client's connection, whatever the transport. Its methods may be called from any
// goroutine, and by its handler.
type Session struct {
	server    *Server
	id        string
	framing   framing
	handshake *Handshake
	handler   Handler // not changed once the session began
	address   string

	beat heartbeat

	state atomic.Int32 // written with mu held

	mu       sync.Mutex // guards what follows
	queue    queue
	conn     *wsconn.Conn // nil while the transport is polling
	writing  bool         // whether a goroutine writes to conn; it looks into the queue before it ends
	requests *requests    // nil once the transport is WebSocket
	upgraded bool
	reason   Reason // why it was closed
	err      error
	done     chan struct{} // made when somebody asks for it
}

// States of a session.
const (
	stateOpen    int32 = iota
	stateClosing       // what waits is still sent
	stateClosed
)

const opSend = "engine.Send"

// ID returns the session id. Whoever knows it can speak in the name of the client.
func (s *Session) ID() string { return s.id }

// Protocol returns the revision of the protocol that the client speaks, 3 or 4.
func (s *Session) Protocol() int { return int(s.framing.revision) }

// Handshake returns what is known of the request that began the session.
func (s *Session) Handshake() *Handshake { return s.handshake }

// Transport returns [Polling] or [WebSocket].
func (s *Session) Transport() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.transport()
}

// transport runs with mu held.
func (s *Session) transport() string {
	if s.requests != nil {
		return Polling
	}
	return WebSocket
}

// Upgraded reports whether the session went over from polling to WebSocket.
func (s *Session) Upgraded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.upgraded
}

// Send queues messages, all or none, with none of another call in between. It never waits. Errors, all with nothing sent:
//   - a *sioclient.BufferFullError if they are beyond the limits of [ServerOptions.Queue];
//   - a *sioclient.InvalidError for text that is not UTF-8 or, as long as the transport is polling, contains U+001E;
//   - one that matches sioclient.ErrClosed if the session is closed or closing.
func (s *Session) Send(msgs ...Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != stateOpen {
		return &errkit.Basic{
			Info: errkit.Info{Class: sioerr.ErrClosed, Op: opSend, Kind: errkit.NotSent, Err: errkit.CleanCause(s.err)},
		}
	}
	if err := checkMessages(opSend, msgs, s.requests != nil && s.framing.revision == wire.V4); err != nil {
		return err
	}
	if err := s.queue.push(opSend, msgs...); err != nil {
		return err
	}
	s.flush()
	return nil
}

// Writable reports whether a message sent now would be on its way at once: a poll waits for one, or no write to the
// WebSocket is under way. What may as well be lost is sent only then.
func (s *Session) Writable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != stateOpen || s.queue.messages > 0 {
		return false
	}
	if s.requests != nil {
		return s.requests.get != nil
	}
	return !s.writing
}

// Buffered returns how much waits to be sent, what a write has under way included.
func (s *Session) Buffered() (messages, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.messages, s.queue.bytes
}

// Done returns a channel that is closed when the session is: nothing is sent any more, and [Handler.HandleClose] follows.
func (s *Session) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.done = make(chan struct{})
		if s.state.Load() == stateClosed {
			close(s.done)
		}
	}
	return s.done
}

// flush lets what waits be sent, if the transport can. It runs with mu held.
func (s *Session) flush() {
	switch {
	case s.queue.empty():
	case s.requests != nil:
		s.requests.answerWaiting(s)
	case !s.writing:
		s.writing = true
		s.server.work.Add(1)
		go func() {
			defer s.server.work.Done()
			s.write()
		}()
	}
}

// receive does what a packet of the client says.
func (s *Session) receive(p wire.Packet) {
	switch p.Type {
	case wire.Ping:
		s.pinged()
		return
	case wire.Pong:
		s.ponged()
		return
	case wire.Close:
		s.end(sioerr.TransportClose, nil)
		return
	default:
		s.heard()
	}
	if p.Type == wire.Message && s.state.Load() == stateOpen {
		s.handler.HandleMessage(p.Binary, p.Data)
	}
	// Others make sense at other times only, and are as harmless as they are useless.
}

// discard is the handler of a session that nobody wants to hear of.
type discard struct{}

func (discard) HandleMessage(bool, []byte) {}
func (discard) HandleClose(Reason, error)  {}
