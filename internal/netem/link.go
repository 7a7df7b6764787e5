package netem

import (
	"context"
	"net"
	"sync"
	"time"
)

// Count tells how far the bytes of one direction came.
type Count struct {
	Written int64 // taken from the sender
	Passed  int64 // have crossed the wire
	Read    int64 // given to the receiver
}

// State is a snapshot of a link.
type State struct {
	Up, Down Count
	// Cut tells that the link was cut, Mode how it was cut last.
	Cut  bool
	Mode CutMode
	// DialerClosed and AcceptorClosed tell that an end was closed or reset by its own side. Behind a Proxy these
	// are the proxy's ends: both are set when it is done with the connection.
	DialerClosed, AcceptorClosed bool
}

// Count returns the count of one direction, the sum of the two for [Both].
func (s State) Count(dir Direction) Count {
	switch dir {
	case Up:
		return s.Up
	case Down:
		return s.Down
	case Both:
		return Count{
			Written: s.Up.Written + s.Down.Written,
			Passed:  s.Up.Passed + s.Down.Passed,
			Read:    s.Up.Read + s.Down.Read,
		}
	}
	return Count{}
}

// Closed tells that both ends are closed.
func (s State) Closed() bool { return s.DialerClosed && s.AcceptorClosed }

// Link is one connection, with its faults. All methods may be called from any goroutine.
type Link struct {
	Faults
	id        int
	target    string
	announced bool // the hook has seen it; the mutex of its links guards this

	// mu guards all of the link: both pipes, both ends. It is never held while something waits,
	// except on a condition, so it does not keep a synctest bubble from being idle.
	mu       sync.Mutex
	changed  sync.Cond
	up, down pipe
	dialer   *Conn
	acceptor *Conn
	wasCut   bool
	mode     CutMode
}

// newLink makes link number id to target.
func newLink(id int, target string, up, down knobs, dialer, acceptor net.Addr) *Link {
	l := &Link{id: id, target: target}
	l.Faults.target = l
	l.changed.L = &l.mu
	l.dialer = &Conn{link: l, local: dialer, remote: acceptor, in: &l.down, out: &l.up}
	l.acceptor = &Conn{link: l, local: acceptor, remote: dialer, in: &l.up, out: &l.down}
	l.up.knobs, l.up.from, l.up.to = up, l.dialer, l.acceptor
	l.down.knobs, l.down.from, l.down.to = down, l.acceptor, l.dialer
	for _, p := range []*pipe{&l.up, &l.down} {
		p.readable.L, p.writable.L = &l.mu, &l.mu
	}
	return l
}

// ID returns the number of the link, in the order of dialling, from 1.
func (l *Link) ID() int { return l.id }

// Target returns the address that was dialled.
func (l *Link) Target() string { return l.target }

// State returns a snapshot of the link.
func (l *Link) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state()
}

// Wait returns nil as soon as done returns true for the state of the link, or the error of ctx. It calls done after
// every change, one call at a time; done must not call methods of the link.
func (l *Link) Wait(ctx context.Context, done func(State) bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return await(ctx, &l.changed, func() bool { return done(l.state()) })
}

// latency returns what one direction, Up or Down, is set to.
func (l *Link) latency(dir Direction) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pipes(dir)[0].latency
}

func (l *Link) state() State {
	return State{
		Up: l.up.count, Down: l.down.count, Cut: l.wasCut, Mode: l.mode,
		DialerClosed: l.dialer.closed, AcceptorClosed: l.acceptor.closed,
	}
}

// change implements controlled.
func (l *Link) change(dir Direction, set func(*knobs)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.pipes(dir) {
		set(&p.knobs)
		p.writable.Broadcast()
		p.advance()
	}
	l.changed.Broadcast()
}

// cut implements controlled.
func (l *Link) cut(mode CutMode) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isClosed() {
		return
	}
	l.sever(mode)
	l.changed.Broadcast()
}

// sever cuts both directions.
func (l *Link) sever(mode CutMode) {
	l.wasCut, l.mode = true, mode
	for _, p := range l.pipes(Both) {
		switch mode {
		case FIN:
			p.lose(severed)
			p.fin = true
			p.readable.Broadcast()
		case RST:
			p.lose(severed)
			p.to.reset()
		case Silence:
			p.lose(holds)
		case Swallow:
			p.lose(swallows)
		}
	}
}

func (l *Link) pipes(dir Direction) []*pipe {
	switch dir {
	case Up:
		return []*pipe{&l.up}
	case Down:
		return []*pipe{&l.down}
	case Both:
		return []*pipe{&l.up, &l.down}
	}
	return nil
}

// isClosed tells that both ends are closed.
func (l *Link) isClosed() bool { return l.dialer.closed && l.acceptor.closed }

// await waits on cond, whose lock is held, until done returns true or ctx ends.
func await(ctx context.Context, cond *sync.Cond, done func() bool) error {
	if done() {
		return nil
	}
	stop := context.AfterFunc(ctx, func() {
		cond.L.Lock()
		defer cond.L.Unlock()
		cond.Broadcast()
	})
	defer stop()
	for !done() {
		if err := ctx.Err(); err != nil {
			return err
		}
		cond.Wait()
	}
	return nil
}
