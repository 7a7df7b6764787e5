package sioclient

import (
	"context"
	"errors"
	"slices"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// waiters are the calls that wait for a connection. The manager's lock guards them.
type waiters []*waiter

type waiter struct{ end chan error } // holds one

func (ws *waiters) add() *waiter {
	w := &waiter{end: make(chan error, 1)}
	*ws = append(*ws, w)
	return w
}

// remove takes a call out. It reports false if that has got its result.
func (ws *waiters) remove(w *waiter) bool {
	i := slices.Index(*ws, w)
	if i >= 0 {
		*ws = slices.Delete(*ws, i, i+1)
	}
	return i >= 0
}

// end ends all calls with a result.
func (ws *waiters) end(err error) {
	for _, w := range *ws {
		w.end <- err
	}
	*ws = nil
}

// wait waits for the result of w, or until ctx is done; then it returns the error of that, after it has called giveUp
// with it, under the lock.
func (ws *waiters) wait(ctx context.Context, w *waiter, m *Manager, namespaces []string, giveUp func(err error)) error {
	select {
	case err := <-w.end:
		return err
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !ws.remove(w) { // it came at the same moment
		return <-w.end
	}
	err := m.contextError(ctx, "connect", namespaces)
	giveUp(err)
	return err
}

// contextError makes the error of a call that waited for a connection until its context was done.
func (m *Manager) contextError(ctx context.Context, op string, namespaces []string) error {
	class := ErrConnection
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		class = ErrConnectTimeout
	}
	return &ConnectionError{
		Info:       errkit.Info{Class: class, Op: op, Target: m.target, Err: errkit.FromContext(ctx)},
		Namespaces: namespaces,
	}
}

// joinFailures makes one error of those of several sockets.
func joinFailures(target string, sockets []*Socket, errs []error) error {
	var failed []string
	var causes []error
	for i, err := range errs {
		if err != nil && !errors.Is(err, sioerr.ErrAlreadyConnected) {
			failed = append(failed, sockets[i].nsp)
			causes = append(causes, err)
		}
	}
	switch len(causes) {
	case 0:
		return nil
	case 1:
		return causes[0]
	}
	return &ConnectionError{
		Info:       errkit.Info{Class: ErrConnection, Op: "connect", Target: target, Err: errors.Join(causes...)},
		Namespaces: failed,
	}
}

// deferred are functions that must not run while the manager's lock is held: they call code of the program.
type deferred []func()

func (d *deferred) add(f func()) { *d = append(*d, f) }

func (d deferred) run() {
	for _, f := range d {
		f()
	}
}
