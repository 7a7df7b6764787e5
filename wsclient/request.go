//go:build !js

package wsclient

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// opRequest is what the errors of Request say in Op.
const opRequest = "request"

// RequestOptions are the settings of [Request]. The zero value is good for use.
type RequestOptions[Req, Resp any] struct {
	Encode Codec[Req]  // nil means JSON
	Decode Codec[Resp] // nil means JSON

	// Retry sends the request again on the next connection when the one on which it was sent ends before the answer, and
	// waits for a connection when there is none. The peer may then see it twice.
	Retry bool
}

// Request sends req and returns the first message that arrives after it, can be decoded, and for which match reports
// true. That message is not delivered to anyone else; all others are. Match is called on the goroutine that reads, for
// every message while the request waits, and must be quick.
//
// It waits until ctx is done. When the connection ends before the answer, it returns a *[ClosedError], unless
// RequestOptions.Retry is set. Its other errors are those of [Manager.Send], and the one with which the manager gave up.
// opts may be nil.
func Request[Req, Resp any](
	ctx context.Context, m *Manager, req Req, match func(Resp) bool, opts *RequestOptions[Req, Resp],
) (Resp, error) {
	var o RequestOptions[Req, Resp]
	if opts != nil {
		o = *opts
	}
	if o.Encode == nil {
		o.Encode = JSON[Req]{}
	}
	if o.Decode == nil {
		o.Decode = JSON[Resp]{}
	}
	var resp Resp
	typ, data, err := encode(o.Encode, opRequest, req)
	if err != nil {
		return resp, err
	}
	take := func(msg Message) bool {
		v, err := o.Decode.Decode(msg)
		if err != nil || !match(v) {
			return false
		}
		resp = v
		return true
	}
	for {
		err := m.request(ctx, typ, data, take)
		if err == nil {
			return resp, nil
		}
		if !o.Retry || !errors.Is(err, ErrClosed) || ctx.Err() != nil || m.sealed.Load() {
			var zero Resp
			return zero, err
		}
		if err := m.awaitLink(ctx); err != nil {
			var zero Resp
			return zero, err
		}
	}
}

// request sends a message and waits until take has taken the answer.
func (m *Manager) request(ctx context.Context, typ MessageType, data []byte, take func(Message) bool) error {
	r := &request{take: take, gen: m.link.state().gen, done: make(chan struct{})}
	m.requests.add(r)
	defer m.requests.remove(r)
	if err := m.Send(ctx, typ, data); err != nil {
		return err
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		if m.requests.remove(r) {
			return m.callEnded(ctx, opRequest, nil)
		}
	}
	return r.err
}

// lostRequest is the error of requests on a connection that has ended.
func (m *Manager) lostRequest(info CloseInfo) error {
	if info.Remote || info.Err != nil {
		return wserr.Closed(opRequest, m.target, info.Code, info.Reason, info.Err)
	}
	return wserr.ClosedHere(opRequest, m.target, info.Code, info.Reason)
}

// awaitLink waits until there is a connection.
func (m *Manager) awaitLink(ctx context.Context) error {
	for {
		switch state, changed := m.link.watch(); {
		case state.up:
			return nil
		case state.err != nil:
			return state.err
		default:
			select {
			case <-changed:
			case <-ctx.Done():
				return m.callEnded(ctx, opRequest, nil)
			}
		}
	}
}

// request is a call that waits for its answer.
type request struct {
	take func(Message) bool
	gen  uint64 // of the newest connection when it began
	done chan struct{}
	err  error // valid when done is closed
}

// requests are the calls that wait for answers, the oldest first.
type requests struct {
	some    atomic.Bool // whether there are any, so that the reader needs no lock if there are not
	mu      sync.Mutex  // guards what follows
	waiting []*request
}

func (q *requests) add(r *request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, r)
	q.some.Store(true)
}

// remove ends the waiting, and reports whether r was still waiting. Nothing is taken for r once it has returned.
func (q *requests) remove(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, r)
	if i < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	q.some.Store(len(q.waiting) > 0)
	return true
}

// take offers a message to the calls and reports whether it was the answer to one.
func (q *requests) take(m Message) bool {
	if !q.some.Load() {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, r := range q.waiting {
		if r.take(m) {
			q.waiting = slices.Delete(q.waiting, i, i+1)
			q.some.Store(len(q.waiting) > 0)
			close(r.done)
			return true
		}
	}
	return false
}

// fail ends the waiting of all calls.
func (q *requests) fail(err error) { q.lost(math.MaxUint64, err) }

// lost ends the waiting of the calls that began on a connection that has ended, or before.
func (q *requests) lost(gen uint64, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = slices.DeleteFunc(q.waiting, func(r *request) bool {
		if r.gen > gen {
			return false
		}
		r.err = err
		close(r.done)
		return true
	})
	q.some.Store(len(q.waiting) > 0)
}
