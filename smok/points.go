package smok

import (
	"errors"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// points is the area of the pathpoints: which there are, and in step with the hub.
type points struct {
	bare
	*host
	values *values
	task   *task

	// Levels of the hub that the store could not take, by path; of the goroutine of the task.
	owed map[string]store.Change

	mu     sync.RWMutex
	named  map[string]*Pathpoint
	asking map[string]chan struct{} // closed when the provider has answered for the name
}

// maxPathpoints bounds what orders for ever new names can lead to.
const maxPathpoints = 100_000

func newPoints(h *host) *points {
	s := &points{host: h, named: make(map[string]*Pathpoint), asking: make(map[string]chan struct{})}
	s.task = &task{name: "pathpoints", every: h.opts.Intervals.Definitions, gather: time.Second, run: s.sync}
	return s
}

func (s *points) name() string   { return "pathpoints" }
func (s *points) tasks() []*task { return []*task{s.task} }

// Pathpoint returns the pathpoint of that name. If it is not registered, [Options.Provider] makes it; an error that
// matches [ErrNotFound] says that it does not. A level that keeps values longer than the one that the pathpoint has
// becomes its level.
//
// The name of a pathpoint that is computed from others begins with r and holds an expression, such as rW{W1}+{W2}. It is
// made anew by each call and not kept; its level is that of its constituents. A device has 100,000 others at most; for more
// the error is a *[QueueFullError].
func (d *Device) Pathpoint(name string, level StorageLevel) (*Pathpoint, error) {
	if err := d.allow("pathpoint", d.opts.Disable.Pathpoints); err != nil {
		return nil, err
	}
	return d.points.get("pathpoint", name, level)
}

// Register adds a pathpoint of the program, best before [Device.Run]. Nil options mean one that only [Pathpoint.Set] gives
// values to. If it is there already, but only since the hub has named it or somebody has asked for it, it gets these
// options. A name that is no native one, or that was registered or provided, is an *[InvalidArgumentError].
func (d *Device) Register(name string, level StorageLevel, opts *PathpointOptions) (*Pathpoint, error) {
	if err := d.allow("register", d.opts.Disable.Pathpoints); err != nil {
		return nil, err
	}
	if _, err := value.NativeType(name); err != nil {
		return nil, smokerr.InvalidArgument("register", "name", "is no name of a native pathpoint", err)
	}
	if err := opts.check("register"); err != nil {
		return nil, err
	}
	p, err := d.points.add(name, level, opts)
	if err != nil {
		return nil, err
	}
	p.ask(level)
	return p, nil
}

// Pathpoints returns the native pathpoints, in no particular order.
func (d *Device) Pathpoints() []*Pathpoint {
	return d.points.all()
}

// lookup finds the pathpoints of orders.
func (d *Device) lookup(path string) (executor.Target, error) {
	if d.opts.Disable.Pathpoints {
		return nil, smokerr.NotFound("lookup", "pathpoint", path)
	}
	p, err := d.points.get("lookup", path, Trend)
	if err != nil {
		return nil, err
	}
	return target{p}, nil
}

// known returns a pathpoint that is there, or nil.
func (s *points) known(name string) *Pathpoint {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.named[name]
}

// get returns a pathpoint, which it makes if need be.
func (s *points) get(op, name string, level StorageLevel) (*Pathpoint, error) {
	if p := s.known(name); p != nil {
		p.ask(level)
		return p, nil
	}
	if value.IsReparse(name) {
		return s.compute(op, name, level)
	}
	if _, err := value.TypeOf(name); err != nil {
		return nil, smokerr.InvalidArgument(op, "name", "is no name of a pathpoint", err)
	}
	for {
		s.mu.Lock()
		if p := s.named[name]; p != nil {
			s.mu.Unlock()
			p.ask(level)
			return p, nil
		}
		answered := s.asking[name]
		if answered == nil {
			answered = make(chan struct{})
			s.asking[name] = answered
			s.mu.Unlock()
			return s.create(name, level, answered)
		}
		s.mu.Unlock()
		<-answered
	}
}

// create lets the provider make a pathpoint. The caller has announced that in s.asking.
func (s *points) create(name string, level StorageLevel, answered chan struct{}) (*Pathpoint, error) {
	defer func() {
		s.mu.Lock()
		delete(s.asking, name)
		s.mu.Unlock()
		close(answered)
	}()
	opts, err := s.provide(name, level)
	if err != nil {
		return nil, err
	}
	if opts == nil {
		return s.find(name, level)
	}
	p, err := s.add(name, level, opts)
	if err != nil {
		return s.find(name, level) // the provider, or somebody meanwhile, has registered it
	}
	return p, nil
}

// provide asks the provider.
func (s *points) provide(name string, level StorageLevel) (opts *PathpointOptions, err error) {
	if s.opts.Provider == nil {
		return nil, nil
	}
	err = s.try("Provider", func() (err error) {
		opts, err = s.opts.Provider(name, level)
		return err
	})
	if err == nil {
		err = opts.check("Provider")
	}
	if err != nil && !errors.Is(err, smokerr.ErrNotFound) {
		s.report("pathpoints", err)
	}
	return opts, err
}

// find returns a pathpoint, which it makes if need be. Nobody has said yet what it does.
func (s *points) find(name string, level StorageLevel) (*Pathpoint, error) {
	if p := s.known(name); p != nil {
		return p, nil
	}
	fresh, err := s.build(name, level)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	if len(s.named) >= maxPathpoints {
		s.mu.Unlock()
		return nil, smokerr.QueueFull("pathpoint", "pathpoints", maxPathpoints)
	}
	p := s.named[name]
	if p == nil {
		p = fresh
		s.named[fresh.name] = p
	}
	s.mu.Unlock()
	s.changed()
	return p, nil
}

// add says what a pathpoint does, which it makes if need be. One of which that was said before is an error.
func (s *points) add(name string, level StorageLevel, opts *PathpointOptions) (*Pathpoint, error) {
	p, err := s.find(name, level)
	if err != nil {
		return nil, err
	}
	if !p.own(opts) {
		return nil, smokerr.InvalidArgument("register", "name", "is taken", nil)
	}
	return p, nil
}

func (s *points) status(st *Status) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	st.Pathpoints = len(s.named)
}
