//go:build !js

package wsclient

import (
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/outbox"
)

// SendMode says how messages go out.
type SendMode int

const (
	// SendDirect writes a message in the call that sends it, and fails if there is no connection.
	SendDirect SendMode = iota
	// SendQueued puts messages into a queue that outlives connections. A message is done when it was handed to the
	// operating system. What was handed over shortly before the connection is lost may not have reached the peer; Stats
	// counts as MaybeLost what no later pong has proved. No message is sent twice, except from a spool after a crash.
	SendQueued
	// SendAtLeastOnce is SendQueued where a message is done when the peer has acknowledged it, as [AckOptions] say. What
	// is not acknowledged when the connection is lost is sent again on the next one, first and in its old order, so the
	// peer may get a message twice.
	SendAtLeastOnce
)

// SendOptions say how messages go out.
//
// In the modes with a queue, messages reach the wire in the order in which they were accepted, across connections. A
// message after which the peer closes with 1003, 1007 or 1009 on three connections in a row, which shows that it cannot
// bear it, is given up: its receipt is ReceiptDropped with the close error, and a spool has it in its quarantine. To find
// out which one it is, messages that may be meant go out one by one from the second connection on.
type SendOptions struct {
	// Mode says whether messages wait in a queue. Zero means SendDirect.
	Mode SendMode

	// MaxMessages is how many messages may be in the queue, those included that are not acknowledged. Zero means 1000,
	// [Unlimited] leaves it to MaxBytes alone.
	MaxMessages int

	// MaxBytes is how many bytes of messages may be in the queue, whichever bound is hit first. Zero means 8 MiB.
	MaxBytes int64

	// Overflow says what happens to a message for which the queue has no room. Zero means Fail.
	//
	// Fail returns a *[QueueFullError], and the message is not accepted. Block waits for room, and for the context of
	// the call; calls are served in the order in which they came.
	//
	// DropOldest drops what has waited longest, except what is being written, or waits for an acknowledgement on the
	// present connection. DropNewest drops the message: Enqueue returns its receipt with ReceiptDropped and no error, and Send the *[QueueFullError]. Both are
	// counted, and told to OnLoss.
	Overflow Overflow

	// TTL is how long a message is worth sending. It expires if it was not written by then, with a connection or
	// without. Zero means that messages do not expire.
	TTL time.Duration

	// MaxMessage is the longest message that is accepted, in bytes, in every mode; a longer one is a
	// *[MessageTooBigError]. Zero means no bound but that of the queue.
	MaxMessage int

	// Ack says how messages are acknowledged. SendAtLeastOnce needs it, the other modes must not have it.
	Ack *AckOptions

	// Spool, if set, keeps the queue on the disk: what was accepted survives the process and, as the options of the spool
	// say, a power cut. What an earlier process left behind is sent first. In memory are only the messages to be sent
	// next. How much may be stored and what happens then is up to the spool: MaxMessages, MaxBytes and Overflow are for
	// SpoolFallback only. A message is removed from the spool when it is done; after a crash, those done in the last
	// moments are sent again.
	Spool Spool

	// SpoolFailure says what happens to a message that the disk does not take. Zero means SpoolRefuse.
	SpoolFailure SpoolFailure

	// OnLoss, if set, is told of every accepted message that is lost, in order and one at a time, on the goroutine that
	// came upon it. It must return soon, must not wait for the manager, and owns the data. When twice as many losses as
	// the queue ever held wait for it, further ones are only counted (Stats.LossesUntold). A panic in it is recovered and
	// reported to [Hooks]. Messages that the program took back are not lost, and those that vanish within a spool are
	// reported by the spool.
	OnLoss func(l Lost)
}

// AckOptions say how the peer acknowledges messages. The program's functions among them must not wait for the manager.
type AckOptions struct {
	// Extract recognises acknowledgements among the messages that arrive, and reads the ids in them. It is called for
	// every message, on the goroutine that reads, and must not keep the data.
	Extract func(m Message) (a Ack, ok bool)

	// ID returns the id of a message, if there is one in it. It is called when the message is about to be written, on
	// each connection, and must not keep the data.
	ID func(o Outgoing) string

	// Wrap puts the number of a message into it, for formats without an id: it appends to dst what goes on the wire, and
	// returns the extended slice. The id is the number in decimal, unless ID is set. A message has the same number each
	// time that it is sent, and with a spool no other message ever has it, in later processes neither; see
	// [Receipt.Number]. Wrap must not keep dst nor the data. A message for which it returns nil, or text that is not
	// UTF-8, or panics, is dropped, with a *[ConfigError].
	Wrap func(dst []byte, number uint64, o Outgoing) []byte

	// Cumulative says that an id acknowledges all messages that were sent before that one as well.
	Cumulative bool

	// Window is how many messages may be written and not acknowledged. A full window stops writing, not Enqueue. Zero
	// means 256.
	Window int

	// Timeout is how long the peer may take to acknowledge a message. Zero means 30 s, negative means for ever.
	Timeout time.Duration

	// OnTimeout says what happens then. Zero means AckResend.
	OnTimeout AckTimeout

	// Deliver gives acknowledgements to receivers like other messages. Otherwise they are consumed.
	Deliver bool
}

// Ack is an acknowledgement. Ids of messages that do not wait for one are ignored.
type Ack struct {
	IDs  []string
	Nack bool // the peer refuses these messages: they are dropped, with ErrRefused
}

// AckTimeout says what happens when a message is not acknowledged in time.
type AckTimeout int

const (
	// AckResend sends the message again, on the same connection.
	AckResend AckTimeout = iota
	// AckReconnect ends the connection, with a *TimeoutError whose Op is ack.
	AckReconnect
)

// withDefaults checks the options and fills in what is zero.
func (o SendOptions) withDefaults() (SendOptions, error) {
	wrong := func(field, problem string) (SendOptions, error) { return o, configError("Send."+field, problem) }
	queued := o.Mode != SendDirect
	switch {
	case o.Mode < SendDirect || o.Mode > SendAtLeastOnce:
		return wrong("Mode", "no such mode")
	case o.MaxMessages < Unlimited:
		return wrong("MaxMessages", "negative")
	case o.MaxBytes < 0:
		return wrong("MaxBytes", "negative")
	case o.MaxMessage < 0:
		return wrong("MaxMessage", "negative")
	case o.TTL < 0:
		return wrong("TTL", "negative")
	case o.Overflow < OverflowDefault || o.Overflow > Fail:
		return wrong("Overflow", "no such policy")
	case o.SpoolFailure < SpoolRefuse || o.SpoolFailure > SpoolFallback:
		return wrong("SpoolFailure", "no such policy")
	case !queued && o.Overflow != OverflowDefault:
		return wrong("Overflow", "without a queue")
	case !queued && o.TTL != 0:
		return wrong("TTL", "without a queue")
	case !queued && o.Spool != nil:
		return wrong("Spool", "without a queue")
	case o.Spool == nil && o.SpoolFailure != SpoolRefuse:
		return wrong("SpoolFailure", "without a spool")
	case (o.Ack != nil) != (o.Mode == SendAtLeastOnce):
		return wrong("Ack", "needed for SendAtLeastOnce, and for it alone")
	}
	if o.MaxMessages == 0 {
		o.MaxMessages = 1000
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 8 << 20
	}
	if o.Overflow == OverflowDefault {
		o.Overflow = Fail
	}
	if o.Ack != nil {
		ack, err := o.Ack.withDefaults()
		if err != nil {
			return o, err
		}
		o.Ack = &ack
	}
	return o, nil
}

func (o AckOptions) withDefaults() (AckOptions, error) {
	wrong := func(field, problem string) (AckOptions, error) { return o, configError("Send.Ack."+field, problem) }
	switch {
	case o.Extract == nil:
		return wrong("Extract", "missing")
	case o.ID == nil && o.Wrap == nil:
		return wrong("ID", "missing, and so is Wrap: messages have no ids")
	case o.Window < 0:
		return wrong("Window", "negative")
	case o.OnTimeout < AckResend || o.OnTimeout > AckReconnect:
		return wrong("OnTimeout", "no such policy")
	}
	if o.Window == 0 {
		o.Window = 256
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	return o, nil
}

// config returns the settings of the queue. It wants complete options.
func (o *SendOptions) config(target string, skipUTF8 bool) outbox.Config {
	cfg := outbox.Config{
		Target: target, MaxMessages: max(o.MaxMessages, 0), MaxBytes: o.MaxBytes, TTL: o.TTL, SkipUTF8: skipUTF8,
		Fallback: o.SpoolFailure == SpoolFallback,
	}
	switch o.Overflow {
	case DropNewest:
		cfg.Policy = outbox.DropNewest
	case DropOldest:
		cfg.Policy = outbox.DropOldest
	case Block:
		cfg.Policy = outbox.Block
	case Fail, OverflowDefault:
		cfg.Policy = outbox.Fail
	}
	if o.Spool != nil {
		cfg.Spool = o.Spool
	}
	if o.OnLoss != nil {
		cfg.OnLoss = func(l outbox.Loss) {
			o.OnLoss(Lost{Outgoing: outgoing(l.Message), Number: l.Number, State: l.State, Err: l.Err})
		}
	}
	if a := o.Ack; a != nil {
		cfg.Ack = &outbox.Ack{
			Cumulative: a.Cumulative, Window: a.Window, Timeout: max(a.Timeout, 0),
			Reconnect: a.OnTimeout == AckReconnect,
		}
		if a.ID != nil {
			cfg.Ack.ID = func(m outbox.Message) string { return a.ID(outgoing(m)) }
		}
		if a.Wrap != nil {
			cfg.Wrap = func(dst []byte, m outbox.Message) []byte { return a.Wrap(dst, m.Number, outgoing(m)) }
		}
	}
	return cfg
}
