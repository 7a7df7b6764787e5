//go:build !js

package wsclient

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// session is one connection on duty: its reader, its writer if there is a queue, and its heartbeat. It serves until the
// first cause of its end, and everything that it says later is ignored.
type session struct {
	m        *Manager
	conn     *wsconn.Conn
	gen      uint64
	endpoint string
	attempt  Attempt
	began    time.Time // when the connection was made

	lastData  atomic.Int64    // when the last message came, in nanoseconds since began
	blocked   atomic.Int32    // whether the reader waits for a consumer
	unblocked atomic.Int64    // when it last went on while a ping was out, in nanoseconds since began
	pinging   atomic.Bool     // whether a ping is out
	pong      chan struct{}   // an application's pong came
	doubt     chan struct{}   // the queue wants a ping now
	greeted   <-chan struct{} // OnConnect has returned; nil if there is nothing to wait for
	prior     *session        // which this one took over from while it was up; nil if there was none
	reported  bool            // whether the supervisor has heard of the end; it alone uses this

	stop chan struct{} // closed with the first cause
	turn chan struct{} // held by a call of Send that may have to give up waiting

	mu       sync.Mutex // guards what follows
	reason   DisconnectReason
	cause    error // nil if this side wanted the end
	over     bool  // whether there is a cause
	local    bool  // whether the cause is a request of this side
	poisoned bool  // whether the queue found the message at which the peer closed
	retired  bool  // whether no writer may start any more

	maybeLost uint64 // messages of the queue; to be read when the writer has ended

	dismissed atomic.Bool // whether the supervisor has taken it off duty: what arrives later is dropped

	writer sync.WaitGroup // the writer, which leaves last what belongs to the queue
	idle   *time.Timer    // watches for messages; nil if nobody wants that
}

func newSession(m *Manager, conn *wsconn.Conn, gen uint64, a Attempt) *session {
	return &session{
		m: m, conn: conn, gen: gen, endpoint: a.Endpoint, attempt: a, began: time.Now(),
		pong: make(chan struct{}, 1), doubt: make(chan struct{}, 1), stop: make(chan struct{}), turn: make(chan struct{}, 1),
	}
}

// activate puts the session on duty, once subscriptions were replayed: queue and heartbeat begin.
func (s *session) activate(greeted <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.retired {
		return
	}
	s.greeted = greeted
	if s.m.outbox != nil {
		s.writer.Add(1)
		s.m.tasks.Go(s.write)
	}
	if s.beats() {
		s.m.tasks.Go(s.beat)
	}
	if limit := s.m.opts.Heartbeat.IdleTimeout; limit > 0 {
		s.lastData.Store(int64(time.Since(s.began)))
		s.idle = time.AfterFunc(limit, s.checkIdle)
	}
}

// fail ends the session because of err, unless it has ended already, and closes the connection at once.
func (s *session) fail(reason DisconnectReason, err error) {
	if s.finish(reason, err, false) {
		_ = s.conn.CloseNow() // returns nil
	}
}

// failed reports whether the session has ended, or is just ending, by fail.
func (s *session) failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over && !s.local
}

// marked returns err with the generation of the session, if it has a place for that.
func (s *session) marked(err error) error {
	e, ok := err.(*ClosedError) //nolint:errorlint // what wraps such an error is no news of this connection
	if !ok || e.Gen != 0 {
		return err
	}
	m := *e
	m.Gen = s.gen
	return &m
}

// detach ends the session because this side wants to; the connection stays open. It reports false if something else
// came first.
func (s *session) detach(reason DisconnectReason) bool { return s.finish(reason, nil, true) }

func (s *session) finish(reason DisconnectReason, err error, local bool) bool {
	if !s.setCause(reason, err, local) {
		return false
	}
	s.m.live.CompareAndSwap(s, nil)
	close(s.stop)
	s.m.subs.drop(s.gen)
	return true
}

func (s *session) setCause(reason DisconnectReason, err error, local bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	s.over, s.reason, s.cause, s.local = true, reason, s.marked(err), local
	if s.idle != nil {
		s.idle.Stop()
	}
	return true
}

// linger waits until the peer has read the subscriptions on the next session, and everything that it wrote on this one
// before that has arrived. Two pongs show it. A peer that does not answer pings, or a consumer that keeps the reader from
// reading, is given PingTimeout. The end of the next connection ends it.
func (s *session) linger(next *session) {
	h := &s.m.opts.Heartbeat
	ctx, cancel := context.WithTimeout(context.Background(), h.PingTimeout)
	defer cancel()
	s.m.tasks.Go(func() {
		defer cancel()
		select {
		case <-next.conn.Done(): // not when another one takes over from it in turn
		case <-ctx.Done():
		}
	})
	if h.PingInterval < 0 || h.AppPing != nil {
		select {
		case <-s.conn.Done():
		case <-ctx.Done():
		}
		return
	}
	if _, err := next.conn.Ping(ctx); err == nil {
		_, _ = s.conn.Ping(ctx) // without a pong it has had its time
	}
}

// retire closes a session that has ended, with a close frame if code is not 0. When it returns, nothing of the session
// will be written any more.
func (s *session) retire(code int, reason string) {
	if code != 0 {
		_ = s.conn.Close(code, reason) // a peer that does not answer is closed all the same
	} else {
		_ = s.conn.CloseNow() // returns nil
	}
	s.endWriter()
}

func (s *session) endWriter() {
	s.mu.Lock()
	s.retired = true
	s.mu.Unlock()
	s.writer.Wait()
}

// ended reports whether there is a cause.
func (s *session) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// info tells how the session ended.
func (s *session) info() CloseInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.local {
		return CloseInfo{
			Code: codeNormal, Why: s.reason, Gen: s.gen, Endpoint: s.endpoint, Uptime: time.Since(s.began),
		}
	}
	info := closeInfo(s.cause, s.gen, s.endpoint, time.Since(s.began))
	info.Why, info.Poisoned = s.reason, s.poisoned
	return info
}
