//go:build !js

package wsclient

import (
	"context"
	"iter"
)

// Stream yields the values in the messages that arrive, as [Manager.Messages] yields the messages. A message that cannot
// be decoded gives a *[DecodeError], and the loop goes on. Nil as the codec means [JSON].
func Stream[T any](ctx context.Context, m *Manager, codec Codec[T]) iter.Seq2[T, error] {
	if codec == nil {
		codec = JSON[T]{}
	}
	return func(yield func(T, error) bool) {
		for msg, err := range m.Messages(ctx) {
			var v T
			if err == nil {
				v, err = decode(codec, msg)
			}
			if !yield(v, err) {
				return
			}
		}
	}
}
