//go:build !js

package wsclient

import (
	"context"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// answer is what a call waits for: the peer's answer to a subscription.
type answer struct {
	sub    *subscription
	result chan error
}

// unanswered reports whether the peer's answer to a subscription is still to come on one of the connections. mu is held.
func (r *subscriptions) unanswered(s *subscription) bool {
	for _, l := range r.links {
		if _, ok := l.pending[s]; ok {
			return true
		}
		for _, op := range l.ops {
			if op.sub == s && op.op == OpSubscribe {
				return true
			}
		}
	}
	return false
}

// awaitAnswers waits for the peer's answers, across connections.
func (r *subscriptions) awaitAnswers(ctx context.Context, answers []*answer) error {
	if len(answers) == 0 {
		return nil
	}
	defer r.forget(answers)
	late := time.NewTimer(r.opts.AckTimeout)
	defer late.Stop()
	for _, a := range answers {
		select {
		case err := <-a.result:
			if err != nil {
				return err
			}
		case <-late.C:
			return r.silence()
		case <-ctx.Done():
			return subscribeEnded(ctx)
		}
	}
	return nil
}

// forget takes back the waiting for answers.
func (r *subscriptions) forget(answers []*answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range answers {
		for i, w := range a.sub.waiters {
			if w == a.result {
				a.sub.waiters = append(a.sub.waiters[:i:i], a.sub.waiters[i+1:]...)
				break
			}
		}
	}
}

// take gets every message that arrives, and reports whether it was an answer to a subscription.
func (r *subscriptions) take(m Message) bool {
	if r.opts.AckMatch == nil {
		return false
	}
	key, refused, ok := r.opts.AckMatch(m)
	if !ok {
		return false
	}
	r.mu.Lock()
	s := r.byKey[key]
	var on *subscriptionLink
	for _, l := range r.links {
		if _, pending := l.pending[s]; l.gen == m.Gen && pending {
			delete(l.pending, s)
			on = l
		}
	}
	if s == nil || on == nil {
		r.mu.Unlock()
		return true // of a subscription that is none any more
	}
	wanted := len(s.waiters) > 0
	if refused != nil {
		refused = wserr.Err.Wrap(opSubscribe, "", refused)
	}
	if refused != nil && wanted {
		r.remove(s, refused) // the caller knows
	} else {
		s.answer(nil)
	}
	r.mu.Unlock()
	if refused != nil && !wanted {
		r.refuse(on, key, refused)
	}
	return true
}

// unheard is called when the answers to the replay are due.
func (r *subscriptions) unheard(l *subscriptionLink) {
	var keys []string
	r.mu.Lock()
	for _, s := range r.order {
		if _, ok := l.pending[s]; ok && len(s.waiters) == 0 && l.alive() {
			keys = append(keys, s.Key)
			delete(l.pending, s)
		}
	}
	r.mu.Unlock()
	for _, key := range keys {
		r.refuse(l, key, r.silence())
	}
}

// refuse reports a subscription of the replay that failed.
func (r *subscriptions) refuse(l *subscriptionLink, key string, err error) {
	r.report(key, err)
	if r.opts.FailConnection {
		l.end(err)
	}
}

// silence is the error of an answer that did not come.
func (r *subscriptions) silence() error {
	return &TimeoutError{Info: errkit.Info{Class: wserr.ErrTimeout, Op: opSubscribe}, Limit: r.opts.AckTimeout}
}

// subscribeEnded is the error of a call that ended with its context.
func subscribeEnded(ctx context.Context) error {
	cause := errkit.FromContext(ctx)
	info := errkit.Info{Class: wserr.Err, Op: opSubscribe, Kind: errkit.TransportKind(cause), Err: cause}
	if info.Kind.Has(errkit.Timeout) {
		info.Class = wserr.ErrTimeout
		return &TimeoutError{Info: info}
	}
	return &errkit.Basic{Info: info}
}
