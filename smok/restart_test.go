package smok_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// machine is what outlives a process: a store, and the effects of handlers.
type machine struct {
	*world
	disk *store.Store
	full bool // what boots finds a store that takes nothing

	mu      sync.Mutex
	effects []string
}

func newMachine(w *world) *machine { return &machine{world: w, disk: store.Memory(nil)} }

// effect takes note of what a handler has done.
func (m *machine) effect(what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.effects = append(m.effects, what)
}

// done returns the effects so far.
func (m *machine) done() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.effects)
}

var (
	errKilled = errors.New("the process was killed")
	errFull   = errors.New("no space left")
)

// process is one run of the program on a machine. When it is killed it can do nothing any more, however long its
// goroutines take to end.
type process struct {
	*machine
	device *smok.Device
	dead   atomic.Bool
	stuck  atomic.Bool  // the store takes nothing
	killAt atomic.Int64 // counts the writes of journal and state down; at 0 the process is killed

	mu    sync.Mutex
	conns []net.Conn
}

// boot starts a process. The function prepares the device before it runs.
func (m *machine) boot(opts smok.Options, prepare func(p *process)) *process {
	m.t.Helper()
	p := &process{machine: m}
	p.stuck.Store(m.full)
	opts.Store = &store.Store{
		Trend: p.log(m.disk.Trend), Permanent: p.log(m.disk.Permanent), Events: p.log(m.disk.Events), Logs: p.log(m.disk.Logs),
		Writes: p.log(m.disk.Writes), Journal: p.log(m.disk.Journal), State: p.log(m.disk.State),
		Keyed: keyed{m.disk.Keyed, p}, Blobs: blobs{m.disk.Blobs},
	}
	o := m.options(opts)
	o.DialContext = p.dial
	d, err := smok.New(credentials(m.t, m.hub), o)
	if err != nil {
		m.t.Fatal(err)
	}
	p.device = d
	m.t.Cleanup(func() { _ = d.Close() })
	if prepare != nil {
		prepare(p)
	}
	m.start(d)
	return p
}

// kill ends the process at once, as a power cut would.
func (p *process) kill() {
	p.dead.Store(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
}

// bury waits until nothing of a killed process is left.
func (p *process) bury() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.device.Shutdown(ctx)
	synctest.Wait()
}

func (p *process) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if p.dead.Load() {
		return nil, errKilled
	}
	c, err := p.network.DialContext(ctx, network, addr)
	if err == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.conns = append(p.conns, c)
	}
	return c, err
}

// refusal says why the store takes nothing, if so.
func (p *process) refusal() error {
	switch {
	case p.dead.Load():
		return errKilled
	case p.stuck.Load():
		return errFull
	}
	return nil
}

// log is a log that a killed process cannot write, and that no process closes.
func (p *process) log(l store.Log) store.Log {
	return log{l, p, l == p.disk.Journal || l == p.disk.State}
}

type log struct {
	store.Log
	p       *process
	counted bool // its writes count for killAt
}

func (l log) Close() error { return nil }

func (l log) AppendBatch(ctx context.Context, entries []store.Entry) (uint64, error) {
	if l.counted && l.p.killAt.Add(-1) == 0 {
		l.p.kill()
	}
	if err := l.p.refusal(); err != nil {
		return 0, err
	}
	return l.Log.AppendBatch(ctx, entries)
}

func (l log) Append(ctx context.Context, e store.Entry) (uint64, error) {
	if err := l.p.refusal(); err != nil {
		return 0, err
	}
	return l.Log.Append(ctx, e)
}

func (l log) Remove(upTo uint64) error {
	if err := l.p.refusal(); err != nil {
		return err
	}
	return l.Log.Remove(upTo)
}

type keyed struct {
	store.Keyed
	p *process
}

func (k keyed) Close() error { return nil }

func (k keyed) Apply(changes ...store.Change) error {
	if err := k.p.refusal(); err != nil {
		return err
	}
	return k.Keyed.Apply(changes...)
}

type blobs struct{ store.Blobs }

func (blobs) Close() error { return nil }
