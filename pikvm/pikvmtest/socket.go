package pikvmtest

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

const (
	pingInterval = 15 * time.Second
	pingTimeout  = pingInterval / 2
	socketQueue  = 1024    // messages that wait for a slow client before it is dropped
	socketLimit  = 4 << 20 // size of a message from a client
	opcodePing   = byte(0) // binary ping (4.53+) and its answer
	opcodePong   = byte(255)
)

// socket is one client of the event socket.
type socket struct {
	server *Server
	stream bool
	ws     *wsconn.Conn
	conn   *conn
	out    chan frame
	done   chan struct{} // closed by the first of stop and kill
	once   sync.Once
	gone   chan struct{} // closed when nothing of the socket runs any more

	closing sync.Mutex // held for the time of a close handshake
}

func (s *Server) socketRoutes(k *router) {
	pong, _ := textFrame("pong", struct{}{}) // an empty object has JSON
	s.inbox.text["ping"] = func(c *socket, _ inbound) { c.answer(pong) }
	if s.version.atLeast(4, 53) {
		s.inbox.binary[opcodePing] = func(c *socket, _ inbound) { c.answer(frame{binary: true, data: []byte{opcodePong}}) }
	}
	k.add(http.MethodGet, "/ws", s.serveSocket)
}

// serveSocket is one event socket from its handshake to its end.
func (s *Server) serveSocket(c *call) error {
	stream, err := c.arg("stream").or("1").bool()
	if err != nil {
		return err
	}
	if problem := handshakeProblem(c.r.Header); problem != "" {
		write(c.w, http.StatusBadRequest, typeText, problem)
		return nil
	}
	ws, err := wsconn.Accept(c.w, c.r, &wsconn.AcceptOptions{
		Options:        wsconn.Options{ReadLimit: socketLimit, WriteTimeout: -1, PingTimeout: pingTimeout},
		AllowAnyOrigin: true, // the device does not look at the origin
	})
	if err != nil {
		return nil // Accept has answered
	}
	sock := &socket{
		server: s, stream: stream, ws: ws, conn: connOf(c.r.Context()),
		out: make(chan frame, socketQueue), done: make(chan struct{}), gone: make(chan struct{}),
	}
	defer close(sock.gone)
	defer s.auth.sessions.attach(c.who.token)()
	var wg sync.WaitGroup
	wg.Go(sock.writeLoop)
	wg.Go(sock.pingLoop)
	s.join(sock)
	sock.readLoop()
	s.leave(sock)
	sock.closing.Lock()
	sock.kill()
	sock.closing.Unlock()
	wg.Wait()
	return nil
}

// handshakeProblem is the text by which the device refuses what is not a WebSocket handshake.
func handshakeProblem(h http.Header) string {
	shown := func(name string) string {
		if v := h.Get(name); v != "" {
			return v
		}
		return "None"
	}
	key, err := base64.StdEncoding.DecodeString(h.Get("Sec-WebSocket-Key"))
	switch {
	case !strings.EqualFold(strings.TrimSpace(h.Get("Upgrade")), "websocket"):
		return fmt.Sprintf("No WebSocket UPGRADE hdr: %s\n Can \"Upgrade\" only to \"WebSocket\".", shown("Upgrade"))
	case !strings.Contains(strings.ToLower(h.Get("Connection")), "upgrade"):
		return "No CONNECTION upgrade hdr: " + shown("Connection")
	case h.Get("Sec-WebSocket-Version") != "13":
		return "Unsupported version: " + h.Get("Sec-WebSocket-Version")
	case err != nil || len(key) != 16:
		return "Handshake error: " + pyRepr(h.Get("Sec-WebSocket-Key"))
	}
	return ""
}

// join admits a socket: it gets "loop" first (last before 4.21), and everybody gets all full states again.
func (s *Server) join(sock *socket) {
	loop := event{"loop", struct{}{}}
	modern := s.version.atLeast(4, 21)
	if modern {
		loop.payload = map[string]any{"version": map[string]int{"major": s.version.major, "minor": s.version.minor}}
	}
	first := s.version.frames(loop)
	if modern {
		s.hub.add(sock, first...)
	} else {
		s.hub.add(sock)
	}
	s.hub.viewers()
	for _, part := range s.parts {
		part.announce()
	}
	s.hub.viewers()
	if !modern {
		s.hub.send(sock, first...)
	}
}

func (s *Server) leave(sock *socket) {
	s.hub.remove(sock)
	s.hub.viewers()
}

// queue is called with the lock of the hub held. A client that lets too much pile up is dropped.
func (c *socket) queue(f frame) {
	select {
	case c.out <- f:
	default:
		c.once.Do(func() { close(c.done) })
	}
}

// answer sends to this client alone, unless the answers to pings are stalled.
func (c *socket) answer(f frame) {
	if !c.server.stalled.Load() {
		c.server.hub.send(c, f)
	}
}

func (c *socket) readLoop() {
	var buf []byte
	for {
		typ, data, err := c.ws.Read(buf)
		if err != nil {
			return
		}
		buf = data
		c.server.inbox.deliver(c, typ == wsconn.Binary, data)
	}
}

func (c *socket) writeLoop() {
	for {
		select {
		case <-c.done:
			c.kill() // unblocks the reader where nobody else does
			return
		case f := <-c.out:
			typ := wsconn.Text
			if f.binary {
				typ = wsconn.Binary
			}
			if c.ws.Write(typ, f.data) != nil {
				c.kill()
				return
			}
		}
	}
}

// pingLoop drops a client that does not answer the pings of the protocol, and every client when the server closes.
func (c *socket) pingLoop() {
	ticker := time.NewTicker(pingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-c.server.ctx.Done():
			c.kill()
			return
		case <-ticker.C:
		}
		if c.server.stalled.Load() || c.conn.isHeld() {
			continue
		}
		ctx, cancel := context.WithTimeout(c.server.ctx, pingTimeout)
		_, err := c.ws.Ping(ctx)
		cancel()
		if err != nil && !c.conn.isHeld() {
			c.kill()
			return
		}
	}
}

// stop closes with a handshake that is bounded in time. Reading ends when it begins.
func (c *socket) stop(code int) {
	c.closing.Lock()
	defer c.closing.Unlock()
	c.conn.release()
	_ = c.ws.Close(code, "") // the end is the same whether the client answers
	c.kill()
}

// kill ends the connection at once. The TCP connection goes first, as a held one would not let go of what TLS and
// WebSocket have to say at the end.
func (c *socket) kill() {
	c.once.Do(func() { close(c.done) })
	_ = c.conn.Close()
	_ = c.ws.CloseNow()
}
