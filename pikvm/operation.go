package pikvm

import (
	"context"
	"errors"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

// operation is one call of the client from its start to its end: its name for errors, its limits, and the
// client's promise that Close interrupts it and waits for it.
type operation struct {
	client *Client
	name   string          // "atx.State"
	caller context.Context // as handed in
	ctx    context.Context // the caller's, ended by the limit and by Close too
	limit  time.Duration   // set by the client; 0 if the caller's deadline rules
	abort  func()          // ends ctx
	end    func()          // must be called
}

// begin starts an operation. The client's timeout limits it unless the caller's context has a deadline.
func (c *Client) begin(caller context.Context, name string) (*operation, error) {
	return c.beginLimited(caller, name, c.timeout(caller, 0))
}

// timeout returns the limit of an operation that may take so much longer than others. It is 0 for none, and when the
// caller's context has a deadline.
func (c *Client) timeout(caller context.Context, more time.Duration) time.Duration {
	if _, ok := caller.Deadline(); ok || c.opts.Timeout <= 0 {
		return 0
	}
	return c.opts.Timeout + more
}

func (c *Client) beginLimited(caller context.Context, name string, limit time.Duration) (*operation, error) {
	if !c.enter() {
		return nil, closedError(name, c.target, errkit.NotSent)
	}
	o := &operation{client: c, name: name, caller: caller, limit: limit}
	var cancel context.CancelFunc
	if limit > 0 {
		o.ctx, cancel = context.WithTimeout(caller, limit)
	} else {
		o.ctx, cancel = context.WithCancel(caller)
	}
	o.abort = cancel
	detach := context.AfterFunc(c.life, cancel)
	o.end = func() {
		detach()
		cancel()
		c.running.Done()
	}
	if caller.Err() != nil {
		defer o.end()
		return nil, o.failure(nil, false)
	}
	return o, nil
}

// withoutDeadline returns a context that ends with ctx but has no deadline: the client's limit rules, as one request
// out of several must not take all the time.
func withoutDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	limited, cancel := context.WithCancel(context.WithoutCancel(ctx))
	detach := context.AfterFunc(ctx, cancel)
	if ctx.Err() != nil {
		cancel() // at once, and not soon: nothing must be sent any more
	}
	return limited, func() { detach(); cancel() }
}

// traced returns the context of one exchange; it sets reached when there is a connection to send it on.
func (o *operation) traced(reached *atomic.Bool) context.Context {
	return httptrace.WithClientTrace(o.ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { reached.Store(true) },
	})
}

// failure tells what it means that the operation failed for cause. An ended context is the reason whatever the
// layers below report. Without reached, it is certain that no connection carried the request. What is found of
// secrets in the text of the cause is blotted out.
func (o *operation) failure(cause error, reached bool, secrets ...string) error {
	info := errkit.Info{Op: o.name, Target: o.client.target}
	if !reached {
		info.Kind = errkit.NotSent
	}
	o.settle(cause)
	switch err := o.caller.Err(); {
	case o.client.life.Err() != nil:
		return closedError(o.name, o.client.target, info.Kind)
	case errors.Is(err, context.Canceled):
		info.Class = Err
		info.Kind |= errkit.Canceled
		info.Err = errkit.FromContext(o.caller)
		return &errkit.Basic{Info: info}
	case err != nil:
		info.Err = errkit.FromContext(o.caller)
		return timeoutError(info, 0)
	case o.ctx.Err() != nil:
		return timeoutError(info, o.limit)
	}
	info.Err = redact.Error(errkit.CleanCause(cause), secrets...)
	info.Kind |= errkit.TransportKind(cause) &^ errkit.NotSent
	if info.Kind.Has(errkit.Timeout) {
		return timeoutError(info, 0)
	}
	info.Class = ErrConnect
	return &ConnectError{info}
}

// settle waits for the end of the context if its deadline is what cause reports: a dialler keeps the deadline of
// the context with a timer of its own, which may be a little earlier.
func (o *operation) settle(cause error) {
	deadline, ok := o.ctx.Deadline()
	if ok && errkit.Classify(cause).Has(errkit.Timeout) && time.Until(deadline) < timerSlack {
		<-o.ctx.Done()
	}
}

const timerSlack = 50 * time.Millisecond

func timeoutError(info errkit.Info, limit time.Duration) error {
	info.Class = ErrConnectionTimeout
	if info.Kind.Has(errkit.NotSent) {
		info.Kind |= errkit.Connection
	}
	return &ConnectionTimeoutError{Info: info, Limit: limit}
}

func closedError(op, target string, kind errkit.Kind) error {
	return &errkit.Basic{Info: errkit.Info{Class: ErrClosed, Op: op, Target: target, Kind: kind}}
}
