//go:build !js

package wsclient

import (
	"context"
	"sync"
)

// handler gives the messages of the queue to ReceiveOptions.Handler, on a goroutine that exists only while there are
// some. What is in the queue when the manager is closed is still handled.
type handler struct {
	mu      sync.Mutex
	running bool
}

// handle is called after a message was put into the queue.
func (m *Manager) handle() {
	h := &m.handler
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.running {
		h.running = true
		m.tasks.Go(m.handleAll)
	}
}

func (m *Manager) handleAll() {
	now := make(chan struct{})
	close(now)
	for {
		msg, gap, err := m.inbox.GetOr(context.Background(), now)
		switch {
		case err != nil:
			if m.handled() {
				return
			}
		case gap.Dropped == 0:
			m.dispatch.guard("Receive.Handler", func() { m.opts.Receive.Handler(m.life, msg) })
		}
	}
}

// handled ends the goroutine unless there is something new.
func (m *Manager) handled() bool {
	m.handler.mu.Lock()
	defer m.handler.mu.Unlock()
	m.handler.running = m.inbox.Stats().Depth > 0
	return !m.handler.running
}
