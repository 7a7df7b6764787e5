package pikvm

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Messages that wait for the session, which takes them at once.
const (
	maxInboxMessages = 64
	maxInboxBytes    = 4 << 20
)

// open makes the first connection. The client's limit rules each attempt; without RetryFirst there is one, for which ctx
// may have another limit.
func (s *Session) open(ctx context.Context) error {
	var err error
	s.manager, err = wsclient.New(s.client.url("ws", socketPath, nil), &wsclient.Options{
		Dial: wsclient.DialOptions{DialFunc: s.connect, HandshakeTimeout: -1}, // an attempt has the client's limit
		Reconnect: wsclient.ReconnectOptions{
			Strategy: wsclient.Callback, Delay: s.pause, OnClose: s.lost, MaxAttempts: wsclient.Unlimited,
			Backoff: retry.Backoff{MaxRetryAfter: s.opts.Backoff.MaxRetryAfter},
		},
		Receive:   wsclient.ReceiveOptions{MaxMessages: maxInboxMessages, MaxBytes: maxInboxBytes, Overflow: wsclient.Block},
		Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1}, // the device has pings of its own: see eventLink
	})
	if err != nil {
		return newWebSocketError(ErrWebSocket, opSocket, s.client.target, 0, "", err)
	}
	wait := ctx
	if !s.opts.RetryFirst {
		if s.first, err = s.dial(ctx); err != nil {
			return err
		}
		wait = context.Background() // the manager has nothing to wait for
	}
	wait, cancel := context.WithCancel(wait)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	if s.manager.Connect(wait) == nil {
		return nil
	}
	_ = s.manager.Close() // returns nil
	if s.first != nil {
		_ = s.first.CloseNow() // returns nil
	}
	cause := s.reason()
	switch {
	case s.life.Err() != nil:
		return closedError(opSocket, s.client.target, 0)
	case ctx.Err() != nil:
		return contextError(ctx, opSocket, s.client.target, cause)
	}
	return cause
}

const socketPath = "/api/ws"

// dial makes one attempt to connect.
func (s *Session) dial(ctx context.Context) (*wsconn.Conn, error) {
	stream := "0"
	if s.opts.Stream {
		stream = "1"
	}
	return s.client.dialSocket(ctx, opSocket, socketPath, url.Values{"stream": {stream}}, 0)
}

// connect makes a connection for the manager, or says whether trying again can help.
func (s *Session) connect(ctx context.Context, _ wsclient.Attempt) (*wsconn.Conn, error) {
	conn := s.first
	s.first = nil
	if conn == nil {
		var err error
		if conn, err = s.dial(ctx); err != nil {
			if ctx.Err() == nil {
				s.setReason(err)
			}
			if s.lasts(err) {
				err = errors.Join(wsclient.ErrGiveUp, err)
			}
			return nil, err
		}
	}
	s.delays.Connected()
	// No key arrives after the end of its connection, if the network knows how to throw it away.
	_ = conn.SetLinger(0)
	s.wire.Lock() // input that is being written belongs to the connection before
	defer s.wire.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Connections++
	s.newest = newEventLink(conn, s.stats.Connections, s.opts.SilenceTimeout)
	s.made = append(s.made, s.newest)
	return conn, nil
}

// lasts reports whether err ends the attempts: the first connection is for the caller to worry about, later ones are sought
// as long as trying again may help.
func (s *Session) lasts(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.newest == nil {
		return !errkit.Transient(err)
	}
	return isFinal(err)
}

// isFinal reports whether trying to connect again cannot help.
func isFinal(err error) bool {
	return errors.Is(err, ErrAuth) || errors.Is(err, ErrRedirect) ||
		errors.Is(err, ErrConfiguration) || errors.Is(err, ErrClosed)
}

// lost notes why a connection ended. The manager asks what to do then: the session always wants another one.
func (s *Session) lost(wsclient.CloseInfo) wsclient.Decision {
	s.mu.Lock()
	link := s.newest
	s.mu.Unlock()
	s.setReason(link.end("events.Read", s.client.target))
	return wsclient.Decision{}
}

// pause says how long to wait before the next attempt, and tells why it is needed.
func (s *Session) pause(wsclient.Attempt) (time.Duration, error) {
	cause := s.reason()
	delay, attempt := s.delays.Next(cause), s.delays.Attempt()
	if s.opts.OnRetry != nil {
		s.opts.OnRetry(attempt, delay, cause)
	}
	s.log.LogAttrs(s.life, slog.LevelWarn, "reconnect", slog.Int("attempt", attempt),
		slog.Duration("delay", delay), errkit.Attr(cause))
	return delay, nil
}

// reason returns why there is no connection.
func (s *Session) reason() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastErr
}

func (s *Session) setReason(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastErr = err
}
