package api

import (
	"context"
	"errors"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// operation is one call of the client from its start to its end: its limits, and the client's promise that Close
// interrupts it and waits for it.
type operation struct {
	client  *Client
	call    *call
	caller  context.Context // as handed in
	ctx     context.Context // the caller's, ended by the limit and by Close too
	limit   time.Duration   // set by the client; 0 if the caller's deadline rules
	timer   *time.Timer     // ends ctx after the limit; nil without one
	late    atomic.Bool     // the limit has passed
	reached atomic.Bool     // there was a connection to send the request on
	end     func()          // must be called
}

// begin starts an operation. The client's timeout limits it unless the caller's context has a deadline.
func (c *Client) begin(caller context.Context, k *call) (*operation, error) {
	if !c.enter() {
		return nil, smokerr.Closed(k.op)
	}
	o := &operation{client: c, call: k, caller: caller}
	ctx, cancel := context.WithCancel(caller)
	if _, ok := caller.Deadline(); !ok && c.cfg.Timeout > 0 {
		o.limit = c.cfg.Timeout
		o.timer = time.AfterFunc(o.limit, func() {
			o.late.Store(true)
			cancel()
		})
	}
	detach := context.AfterFunc(c.life, cancel)
	o.end = func() {
		if o.timer != nil {
			o.timer.Stop()
		}
		detach()
		cancel()
		c.running.Done()
	}
	o.ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { o.reached.Store(true) },
	})
	if caller.Err() != nil {
		defer o.end()
		return nil, o.failure(nil)
	}
	return o, nil
}

// moved begins the limit anew: something has crossed the network.
func (o *operation) moved() {
	if o.timer != nil && !o.late.Load() {
		o.timer.Reset(o.limit)
	}
}

// failure tells what it means that the operation got no answer because of cause. An ended context is the reason whatever
// the layers below report. It is certain that nothing was sent if no connection carried the request.
func (o *operation) failure(cause error) error {
	c := o.client
	info := errkit.Info{Op: o.call.op, Target: c.target}
	if !o.reached.Load() {
		info.Kind = errkit.NotSent
		// Package net/http goes on dialling for a request that has left. This ends such dials; the idle connections that
		// it closes too are no loss while the hub cannot be reached.
		c.transport.CloseIdleConnections()
	}
	o.settle(cause)
	switch err := o.caller.Err(); {
	case c.life.Err() != nil:
		return &errkit.Basic{Info: errkit.Info{
			Class: smokerr.ErrClosed, Op: info.Op, Target: info.Target, Kind: info.Kind,
		}}
	case errors.Is(err, context.Canceled):
		return smokerr.Canceled(info.Op, info.Target, info.Kind, errkit.FromContext(o.caller))
	case err != nil:
		info.Kind |= errkit.Timeout
		info.Err = errkit.FromContext(o.caller)
	case o.late.Load():
		info.Kind |= errkit.Timeout
		info.Err = silent(o.limit)
	default:
		info.Kind |= errkit.TransportKind(cause) &^ errkit.NotSent
		info.Err = redact.Error(errkit.CleanCause(cause), c.id.secrets...)
	}
	return c.hinted(smokerr.Response(info, smokerr.ResponseError{
		StatusCode: smokerr.StatusNoReply, Method: o.call.method, Path: o.call.path,
	}))
}

// settle waits for the end of the caller's context if its deadline is what cause reports: a dialler keeps the deadline of
// the context with a timer of its own, which may be a little earlier.
func (o *operation) settle(cause error) {
	deadline, ok := o.caller.Deadline()
	if ok && errkit.Classify(cause).Has(errkit.Timeout) && time.Until(deadline) < timerSlack {
		<-o.caller.Done()
	}
}

const timerSlack = 50 * time.Millisecond

// silent is the cause of a failure: nothing came for so long.
type silent time.Duration

func (s silent) Error() string { return "nothing came within " + time.Duration(s).String() }
