//go:build !js

package wsclient

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/gate"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/inbox"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/outbox"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Manager keeps one logical connection alive across many physical ones. All its methods may be called from any
// goroutine, and from hooks.
//
// It is at rest until Connect, Start or Run, and again when it has given up or was told to disconnect without a plan to
// come back. At rest the channel of [Manager.Done] is closed, [Manager.Err] says why, and receivers get what is left in
// the queue and then that error. The next Connect starts afresh. Only Close, Shutdown and the end of the context of Run
// or Start are final.
//
// A manager that is not connected has no goroutines; a connected one has two, and one more each for the queue of
// messages to be sent and for a Handler. Close it when it is not needed any more.
type Manager struct {
	opts     Options
	target   string // the address given to New, without secrets
	metrics  Metrics
	counters counters
	life     context.Context // ends when the manager is closed
	endLife  context.CancelFunc

	tasks      tasks
	events     serial // runs the functions of the supervisor
	supervisor *supervisor
	dispatch   dispatcher
	board      board
	gen        atomic.Uint64           // of the newest session
	live       atomic.Pointer[session] // on duty; nil if there is none
	sealed     atomic.Bool             // whether nothing more is taken for sending

	inbox    *inbox.Queue[Message]
	link     link
	overflow overflow
	inbound  inbound
	handler  handler
	subs     *subscriptions
	requests requests
	outbox   *outbox.Box // nil unless messages to be sent are queued

	mu       sync.Mutex // guards what follows
	err      error      // why the manager is at rest
	done     chan struct{}
	resting  bool          // whether done is closed
	refusing error         // why no more messages are taken; nil if they are
	shutdown bool          // whether Shutdown was called
	last     *wsconn.Conn  // of the newest session
	closed   chan struct{} // closed when the state is StateClosed

	contexts map[<-chan struct{}]func() bool // stop watching the contexts of Start and Run, by their channel
}

// New makes a manager of the peer at a ws or wss URL; http and https mean the same. It checks the address and the
// options, which may be nil, and does nothing else. Its errors are of type *ConfigError.
func New(url string, opts *Options) (*Manager, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	m := &Manager{
		opts: o, target: redact.URLString(url), metrics: o.Metrics,
		done: make(chan struct{}), closed: make(chan struct{}), contexts: make(map[<-chan struct{}]func() bool),
		inbox: newInbox(&o.Receive), inbound: inbound{gate: gate.New()},
	}
	p, err := newPolicy(url, &o.Endpoints, &o.Reconnect, o.Dial.AuthRefresh != nil)
	if err != nil {
		return nil, err
	}
	if err := wsconn.Check(url, m.dialOptions()); err != nil {
		return nil, err
	}
	if d := o.Receive.Dedup; d != nil {
		m.inbound.dedup = newDedup(d)
	}
	m.life, m.endLife = context.WithCancel(context.Background())
	m.dispatch.hooks, m.dispatch.log = o.Hooks, o.Logger
	m.dispatch.serial.tasks, m.dispatch.serial.limit = &m.tasks, maxHooks
	m.events.tasks = &m.tasks
	m.counters.began, m.counters.metrics = time.Now(), o.Metrics
	if o.Send.Mode != SendDirect {
		cfg := o.Send.config(m.target, o.Conn.SkipUTF8)
		cfg.Doubt = m.ping
		if tell := cfg.OnLoss; tell != nil {
			cfg.OnLoss = func(l outbox.Loss) { m.dispatch.guard("Send.OnLoss", func() { tell(l) }) }
		}
		m.outbox = outbox.New(cfg)
	}
	if m.subs, err = newSubscriptions(o.Subscribe, m.tasks.Go, m.dispatch.subscribeError); err != nil {
		return nil, err
	}
	m.supervisor = &supervisor{m: m, policy: p}
	return m, nil
}

// URL returns the address given to New, without secrets.
func (m *Manager) URL() string { return m.target }

// IsConnected reports whether the state is StateConnected.
func (m *Manager) IsConnected() bool { return m.State() == StateConnected }

// IsDead reports whether there is no connection and none is being sought: the state is StateDisconnected or StateClosed.
func (m *Manager) IsDead() bool {
	s := m.State()
	return s == StateDisconnected || s == StateClosed
}

// IsShutdown reports whether [Manager.Shutdown] was called. Close alone does not count.
func (m *Manager) IsShutdown() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.shutdown
}

// Healthy reports whether there is a connection on which something arrived within the interval and the time limit of the
// heartbeat.
func (m *Manager) Healthy() bool {
	s := m.live.Load()
	if s == nil {
		return false
	}
	h := &m.opts.Heartbeat
	return h.PingInterval < 0 || time.Since(s.conn.LastRead()) < h.PingInterval+h.PingTimeout
}

// ConnectionDuration returns how long the connection has been up, 0 if there is none.
func (m *Manager) ConnectionDuration() time.Duration {
	s := m.live.Load()
	if s == nil {
		return 0
	}
	return time.Since(s.began)
}

// Negotiated is what both ends of a connection agreed upon.
type Negotiated struct {
	Subprotocol string // "" if there is none
	Compressed  bool
}

// Negotiated returns what was agreed upon for the newest connection, which may have ended; the zero value if there was
// none.
func (m *Manager) Negotiated() Negotiated {
	c := m.newest()
	if c == nil {
		return Negotiated{}
	}
	return Negotiated{Subprotocol: c.Subprotocol(), Compressed: c.Compressed()}
}

// Response returns the peer's answer to the upgrade of the newest connection, without a body; nil if there was none.
func (m *Manager) Response() *http.Response {
	c := m.newest()
	if c == nil {
		return nil
	}
	return c.Response()
}

func (m *Manager) newest() *wsconn.Conn {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}

// Done returns a channel that is closed when the manager comes to rest; [Manager.Err] then says why. A new Connect makes
// a new channel.
func (m *Manager) Done() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done
}

// Err returns why the manager is at rest: what Connect failed with, a *ReconnectError after an outage that was given
// up, a *ClosedError after Disconnect or Kill. It is nil before the first Connect, while there is a connection or one
// is sought, and after Close or Shutdown unless the manager had given up before.
func (m *Manager) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// revive ends the rest.
func (m *Manager) revive() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = nil
	if m.resting {
		m.done, m.resting = make(chan struct{}), false
	}
	m.inbox.End(nil)
	m.link.end(nil)
	if m.outbox != nil {
		m.outbox.Fail(nil)
	}
}

// settle begins the rest.
func (m *Manager) settle(err error, gaveUp bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
	m.restLocked()
	m.inbox.End(err)
	m.link.end(err)
	m.subs.fail(err)
	m.requests.fail(err)
	if m.outbox != nil && gaveUp {
		m.outbox.Fail(err)
	}
}

func (m *Manager) restLocked() {
	if !m.resting {
		close(m.done)
		m.resting = true
	}
}

// show puts a session on duty for those who send.
func (m *Manager) show(s *session) {
	m.mu.Lock()
	m.last = s.conn
	m.mu.Unlock()
	m.live.Store(s)
	m.link.connected(s.gen)
	if s.ended() {
		m.live.CompareAndSwap(s, nil)
	}
}

// refuse lets sending fail from now on, because the manager is being closed.
func (m *Manager) refuse() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refusing = m.closedError(opSend)
	m.sealed.Store(true)
}

// end lets everybody know that the manager is closed.
func (m *Manager) end() {
	err := m.closedError(opReceive)
	m.inbound.close(m)
	m.overflow.stop()
	m.mu.Lock()
	m.restLocked()
	m.mu.Unlock()
	m.forgetContexts()
	m.inbox.End(err)
	m.link.end(err)
	m.subs.fail(err)
	m.requests.fail(err)
	if m.outbox != nil {
		m.outbox.Close(m.closedError(opSend))
	}
	m.endLife()
	m.events.close()
	m.dispatch.serial.close()
	close(m.closed)
}

// What an error's Op says, besides those of the policy.
const (
	opReceive = "receive"
	opSend    = "send"
	opClose   = "close"
	opWait    = "wait"
)

// codeNormal is the close code of an end that was wanted (RFC 6455, section 7.4.1).
const codeNormal = 1000

// closedError is the error of a call on a manager that is closed.
func (m *Manager) closedError(op string) error { return wserr.ClosedHere(op, m.target, codeNormal, "") }

// endedHere is why a manager is at rest whose owner has ended the connection.
func (m *Manager) endedHere() error { return m.closedError(opClose) }

// killed is the error of a connection that Kill has cut.
func (m *Manager) killed(gen uint64) error {
	return &ClosedError{
		Info: errkit.Info{Class: wserr.ErrKilled, Op: opClose, Target: m.target}, Code: codeAbnormal, Gen: gen,
	}
}

// callEnded is the error of a call that ended with its context. Class says more than that, if it is not nil.
func (m *Manager) callEnded(ctx context.Context, op string, class *errkit.Class) error {
	cause := errkit.FromContext(ctx)
	info := errkit.Info{Class: class, Op: op, Target: m.target, Kind: errkit.TransportKind(cause), Err: cause}
	if class != nil {
		return &errkit.Basic{Info: info}
	}
	if info.Kind.Has(errkit.Timeout) {
		info.Class = wserr.ErrTimeout
		return &TimeoutError{Info: info}
	}
	info.Class = wserr.Err
	return &errkit.Basic{Info: info}
}
