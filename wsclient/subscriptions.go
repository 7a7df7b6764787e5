//go:build !js

package wsclient

import (
	"context"
	"slices"
	"sync"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// opSubscribe is what the errors of subscriptions say in Op.
const opSubscribe = "subscribe"

// subscriptions are the channels that the program wants, in its order. Each connection gets them all when it begins, and
// the changes that come after that, each once and in order (see subscriptionLink).
type subscriptions struct {
	opts   SubscribeOptions
	start  func(func())                // starts a goroutine that somebody waits for
	report func(key string, err error) // Hooks.OnSubscribeError

	mu    sync.Mutex // guards what follows
	order []*subscription
	byKey map[string]*subscription
	links []*subscriptionLink // connections that are up, or about to be
}

// subscription is a [Subscription] that is complete.
type subscription struct {
	Subscription
	begin, end *wsconn.Message // its own messages; nil if the codec writes, or, for end, if there is none
	waiters    []chan error    // calls that wait for the peer's answer; guarded by subscriptions.mu
}

func newSubscriptions(opts SubscribeOptions, start func(func()), report func(string, error)) (*subscriptions, error) {
	r := &subscriptions{opts: opts, start: start, report: report, byKey: make(map[string]*subscription)}
	subs, err := r.complete(opts.Initial)
	if err != nil {
		return nil, err
	}
	for _, s := range subs {
		r.insert(s)
	}
	return r, nil
}

// complete checks subscriptions and makes their messages.
func (r *subscriptions) complete(subs []Subscription) ([]*subscription, error) {
	made := make([]*subscription, len(subs))
	for i, s := range subs {
		if s.Key == "" {
			return nil, wserr.Config(opSubscribe, "key", "empty")
		}
		begin, err := payload(s.Payload)
		if err != nil {
			return nil, err
		}
		end, err := payload(s.Unsubscribe)
		if err != nil {
			return nil, err
		}
		made[i] = &subscription{Subscription: s, begin: begin, end: end}
		if _, err := r.encode(OpSubscribe, []*subscription{made[i]}); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// encode makes the message of an operation: the subscription's own, or the codec's for all of them.
func (r *subscriptions) encode(op SubscriptionOp, subs []*subscription) (wsconn.Message, error) {
	if own := subs[0].own(op); own != nil {
		return *own, nil
	}
	keys := make([]string, len(subs))
	for i, s := range subs {
		keys[i] = s.Key
	}
	typ, data, err := r.opts.Codec.Encode(op, keys)
	if err != nil {
		return wsconn.Message{}, wserr.ErrConfig.Wrap(opSubscribe, "", err)
	}
	return wsconn.Message{Type: typ, Data: data}, nil
}

// own returns the message that a subscription brings for an operation.
func (s *subscription) own(op SubscriptionOp) *wsconn.Message {
	if op == OpSubscribe {
		return s.begin
	}
	return s.end
}

// silent reports whether there is nothing to send for the end of a subscription: it has a message of its own for the
// beginning only.
func (s *subscription) silent() bool { return s.begin != nil && s.end == nil }

// insert adds a subscription and reports whether it is new. mu is held, or nobody else knows r yet.
func (r *subscriptions) insert(s *subscription) bool {
	if r.byKey[s.Key] != nil {
		return false
	}
	r.byKey[s.Key] = s
	r.order = append(r.order, s)
	return true
}

// remove takes a subscription away and tells those who wait for its confirmation. mu is held.
func (r *subscriptions) remove(s *subscription, err error) {
	delete(r.byKey, s.Key)
	r.order = slices.DeleteFunc(r.order, func(o *subscription) bool { return o == s })
	for _, l := range r.links {
		delete(l.pending, s)
	}
	s.answer(err)
}

// answer tells the calls that wait for the peer's answer. mu is held.
func (s *subscription) answer(err error) {
	for _, w := range s.waiters {
		w <- err
	}
	s.waiters = nil
}

// keys returns what is subscribed to, in order.
func (r *subscriptions) keys() []Subscription {
	r.mu.Lock()
	defer r.mu.Unlock()
	subs := make([]Subscription, len(r.order))
	for i, s := range r.order {
		subs[i] = s.Subscription
	}
	return subs
}

// subscribe adds subscriptions and has those that are new written on the connections there are. It waits for that, and
// for the peer's answers if there are to be any.
func (r *subscriptions) subscribe(ctx context.Context, subs []Subscription) error {
	made, err := r.complete(subs)
	if err != nil {
		return err
	}
	var written []<-chan struct{}
	var answers []*answer
	r.mu.Lock()
	for _, s := range made {
		if r.insert(s) {
			written = append(written, r.push(OpSubscribe, s)...)
		} else {
			s = r.byKey[s.Key]
		}
		if r.opts.AckMatch != nil && r.unanswered(s) {
			w := make(chan error, 1)
			s.waiters = append(s.waiters, w)
			answers = append(answers, &answer{sub: s, result: w})
		}
	}
	r.mu.Unlock()
	if err := await(ctx, written); err != nil {
		r.forget(answers)
		return err
	}
	return r.awaitAnswers(ctx, answers)
}

// unsubscribe removes subscriptions and has that written on the connections there are.
func (r *subscriptions) unsubscribe(ctx context.Context, keys []string) error {
	var written []<-chan struct{}
	r.mu.Lock()
	for _, key := range keys {
		s := r.byKey[key]
		if s == nil {
			continue
		}
		r.remove(s, wserr.ErrCanceled.Wrap(opSubscribe, "", nil))
		if !s.silent() {
			written = append(written, r.push(OpUnsubscribe, s)...)
		}
	}
	r.mu.Unlock()
	return await(ctx, written)
}

// push gives an operation to every connection and returns channels that are closed when it was written there, or cannot
// be any more. mu is held.
func (r *subscriptions) push(op SubscriptionOp, s *subscription) (written []<-chan struct{}) {
	for _, l := range r.links {
		done := make(chan struct{})
		written = append(written, done)
		l.ops = append(l.ops, subscriptionOp{op: op, sub: s, done: done})
		if !l.writing {
			l.writing = true
			r.start(func() { r.write(l) })
		}
	}
	return written
}

// await waits for channels to be closed. What they stand for happens also if the caller waits no longer.
func await(ctx context.Context, written []<-chan struct{}) error {
	for _, done := range written {
		select {
		case <-done:
		case <-ctx.Done():
			return subscribeEnded(ctx)
		}
	}
	return nil
}

// fail tells all calls that wait for an answer of the peer that there will be none.
func (r *subscriptions) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.order {
		s.answer(err)
	}
}
