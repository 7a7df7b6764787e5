package siotest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Session is one end of an Engine.IO session whose packets are given by hand. Packets are strings as they are on the wire:
// the digit of the type, then the data, for instance 42["event"]. A binary message is the letter b and its bytes in
// base64, as polling has it, whatever the transport. Nothing is sent by itself, not even an answer to a ping, if
// [PeerOptions] do not say otherwise.
//
// All methods may be called from any goroutine.
type Session struct {
	request  *http.Request
	protocol int
	pongs    bool // whether pings are answered
	in       chan string
	ws       *wsconn.Conn // nil for polling
	polls    *polling     // nil for WebSocket
	wg       sync.WaitGroup

	once sync.Once
	done chan struct{} // closed when the other end is gone, or this one
	err  error         // why
}

// ErrEnded reports a session that is over.
var ErrEnded = errors.New("siotest: the session is over")

// maxWaiting is how many packets wait to be received before the transport is not read any more.
const maxWaiting = 4096

// maxBody bounds what is read at once.
const maxBody = 64 << 20

func newSession(r *http.Request, protocol int, pongs bool) *Session {
	return &Session{
		request: r, protocol: protocol, pongs: pongs, in: make(chan string, maxWaiting), done: make(chan struct{}),
	}
}

// Request returns the first request of the client, without its body. It is nil at the client's end.
func (s *Session) Request() *http.Request { return s.request }

// Protocol returns the revision of Engine.IO that the client asked for.
func (s *Session) Protocol() int { return s.protocol }

// Transport returns "websocket" or "polling".
func (s *Session) Transport() string {
	if s.ws != nil {
		return "websocket"
	}
	return "polling"
}

// Send sends packets, in order.
func (s *Session) Send(packets ...string) error {
	if s.polls != nil {
		return s.polls.send(s.done, packets)
	}
	for _, p := range packets {
		if err := s.write(p); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) write(packet string) error {
	typ, data := wsconn.Text, []byte(packet)
	if encoded, ok := strings.CutPrefix(packet, "b"); ok {
		raw, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return fmt.Errorf("siotest: %w", err)
		}
		typ, data = wsconn.Binary, raw
		if s.protocol == 3 {
			data = append([]byte{4}, data...)
		}
	}
	if err := s.ws.Write(typ, data); err != nil {
		return fmt.Errorf("siotest: %w", err)
	}
	return nil
}

// Receive returns the next packet of the other end. When that is gone and all its packets were received, the error matches
// [ErrEnded].
func (s *Session) Receive(ctx context.Context) (string, error) {
	select {
	case p := <-s.in:
		return p, nil
	default:
	}
	select {
	case p := <-s.in:
		return p, nil
	case <-ctx.Done():
		return "", ctx.Err()
	case <-s.done:
	}
	select {
	case p := <-s.in:
		return p, nil
	default:
		return "", errors.Join(ErrEnded, s.err)
	}
}

// Expect receives as many packets as given, and returns an error if they are others.
func (s *Session) Expect(ctx context.Context, packets ...string) error {
	for i, want := range packets {
		got, err := s.Receive(ctx)
		if err != nil {
			return fmt.Errorf("siotest: packet %d, %q, did not come: %w", i, want, err)
		}
		if got != want {
			return fmt.Errorf("siotest: packet %d is %q, want %q", i, got, want)
		}
	}
	return nil
}

// Done returns a channel that is closed when the session is over.
func (s *Session) Done() <-chan struct{} { return s.done }

// Close ends the session in good order: a WebSocket close frame, or a close packet for who polls.
func (s *Session) Close() error {
	if s.polls != nil {
		_ = s.Send("1") // unless it has ended
	}
	s.end(ErrEnded)
	if s.ws != nil {
		_ = s.ws.Close(1000, "") // a peer that does not answer is gone as well
	}
	s.wg.Wait()
	return nil
}

// Cut ends the session without a word.
func (s *Session) Cut() {
	s.end(ErrEnded)
	if s.ws != nil {
		_ = s.ws.CloseNow() // always nil
	}
	s.wg.Wait()
}

func (s *Session) end(err error) {
	s.once.Do(func() {
		s.err = err
		close(s.done)
	})
}

// serve starts to read a WebSocket connection.
func (s *Session) serve(ws *wsconn.Conn) {
	s.ws = ws
	s.wg.Go(func() {
		for {
			typ, data, err := ws.Read(nil)
			if err != nil {
				s.end(err)
				return
			}
			s.arrived(packetOf(typ, data, s.protocol))
		}
	})
}

func packetOf(typ wsconn.MessageType, data []byte, protocol int) string {
	if typ == wsconn.Text {
		return string(data)
	}
	if protocol == 3 && len(data) > 0 {
		data = data[1:]
	}
	return "b" + base64.StdEncoding.EncodeToString(data)
}

// arrived takes a packet of the other end.
func (s *Session) arrived(packet string) {
	if s.pongs && strings.HasPrefix(packet, "2") {
		_ = s.Send("3" + packet[1:]) // a peer that is gone needs none
		return
	}
	select {
	case s.in <- packet:
	case <-s.done:
	}
}
