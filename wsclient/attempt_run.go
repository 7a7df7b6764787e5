//go:build !js

package wsclient

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wsurl"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// attempt is one attempt to connect: credentials, dial, handshake hook, subscriptions. It runs on a goroutine of its own.
type attempt struct {
	m         *Manager
	step      step
	ctx       context.Context // ends with the attempt's time, and when it is given up
	cancel    context.CancelFunc
	deadline  time.Time       // zero if there is none
	announced <-chan struct{} // OnAttempt has returned; nil if there is nothing to wait for
	refreshed bool            // whether the credentials were; to be read when the attempt is done
}

// errAttemptTime is the cause of the end of an attempt's context when its time is up.
var errAttemptTime = errors.New("time of the attempt is up")

func newAttempt(m *Manager, s step) *attempt {
	a := &attempt{m: m, step: s}
	if limit := m.opts.Dial.HandshakeTimeout; limit > 0 {
		a.deadline = time.Now().Add(limit)
		a.ctx, a.cancel = context.WithDeadlineCause(m.life, a.deadline, errAttemptTime)
	} else {
		a.ctx, a.cancel = context.WithCancel(m.life)
	}
	return a
}

// run returns a session whose reader runs and whose subscriptions were sent.
func (a *attempt) run() (*session, error) {
	defer a.cancel()
	sess, err := a.connect()
	if err != nil {
		return nil, a.explain(err)
	}
	return sess, nil
}

func (a *attempt) connect() (*session, error) {
	conn, err := a.open()
	if err != nil {
		return nil, err
	}
	if err := a.handshake(conn); err != nil {
		_ = conn.CloseNow() // returns nil
		return nil, err
	}
	sess := newSession(a.m, conn, a.m.gen.Add(1), a.step.Attempt)
	a.m.counters.opened(conn)
	a.m.tasks.Go(sess.read)
	if err := a.replay(sess); err != nil {
		sess.fail(reasonOf(err), err)
		return nil, err
	}
	return sess, nil
}

// open makes the connection, or lets the program do it.
func (a *attempt) open() (*wsconn.Conn, error) {
	if a.m.opts.Dial.DialFunc != nil {
		return a.dialFunc()
	}
	url, opts, err := a.prepare()
	if err != nil {
		return nil, err
	}
	return a.dial(url, opts)
}

// dialFunc asks the program for a connection.
func (a *attempt) dialFunc() (*wsconn.Conn, error) {
	var conn *wsconn.Conn
	err := a.ask("Dial.DialFunc", func() (err error) {
		conn, err = a.m.opts.Dial.DialFunc(a.ctx, a.step.Attempt)
		if conn == nil && err == nil {
			err = errNoConn
		}
		return err
	})
	if err != nil && conn != nil {
		_ = conn.CloseNow() // returns nil
	}
	return conn, err
}

var errNoConn = errors.New("neither a connection nor an error")

// prepare asks the program for credentials, address and headers.
func (a *attempt) prepare() (url string, opts *wsconn.DialOptions, err error) {
	d := &a.m.opts.Dial
	if a.step.refresh {
		if err := a.ask("Dial.AuthRefresh", func() error { return d.AuthRefresh(a.ctx, a.step.Attempt) }); err != nil {
			return "", nil, err
		}
		a.refreshed = true
	}
	url = a.step.url
	if d.URLFunc != nil {
		err := a.ask("Dial.URLFunc", func() (err error) {
			url, err = d.URLFunc(a.ctx, a.step.Attempt)
			return err
		})
		if err != nil {
			return "", nil, err
		}
		u, err := wsurl.Parse(opConnect, "url", url)
		if err != nil {
			return "", nil, err
		}
		a.step.Endpoint = redact.URL(u)
	}
	opts = a.m.dialOptions()
	if d.HeaderFunc != nil {
		err := a.ask("Dial.HeaderFunc", func() error {
			more, err := d.HeaderFunc(a.ctx, a.step.Attempt)
			opts.Header = maps.Clone(opts.Header)
			if opts.Header == nil {
				opts.Header = make(http.Header)
			}
			for name, values := range more {
				opts.Header[http.CanonicalHeaderKey(name)] = values
			}
			return err
		})
		if err != nil {
			return "", nil, err
		}
	}
	return url, opts, nil
}

// ask runs a function of the program and gives its error the name of the option.
func (a *attempt) ask(name string, f func() error) error {
	err := error(errPanicked)
	a.m.dispatch.guard(name, func() { err = f() })
	if err == nil {
		err = errkit.FromContext(a.ctx) // it was too slow
	}
	if err != nil {
		return callbackFailed(name, a.step.Endpoint, err)
	}
	return nil
}

var errPanicked = errors.New("panic in a callback")

// dialOptions returns the options of the next dial.
func (m *Manager) dialOptions() *wsconn.DialOptions {
	d := &m.opts.Dial
	return &wsconn.DialOptions{
		Options: m.opts.Conn, Header: canonicalHeader(d.Header), Host: d.Host, Subprotocols: d.Subprotocols,
		TLSConfig: d.TLSConfig, DialContext: d.DialContext, Proxy: d.Proxy, Jar: d.Jar,
		HandshakeTimeout: d.HandshakeTimeout, MaxRedirects: d.MaxRedirects, CrossHostRedirects: d.CrossHostRedirects,
	}
}

// canonicalHeader returns a copy of h with names as package net/http looks them up.
func canonicalHeader(h http.Header) http.Header {
	c := make(http.Header, len(h))
	for name, values := range h {
		name = http.CanonicalHeaderKey(name)
		c[name] = append(c[name], values...)
	}
	return c
}

// dial connects within what is left of the attempt's time. The limit goes with the options and not with the context,
// so that it is told from a deadline of the caller.
func (a *attempt) dial(url string, opts *wsconn.DialOptions) (*wsconn.Conn, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(a.ctx))
	defer cancel()
	stop := context.AfterFunc(a.ctx, func() {
		if !errors.Is(context.Cause(a.ctx), errAttemptTime) {
			cancel()
		}
	})
	defer stop()
	if !a.deadline.IsZero() {
		opts.HandshakeTimeout = max(time.Until(a.deadline), 1)
	}
	return wsconn.Dial(ctx, url, opts)
}

// handshake runs the hook that is a part of the attempt. The end of its context interrupts it.
func (a *attempt) handshake(conn *wsconn.Conn) error {
	hook := a.m.opts.Hooks.OnHandshake
	if hook == nil {
		return nil
	}
	awaitHook(a.announced, a.ctx.Done())
	stop := context.AfterFunc(a.ctx, func() { _ = conn.CloseNow() }) // returns nil
	err := a.ask("Hooks.OnHandshake", func() error { return hook(a.ctx, &RawConn{conn: conn}) })
	if !stop() && err == nil {
		return errkit.FromContext(a.ctx)
	}
	return err
}

// replay writes the subscriptions. The end of the attempt's context interrupts it.
func (a *attempt) replay(s *session) error {
	stop := context.AfterFunc(a.ctx, func() { _ = s.conn.CloseNow() }) // returns nil
	defer stop()
	err := a.m.subs.replay(a.ctx, s.gen, s.conn.Write, func(err error) { s.fail(reasonOf(err), err) })
	if s.ended() {
		a.m.subs.drop(s.gen) // it may have ended before the subscriptions knew it
	}
	return err
}

// explain makes the error of an attempt whose time is up the same wherever it was at that moment.
func (a *attempt) explain(err error) error {
	if !errors.Is(context.Cause(a.ctx), errAttemptTime) {
		if e, ok := err.(*TimeoutError); !ok || e.Op != opConnect || e.Limit == 0 {
			return err
		}
	}
	return &TimeoutError{
		Info: errkit.Info{
			Class: wserr.ErrTimeout, Op: opConnect, Target: a.step.Endpoint, Kind: errkit.Connection | errkit.NotSent,
		},
		Limit: a.m.opts.Dial.HandshakeTimeout, URL: a.step.Endpoint,
	}
}
