//go:build !js

package wsclient

import (
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// SubscribeOptions hold the first subscriptions and say how they are written.
type SubscribeOptions struct {
	// Initial are the subscriptions with which the manager begins. See [Manager.Subscribe].
	Initial []Subscription

	// Codec writes subscriptions that bring no message of their own. Nil writes, one per channel,
	//
	//	{"type":"subscribe","channel":"x"}
	//	{"type":"unsubscribe","channel":"x"}
	Codec SubscriptionCodec

	// BatchSize is how many channels the codec may get at once, for peers that take several in one message. Zero means
	// one.
	BatchSize int

	// Interval is the least time between two messages, for peers that limit their number. Zero means none. Replaying
	// subscriptions is a part of an attempt to connect, and so it must fit into DialOptions.HandshakeTimeout.
	Interval time.Duration

	// AckMatch, if set, recognises the peer's answer to a subscription: its key, and why it was refused, nil if it was
	// not. It reports false for all other messages. Answers are not delivered. It is called for every message on the
	// goroutine that reads, and must not keep the data.
	AckMatch func(Message) (key string, refused error, ok bool)

	// AckTimeout is how long the answer may take. Zero means 10 s.
	AckTimeout time.Duration

	// FailConnection ends a connection on which the peer refuses a subscription, or does not answer in time, after it
	// came about. Otherwise Hooks.OnSubscribeError is told, and the subscription is kept for the next connection.
	FailConnection bool
}

// withDefaults checks the options and fills in what is zero.
func (o SubscribeOptions) withDefaults() (SubscribeOptions, error) {
	switch {
	case o.BatchSize < 0:
		return o, wserr.Config(opNew, "Subscribe.BatchSize", "negative")
	case o.Interval < 0:
		return o, wserr.Config(opNew, "Subscribe.Interval", "negative")
	case o.AckTimeout < 0:
		return o, wserr.Config(opNew, "Subscribe.AckTimeout", "negative")
	case o.FailConnection && o.AckMatch == nil:
		return o, wserr.Config(opNew, "Subscribe.FailConnection", "set without AckMatch")
	}
	if o.Codec == nil {
		o.Codec = channelCodec{}
	}
	o.BatchSize = max(o.BatchSize, 1)
	if o.AckTimeout == 0 {
		o.AckTimeout = 10 * time.Second
	}
	return o, nil
}

// SubscriptionOp says what a message of a [SubscriptionCodec] shall do.
type SubscriptionOp string

// The two things to do.
const (
	OpSubscribe   SubscriptionOp = "subscribe"
	OpUnsubscribe SubscriptionOp = "unsubscribe"
)

// SubscriptionCodec writes subscriptions that bring no message of their own.
type SubscriptionCodec interface {
	// Encode returns the message that subscribes to the channels keys, or unsubscribes from them: at least one, and at
	// most SubscribeOptions.BatchSize. It must be safe for concurrent use. An error for a single new channel is
	// returned by [Manager.Subscribe].
	Encode(op SubscriptionOp, keys []string) (MessageType, []byte, error)
}

// channelCodec is the codec of nil.
type channelCodec struct{}

func (channelCodec) Encode(op SubscriptionOp, keys []string) (MessageType, []byte, error) {
	data, err := json.Marshal(struct {
		Type    SubscriptionOp `json:"type"`
		Channel string         `json:"channel"`
	}{op, keys[0]})
	return Text, data, err
}

// payload makes a message of what a [Subscription] brings; nil if it brings nothing.
func payload(v any) (*wsconn.Message, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return textPayload([]byte(v))
	case []byte:
		return textPayload(append([]byte(nil), v...))
	case wsconn.Message:
		if v.Type != Text && v.Type != Binary {
			return nil, wserr.Config(opSubscribe, "payload", "neither text nor binary")
		}
		if v.Type == Text {
			return textPayload(append([]byte(nil), v.Data...))
		}
		return &wsconn.Message{Type: v.Type, Data: append([]byte(nil), v.Data...)}, nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, wserr.Config(opSubscribe, "payload", "cannot be encoded as JSON")
	}
	return textPayload(data)
}

func textPayload(data []byte) (*wsconn.Message, error) {
	if !utf8.Valid(data) {
		return nil, wserr.Config(opSubscribe, "payload", "text is not UTF-8")
	}
	return &wsconn.Message{Type: Text, Data: data}, nil
}
