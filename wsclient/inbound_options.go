//go:build !js

package wsclient

import (
	"context"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/inbox"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// ReceiveOptions say what becomes of messages that arrive. Without a handler they wait in a queue, which outlives
// connections, until [Manager.Receive], [Manager.Messages] or [Manager.Events] takes them.
type ReceiveOptions struct {
	// MaxMessages is how many messages may wait. Zero means 1000, [Unlimited] leaves it to MaxBytes alone.
	MaxMessages int

	// MaxBytes is how many bytes of messages may wait, whichever bound is hit first. A longer message is taken when
	// nothing else waits. Zero means 64 MiB.
	MaxBytes int64

	// Overflow says what happens to a message for which there is no room. Zero means DropNewest.
	//
	// DropNewest and DropOldest lose messages, and say so: receivers get a *[QueueFullError] at the very place where
	// messages are missing, with their number, and what comes after it in the calls that follow.
	//
	// Block stops reading. Nothing that was read is lost, the peer's data waits in the network, and so do its pings and
	// the pongs for ours, which is why [HeartbeatOptions.PingTimeout] is suspended meanwhile. After SlowConsumerTimeout
	// the connection ends with ReasonSlowConsumer.
	//
	// Fail ends the connection at once, with ReasonSlowConsumer, and drops the message that had no room.
	Overflow Overflow

	// SlowConsumerTimeout is how long a connection may wait for room under Block. Zero means 30 s, negative means for
	// ever.
	SlowConsumerTimeout time.Duration

	// NoGapErrors leaves it at the counters: receivers are not told where messages are missing.
	NoGapErrors bool

	// Handler, if set, gets every message, instead of receivers. It is called in order, one message at a time, on a
	// goroutine of the manager that exists only while there are messages. Messages wait for it within MaxMessages and
	// MaxBytes as they do under Block, so none is dropped. It may block and may call any method of the manager; its
	// context ends when the manager is closed. A panic in it is recovered and reported to [Hooks].
	Handler func(ctx context.Context, m Message)

	// InlineHandler, if set, gets every message, instead of receivers, on the goroutine that reads, without a copy: the
	// data is valid only until it returns. It is called in order and one at a time. While it runs nothing is read, so
	// it must be quick, and it must not wait for the manager, for Close or Disconnect for instance.
	InlineHandler func(m Message)

	// Dedup recognises messages that arrive more than once. Nil takes each for a new one.
	Dedup *DedupOptions
}

// handled reports whether receivers get nothing.
func (o *ReceiveOptions) handled() bool { return o.Handler != nil || o.InlineHandler != nil }

// withDefaults checks the options and fills in what is zero.
func (o ReceiveOptions) withDefaults() (ReceiveOptions, error) {
	switch {
	case o.MaxMessages < Unlimited:
		return o, wserr.Config(opNew, "Receive.MaxMessages", "negative")
	case o.MaxBytes < 0:
		return o, wserr.Config(opNew, "Receive.MaxBytes", "negative")
	case o.Overflow < OverflowDefault || o.Overflow > Fail:
		return o, wserr.Config(opNew, "Receive.Overflow", "no such policy")
	case o.Handler != nil && o.InlineHandler != nil:
		return o, wserr.Config(opNew, "Receive.InlineHandler", "set together with Handler")
	case o.handled() && o.Overflow != OverflowDefault && o.Overflow != Block:
		return o, wserr.Config(opNew, "Receive.Overflow", "a handler loses nothing")
	}
	if o.MaxMessages == 0 {
		o.MaxMessages = 1000
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 64 << 20
	}
	if o.Overflow == OverflowDefault {
		o.Overflow = DropNewest
	}
	if o.handled() {
		o.Overflow = Block
	}
	if o.SlowConsumerTimeout == 0 {
		o.SlowConsumerTimeout = 30 * time.Second
	}
	if o.Dedup != nil {
		dedup, err := o.Dedup.withDefaults()
		if err != nil {
			return o, err
		}
		o.Dedup = &dedup
	}
	return o, nil
}

// newInbox makes the queue. It wants complete options.
func newInbox(o *ReceiveOptions) *inbox.Queue[Message] {
	cfg := inbox.Config{MaxMessages: max(o.MaxMessages, 0), MaxBytes: o.MaxBytes, NoGaps: o.NoGapErrors}
	switch o.Overflow {
	case DropOldest:
		cfg.Policy = inbox.DropOldest
	case Block:
		cfg.Policy = inbox.Block
	case Fail:
		cfg.Policy = inbox.Fail
	case DropNewest, OverflowDefault:
		cfg.Policy = inbox.DropNewest
	}
	return inbox.New(cfg, func(m Message) int { return len(m.Data) })
}
