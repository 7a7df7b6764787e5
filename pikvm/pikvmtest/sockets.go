package pikvmtest

import (
	"context"
	"fmt"
	"sync"
)

// Sockets returns the number of open event sockets.
func (s *Server) Sockets() int { return s.hub.count() }

// WaitSockets returns when exactly n event sockets are open. It returns the error of ctx otherwise.
func (s *Server) WaitSockets(ctx context.Context, n int) error {
	for {
		s.hub.mu.Lock()
		now, changed := len(s.hub.sockets), s.hub.changed.wait()
		s.hub.mu.Unlock()
		if now == n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// DropSockets ends all event sockets and returns when they are gone: with a close frame of the given code (1001 is what
// a daemon that goes away sends), or, for 0, by a reset of their connections.
func (s *Server) DropSockets(code int) {
	var wg sync.WaitGroup
	for _, sock := range s.hub.all() {
		wg.Go(func() {
			if code == 0 {
				sock.conn.reset()
				sock.kill()
			} else {
				sock.stop(code)
			}
			<-sock.gone
		})
	}
	wg.Wait()
}

// SilenceSockets makes the event sockets that are open now go silent: nothing is read from them and nothing sent, not
// even the answers to pings, while their connections stay up. New ones work. The returned function ends the silence;
// what piled up is then handled late.
func (s *Server) SilenceSockets() (resume func()) {
	sockets := s.hub.all()
	for _, sock := range sockets {
		sock.conn.hold()
	}
	return func() {
		for _, sock := range sockets {
			sock.conn.release()
		}
	}
}

// StallPings stops, or resumes, the pings of the server and its answers to "ping" messages and binary pings. Events go
// on, and pings of the WebSocket protocol are answered.
func (s *Server) StallPings(stall bool) { s.stalled.Store(stall) }

// Emit sends a text message to all event sockets, under exactly that event type, whatever the version and whether the
// device knows it.
func (s *Server) Emit(eventType string, payload any) error {
	f, err := textFrame(eventType, payload)
	if err != nil {
		return fmt.Errorf("pikvmtest: event %s: %w", eventType, err)
	}
	s.emit(f)
	return nil
}

// EmitRaw sends any message, malformed ones included, to all event sockets.
func (s *Server) EmitRaw(binary bool, data []byte) {
	s.emit(frame{binary, append([]byte(nil), data...)})
}

func (s *Server) emit(f frame) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.queue(f)
}
