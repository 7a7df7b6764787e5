package pikvmtest

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Binary messages of the media socket. In pure mode only the wish for a key frame has a meaning.
const (
	mediaPing    = byte(0) // from a client; the answer is opcodePong
	mediaKeyWish = byte(1) // from a client
	mediaVideo   = byte(1) // to a client: a frame, after a byte that tells whether it is a key frame
)

// mediaClient is one client of the media socket. It shares what sockets have in common with the event socket.
type mediaClient struct {
	*socket
	media *media
	pure  bool // frames and nothing else

	format string // what it gets, empty for nothing yet; guarded by media.mu, as is behind
	behind bool   // it gets nothing before the next key frame
}

func (m *media) serveSocket(w http.ResponseWriter, r *http.Request) {
	s := m.server
	c := &mediaClient{media: m}
	video := r.URL.Query().Get("video")
	if s.version.atLeast(4, 110) && video != "" {
		if c.pure = true; !m.offers(video) {
			writeError(w, &apiError{http.StatusBadRequest, "ValidatorError", "Unsupported video type"})
			return
		}
	}
	if problem := handshakeProblem(r.Header); problem != "" {
		write(w, http.StatusBadRequest, typeText, problem)
		return
	}
	c.socket = &socket{
		server: s, conn: connOf(r.Context()), out: make(chan frame, mediaQueue), gone: make(chan struct{}),
		answered: make(chan struct{}), quiet: make(chan struct{}), written: make(chan struct{}), stopped: make(chan struct{}),
	}
	c.ctx, c.end = context.WithCancel(s.ctx)
	defer close(c.gone)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		<-c.ctx.Done()
		c.kill()
	})
	var err error
	c.ws, err = wsconn.Accept(w, r, &wsconn.AcceptOptions{
		Options:        wsconn.Options{ReadLimit: socketLimit, WriteTimeout: -1, PingTimeout: pingTimeout},
		AllowAnyOrigin: true, // the device does not look at the origin
	})
	close(c.answered)
	if err != nil { // Accept has answered
		close(c.written)
		c.kill()
		return
	}
	m.join(c)
	if c.pure {
		m.start(c, video)
	} else if greeting, err := textFrame("media", m.announcement()); err == nil { // what the device sends has JSON
		c.out <- greeting
	}
	wg.Go(c.writeLoop)
	wg.Go(c.pingLoop)
	c.readLoop()
	m.leave(c)
	if c.stopping.Load() {
		<-c.stopped
	}
	c.kill()
}

// readLoop obeys the client. Messages without a meaning are overlooked.
func (c *mediaClient) readLoop() {
	var buf []byte
	for {
		typ, data, err := c.ws.Read(buf)
		if err != nil {
			return
		}
		buf = data
		msg, err := parseInbound(typ == wsconn.Binary, data)
		switch {
		case err != nil:
		case typ == wsconn.Binary && msg.opcode == mediaKeyWish:
			c.media.wantKey()
		case c.pure:
		case typ == wsconn.Binary && msg.opcode == mediaPing:
			c.pong()
		case msg.kind == "start":
			var kind, format string
			if json.Unmarshal(orNull(msg.event["type"]), &kind) == nil && json.Unmarshal(orNull(msg.event["format"]), &format) == nil &&
				kind == "video" && c.media.offers(format) {
				c.media.start(c, format)
			}
		}
	}
}

func (c *mediaClient) pong() {
	if c.server.stalled.Load() {
		return
	}
	c.media.mu.Lock()
	defer c.media.mu.Unlock()
	c.push(frame{binary: true, data: []byte{opcodePong}})
}

// offer is called with the lock of the daemon held. A client for which too much piles up loses it all, and goes on with a
// key frame.
func (c *mediaClient) offer(data []byte, key bool) {
	if c.behind && !key {
		return
	}
	c.behind = false
	if !c.pure {
		flag := byte(0)
		if key {
			flag = 1
		}
		data = append([]byte{mediaVideo, flag}, data...)
	}
	if !c.push(frame{binary: true, data: data}) {
		c.behind = true
		for {
			select {
			case <-c.out:
			default:
				return
			}
		}
	}
}

// push is false if the queue is full.
func (c *mediaClient) push(f frame) bool {
	select {
	case c.out <- f:
		return true
	default:
		return false
	}
}
