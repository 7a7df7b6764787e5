package main

import (
	"context"
	"net/http"
	"sync"

	"github.com/coder/websocket"
)

// hub sends what any client says to all of them.
type hub struct {
	mu      sync.Mutex
	clients map[chan []byte]struct{}
}

func (h *hub) serve(w http.ResponseWriter, r *http.Request) {
	c, err := accept(w, r)
	if err != nil {
		return
	}
	defer func() { _ = c.CloseNow() }()
	ctx := context.Background()
	queue := make(chan []byte, 64)
	h.mu.Lock()
	h.clients[queue] = struct{}{}
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.clients, queue)
		h.mu.Unlock()
		close(queue)
	}()
	go func() {
		for msg := range queue {
			if err := c.Write(ctx, websocket.MessageText, msg); err != nil {
				_ = c.CloseNow()
			}
		}
	}()
	for {
		_, msg, err := c.Read(ctx)
		if err != nil {
			return
		}
		h.broadcast(msg)
	}
}

// broadcast drops the message for clients whose queue is full.
func (h *hub) broadcast(msg []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for queue := range h.clients {
		select {
		case queue <- msg:
		default:
		}
	}
}
