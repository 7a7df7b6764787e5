//go:build !js

package wsclient

import (
	"context"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// Send sends a message. The data may be reused afterwards.
//
// Without a queue (see [SendOptions]) the message is in the hands of the system when Send returns nil, which says
// nothing about the peer. Without a connection it fails at once with a *ClosedError of code 1006 that matches
// [ErrNotConnected], and [ErrReconnecting] if one is being sought; after giving up the error has that of
// [Manager.Err] as its cause. A write that fails ends the connection.
//
// With a queue the message is in it when Send returns nil, as with Enqueue.
//
// When ctx is done, Send returns with an error that matches that of ctx, and the connection lives on. If the message was
// being written at that moment, the error matches [ErrMaybeSent] as well: the message is completed in the background.
// A context that cannot be done, such as context.Background, is the fastest.
func (m *Manager) Send(ctx context.Context, typ MessageType, data []byte) error {
	if m.outbox != nil {
		return m.sendQueued(ctx, typ, data)
	}
	if limit := m.opts.Send.MaxMessage; limit > 0 && len(data) > limit {
		return m.checkOutgoing(typ, data)
	}
	s := m.live.Load()
	if s == nil || m.sealed.Load() {
		return m.cannotSend()
	}
	if ctx.Done() != nil || len(s.turn) > 0 { // not before a message of the same caller that is still to be completed
		return m.sendWatched(ctx, s, typ, data)
	}
	return s.send(typ, data)
}

// send writes a message at once.
func (s *session) send(typ MessageType, data []byte) error {
	if err := s.conn.Write(typ, data); err != nil {
		return s.marked(err)
	}
	s.m.counters.sentOne(len(data))
	return nil
}

// sendWatched is Send with a context that may end. A write that has begun cannot be taken back, so it gets a copy of
// the data and a goroutine of its own, on which it may outlive the call.
func (m *Manager) sendWatched(ctx context.Context, s *session, typ MessageType, data []byte) error {
	select {
	case <-ctx.Done():
		return m.callEnded(ctx, opSend, nil)
	case s.turn <- struct{}{}: // those before it may take long, and must not be waited for then
	}
	if ctx.Err() != nil {
		<-s.turn
		return m.callEnded(ctx, opSend, nil)
	}
	own := append([]byte(nil), data...)
	result := make(chan error, 1)
	m.tasks.Go(func() {
		defer func() { <-s.turn }()
		result <- s.send(typ, own)
	})
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-result:
		return err
	default:
		return m.callEnded(ctx, opSend, wserr.ErrMaybeSent)
	}
}

// cannotSend is the error of Send without a connection.
func (m *Manager) cannotSend() error {
	m.mu.Lock()
	cause, refusing := m.err, m.refusing
	m.mu.Unlock()
	if refusing != nil {
		return refusing
	}
	info := errkit.Info{Class: wserr.ErrNotConnected, Op: opSend, Target: m.target, Err: cause}
	switch m.State() {
	case StateConnecting, StateReconnecting, StateConnected: // the connection has just been lost
		info.Class, info.Err = wserr.ErrReconnecting, nil
	case StateDisconnected, StateClosing, StateClosed:
	}
	return &ClosedError{Info: info, Code: codeAbnormal, Reason: "Not connected"}
}
