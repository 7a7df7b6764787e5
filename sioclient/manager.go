package sioclient

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// Manager keeps one connection to a server, which all of its sockets share: one socket for each namespace. It connects
// when a socket wants to, connects again after the connection was lost, and closes it when no socket needs it any more.
// All methods may be called from any goroutine, and from hooks and handlers.
//
// A manager at rest has no goroutines. Close it when it is not needed any more.
type Manager struct {
	opts   Options
	target string // for errors, without secrets
	addr   address
	early  event.Limits // maxEarly
	hooks  *event.Queue

	wg       sync.WaitGroup // everything but hooks and handlers
	finished chan struct{}  // closed when Close has ended everything, but for what it waits for

	counters counters

	mu      sync.Mutex // guards what follows, and the state of the sockets
	sockets map[string]*Socket
	version Version // as found out
	settled bool    // whether that led to a connection
	held    bool    // whether a connection without a socket is kept, since Connect got one
	waiters waiters // of Connect, for the connection alone
	run     *run    // nil at rest
	ended   chan struct{}
	link    *link // nil unless there is a connection
	closed  bool
}

// run is a time during which the manager has a connection or wants one.
type run struct {
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
}

// closePatience is how long Close waits for hooks and handlers.
const closePatience = time.Second

// NewManager returns a manager of connections to the server at a URL with the scheme http, https, ws or wss; without a
// scheme it is https. The query of the URL is sent with every request. The URL has no path: where on the server Socket.IO
// answers is Options.Engine.Path, and namespaces have sockets. It does nothing else. The error is an *[InvalidError].
func NewManager(url string, opts *Options) (*Manager, error) {
	addr, err := parseAddress("new", url)
	if err != nil {
		return nil, err
	}
	if addr.namespace != "/" {
		return nil, sioerr.Invalid("new", "url", "has a path")
	}
	return newManager(addr, opts)
}

func newManager(addr address, opts *Options) (*Manager, error) {
	m := &Manager{
		addr: addr, target: redact.URLString(addr.base), early: maxEarly,
		sockets: make(map[string]*Socket), finished: make(chan struct{}),
	}
	if opts != nil {
		m.opts = *opts
	}
	if err := m.opts.withDefaults(); err != nil {
		return nil, err
	}
	m.version = m.opts.Version
	m.hooks = event.NewQueue(event.Limits{}, nil)
	return m, nil
}

// Socket returns the socket of a namespace, such as "/" or "/admin", which it makes on the first call for that namespace:
// at rest, so that handlers can be added before it connects. Nil options mean Options.Socket; they count on the first call
// alone. The errors are an *[InvalidError], and one that matches [ErrClosed] after Close.
func (m *Manager) Socket(namespace string, opts *SocketOptions) (*Socket, error) {
	if err := checkNamespace("socket", namespace); err != nil {
		return nil, err
	}
	o := m.opts.Socket
	if opts != nil {
		o = *opts
	}
	if err := o.withDefaults(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, m.closedError("socket")
	}
	s := m.sockets[namespace]
	if s == nil {
		s = newSocket(m, namespace, o)
		m.sockets[namespace] = s
	}
	return s, nil
}

// Connect connects the given sockets and waits until all of them are, or have failed. Without sockets it connects to the
// server alone, and keeps that connection until Close even if no socket needs it.
//
// If one fails the error is that of [Socket.Connect]; if several do, it is a *[ConnectionError] with their namespaces,
// below which the errors of all are found. Those that did connect stay connected.
func (m *Manager) Connect(ctx context.Context, sockets ...*Socket) error {
	if len(sockets) == 0 {
		return m.connectAlone(ctx)
	}
	errs := make([]error, len(sockets))
	var wg sync.WaitGroup
	for i, s := range sockets {
		wg.Go(func() { errs[i] = s.Connect(ctx) })
	}
	wg.Wait()
	return joinFailures(m.target, sockets, errs)
}

func (m *Manager) connectAlone(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return m.contextError(ctx, "connect", nil)
	}
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return m.closedError("connect")
	}
	if m.link != nil {
		m.held = true
		m.mu.Unlock()
		return nil
	}
	w := m.waiters.add()
	m.start()
	m.mu.Unlock()
	return m.waiters.wait(ctx, w, m, nil, func(error) { m.stopIfIdle() })
}

// Connected reports whether there is a connection to the server.
func (m *Manager) Connected() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.link != nil
}

// Transport returns engineio.Polling or engineio.WebSocket, whichever the connection uses at this moment; "" without one.
func (m *Manager) Transport() string {
	m.mu.Lock()
	l := m.link
	m.mu.Unlock()
	if l == nil {
		return ""
	}
	return l.conn.Transport()
}

// Close disconnects all sockets and ends everything: what waits to be sent is dropped, calls end with an error that
// matches [ErrClosed], and so does whatever is called later. It waits until nothing of the manager runs any more, for
// handlers and hooks no longer than a second, so that it may be called from them. So does every further call. It always
// returns nil.
func (m *Manager) Close() error {
	m.mu.Lock()
	first := !m.closed
	m.closed = true
	m.mu.Unlock()
	if first {
		m.end()
		close(m.finished)
	}
	<-m.finished
	m.wg.Wait()
	m.hooks.Close()
	deadline := time.Now().Add(closePatience)
	m.mu.Lock()
	sockets := m.all()
	m.mu.Unlock()
	for _, s := range sockets {
		s.queue.Wait(max(time.Until(deadline), 1))
	}
	m.hooks.Wait(max(time.Until(deadline), 1))
	return nil
}

// end lets everything end.
func (m *Manager) end() {
	m.mu.Lock()
	m.held = false
	sockets := m.all()
	m.mu.Unlock()
	for _, s := range sockets {
		s.close()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiters.end(m.closedError("connect"))
	m.stopIfIdle()
}

// all returns the sockets in a stable order. The caller holds the lock.
func (m *Manager) all() []*Socket {
	all := make([]*Socket, 0, len(m.sockets))
	for _, s := range m.sockets {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *Socket) int { return int(a.seq) - int(b.seq) })
	return all
}

// start makes the manager want a connection. The caller holds the lock.
func (m *Manager) start() {
	if m.run != nil || m.closed {
		return
	}
	r := &run{done: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	before := m.ended
	m.run, m.ended = r, r.done
	m.wg.Go(func() {
		defer close(r.done)
		defer r.cancel()
		if before != nil {
			<-before
		}
		m.supervise(r)
	})
}

// stopIfIdle ends the connection, or the attempts to get one, if nobody needs it. The caller holds the lock.
func (m *Manager) stopIfIdle() {
	if m.run == nil || m.held || len(m.waiters) > 0 {
		return
	}
	for _, s := range m.sockets {
		if s.active {
			return
		}
	}
	m.run.cancel()
	m.run = nil
	m.link = nil // the run closes it
}

// tell lets a hook run after those before it.
func (m *Manager) tell(f func()) {
	m.hooks.Tell(func() {
		if err := event.Guard(func() error { f(); return nil }); err != nil {
			m.opts.Logger.Error("hook panicked", "module", "sioclient", "error", err)
		}
	})
}

func (m *Manager) closedError(op string) error {
	return &errkit.Basic{Info: errkit.Info{Class: ErrClosed, Op: op, Target: m.target, Kind: errkit.NotSent}}
}
