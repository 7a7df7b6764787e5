//go:build !js

package wsclient

import (
	"context"
	"iter"
)

// Messages yields the messages as they arrive, across connections:
//
//	for msg, err := range m.Messages(ctx) {
//		var lost *wsclient.QueueFullError
//		if errors.As(err, &lost) {
//			// lost.DroppedCount messages are missing here; the loop goes on
//			continue
//		}
//		if err != nil {
//			return err
//		}
//
// Its errors are those of [Manager.Receive]. All but a *[QueueFullError] are the last of the loop. When the manager is
// closed, the loop ends without an error after the last message that had arrived. Leaving the loop takes nothing that
// it did not yield. Several loops share the messages; each goes to one of them.
func (m *Manager) Messages(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for {
			msg, gap, err := m.next(ctx)
			switch {
			case err == nil && gap.Dropped == 0:
				if !yield(msg, nil) {
					return
				}
			case err == nil:
				if !yield(Message{}, m.gapError(gap)) {
					return
				}
			case isClean(err):
				return
			default:
				yield(Message{}, m.receiveError(ctx, 0, err))
				return
			}
		}
	}
}
