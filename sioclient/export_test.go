package sioclient

import (
	"context"
	"math"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// LimitEarly bounds what the sockets of a manager keep of events that come before their namespace is confirmed.
func LimitEarly(m *Manager, messages, bytes int) {
	m.early = event.Limits{Messages: messages, Bytes: bytes}
}

// PauseClose lets the end of a socket wait for pause.
func PauseClose(s *Socket, pause func()) {
	s.acks.AddID(math.MaxUint64, func(packet.Args, error) { pause() })
}

// OpenAfter lets a socket connect, as [Socket.Open] does, and calls pause between the moment at which the connection is
// there and the one at which the sockets learn of it.
func OpenAfter(s *Socket, pause func()) {
	m := s.m
	m.mu.Lock()
	defer m.mu.Unlock()
	r := &run{done: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	m.run, m.ended = r, r.done
	s.active, s.persistent = true, true
	m.wg.Go(func() {
		defer close(r.done)
		defer r.cancel()
		l, err := m.dial(r.ctx, 0)
		if err != nil {
			return
		}
		pause()
		m.onDuty(r, l)
		_ = m.watch(r, l)
	})
}
