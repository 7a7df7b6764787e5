package pikvm

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Session is an event socket of the device that is kept up: it reconnects when the connection breaks, answers
// and sends pings, builds the [State] of the device from the events, hands the events to whoever asks, and takes what a
// keyboard and a mouse would do, see [Session.Key]. Make one with [Client.Events] and end it with [Session.Close]; it ends
// with its client, too.
//
// It gives up only where trying again cannot help: the credentials are refused ([ErrAuth]; with AuthCookie
// only after a new login), the device redirects elsewhere ([ErrRedirect]), or the options turn out wrong
// ([ErrConfiguration]).
//
// All methods may be called from several goroutines at once.
type Session struct {
	client  *Client
	opts    EventOptions
	log     *slog.Logger
	manager *wsclient.Manager // keeps the connection up
	delays  *retry.Sequence
	first   *wsconn.Conn // made before the manager runs; nil once it has it

	life   context.Context // ends with Close and with the client
	stop   context.CancelFunc
	opened chan struct{} // closed when the first connection is known
	done   chan struct{} // closed when the session and its goroutines have ended
	turn   chan struct{} // holds a token while a call writes input
	wire   sync.Mutex    // held while input is written, and when there is a new connection to write to

	mu      sync.Mutex
	final   error        // why the session has ended; nil if it has not, or if its owner closed it
	made    []*eventLink // connections whose beginning is still to be told of, oldest first
	newest  *eventLink   // the connection that was made last
	link    *eventLink   // the one that has been told of; nil while there is none
	lastErr error        // why there is no connection
	state   *State       // never nil
	readers map[*Subscription]struct{}
	waiters map[*mailbox[*State]]struct{}
	ended   bool // no reader or waiter is added any more
	stats   SessionStats
}

// SessionStats counts what happened to a [Session] since it began.
type SessionStats struct {
	Connections uint64 // connections made
	Frames      uint64 // frames received, but for the answers to pings
	Malformed   uint64 // frames that made no sense
	Dropped     uint64 // events given up for slow readers, summed over them
}

// Events opens the event socket of the device and keeps it up until [Session.Close]. It returns when the first
// connection is up; ctx ends the attempts at that, and nothing later. The client's Timeout limits each attempt; as for
// a request, a deadline of ctx replaces it, but not with RetryFirst.
//
// The device releases all pressed keys whenever an event socket of any client opens or closes, so one session
// for all purposes is better than many. Nil options mean the defaults.
func (c *Client) Events(ctx context.Context, opts *EventOptions) (*Session, error) {
	const op = "events.Open"
	o := opts.withDefaults()
	if o.Buffer < 0 {
		return nil, configurationError(op, "Buffer", "negative")
	}
	if !c.enter() {
		return nil, closedError(op, c.target, errkit.NotSent)
	}
	s := &Session{
		client:  c,
		opts:    o,
		log:     c.logger.With("op", "events"),
		delays:  o.Backoff.Start(),
		opened:  make(chan struct{}),
		done:    make(chan struct{}),
		turn:    make(chan struct{}, 1),
		state:   new(State),
		readers: make(map[*Subscription]struct{}),
		waiters: make(map[*mailbox[*State]]struct{}),
	}
	s.life, s.stop = context.WithCancel(c.life)
	if err := s.open(ctx); err != nil {
		s.stop()
		c.running.Done()
		return nil, err
	}
	go func() {
		defer c.running.Done()
		s.run()
	}()
	select {
	case <-s.opened:
	case <-s.done: // it has ended already
	}
	return s, nil
}

// Close releases what is pressed, ends the session and waits for its goroutines: iterators end, [Session.Wait] and the
// like return [ErrClosed]. It may be called more than once and always returns nil. The body of a loop, the predicate of
// [Session.Wait] and [PowerOptions].OnStep may call it, and [Client.Close], too; OnRetry must not.
func (s *Session) Close() error {
	s.stop()
	<-s.done
	return nil
}

// Done returns a channel that is closed when the session has ended, by its owner or for the reason that
// [Session.Err] gives.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns why the session has given up: nil while it has not, and nil if its owner or the client's closed it.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.final
}

// State returns what is known of the device. It is never nil; it is empty before the first event of a
// connection. Without a connection it is the last one known, and not [State.Live].
func (s *Session) State() *State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Version returns the version of the device's software, zero as long as the device has not told it.
func (s *Session) Version() Version { return s.State().Version() }

// Connected reports whether there is a connection now.
func (s *Session) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link != nil
}

// Stats returns what happened so far.
func (s *Session) Stats() SessionStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Ping asks the device for a sign of life and returns how long that took. Calls at the same time share one ping.
// Without a connection it returns [ErrNotConnected] at once, the reason as its cause.
func (s *Session) Ping(ctx context.Context) (time.Duration, error) {
	const op = "events.Ping"
	s.mu.Lock()
	link, lastErr := s.link, s.lastErr
	s.mu.Unlock()
	switch {
	case link != nil:
	case s.life.Err() != nil:
		return 0, s.endError(op)
	default:
		return 0, newWebSocketError(ErrNotConnected, op, s.client.target, 0, "", lastErr)
	}
	return s.pingOver(ctx, op, link)
}

// pingOver asks for a sign of life on a connection.
func (s *Session) pingOver(ctx context.Context, op string, link *eventLink) (time.Duration, error) {
	if ctx.Err() != nil {
		return 0, contextError(ctx, op, s.client.target, nil)
	}
	flight := link.ping()
	select {
	case <-flight.landed:
		return flight.took, nil
	case <-link.conn.Done():
		if s.life.Err() != nil {
			return 0, s.endError(op)
		}
		return 0, link.end(op, s.client.target)
	case <-ctx.Done():
		return 0, contextError(ctx, op, s.client.target, nil)
	}
}

// endError returns the error of a call on a session that has ended or is about to.
func (s *Session) endError(op string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.final != nil {
		return s.final
	}
	return closedError(op, s.client.target, 0)
}
