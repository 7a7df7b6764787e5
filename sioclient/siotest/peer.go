package siotest

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// PeerOptions configures a [Peer]. The zero value is ready to use.
type PeerOptions struct {
	// Open returns the data of the open packet for a session, JSON or not; n counts the sessions from 1. Nil means one
	// with the session id "session-<n>", no upgrades, and a heartbeat so slow that a test need not care.
	Open func(n int) string

	// Greeting are packets that follow the open packet at once, in the same answer when polling.
	Greeting []string

	// Refuse, if not nil, is asked about each request that begins a session. If it returns true it has answered it.
	Refuse func(w http.ResponseWriter, r *http.Request) bool

	// Pong answers the pings of the other end, as revision 3 wants it of a server.
	Pong bool
}

// Peer is a Socket.IO server without a mind of its own: it opens sessions, over WebSocket and polling, without upgrades,
// and a test decides each packet. It answers at every path.
type Peer struct {
	opts     PeerOptions
	server   *http.Server
	sessions chan *Session
	stopped  chan struct{}
	count    atomic.Int64
	wg       sync.WaitGroup

	mu     sync.Mutex // guards what follows
	all    []*Session
	bySID  map[string]*Session
	closed bool
}

// NewPeer serves on a listener, which it owns from then on. Nil options mean the defaults.
func NewPeer(listener net.Listener, opts *PeerOptions) *Peer {
	p := &Peer{sessions: make(chan *Session, 64), stopped: make(chan struct{}), bySID: make(map[string]*Session)}
	if opts != nil {
		p.opts = *opts
	}
	if p.opts.Open == nil {
		p.opts.Open = defaultOpen
	}
	p.server = &http.Server{Handler: p, ErrorLog: log.New(io.Discard, "", 0)}
	p.wg.Go(func() { _ = p.server.Serve(listener) }) // until it is closed
	return p
}

func defaultOpen(n int) string {
	return `{"sid":"session-` + strconv.Itoa(n) +
		`","upgrades":[],"pingInterval":86400000,"pingTimeout":86400000,"maxPayload":1000000}`
}

// Accept returns the next session, whose open packet was sent.
func (p *Peer) Accept(ctx context.Context) (*Session, error) {
	select {
	case s := <-p.sessions:
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.stopped:
		return nil, http.ErrServerClosed
	}
}

// Close ends all sessions without a word and stops serving. It waits until nothing of the peer is left.
func (p *Peer) Close() error {
	p.mu.Lock()
	first := !p.closed
	p.closed = true
	all := p.all
	p.mu.Unlock()
	if first {
		close(p.stopped)
	}
	for _, s := range all {
		s.Cut()
	}
	_ = p.server.Close() // what was cut is no news
	p.wg.Wait()
	return nil
}

// ServeHTTP answers the requests of clients.
func (p *Peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if sid := q.Get("sid"); sid != "" {
		p.mu.Lock()
		s := p.bySID[sid]
		p.mu.Unlock()
		if s == nil {
			answer(w, http.StatusBadRequest, `{"code":1,"message":"Session ID unknown"}`)
			return
		}
		s.polls.serve(s, w, r)
		return
	}
	if p.opts.Refuse != nil && p.opts.Refuse(w, r) {
		return
	}
	n := int(p.count.Add(1))
	protocol, _ := strconv.Atoi(q.Get("EIO")) // 0 if it is none
	s := newSession(r, protocol, p.opts.Pong)
	greeting := append([]string{"0" + p.opts.Open(n)}, p.opts.Greeting...)
	if q.Get("transport") == "websocket" {
		p.openWebSocket(s, w, r, greeting)
		return
	}
	p.openPolling(s, w, greeting)
}

func (p *Peer) openWebSocket(s *Session, w http.ResponseWriter, r *http.Request, greeting []string) {
	ws, err := wsconn.Accept(w, r, &wsconn.AcceptOptions{AllowAnyOrigin: true, Options: wsconn.Options{ReadLimit: maxBody, SkipUTF8: true}})
	if err != nil {
		return // it was answered
	}
	s.serve(ws)
	if !p.take(s, "") {
		s.Cut()
		return
	}
	if s.Send(greeting...) == nil {
		p.hand(s)
	}
}

func (p *Peer) openPolling(s *Session, w http.ResponseWriter, greeting []string) {
	s.polls = newPolling()
	sid := sidOf(greeting[0])
	if !p.take(s, sid) {
		answer(w, http.StatusServiceUnavailable, "")
		return
	}
	answer(w, http.StatusOK, joinPayload(greeting, s.protocol))
	p.hand(s)
}

// take remembers a session. It reports false after Close.
func (p *Peer) take(s *Session, sid string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.all = append(p.all, s)
	if sid != "" {
		p.bySID[sid] = s
	}
	return true
}

// hand gives a session to Accept.
func (p *Peer) hand(s *Session) {
	select {
	case p.sessions <- s:
	case <-p.stopped:
	}
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // a client that is gone is no news
}
