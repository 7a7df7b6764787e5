package sioserver

import (
	"context"
	"hash/maphash"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// Server is a Socket.IO server: an [http.Handler] for its path and everything below. It has the methods of its main
// namespace, "/", besides its own. They may be called from any goroutine.
type Server struct {
	*Namespace // "/"

	opts    *Options
	engine  *engineio.Server
	log     *slog.Logger
	scripts *scripts
	traffic traffic
	observe observers
	kept    *kept // for recovery without an adapter

	ctx    context.Context // ends when the server is closed
	cancel context.CancelFunc
	work   sync.WaitGroup // sockets until their last handler has run, and searches for dynamic namespaces

	mu         sync.RWMutex // guards what follows
	namespaces map[string]*Namespace
	parents    []*Parent
	children   int // namespaces that have a parent
	conns      map[*conn]struct{}
	closing    bool
	closed     bool // the namespaces are gone
}

// New makes a server. Nil options mean defaults. The error is a *[sioclient.InvalidError].
func New(opts *Options) (*Server, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts: o, log: o.Logger,
		namespaces: make(map[string]*Namespace), conns: make(map[*conn]struct{}),
	}
	engine := o.Engine
	engine.OnSession = s.onSession
	if s.engine, err = engineio.NewServer(&engine); err != nil {
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.scripts = newScripts(o)
	if o.Recovery != nil && o.Adapter == nil {
		s.kept = newKept(o)
	}
	s.Namespace = s.newNamespace("/", nil)
	if o.Adapter != nil && s.Namespace.alone() {
		return nil, sioerr.Invalid("sioserver.New", "Adapter", "returned none")
	}
	if o.Recovery != nil && s.Namespace.session == nil {
		return nil, sioerr.Invalid("sioserver.New", "Recovery", "the adapter does not keep sessions")
	}
	close(s.Namespace.ready)
	s.namespaces["/"] = s.Namespace
	return s, nil
}

// ServeHTTP serves the requests of clients: WebSocket, polling and, with Options.ClientFiles, the scripts.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.scripts.serve(w, r) {
		return
	}
	s.engine.ServeHTTP(w, r)
}

// Of returns the namespace of a name, which it makes if there is none. A slash is put in front of a name that has none.
// If the name matches a regular expression given to [Server.OfRegexp], the namespace begins with what was set up there.
func (s *Server) Of(name string) *Namespace {
	name = cleanName(name)
	s.mu.RLock()
	n := s.namespaces[name]
	s.mu.RUnlock()
	if n != nil {
		return n
	}
	return s.create(name, s.regexpParent(name), true)
}

// cleanName puts a slash in front.
func cleanName(name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return "/" + name
}

// create makes a namespace unless there is one by now. What is not wanted by the program but by a client is made up to a
// limit only.
func (s *Server) create(name string, parent *Parent, wanted bool) *Namespace {
	s.mu.Lock()
	if n := s.namespaces[name]; n != nil {
		s.mu.Unlock()
		return n
	}
	if s.closed {
		s.mu.Unlock()
		return s.lateNamespace(name, wanted)
	}
	if !wanted && s.children >= s.opts.MaxChildren {
		s.mu.Unlock()
		s.report("dynamic namespace", sioerr.Bare(sioerr.ErrBufferFull, "create", nil))
		return nil
	}
	n := s.newNamespace(name, parent)
	s.namespaces[name] = n
	if parent != nil {
		s.children++
	}
	s.mu.Unlock()
	s.log.Debug("namespace made", "module", "sioclient", "namespace", name)
	if s.opts.Adapter != nil && n.alone() {
		s.report("adapter", sioerr.Bare(sioerr.ErrNotSupported, "adapter "+name, nil))
	}
	defer close(n.ready)
	if s.opts.OnNamespace == nil {
		return n
	}
	err := event.Guard(func() error {
		s.opts.OnNamespace(n)
		return nil
	})
	if err != nil {
		s.report("namespace made", err)
	}
	return n
}

// lateNamespace is what a program gets that asks for a namespace after the end of the server: one that nobody is in and
// that leaves nothing behind. A client gets none.
func (s *Server) lateNamespace(name string, wanted bool) *Namespace {
	if !wanted {
		return nil
	}
	n := s.bareNamespace(name, nil)
	n.adapter, n.finished = &singleAdapter{host: n.host}, true
	return n
}

// bareNamespace makes a namespace that has no adapter yet, and is otherwise ready for one that uses its host.
func (s *Server) bareNamespace(name string, parent *Parent) *Namespace {
	n := &Namespace{
		name: name, server: s, parent: parent, ready: make(chan struct{}),
		byID: make(map[string]*Socket), byPID: make(map[string]*Socket),
	}
	n.rooms.seed = maphash.MakeSeed()
	if parent != nil {
		inherited := parent.currentHooks().clone()
		n.hooks.Store(&inherited)
	}
	n.host = &AdapterHost{n: n}
	return n
}

func (s *Server) newNamespace(name string, parent *Parent) *Namespace {
	n := s.bareNamespace(name, parent)
	switch {
	case s.opts.Adapter != nil:
		n.adapter = s.opts.Adapter(n.host)
	case s.opts.Recovery != nil:
		n.adapter = newMemoryAdapter(n.host, s.kept)
	}
	if n.adapter == nil {
		n.adapter = &singleAdapter{host: n.host}
	}
	n.rawArgs = !n.alone()
	if s.opts.Recovery != nil {
		n.session, _ = n.adapter.(SessionAdapter)
	}
	n.rooms.watch, _ = n.adapter.(RoomWatcher)
	return n
}

// alone reports whether the namespace has no adapter of a cluster, and keeps nothing.
func (n *Namespace) alone() bool {
	_, single := n.adapter.(*singleAdapter)
	return single
}

// cleanUp removes the namespace if it is dynamic and nobody needs it any more.
func (n *Namespace) cleanUp() {
	s := n.server
	if n.parent == nil || !s.opts.CleanUpEmptyChildren {
		return
	}
	s.mu.Lock()
	n.mu.Lock()
	remove := len(n.all) == 0 && n.joining == 0 && !n.finished && s.namespaces[n.name] == n
	if remove {
		n.finished = true
		delete(s.namespaces, n.name)
		s.children--
	}
	n.mu.Unlock()
	s.mu.Unlock()
	if !remove {
		return
	}
	if err := n.adapter.Close(); err != nil {
		s.report("close namespace", err)
	}
}

// Stats are the counters of a server.
type Stats struct {
	Connections int   // those there are
	Opened      int64 // connections ever
	Namespaces  int
	Sockets     int   // in all namespaces
	MessagesIn  int64 // messages of clients: packets and attachments
	MessagesOut int64 // messages queued for clients
	BytesIn     int64
	BytesOut    int64
	Slow        int64 // connections that were closed because they did not read
	Dropped     int64 // volatile events that were dropped
}

// traffic counts messages.
type traffic struct {
	opened, messagesIn, messagesOut, bytesIn, bytesOut, slow, dropped atomic.Int64
}

// Stats returns the counters as they are now.
func (s *Server) Stats() Stats {
	t := &s.traffic
	stats := Stats{
		Opened: t.opened.Load(), MessagesIn: t.messagesIn.Load(), MessagesOut: t.messagesOut.Load(),
		BytesIn: t.bytesIn.Load(), BytesOut: t.bytesOut.Load(), Slow: t.slow.Load(), Dropped: t.dropped.Load(),
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	stats.Connections, stats.Namespaces = len(s.conns), len(s.namespaces)
	for _, n := range s.namespaces {
		n.mu.RLock()
		stats.Sockets += len(n.all)
		n.mu.RUnlock()
	}
	return stats
}

// Polling returns how many connections use polling at this moment. It looks at each of them.
func (s *Server) Polling() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := 0
	for c := range s.conns {
		if c.session.Transport() == engineio.Polling {
			n++
		}
	}
	return n
}

// Lookup returns the namespace of a name, nil if there is none.
func (s *Server) Lookup(name string) *Namespace {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.namespaces[cleanName(name)]
}

// Namespaces returns those there are, in no order.
func (s *Server) Namespaces() []*Namespace {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]*Namespace, 0, len(s.namespaces))
	for _, n := range s.namespaces {
		list = append(list, n)
	}
	return list
}

// report tells of an error that no socket's listener took.
func (s *Server) report(op string, err error) {
	s.log.Warn("error", "module", "sioclient", "op", op, "error", err)
	if s.opts.OnError != nil {
		s.opts.OnError(err)
	}
}
