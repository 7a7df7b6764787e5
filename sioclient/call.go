package sioclient

import (
	"context"
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Call emits an event and returns the arguments of its acknowledgement. If ctx has no deadline it waits for
// SocketOptions.AckTimeout at most; with SocketOptions.Retries that is the limit of each try. It may be called in
// handlers. Beside those of [Socket.Emit] the errors are:
//   - *[TimeoutError]: no acknowledgement came in time. What waited to be sent is not sent any more.
//   - one that matches [Err] and context.Canceled: ctx was canceled.
//   - *[DisconnectedError]: the connection ended before the acknowledgement came. The event may have arrived.
//   - one that matches [ErrClosed]: the manager was closed meanwhile.
func (s *Socket) Call(ctx context.Context, name string, args ...any) (packet.Args, error) {
	return Sender{s: s}.Call(ctx, name, args...)
}

// Call is [Socket.Call] with the settings of o. A volatile event that was dropped is a *[DisconnectedError] or a *[BufferFullError].
func (o Sender) Call(ctx context.Context, name string, args ...any) (packet.Args, error) {
	s := o.s
	if ctx.Err() != nil {
		return packet.Args{}, s.callEnded(ctx, name, 0, errkit.NotSent)
	}
	type answer struct {
		args packet.Args
		err  error
	}
	answers := make(chan answer, 1)
	defer s.queue.Waiting()()
	cancel, err := o.emit(name, args, func(args packet.Args, err error) { answers <- answer{args.Clone(), err} })
	if err != nil {
		return packet.Args{}, err
	}
	limit := o.callLimit(ctx)
	var expired <-chan time.Time
	if limit > 0 {
		t := time.NewTimer(limit)
		defer t.Stop()
		expired = t.C
	}
	select {
	case a := <-answers:
		return a.args, a.err
	case <-ctx.Done():
	case <-expired:
	}
	if !cancel() { // it came at the same moment
		a := <-answers
		return a.args, a.err
	}
	return packet.Args{}, s.callEnded(ctx, name, limit, 0)
}

// callLimit returns how long a call waits beside its context; 0 for no limit.
func (o Sender) callLimit(ctx context.Context) time.Duration {
	if o.s.opts.Retries > 0 && !o.volatile {
		return 0 // each try has its own
	}
	if o.limit > 0 {
		return o.limit
	}
	if _, ok := ctx.Deadline(); ok {
		return 0
	}
	return max(o.s.opts.AckTimeout, 0)
}

// callError returns the error of a call that the end of its socket ended; tried says that its event may have been sent.
func (s *Socket) callError(cause error, tried bool) error {
	switch {
	case tried:
		return disconnected("call", s.m.target, reasonOf(cause), perhapsSent(cause))
	case errors.Is(cause, ErrDisconnected) || errors.Is(cause, ErrClosed):
		return cause
	}
	return disconnected("call", s.m.target, "", cause)
}

// callEnded makes the error of a call whose time is up or whose context is done.
func (s *Socket) callEnded(ctx context.Context, name string, limit time.Duration, kind errkit.Kind) error {
	cause := errkit.FromContext(ctx)
	if errors.Is(ctx.Err(), context.Canceled) {
		return &errkit.Basic{Info: errkit.Info{Class: sioerr.Err, Op: "call", Target: s.m.target, Kind: kind, Err: cause}}
	}
	if cause != nil {
		limit = 0
	}
	err := timeoutError("call", s.m.target, name, limit, cause)
	err.Kind |= kind
	return err
}

func timeoutError(op, target, name string, limit time.Duration, cause error) *TimeoutError {
	return &TimeoutError{
		Info:  errkit.Info{Class: ErrTimeout, Op: op, Target: target, Err: cause},
		Event: name, Limit: limit,
	}
}

// Caller is what events can be emitted with and acknowledged: sockets, and senders.
type Caller interface {
	Call(ctx context.Context, name string, args ...any) (packet.Args, error)
}

// Call1 is [Socket.Call] for the first argument of the acknowledgement, decoded. Without one it is the zero value. One that
// cannot be decoded gives a *[DecodeError].
func Call1[R any](ctx context.Context, c Caller, name string, args ...any) (R, error) {
	var r R
	answer, err := c.Call(ctx, name, args...)
	if err != nil {
		return r, err
	}
	return r, event.Decode(name, answer, &r)
}
