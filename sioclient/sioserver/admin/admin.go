package admin

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// Mode is how much the page is told.
type Mode int

// The modes.
const (
	Development Mode = iota // sockets, rooms and every event
	Production              // statistics only
)

// Options are the settings of [Instrument].
type Options struct {
	// Authenticate decides who may connect. It is required, unless Open is set. A password is best compared with
	// bcrypt, or at least in constant time.
	Authenticate func(ctx context.Context, username, password string) bool

	// Open lets everybody in.
	Open bool

	// Namespace is where the page connects to. Empty means "/admin".
	Namespace string

	// Mode is how much the page is told.
	Mode Mode

	// ReadOnly takes from the page what changes something.
	ReadOnly bool

	// ServerID tells several servers apart. Empty means the name of the host.
	ServerID string

	// SessionTTL is how long a page that has authenticated itself may come back without a password. Zero means 24 h.
	SessionTTL time.Duration

	// Logger gets what goes wrong. Nil discards.
	Logger *slog.Logger
}

// statsEvery is the time between two server_stats events.
const statsEvery = 2 * time.Second

// What waits to be told to pages is bounded: in notices, and in bytes of the arguments of events.
const (
	pending      = 1024
	pendingBytes = 8 << 20
)

// Admin connects a server with the pages that look at it.
type Admin struct {
	server   *sioserver.Server
	opts     Options
	nsp      *sioserver.Namespace
	host     string
	features []string
	sessions sessions
	counts   counts
	begun    time.Time

	feed    chan notice
	waiting atomic.Int64 // bytes of events in the feed
	dropped atomic.Int64
	off     func()
	stop    chan struct{}
	once    sync.Once
	running sync.WaitGroup
}

// notice is an event for the pages.
type notice struct {
	name string
	args []any
	size int64 // of the event that it tells of, in bytes
}

// Instrument opens the admin namespace of a server. The error is a *[sioclient.InvalidError].
func Instrument(srv *sioserver.Server, opts *Options) (*Admin, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Authenticate == nil && !o.Open {
		return nil, sioerr.Invalid("admin.Instrument", "Authenticate", "missing")
	}
	if o.Namespace == "" {
		o.Namespace = "/admin"
	}
	if o.SessionTTL == 0 {
		o.SessionTTL = 24 * time.Hour
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	if o.ServerID == "" {
		o.ServerID = host
	}
	a := &Admin{
		server: srv, opts: o, nsp: srv.Of(o.Namespace), host: host, features: features(&o), begun: time.Now(),
		feed: make(chan notice, pending), stop: make(chan struct{}),
	}
	a.counts.last = srv.Stats()
	a.nsp.Use(a.authenticate)
	a.nsp.OnConnect(a.welcome)
	a.off = srv.Observe(a.observer())
	a.running.Go(a.run)
	return a, nil
}

// features are what the page is told that it can do.
func features(o *Options) []string {
	var list []string
	if !o.ReadOnly {
		list = append(list, "EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT")
	}
	list = append(list, "AGGREGATED_EVENTS")
	if o.Mode == Development {
		list = append(list, "ALL_EVENTS")
	}
	return list
}

// Close ends it: pages are disconnected, and nobody is let in any more. It is best called before the server is closed.
func (a *Admin) Close() error {
	a.once.Do(func() {
		a.off()
		close(a.stop)
		a.running.Wait()
	})
	return a.nsp.Local().DisconnectSockets(false)
}

func (a *Admin) closed() bool {
	select {
	case <-a.stop:
		return true
	default:
		return false
	}
}

// Dropped returns how many events pages were not told of because they came too fast.
func (a *Admin) Dropped() int64 { return a.dropped.Load() }

// watched reports whether any page is there.
func (a *Admin) watched() bool { return a.nsp.Len() > 0 }

// run tells the pages. It is the only goroutine that does, so that what observers report never waits.
func (a *Admin) run() {
	tick := time.NewTicker(statsEvery)
	defer tick.Stop()
	for {
		select {
		case <-a.stop:
			return
		case n := <-a.feed:
			a.emit(n)
			a.waiting.Add(-n.size)
		case <-tick.C:
			if a.watched() {
				a.emit(notice{name: "server_stats", args: []any{a.stats()}})
			}
		}
	}
}

func (a *Admin) emit(n notice) {
	if err := a.nsp.Emit(n.name, n.args...); err != nil {
		a.opts.Logger.Warn("admin page not told", "module", "sioclient", "op", n.name, "error", err)
	}
}

// tell queues an event for the pages, if there are any.
func (a *Admin) tell(name string, args ...any) {
	if a.watched() {
		a.queue(notice{name: name, args: args})
	}
}

// queue takes a notice into the feed, or counts it as dropped.
func (a *Admin) queue(n notice) {
	if a.waiting.Add(n.size) <= pendingBytes || n.size == 0 {
		select {
		case a.feed <- n:
			return
		default:
		}
	}
	a.waiting.Add(-n.size)
	a.dropped.Add(1)
}

// welcome tells a page that has come what it can do and what there is.
func (a *Admin) welcome(s *sioserver.Socket) {
	if a.closed() { // Close has disconnected those who were there before
		s.Disconnect(false)
		return
	}
	a.commands(s)
	if err := a.begin(s); err != nil {
		return // it has gone already
	}
	events := []notice{{name: "config", args: []any{map[string]any{"supportedFeatures": a.features}}}}
	if a.opts.Mode == Development {
		events = append(events, notice{name: "all_sockets", args: []any{a.allSockets()}})
	}
	for _, e := range events {
		if err := s.Emit(e.name, e.args...); err != nil {
			return // it has gone already
		}
	}
}
