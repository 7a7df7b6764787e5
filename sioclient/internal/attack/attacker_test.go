package attack_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// patience is how long a test waits for what should come at once.
const patience = 3 * time.Minute

// attacker is a bare connection to the server. What comes is kept until it is waited for.
type attacker struct {
	a    *arena
	conn net.Conn
	sid  string        // of the session
	done chan struct{} // closed when nothing is read any more

	mu    sync.Mutex // guards what follows
	news  sync.Cond
	got   []byte
	ended bool
	deaf  bool // does not read
}

// dial connects an attacker.
func (a *arena) dial() *attacker {
	a.Helper()
	conn, err := a.dialContext(context.Background(), "tcp", "sio.test:80")
	if err != nil {
		a.Fatal(err)
	}
	p := &attacker{a: a, conn: conn, done: make(chan struct{})}
	p.news.L = &p.mu
	go func() {
		defer close(p.done)
		p.read()
	}()
	narrow(conn)
	_ = conn.SetDeadline(time.Now().Add(patience))
	a.attackers[p] = true
	return p
}

func (p *attacker) read() {
	buf := make([]byte, 4<<10)
	for {
		p.mu.Lock()
		for p.deaf {
			p.news.Wait()
		}
		p.mu.Unlock()
		n, err := p.conn.Read(buf)
		p.mu.Lock()
		p.got = append(p.got, buf[:n]...)
		p.ended = err != nil
		p.news.Broadcast()
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// send sends bytes as they are. The server may have hung up by then.
func (p *attacker) send(raw string) { _, _ = p.conn.Write([]byte(raw)) }

// await waits until the server has sent this, and forgets all up to there.
func (p *attacker) await(want string) {
	p.a.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if i := bytes.Index(p.got, []byte(want)); i >= 0 {
			p.got = bytes.Clone(p.got[i+len(want):])
			return
		}
		if p.ended {
			p.a.Fatalf("hung up without %q, after %.200q", want, p.got)
		}
		p.news.Wait()
	}
}

// take waits for the bytes before a mark, and returns them.
func (p *attacker) take(mark string) string {
	p.a.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if head, rest, ok := bytes.Cut(p.got, []byte(mark)); ok {
			took := string(head)
			p.got = bytes.Clone(rest)
			return took
		}
		if p.ended {
			p.a.Fatalf("hung up without %q, after %.200q", mark, p.got)
		}
		p.news.Wait()
	}
}

// pending returns what has come and was not waited for.
func (p *attacker) pending() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.got)
}

// setDeaf says whether the attacker stops reading, after what it is about to read.
func (p *attacker) setDeaf(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = on
	p.news.Broadcast()
}

// hangUp closes the connection, and reset ends it the hard way. Both wait until nothing is read from it any more.
func (p *attacker) hangUp() {
	_ = p.conn.Close()
	p.setDeaf(false)
	<-p.done
	delete(p.a.attackers, p)
}

func (p *attacker) reset() {
	if c, ok := p.conn.(interface{ SetLinger(sec int) error }); ok {
		_ = c.SetLinger(0)
	}
	p.hangUp()
}

// soon is how long the server may take to hang up: it waits a second for the answer to a close frame.
const soon = 5 * time.Second

// end waits until the server has hung up, which must be soon, and returns what had come.
func (p *attacker) end() string {
	p.a.Helper()
	begin := time.Now()
	defer func() {
		if took := time.Since(begin); p.a.links != nil && took > soon {
			p.a.Errorf("hung up only after %v", took)
		}
	}()
	p.mu.Lock()
	for !p.ended && (p.a.links != nil || !bytes.Contains(p.got, []byte("\x88"))) { // on TCP the close frame is enough
		p.news.Wait()
	}
	got := string(p.got)
	p.mu.Unlock()
	p.hangUp()
	return got
}

// refused waits for the end, which must have begun with this status.
func (p *attacker) refused(status string) {
	p.a.Helper()
	if got := p.end(); !strings.HasPrefix(got, "HTTP/1.1 "+status) {
		p.a.Errorf("answered with %.200q, want %s", got, status)
	}
}

// closed waits for the end, which must have come with a WebSocket close frame of this code, as two bytes.
func (p *attacker) closed(code string) {
	p.a.Helper()
	if got := p.end(); !strings.Contains(got, code) || !strings.Contains(got, "\x88") {
		p.a.Errorf("ended with %.200q, want a close frame with %q", got, code)
	}
}

// Codes of close frames (RFC 6455, section 7.4.1).
const (
	normalClosure = "\x03\xe8"
	protocolError = "\x03\xea"
	tooBig        = "\x03\xf1"
)

// request sends a whole request and returns the whole answer.
func (a *arena) request(raw string) string {
	a.Helper()
	p := a.dial()
	p.send(raw)
	return p.end()
}

// upgradeHead is a request for a WebSocket, without the end of its head.
const upgradeHead = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: sio.test\r\nConnection: Upgrade\r\n" +
	"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

const switching = "HTTP/1.1 101 Switching Protocols\r\n"

// session opens a WebSocket session.
func (a *arena) session() *attacker {
	a.Helper()
	p := a.dial()
	p.send(upgradeHead + "\r\n")
	p.await(switching)
	p.await(`0{"sid":"`)
	p.sid = p.take(`"`)
	p.await(`"maxPayload":1000000}`)
	return p
}

// join opens a WebSocket session and joins the main namespace.
func (a *arena) join() *attacker {
	a.Helper()
	p := a.session()
	p.text("40")
	p.await(`40{"sid":"`)
	p.await(`"}`)
	return p
}

// text and binary send messages, each in a frame of its own, at once. The key of the mask is zero, which is allowed.
func (p *attacker) text(msgs ...string)   { p.frames(wstest.OpText, msgs) }
func (p *attacker) binary(msgs ...string) { p.frames(wstest.OpBinary, msgs) }

func (p *attacker) frames(opcode byte, msgs []string) {
	var raw []byte
	for _, m := range msgs {
		raw = append(raw, 0x80|opcode)
		switch n := len(m); {
		case n < 126:
			raw = append(raw, 0x80|byte(n))
		case n < 1<<16:
			raw = binary.BigEndian.AppendUint16(append(raw, 0x80|126), uint16(n))
		default:
			raw = binary.BigEndian.AppendUint64(append(raw, 0x80|127), uint64(n))
		}
		raw = append(append(raw, 0, 0, 0, 0), m...)
	}
	p.send(string(raw))
}

// polling opens a polling session with this revision of the protocol and returns the target of its requests.
func (a *arena) polling(revision string) string {
	a.Helper()
	target := "/socket.io/?EIO=" + revision + "&transport=polling"
	_, rest, ok := strings.Cut(a.get(target), `"sid":"`)
	if !ok {
		a.Fatal("no session")
	}
	sid, _, _ := strings.Cut(rest, `"`)
	return target + "&sid=" + sid
}

const closing = " HTTP/1.1\r\nHost: sio.test\r\nConnection: close\r\n"

func (a *arena) get(target string) string {
	a.Helper()
	return a.request("GET " + target + closing + "\r\n")
}

func (a *arena) post(target, header, body string) string {
	a.Helper()
	return a.request(fmt.Sprintf("POST %s%s%sContent-Length: %d\r\n\r\n%s", target, closing, header, len(body), body))
}

// answered checks the status of an answer, and its end.
func (a *arena) answered(got, status, body string) {
	a.Helper()
	if !strings.HasPrefix(got, "HTTP/1.1 "+status) || !strings.HasSuffix(got, body) {
		a.Errorf("answered with %.300q, want %s and %q", got, status, body)
	}
}
