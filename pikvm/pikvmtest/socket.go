package pikvmtest

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
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
	conn   *conn
	out    chan frame
	ctx    context.Context // ends with the server and by end
	end    context.CancelFunc
	gone   chan struct{} // closed when nothing of the socket runs any more

	ws       *wsconn.Conn  // nil if the handshake failed; to be read once answered is closed
	answered chan struct{} // closed after the handshake

	stopping atomic.Bool
	quiet    chan struct{} // closed by stop: no more messages
	written  chan struct{} // closed when the last message is written
	stopped  chan struct{} // closed when stop is through
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
	sock := &socket{
		server: s, stream: stream, conn: connOf(c.r.Context()),
		out: make(chan frame, socketQueue), gone: make(chan struct{}), answered: make(chan struct{}),
		quiet: make(chan struct{}), written: make(chan struct{}), stopped: make(chan struct{}),
	}
	sock.ctx, sock.end = context.WithCancel(s.ctx)
	defer close(sock.gone)
	defer s.auth.sessions.attach(c.who.token)()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		<-sock.ctx.Done()
		sock.kill()
	})
	s.join(sock) // first: a client that has the answer counts
	sock.ws, err = wsconn.Accept(c.w, c.r, &wsconn.AcceptOptions{
		Options:        wsconn.Options{ReadLimit: socketLimit, WriteTimeout: -1, PingTimeout: pingTimeout},
		AllowAnyOrigin: true, // the device does not look at the origin
	})
	close(sock.answered)
	if err != nil { // Accept has answered
		close(sock.written)
		s.leave(sock)
		sock.kill()
		return nil
	}
	wg.Go(sock.writeLoop)
	wg.Go(sock.pingLoop)
	sock.readLoop()
	s.leave(sock)
	if sock.stopping.Load() {
		<-sock.stopped
	}
	sock.kill()
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
	s.hid.clear(OriginSocket)
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
	viewers := s.hub.viewers()
	s.streamer.watch(viewers)
	if !modern {
		s.hub.send(sock, first...)
	}
}

func (s *Server) leave(sock *socket) {
	s.hub.remove(sock)
	s.hid.clear(OriginSocket)
	s.streamer.watch(s.hub.viewers())
}

// queue is called with the lock of the hub held. A client that lets too much pile up is dropped.
func (c *socket) queue(f frame) {
	select {
	case c.out <- f:
	default:
		c.end()
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
	defer close(c.written)
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-c.quiet:
			return
		case f := <-c.out:
			typ := wsconn.Text
			if f.binary {
				typ = wsconn.Binary
			}
			if c.ws.Write(typ, f.data) != nil {
				c.end()
				return
			}
		}
	}
}

// pingLoop drops a client that does not answer the pings of the protocol.
func (c *socket) pingLoop() {
	ticker := time.NewTicker(pingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-ticker.C:
		}
		if c.server.stalled.Load() || c.conn.isHeld() {
			continue
		}
		ctx, cancel := context.WithTimeout(c.ctx, pingTimeout)
		_, err := c.ws.Ping(ctx)
		cancel()
		if err != nil && !c.conn.isHeld() {
			c.end()
			return
		}
	}
}

// stop closes with a handshake that is bounded in time. Writing ends before it begins, reading when it does.
func (c *socket) stop(code int) {
	if !c.stopping.CompareAndSwap(false, true) {
		<-c.stopped
		return
	}
	defer close(c.stopped)
	defer c.kill()
	c.conn.release()
	close(c.quiet)
	limit := time.NewTimer(time.Second)
	defer limit.Stop()
	select {
	case <-c.written:
		if c.ws != nil {
			_ = c.ws.Close(code, "") // the end is the same whether the client answers
		}
	case <-limit.C:
	}
}

// kill ends the connection at once. The TCP connection goes first, as a held one would not let go of what TLS and
// WebSocket have to say at the end.
func (c *socket) kill() {
	c.end()
	_ = c.conn.Close()
	if <-c.answered; c.ws != nil {
		_ = c.ws.CloseNow()
	}
}
