//go:build !js

package wsclient

import (
	"context"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

func (m *Manager) sendQueued(ctx context.Context, typ MessageType, data []byte) error {
	if err := m.checkOutgoing(typ, data); err != nil {
		return err
	}
	return m.outbox.Put(ctx, typ, data, nil)
}

func configError(field, problem string) error { return wserr.Config(opNew, field, problem) }

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

// Receive is a placeholder.
func (m *Manager) Receive(ctx context.Context) (Message, error) {
	msg, _, err := m.inbox.Get(ctx)
	return msg, err
}
