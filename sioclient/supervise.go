package sioclient

import (
	"context"
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// maxRetryAfter is the longest delay that a server may ask for.
const maxRetryAfter = 5 * time.Minute

// errOldServer reports a server of Socket.IO 2 that was taken for a newer one.
var errOldServer = errors.New("the server speaks Socket.IO 2")

// supervise keeps a connection up for as long as the run lasts.
func (m *Manager) supervise(r *run) {
	attempt := 0 // within this outage; 0 is the first attempt of all
	for {
		l, err := m.attempt(r, attempt)
		if err == nil {
			if attempt > 0 {
				n := attempt
				m.counters.reconnects.Add(1)
				if f := m.opts.Hooks.OnReconnect; f != nil {
					m.tell(func() { f(n) })
				}
			}
			attempt = 0
			err = m.watch(r, l)
		} else {
			m.attemptFailed(r, err, attempt)
		}
		if r.ctx.Err() != nil {
			return
		}
		if errors.Is(err, errOldServer) && m.opts.Version == VersionAuto {
			continue // at once, the other way
		}
		limit := m.opts.ReconnectionAttempts
		if m.opts.DisableReconnection || limit > 0 && attempt >= limit {
			m.giveUp(r, err, attempt)
			return
		}
		attempt++
		if !m.pause(r, attempt, err) {
			return
		}
	}
}

// watch waits for the end of a connection and returns why it ended.
func (m *Manager) watch(r *run, l *link) error {
	select {
	case <-l.done:
	case <-r.ctx.Done():
		l.close()
		<-l.done
	}
	l.conn.Wait()
	return l.err
}

// pause waits for the time of an attempt. It reports false if the run ended meanwhile.
func (m *Manager) pause(r *run, attempt int, cause error) bool {
	delay := m.opts.Backoff(attempt)
	if wanted, ok := errkit.RetryAfter(cause); ok {
		delay = max(delay, min(wanted, maxRetryAfter))
	}
	if f := m.opts.Hooks.OnReconnectWait; f != nil {
		m.tell(func() { f(attempt, delay) })
	}
	m.opts.Logger.Info("will connect again", "module", "sioclient", "target", m.target, "attempt", attempt, "delay", delay)
	if retry.Wait(r.ctx, delay) != nil {
		return false
	}
	m.counters.attempts.Add(1)
	if f := m.opts.Hooks.OnReconnectAttempt; f != nil {
		m.tell(func() { f(attempt) })
	}
	return true
}

// attempt makes a connection and puts it on duty.
func (m *Manager) attempt(r *run, number int) (*link, error) {
	ctx := r.ctx
	if m.opts.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, m.opts.Timeout)
		defer cancel()
	}
	l, err := m.dial(ctx, number)
	if err != nil {
		return nil, m.connectionError(ctx, err, number)
	}
	if !m.onDuty(r, l) {
		l.conn.Wait()
		return nil, m.connectionError(ctx, l.err, number)
	}
	return l, nil
}

func (m *Manager) dial(ctx context.Context, number int) (*link, error) {
	a := Attempt{Number: number, URL: m.addr.base, Engine: m.opts.Engine}
	if a.Engine.Path == "" {
		a.Engine.Path = "/socket.io/"
	}
	if a.Engine.Logger == nil {
		a.Engine.Logger = m.opts.Logger
	}
	if m.opts.Prepare != nil {
		if err := m.opts.Prepare(ctx, &a); err != nil {
			return nil, err
		}
	}
	m.mu.Lock()
	switch m.version {
	case Version3:
		a.Engine.EngineVersion = 3
	case Version4:
		a.Engine.EngineVersion = 4
	default:
		a.Engine.EngineVersion = engineio.EngineAuto
	}
	m.mu.Unlock()
	return dialLink(ctx, m, &a)
}

// onDuty gives a new connection to the sockets. It reports false if that has ended already.
func (m *Manager) onDuty(r *run, l *link) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l.over {
		return false
	}
	if r.ctx.Err() != nil {
		return true // the run closes it
	}
	m.link, l.onDuty = l, true
	m.counters.connections.Add(1)
	m.opts.Logger.Info("connected", "module", "sioclient", "target", m.target, "transport", l.conn.Transport())
	if f := m.opts.Hooks.OnOpen; f != nil {
		m.tell(f)
	}
	m.held = m.held || len(m.waiters) > 0
	m.waiters.end(nil)
	l.begin()
	for _, s := range m.all() {
		if s.active {
			s.join(l)
		}
	}
	return true
}

// attemptFailed tells everybody of an attempt that failed, unless nobody wants it any more.
func (m *Manager) attemptFailed(r *run, err error, attempt int) {
	var after deferred
	defer func() { after.run() }()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.run != r {
		return
	}
	m.opts.Logger.Warn("cannot connect", "module", "sioclient", "target", m.target, "attempt", attempt, "error", err)
	if f := m.opts.Hooks.OnError; f != nil {
		m.tell(func() { f(err) })
	}
	if f := m.opts.Hooks.OnReconnectError; f != nil && attempt > 0 {
		m.tell(func() { f(err) })
	}
	if !m.settled {
		m.version = m.opts.Version
	}
	for _, s := range m.all() {
		if s.active {
			s.connectFailed(err, &after)
		}
	}
	if !m.opts.RetryFirst {
		m.waiters.end(err)
	}
	m.stopIfIdle()
}

// giveUp lets everybody rest, after as many attempts as were allowed.
func (m *Manager) giveUp(r *run, cause error, attempts int) {
	var after deferred
	defer func() { after.run() }()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.run != r {
		return // nobody wants it any more, or somebody wants it anew
	}
	m.run = nil
	err := cause
	if attempts > 0 {
		err = &DisconnectedError{Info: errkit.Info{
			Class: sioerr.ErrReconnect, Op: "connect", Target: m.target, Attempts: attempts, Err: cause,
			Kind: errkit.NotSent,
		}}
		m.opts.Logger.Warn("gave up", "module", "sioclient", "target", m.target, "attempts", attempts)
	}
	if f := m.opts.Hooks.OnReconnectFailed; f != nil && attempts > 0 {
		m.tell(func() { f(err) })
	}
	m.held = false
	m.waiters.end(err)
	for _, s := range m.all() {
		if s.active {
			s.abandon(err, &after)
		}
	}
}

// connectionError makes the error of an attempt that failed.
func (m *Manager) connectionError(ctx context.Context, cause error, number int) error {
	info := errkit.Info{
		Class: ErrConnection, Op: "connect", Target: m.target, Attempts: number + 1,
		Kind: errkit.TransportKind(cause), Err: errkit.CleanCause(cause),
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		info.Class = ErrConnectTimeout
	}
	if after, ok := errkit.RetryAfter(cause); ok {
		info.RetryAfter = after
	}
	return &ConnectionError{Info: info}
}
