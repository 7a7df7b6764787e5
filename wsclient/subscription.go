//go:build !js

package wsclient

import "context"

// Subscription is something that the peer shall send on every connection.
type Subscription struct {
	// Key is its name: a channel, or what the program likes to call it. It must not be empty, and the same key is the
	// same subscription.
	Key string

	// Payload is the message that subscribes. Nil lets SubscribeOptions.Codec write one for the channel Key; a string or
	// []byte is sent as text, a wsconn.Message as it is, and anything else as JSON.
	Payload any

	// Unsubscribe is the message that ends it, as Payload is. Nil lets the codec write one if Payload is nil as well;
	// otherwise nothing is sent.
	Unsubscribe any
}

// Channel returns the subscription to a channel, in the words of SubscribeOptions.Codec.
func Channel(name string) Subscription { return Subscription{Key: name} }

// Subscribe adds subscriptions. They are written on the connection, if there is one, and on every later one when it
// begins, in the order in which they were added. A key that is there already is left as it is. It returns nil without
// waiting if there is no connection.
//
// With SubscribeOptions.AckMatch, Subscribe waits until the peer has confirmed them all. What the peer refuses is
// taken back, and gives an error that wraps the reason from AckMatch. Other errors take nothing back: a *[TimeoutError],
// or one that matches context.Canceled, when ctx is done; a *[TimeoutError] when the answer does not come in time; the
// error with which the manager gave up or was closed. A subscription that cannot be written as a message gives an error
// that matches [ErrConfig], and none is added.
func (m *Manager) Subscribe(ctx context.Context, subs ...Subscription) error {
	if m.State() >= StateClosing {
		return m.closedError(opSubscribe)
	}
	return m.subs.subscribe(ctx, subs)
}

// Unsubscribe removes subscriptions, and writes that on the connection, if there is one. Keys that nobody subscribed to
// are left out. The only error is that of ctx; what was removed stays so.
func (m *Manager) Unsubscribe(ctx context.Context, keys ...string) error {
	return m.subs.unsubscribe(ctx, keys)
}

// Subscriptions returns what is subscribed to, in the order in which it was added.
func (m *Manager) Subscriptions() []Subscription { return m.subs.keys() }
