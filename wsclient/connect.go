//go:build !js

package wsclient

import (
	"context"
)

// Connect connects and returns nil when there is a connection. If there is one already, it does nothing; if one is
// being sought, it waits for the same attempts. It fails when these are used up, see
// [ReconnectOptions].MaxInitialAttempts, with the error of the last one: a *ConnectionError, *HandshakeError,
// *ProtocolError or *TimeoutError with the number of attempts; and after Close with a *ClosedError.
//
// The context bounds this call only. When it is done before, and nobody else wants a first connection, the attempts
// end; those that are to regain a lost connection go on.
func (m *Manager) Connect(ctx context.Context) error {
	return m.await(ctx, m.supervisor.connect)
}

// await lets the supervisor begin something, and waits for a connection.
func (m *Manager) await(ctx context.Context, begin func(*waiter)) error {
	if ctx.Err() != nil {
		return m.callEnded(ctx, opConnect, nil)
	}
	w := newWaiter()
	if !m.post(func() { begin(w) }) {
		return m.closedError(opConnect)
	}
	select {
	case err := <-w.result:
		return err
	case <-ctx.Done():
	}
	err := m.callEnded(ctx, opConnect, nil)
	m.command(func() { m.supervisor.leave(w, err) })
	select {
	case result := <-w.result: // came first, or just now
		if result == nil {
			return nil
		}
	default:
	}
	return err
}

// command lets the supervisor run f and waits until it has. It reports false, and f did not run, if the manager is
// closed.
func (m *Manager) command(f func()) bool {
	done := make(chan struct{})
	if !m.post(func() {
		defer close(done)
		f()
	}) {
		return false
	}
	<-done
	return true
}

// Start connects in the background and returns at once. Its attempts are those of Connect; Done and Hooks.OnGiveUp tell
// if they are used up. The end of ctx closes the manager with ReasonContextDone, after up to
// [ControlOptions].DrainOnCancel. It fails with a *ClosedError after Close.
func (m *Manager) Start(ctx context.Context) error {
	if ctx.Err() != nil {
		return m.callEnded(ctx, opConnect, nil)
	}
	m.watchContext(ctx)
	if !m.post(func() { m.supervisor.connect(newWaiter()) }) {
		m.forgetContexts()
		return m.closedError(opConnect)
	}
	return nil
}

// Run is Start, and waits until the manager is at rest: closed, disconnected or given up. It returns [Manager.Err], or
// the error of ctx if that was the reason.
func (m *Manager) Run(ctx context.Context) error {
	if ctx.Err() != nil {
		return m.callEnded(ctx, opConnect, nil)
	}
	m.watchContext(ctx)
	if !m.command(func() { m.supervisor.connect(newWaiter()) }) {
		m.forgetContexts()
		return m.closedError(opConnect)
	}
	<-m.Done()
	if ctx.Err() != nil {
		<-m.closed
		m.tasks.wait(m.opts.Conn.CloseTimeout)
		return m.callEnded(ctx, opConnect, nil)
	}
	return m.Err()
}

// watchContext closes the manager when ctx is done. A program that starts again and again with the same context has it
// watched once.
func (m *Manager) watchContext(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.contexts[ctx.Done()] == nil {
		m.contexts[ctx.Done()] = context.AfterFunc(ctx, func() { m.tasks.Go(func() { m.contextDone(ctx) }) })
	}
}

// forgetContexts is called when the manager is closed.
func (m *Manager) forgetContexts() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, stop := range m.contexts {
		stop()
	}
	clear(m.contexts)
}

func (m *Manager) contextDone(ctx context.Context) {
	if limit := m.opts.Control.DrainOnCancel; limit > 0 {
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		defer cancel()
		_ = m.drain(drain) // what stays behind is in Pending and Stats
	}
	m.post(func() { m.supervisor.shut(ReasonContextDone, "context done") })
}
