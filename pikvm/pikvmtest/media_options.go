package pikvmtest

import (
	"context"
	"fmt"
	"sync"
)

// MediaOptions describes the media daemon, which is there since 4.28. The zero value is that of the recorded device: H.264
// of frames that consist of their number, while the streamer runs.
type MediaOptions struct {
	// Absent imitates a device on which the daemon does not run. See [Server.SetMedia].
	Absent bool

	// JPEG offers pictures as well. H.264 is left out by [StreamerOptions].NoH264.
	JPEG bool

	// FrameSize is the size of the picture in an H.264 frame, in bytes. Zero means 8.
	FrameSize int
}

// withDefaults returns a checked copy.
func (o MediaOptions) withDefaults() (MediaOptions, error) {
	if o.FrameSize < 0 {
		return o, fmt.Errorf("pikvmtest: FrameSize %d is negative", o.FrameSize)
	}
	if o.FrameSize == 0 {
		o.FrameSize = 8
	}
	return o, nil
}

// SetMedia starts the media daemon, or stops it: then its sockets are closed with code 1001, and the web server answers 502.
func (s *Server) SetMedia(running bool) {
	s.media.mu.Lock()
	s.media.absent = !running
	s.media.mu.Unlock()
	if !running {
		s.DropMedia(1001)
	}
}

// MediaClients returns the number of open media sockets.
func (s *Server) MediaClients() int { return len(s.media.all()) }

// WaitMediaClients returns when exactly n media sockets are open. It returns the error of ctx otherwise.
func (s *Server) WaitMediaClients(ctx context.Context, n int) error {
	m := s.media
	for {
		m.mu.Lock()
		now, changed := len(m.clients), m.changed.wait()
		m.mu.Unlock()
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

// DropMedia ends all media sockets and returns when they are gone, as [Server.DropSockets] does for event sockets.
func (s *Server) DropMedia(code int) {
	var wg sync.WaitGroup
	for _, c := range s.media.all() {
		wg.Go(func() {
			if code == 0 {
				c.conn.reset()
				c.kill()
			} else {
				c.stop(code)
			}
			<-c.gone
		})
	}
	wg.Wait()
}

// SilenceMedia makes the media sockets that are open now go silent, as [Server.SilenceSockets] does for event sockets.
func (s *Server) SilenceMedia() (resume func()) {
	clients := s.media.all()
	for _, c := range clients {
		c.conn.hold()
	}
	return func() {
		for _, c := range clients {
			c.conn.release()
		}
	}
}

// EmitMedia sends any message, malformed ones included, to all media sockets.
func (s *Server) EmitMedia(binary bool, data []byte) {
	s.media.mu.Lock()
	defer s.media.mu.Unlock()
	for c := range s.media.clients {
		c.push(frame{binary, append([]byte(nil), data...)})
	}
}

func (m *media) all() []*mediaClient {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]*mediaClient, 0, len(m.clients))
	for c := range m.clients {
		out = append(out, c)
	}
	return out
}
