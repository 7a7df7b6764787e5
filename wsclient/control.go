//go:build !js

package wsclient

import (
	"context"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// DisconnectOptions are the settings of [Manager.Disconnect]. The zero value ends the connection for good.
type DisconnectOptions struct {
	// ReconnectAfter, if positive, is when to connect again, counted from the call. Zero means not at all, unless
	// [ControlOptions].ShouldReconnect says so.
	ReconnectAfter time.Duration

	// Reason is given to hooks. Zero means ReasonUserRequested; it must be a proactive one.
	Reason DisconnectReason
}

// Disconnect ends the connection with close code 1000, although the manager would otherwise reconnect. The state changes
// at once: to StateReconnecting if the connection is to come back, and to StateDisconnected otherwise. Disconnect
// returns when the connection is closed, or when ctx is done, which changes nothing about that.
//
// Attempts that are under way, and plans for later ones, end or are replaced by that of the options. At rest it does
// nothing. Its errors are those of ctx, and *ConfigError.
func (m *Manager) Disconnect(ctx context.Context, opts *DisconnectOptions) error {
	var o DisconnectOptions
	if opts != nil {
		o = *opts
	}
	if o.Reason == ReasonNone {
		o.Reason = ReasonUserRequested
	}
	switch {
	case !o.Reason.IsProactive():
		return wserr.Config("disconnect", "Reason", "not a proactive one")
	case o.ReconnectAfter < 0:
		return wserr.Config("disconnect", "ReconnectAfter", "negative")
	}
	closed := make(chan struct{})
	ok := m.command(func() {
		again := o.ReconnectAfter > 0
		if !m.supervisor.disconnect(leaving{
			reason: o.Reason, text: "user requested disconnect",
			again: again, delay: o.ReconnectAfter, scheduled: again, done: func() { close(closed) },
		}) {
			close(closed)
		}
	})
	if !ok {
		return nil
	}
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return m.callEnded(ctx, opClose, nil)
	}
}

// Reconnect ends the connection, if there is one, and connects anew at once: without a delay, and with the attempts
// counted from 1 again. It cuts the delay of an outage short. It waits as Connect does, and its errors are the same.
func (m *Manager) Reconnect(ctx context.Context) error {
	return m.await(ctx, m.supervisor.reconnect)
}

// ScheduleReconnect connects after d, and returns at once. It replaces whatever the manager waits for, an earlier
// schedule included, and is itself replaced or ended by Connect, Disconnect, Kill and Close. While there is a connection,
// or one is being made, it fails with a *StateError and changes nothing.
func (m *Manager) ScheduleReconnect(d time.Duration) error {
	if d < 0 {
		return wserr.Config("schedule", "delay", "negative")
	}
	var allowed bool
	if !m.command(func() { allowed = m.supervisor.scheduleReconnect(d) }) {
		return m.closedError("schedule")
	}
	if !allowed {
		return m.stateError("schedule")
	}
	return nil
}

// WaitReconnectWindow asks fn until it says that a connection is wanted, and returns true then. Nil means
// ControlOptions.ShouldReconnect. If fn says now, that is at once; after a positive delay it is asked again; otherwise
// after ReconnectCheckInterval. It connects nothing by itself. It returns false with an error when ctx is done, when the
// manager is closed, and, a *StateError, when there is nothing to ask. A panic in fn counts as not yet.
func (m *Manager) WaitReconnectWindow(ctx context.Context, fn func() (now bool, in time.Duration)) (bool, error) {
	if fn == nil {
		fn = m.opts.Control.ShouldReconnect
	}
	if fn == nil {
		return false, m.stateError(opWait)
	}
	for {
		if ctx.Err() != nil {
			return false, m.callEnded(ctx, opWait, nil)
		}
		var now bool
		var in time.Duration
		m.dispatch.guard("ShouldReconnect", func() { now, in = fn() })
		if now {
			return true, nil
		}
		if in <= 0 {
			in = m.opts.Control.ReconnectCheckInterval
		}
		pause := time.NewTimer(in)
		select {
		case <-pause.C:
		case <-ctx.Done():
		case <-m.closed:
			pause.Stop()
			return false, m.closedError(opWait)
		}
		pause.Stop()
	}
}

// Kill cuts the connection as a failing network would, without a close frame, for tests and watchdogs. Unlike a loss it
// does not lead to attempts to reconnect: the state is StateDisconnected afterwards, and Connect works. Attempts
// under way end. At rest it does nothing.
func (m *Manager) Kill() { m.command(m.supervisor.kill) }

// KillAndReconnect cuts the connection and treats that as a loss through the network. Without a connection it does
// nothing.
func (m *Manager) KillAndReconnect() {
	if s := m.live.Load(); s != nil {
		s.fail(ReasonKilled, m.killed(s.gen))
	}
}

func (m *Manager) stateError(op string) error {
	return &StateError{Info: errkit.Info{Class: wserr.ErrState, Op: op, Target: m.target}, State: m.State()}
}
