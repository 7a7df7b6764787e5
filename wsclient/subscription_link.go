//go:build !js

package wsclient

import (
	"context"
	"errors"
	"time"
)

// subscriptionLink is a connection in the eyes of the subscriptions. Operations are written in order by one goroutine at
// a time, which exists only while there are any. They begin with all subscriptions there were when the connection came
// about, so a change that is made during the replay comes after it.
type subscriptionLink struct {
	gen  uint64
	send func(MessageType, []byte) error
	end  func(error)   // ends the connection
	down chan struct{} // closed when the connection has ended

	// What follows is guarded by subscriptions.mu, but next belongs to whoever writes.
	ops     []subscriptionOp // to be written
	writing bool             // whether somebody does
	pending map[*subscription]struct{}
	late    *time.Timer // of the answers to the replay
	next    time.Time   // when the next message may be written
}

// errLinkDown ends the replay on a connection that is gone.
var errLinkDown = errors.New("connection lost")

// subscriptionOp is an operation that waits to be written.
type subscriptionOp struct {
	op   SubscriptionOp
	sub  *subscription
	done chan struct{} // closed when it was written or cannot be any more; nil if nobody waits
}

// replay begins a connection: it writes all subscriptions, in order. An error means that they are not all written; the
// connection is forgotten then. end is called when the peer's answers are such that the connection must end.
func (r *subscriptions) replay(
	ctx context.Context, gen uint64, send func(MessageType, []byte) error, end func(error),
) error {
	l := &subscriptionLink{
		gen: gen, send: send, end: end, down: make(chan struct{}), writing: true,
		pending: make(map[*subscription]struct{}),
	}
	r.mu.Lock()
	for _, s := range r.order {
		l.ops = append(l.ops, subscriptionOp{op: OpSubscribe, sub: s})
	}
	r.links = append(r.links, l)
	left := len(l.ops)
	r.mu.Unlock()
	for left > 0 {
		n, err := r.writeNext(ctx, l, left)
		if err != nil {
			r.drop(gen)
			return err
		}
		left -= n
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(l.pending) > 0 && l.alive() {
		l.late = time.AfterFunc(r.opts.AckTimeout, func() { r.unheard(l) })
	}
	l.writing = len(l.ops) > 0 && l.alive()
	if l.writing {
		r.start(func() { r.write(l) })
	}
	return nil
}

// write writes what there is.
func (r *subscriptions) write(l *subscriptionLink) {
	for {
		r.mu.Lock()
		left := len(l.ops)
		if left == 0 {
			l.writing = false
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
		if _, err := r.writeNext(context.Background(), l, left); err != nil {
			r.drop(l.gen) // the next connection gets them all
		}
	}
}

// writeNext writes one message and returns for how many of the first limit operations it was.
func (r *subscriptions) writeNext(ctx context.Context, l *subscriptionLink, limit int) (int, error) {
	if err := l.pause(ctx, r.opts.Interval); err != nil {
		return 0, err
	}
	r.mu.Lock()
	ops := l.batch(min(limit, r.opts.BatchSize))
	subs := make([]*subscription, len(ops))
	for i, op := range ops {
		subs[i] = op.sub
		if op.op == OpSubscribe && r.opts.AckMatch != nil && r.byKey[op.sub.Key] == op.sub {
			l.pending[op.sub] = struct{}{} // before the answer can come
		}
	}
	r.mu.Unlock()
	if len(ops) == 0 {
		return 0, errLinkDown
	}
	msg, err := r.encode(ops[0].op, subs)
	if err == nil {
		err = l.send(msg.Type, msg.Data)
	}
	for _, op := range ops {
		if op.done != nil {
			close(op.done)
		}
	}
	if errors.Is(err, ErrConfig) {
		for _, s := range subs {
			r.report(s.Key, err) // the codec's fault, not the connection's
		}
		err = nil
	}
	return len(ops), err
}

// batch takes the operations for one message: one with a message of its own, or up to limit that are alike. mu is held.
func (l *subscriptionLink) batch(limit int) []subscriptionOp {
	n := 0
	for n < min(limit, len(l.ops)) && l.ops[n].op == l.ops[0].op && (n == 0 || l.plain(0) && l.plain(n)) {
		n++
	}
	ops := l.ops[:n:n]
	l.ops = l.ops[n:]
	return ops
}

// plain reports whether the codec writes the operation i.
func (l *subscriptionLink) plain(i int) bool { return l.ops[i].sub.own(l.ops[i].op) == nil }

// pause waits until the next message may be written.
func (l *subscriptionLink) pause(ctx context.Context, interval time.Duration) error {
	if interval <= 0 {
		return nil
	}
	if d := time.Until(l.next); d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-l.down:
			return errLinkDown
		case <-ctx.Done():
			return subscribeEnded(ctx)
		}
	}
	l.next = time.Now().Add(interval)
	return nil
}

// alive reports whether the connection has not ended.
func (l *subscriptionLink) alive() bool {
	select {
	case <-l.down:
		return false
	default:
		return true
	}
}

// drop forgets a connection that has ended.
func (r *subscriptions) drop(gen uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, l := range r.links {
		if l.gen != gen {
			continue
		}
		r.links = append(r.links[:i:i], r.links[i+1:]...)
		close(l.down)
		if l.late != nil {
			l.late.Stop()
		}
		for _, op := range l.ops {
			if op.done != nil {
				close(op.done)
			}
		}
		l.ops = nil
		return
	}
}
