//go:build !js

package wsclient

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
