//go:build !js

package wsclient

import (
	"context"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// Close closes the manager for good. The connection gets a close frame with code 1000 and
// [wsconn.Options].CloseTimeout to answer; dials and delays end at once. What waits to be sent stays behind: see
// Pending. Messages that arrived can still be received, and then every call fails with a *ClosedError.
//
// Close waits until nothing of the manager runs any more, but for code of the program, such as a hook, no longer than
// CloseTimeout: it may be called from there. It returns nil, also when called again.
func (m *Manager) Close() error {
	m.shut(ReasonUserRequested, "close")
	return nil
}

// Shutdown closes the manager after everything that waits to be sent has been sent and, if the peer acknowledges,
// acknowledged. Meanwhile nothing more is taken: sending fails with [ErrShuttingDown]. When ctx is done before, or the
// manager is at rest, it closes as Close does and returns a *DrainError with what stays behind, unless a spool keeps
// that.
func (m *Manager) Shutdown(ctx context.Context) error {
	m.mu.Lock()
	m.shutdown = true
	m.mu.Unlock()
	err := m.drain(ctx)
	m.shut(ReasonShutdown, "shutdown")
	return err
}

// shut closes the manager and waits for that.
func (m *Manager) shut(reason DisconnectReason, text string) {
	m.post(func() { m.supervisor.shut(reason, text) })
	<-m.closed
	m.tasks.wait(m.opts.Conn.CloseTimeout)
}

// drain waits until everything is sent, and takes nothing more.
func (m *Manager) drain(ctx context.Context) error {
	m.mu.Lock()
	if m.refusing == nil {
		m.refusing = &ClosedError{Info: errkit.Info{Class: wserr.ErrShuttingDown, Op: opSend, Target: m.target}, Code: codeNormal}
	}
	m.mu.Unlock()
	m.sealed.Store(true)
	if m.outbox == nil {
		return nil
	}
	m.outbox.Seal()
	var cause error
	if m.command(func() { cause = m.supervisor.idle() }) && cause == nil {
		select {
		case <-m.outbox.Empty():
			return nil
		case <-ctx.Done():
			cause = errkit.FromContext(ctx)
		case <-m.Done():
			cause = m.Err()
		}
	}
	select {
	case <-m.outbox.Empty():
		return nil
	default:
		return m.leftBehind(cause)
	}
}

// leftBehind is the error of a shutdown that ended early because of cause. What is in a spool
// is safe and no reason for one.
func (m *Manager) leftBehind(cause error) error {
	unsent, unacked := m.outbox.Left()
	if unsent+unacked == 0 {
		return nil
	}
	return &DrainError{
		Info: errkit.Info{
			Class: wserr.ErrDrain, Op: "shutdown", Target: m.target, Kind: errkit.TransportKind(cause), Err: cause,
		},
		Unsent: unsent, Unacked: unacked,
	}
}
