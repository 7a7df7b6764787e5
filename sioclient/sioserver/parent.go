package sioserver

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
)

// Parent makes namespaces as clients ask for them. Each begins with the middlewares and handlers that its parent has at
// that moment. Events sent to a parent go to all of its namespaces.
type Parent struct {
	name   string
	server *Server
	regexp *regexp.Regexp
	allow  func(ctx context.Context, name string, auth json.RawMessage) (bool, error)

	mu    sync.Mutex
	hooks hooks
}

// OfRegexp lets clients into every namespace whose name matches, made when the first of them comes. Parents are asked
// in the order in which they were added.
func (s *Server) OfRegexp(re *regexp.Regexp) *Parent { return s.addParent(&Parent{regexp: re}) }

// OfFunc lets clients into every namespace for which allow says so. It gets the name and what the client sent to prove
// itself, and may take its time; ctx ends with the connection. An error is as good as false, and is reported.
func (s *Server) OfFunc(allow func(ctx context.Context, name string, auth json.RawMessage) (bool, error)) *Parent {
	return s.addParent(&Parent{allow: allow})
}

func (s *Server) addParent(p *Parent) *Parent {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.server = s
	p.name = "/_" + strconv.Itoa(len(s.parents))
	s.parents = append(slices.Clip(s.parents), p)
	return p
}

// Name returns a name for logs, "/_0" for the first parent.
func (p *Parent) Name() string { return p.name }

// Use adds a middleware for namespaces that are made from then on.
func (p *Parent) Use(m Middleware) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hooks = p.hooks.clone()
	p.hooks.middlewares = append(p.hooks.middlewares, m)
}

// OnConnect adds a handler for sockets of namespaces that are made from then on: see [Namespace.OnConnect].
func (p *Parent) OnConnect(f func(*Socket)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hooks = p.hooks.clone()
	p.hooks.connect = append(p.hooks.connect, f)
}

func (p *Parent) currentHooks() hooks {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hooks
}

// Children returns the namespaces there are, in no order.
func (p *Parent) Children() []*Namespace {
	return slices.DeleteFunc(p.server.Namespaces(), func(n *Namespace) bool { return n.parent != p })
}

func (p *Parent) namespaces() []*Namespace { return p.Children() }

func (p *Parent) everyone() Broadcast { return Broadcast{over: p} }

// Emit sends an event to the sockets of all namespaces.
func (p *Parent) Emit(event string, args ...any) error { return p.everyone().Emit(event, args...) }

// To means the sockets in any of the rooms, in each namespace.
func (p *Parent) To(rooms ...string) Broadcast { return p.everyone().To(rooms...) }

// In is To.
func (p *Parent) In(rooms ...string) Broadcast { return p.To(rooms...) }

// Except means all sockets but those in any of the rooms.
func (p *Parent) Except(rooms ...string) Broadcast { return p.everyone().Except(rooms...) }

// Local means the sockets of this node alone.
func (p *Parent) Local() Broadcast { return p.everyone().Local() }

// Volatile means all sockets, with events that may be dropped.
func (p *Parent) Volatile() Broadcast { return p.everyone().Volatile() }

// Compress means all sockets: see [Broadcast.Compress].
func (p *Parent) Compress(on bool) Broadcast { return p.everyone().Compress(on) }

// Timeout means all sockets: see [Broadcast.Timeout].
func (p *Parent) Timeout(d time.Duration) Broadcast { return p.everyone().Timeout(d) }

// find returns the namespace that a client asks for. Slow says that a function of the program must be asked, which
// takes a goroutine of its own.
func (s *Server) find(name string) (n *Namespace, slow bool) {
	s.mu.RLock()
	n = s.namespaces[name]
	parents := s.parents
	s.mu.RUnlock()
	if n != nil {
		return n, false
	}
	for _, p := range parents {
		if p.allow != nil {
			return nil, true
		}
		if p.regexp.MatchString(name) {
			return s.create(name, p, false), false
		}
	}
	return nil, false
}

// ask goes through the parents, functions included.
func (s *Server) ask(ctx context.Context, name string, auth json.RawMessage) *Namespace {
	s.mu.RLock()
	parents := s.parents
	s.mu.RUnlock()
	for _, p := range parents {
		if ctx.Err() != nil {
			return nil
		}
		if p.allows(ctx, name, auth) {
			return s.create(name, p, false)
		}
	}
	return nil
}

func (p *Parent) allows(ctx context.Context, name string, auth json.RawMessage) (ok bool) {
	if p.regexp != nil {
		return p.regexp.MatchString(name)
	}
	err := event.Guard(func() (err error) {
		ok, err = p.allow(ctx, name, auth)
		return err
	})
	if err != nil {
		p.server.report("dynamic namespace", err)
	}
	return ok && err == nil
}

// regexpParent returns the parent whose regular expression matches a name, nil if there is none.
func (s *Server) regexpParent(name string) *Parent {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, p := range s.parents {
		if p.regexp != nil && p.regexp.MatchString(name) {
			return p
		}
	}
	return nil
}
