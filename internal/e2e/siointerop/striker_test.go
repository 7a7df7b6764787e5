//go:build interop

package siointerop_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// striker sends bytes to a server as they are.
type striker struct {
	*testing.T
	address string
	silence time.Duration // after which perhaps is answered by nothing
}

// line is a connection to a server. It is kept until the test ends.
type line struct {
	s    *striker
	conn net.Conn
	in   *bufio.Reader
}

func (s *striker) dial() *line {
	s.Helper()
	conn, err := net.DialTimeout("tcp", s.address, limit)
	if err != nil { // it has fallen
		conn, _ = net.Pipe()
		_ = conn.Close()
	}
	s.Cleanup(func() { _ = conn.Close() })
	return &line{s, conn, bufio.NewReader(conn)}
}

// send sends bytes. A server that has had enough does not take them all.
func (l *line) send(raw string) {
	_ = l.conn.SetWriteDeadline(time.Now().Add(limit))
	_, _ = io.WriteString(l.conn, raw)
}

// answer returns the head of the answer to a request and, if it says how long it is, its body. It is empty if the server
// hangs up instead.
func (l *line) answer() string { return l.answerWithin(limit) }

// perhaps returns the answer to a request that may get none.
func (l *line) perhaps() string { return l.answerWithin(l.s.silence) }

func (l *line) answerWithin(d time.Duration) string {
	_ = l.conn.SetReadDeadline(time.Now().Add(d))
	head, length := "", 0
	for {
		line, err := l.in.ReadString('\n')
		head += line
		if err != nil || line == "\r\n" {
			break
		}
		_, _ = fmt.Sscanf(strings.ToLower(line), "content-length: %d", &length)
	}
	body := make([]byte, length)
	n, _ := io.ReadFull(l.in, body)
	return head + string(body[:n])
}

// reset ends the connection the hard way.
func (l *line) reset() {
	if conn, ok := l.conn.(*net.TCPConn); ok {
		_ = conn.SetLinger(0)
	}
	_ = l.conn.Close()
}

// head is a request for a WebSocket, without the end of its head.
func head(query string) string {
	return "GET /socket.io/?" + query + " HTTP/1.1\r\nHost: sio.test\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + upgrade
}

const (
	upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
	eio4    = "EIO=4&transport=websocket"
	eio3    = "EIO=3&transport=websocket"
)

// webSocket opens a WebSocket.
func (s *striker) webSocket(query string) *line {
	s.Helper()
	l := s.dial()
	l.send(head(query) + "\r\n")
	if got := l.answer(); !strings.HasPrefix(got, "HTTP/1.1 101") {
		s.Fatalf("answered with %q", got)
	}
	return l
}

// join opens a WebSocket session and joins the main namespace, as clients of the old protocol need not.
func (s *striker) join(query string) *line {
	s.Helper()
	l := s.webSocket(query)
	l.await("0{")
	if query == eio4 {
		l.text("40")
	}
	l.await("40")
	return l
}

// await reads messages up to one that begins so, and returns it; it is empty if none comes.
func (l *line) await(prefix string) string {
	_ = l.conn.SetReadDeadline(time.Now().Add(limit))
	for {
		f, err := wstest.ReadFrame(l.in)
		if err != nil {
			return ""
		}
		if strings.HasPrefix(string(f.Payload), prefix) {
			return string(f.Payload)
		}
	}
}

func (l *line) text(msg string) { l.frame(wstest.Text(msg)) }

func (l *line) frame(f wstest.Frame) {
	f.Masked = true
	l.send(string(f.Bytes()))
}

// polling opens a session by polling and returns the query of its requests.
func (s *striker) polling(query string) string {
	s.Helper()
	l := s.dial()
	l.send("GET /socket.io/?" + query + " HTTP/1.1\r\nHost: sio.test\r\n\r\n")
	got := l.answer()
	_, rest, _ := strings.Cut(got, `"sid":"`)
	sid, _, ok := strings.Cut(rest, `"`)
	if !ok {
		s.Fatalf("answered with %q", got)
	}
	return query + "&sid=" + sid
}

func (s *striker) post(query, contentType, body string) *line {
	s.Helper()
	l := s.dial()
	l.send(fmt.Sprintf("POST /socket.io/?%s HTTP/1.1\r\nHost: sio.test\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		query, contentType, len(body), body))
	return l
}
