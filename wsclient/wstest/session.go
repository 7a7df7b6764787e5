package wstest

import (
	"bufio"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// Session is one connection in the hands of a script. Its methods must not be called from several goroutines at once,
// except that one may send while another reads.
type Session struct {
	conn   net.Conn
	in     *bufio.Reader
	client bool
	req    *http.Request
	done   <-chan struct{}
}

// NewSession makes a session on a connection of your own; client says on which side of it the session is.
func NewSession(conn net.Conn, client bool) *Session {
	return &Session{conn: conn, in: bufio.NewReader(conn), client: client, done: make(chan struct{})}
}

// Connect makes a session that has asked the server behind conn for an upgrade of rawURL, and got it. Without an upgrade
// it returns the answer, with an error.
func Connect(conn net.Conn, rawURL string, header http.Header) (*Session, *http.Response, error) {
	s := NewSession(conn, true)
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, nil, err
	}
	var nonce [16]byte
	rand.Read(nonce[:]) // never fails
	key := base64.StdEncoding.EncodeToString(nonce[:])
	req := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {key},
	}}
	for name, values := range header {
		req.Header[name] = values
	}
	if err := req.Write(conn); err != nil {
		return nil, nil, err
	}
	resp, err := http.ReadResponse(s.in, req)
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, resp, fmt.Errorf("wstest: upgrade answered with %s", resp.Status)
	}
	if resp.Header.Get("Sec-Websocket-Accept") != Accept(key) {
		return nil, resp, errors.New("wstest: wrong Sec-WebSocket-Accept")
	}
	return s, resp, nil
}

// Accept returns the answer to a Sec-WebSocket-Key (RFC 6455, section 4.2.2).
func Accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Request reads the client's request, the first time, and returns it.
func (s *Session) Request() (*http.Request, error) {
	if s.req != nil {
		return s.req, nil
	}
	req, err := http.ReadRequest(s.in)
	if err != nil {
		return nil, err
	}
	s.req = req
	return req, nil
}

// Upgrade agrees to the client's request with a proper 101, and with the headers given besides or instead of the usual
// ones; a header without values is left out. It reads the request if that was not done.
func (s *Session) Upgrade(header http.Header) error {
	p, err := s.UpgradeBytes(header)
	if err != nil {
		return err
	}
	return s.Raw(p)
}

// UpgradeBytes returns what [Session.Upgrade] would send.
func (s *Session) UpgradeBytes(header http.Header) ([]byte, error) {
	req, err := s.Request()
	if err != nil {
		return nil, err
	}
	h := http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Accept": {Accept(req.Header.Get("Sec-Websocket-Key"))},
	}
	return answer(http.StatusSwitchingProtocols, h, header, ""), nil
}

// Answer answers the request with any status, headers and body. It reads the request if that was not done.
func (s *Session) Answer(status int, header http.Header, body string) error {
	if _, err := s.Request(); err != nil {
		return err
	}
	h := http.Header{"Content-Length": {fmt.Sprint(len(body))}, "Connection": {"close"}}
	return s.Raw(answer(status, h, header, body))
}

func answer(status int, header, more http.Header, body string) []byte {
	for name, values := range more {
		header[http.CanonicalHeaderKey(name)] = values
	}
	p := fmt.Appendf(nil, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	for name, values := range header {
		for _, v := range values {
			p = fmt.Appendf(p, "%s: %s\r\n", name, v)
		}
	}
	return append(append(p, "\r\n"...), body...)
}

// Raw sends bytes as they are.
func (s *Session) Raw(p []byte) error {
	_, err := s.conn.Write(p)
	return err
}

// Trickle sends bytes as they are, n at a time, calling pause in between; nil means no pause.
func (s *Session) Trickle(p []byte, n int, pause func()) error {
	for len(p) > 0 {
		chunk := p[:min(n, len(p))]
		if err := s.Raw(chunk); err != nil {
			return err
		}
		p = p[len(chunk):]
		if pause != nil && len(p) > 0 {
			pause()
		}
	}
	return nil
}

// Send sends frames. A client's session masks them (RFC 6455, section 5.3); use [Session.Raw] with [Frame.Bytes]
// to send what must not be.
func (s *Session) Send(frames ...Frame) error {
	var p []byte
	for _, f := range frames {
		if s.client {
			f.Masked = true
			rand.Read(f.Key[:]) // never fails
		}
		p = f.Append(p)
	}
	return s.Raw(p)
}

// Read reads bytes as they are.
func (s *Session) Read(p []byte) (int, error) { return s.in.Read(p) }

// Next reads the next frame.
func (s *Session) Next() (Frame, error) { return ReadFrame(s.in) }

// Echo sends every message back, answers pings and close frames, and returns after a close frame, or with the error that
// ended the connection.
func (s *Session) Echo() error {
	for {
		f, err := s.Next()
		if err != nil {
			return err
		}
		f.Masked = false
		if f.Opcode == OpPing {
			f.Opcode = OpPong
		}
		if err := s.Send(f); err != nil || f.Opcode == OpClose {
			return err
		}
	}
}

// Discard reads until the connection ends, and returns nil then.
func (s *Session) Discard() error {
	_, _ = io.Copy(io.Discard, s.in) // how it ended does not matter
	return nil
}

// Hold keeps the connection open and silent, reading nothing, until the peer that plays the script is closed. It
// is what a client sees of a host that lost its power.
func (s *Session) Hold() error {
	<-s.done
	return nil
}

// FIN closes the sending direction only, without a close frame.
func (s *Session) FIN() error {
	c, ok := s.conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return c.CloseWrite()
}

// RST resets the connection: the peer's reads and writes fail with ECONNRESET.
func (s *Session) RST() error {
	c, ok := s.conn.(interface{ SetLinger(sec int) error })
	if !ok {
		return errors.ErrUnsupported
	}
	return errors.Join(c.SetLinger(0), s.conn.Close())
}

// Close closes the connection without a close frame. The end of a script does the same.
func (s *Session) Close() error { return s.conn.Close() }

// Conn returns the connection itself. What the session has read ahead is in [Session.Read] only.
func (s *Session) Conn() net.Conn { return s.conn }
