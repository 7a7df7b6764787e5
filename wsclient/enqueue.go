//go:build !js

package wsclient

import (
	"context"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// Enqueue accepts a message to be sent, with a connection or without, and returns a receipt that tells what becomes of
// it. The data may be reused afterwards. It needs a queue (see [SendOptions]); without one it is a *[ConfigError].
//
// The context bounds the wait for room under Block, and for the disk under a spool; a message that was accepted is not
// taken back when it ends. With a spool, the message is as safe as the options of the spool say when Enqueue returns.
//
// Errors, with which nothing was accepted: *[QueueFullError] without room, *[MessageTooBigError], *[ConfigError] for text
// that is not UTF-8, *[SpoolError], what ended the manager after it has given up, [ErrShuttingDown] during Shutdown and
// [ErrClosed] after it.
func (m *Manager) Enqueue(ctx context.Context, o Outgoing) (*Receipt, error) {
	if m.outbox == nil {
		return nil, wserr.Config("enqueue", "Send.Mode", "there is no queue")
	}
	if err := m.checkOutgoing(o.Type, o.Data); err != nil {
		return nil, err
	}
	r := new(Receipt)
	if err := m.outbox.Put(ctx, o.Type, o.Data, &r.entry); err != nil {
		return nil, err
	}
	return r, nil
}

// sendQueued is Send with a queue.
func (m *Manager) sendQueued(ctx context.Context, typ MessageType, data []byte) error {
	if err := m.checkOutgoing(typ, data); err != nil {
		return err
	}
	return m.outbox.Put(ctx, typ, data, nil)
}

// checkOutgoing turns down what must not be sent.
func (m *Manager) checkOutgoing(typ MessageType, data []byte) error {
	limit := int64(m.opts.Send.MaxMessage)
	switch {
	case typ != Text && typ != Binary:
		return wserr.Config(opSend, "type", "neither Text nor Binary")
	case limit > 0 && int64(len(data)) > limit:
		return &MessageTooBigError{
			ProtocolError: ProtocolError{Info: errkit.Info{
				Class: wserr.ErrMessageTooBig, Op: opSend, Target: m.target, Kind: errkit.Invalid | errkit.NotSent,
			}},
			Size: int64(len(data)), Limit: limit, Direction: Outbound,
		}
	case typ == Text && !m.opts.Conn.SkipUTF8 && !utf8.Valid(data):
		return wserr.Config(opSend, "text", "not UTF-8")
	}
	return nil
}
