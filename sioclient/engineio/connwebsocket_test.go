package engineio_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// TestClientWebSocket has the rules for a connection that begins with WebSocket.
func TestClientWebSocket(t *testing.T) {
	scriptedRows(t, map[string]func(t *testing.T, p *scripted){
		"the open packet comes first, messages go both ways": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocket(nil, openWS)
			check(t, testSID, conn.ID())
			check(t, 4, conn.Protocol())
			check(t, engineio.WebSocket, conn.Transport())
			check(t, false, conn.Upgraded())
			check(t, int64(1_000_000), conn.MaxPayload())
			s.send("4hello", "4")
			p.witness.wait(t, "hello", "")
			mustSend(t, conn, engineio.Text("a"), engineio.Binary([]byte{1}), engineio.Encoded([]byte("42[]")))
			s.want("4a", "binary \x01", "42[]")
			finish(conn)
		},
		"binary messages belong to the handler": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocket(nil, openWS)
			keep := &keeper{got: make(chan []byte, 10)}
			p.witness.onBinary = keep.take
			large := strings.Repeat("x", 5000)
			for _, text := range []string{large, "aaaa", "bbbb", large} {
				if err := s.ws.Write(wsconn.Binary, []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			s.send("4end")
			var kept [][]byte
			for range 4 {
				kept = append(kept, <-keep.got)
			}
			for i, want := range []string{large, "aaaa", "bbbb", large} {
				check(t, want, string(kept[i]))
			}
			finish(conn)
		},
		"text of all lengths": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocket(nil, openWS)
			var want []string
			for _, n := range []int{1, 100_000, 10, 16 << 10, 0, 500_000} {
				want = append(want, strings.Repeat("x", n))
				s.send("4" + strings.Repeat("x", n))
			}
			p.witness.wait(t, want...)
			finish(conn)
		},
		"a server that takes nothing for the WriteTimeout": func(t *testing.T, p *scripted) {
			conn, _ := p.dialWebSocket(&engineio.DialOptions{WriteTimeout: time.Second}, openWS)
			p.network.Stall(netem.Up)
			p.network.Window(netem.Up, 100)
			mustSend(t, conn, engineio.Text(strings.Repeat("x", 1000)))
			checkIs(t, p.witness.wantEnd(t, sioclient.TransportError), sioclient.ErrEngine, errkit.Timeout)
			conn.Wait()
		},
		"binary as text is accepted": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocket(nil, openWS)
			s.send("bAQIDBA==")
			p.witness.wait(t, "binary 01020304")
			finish(conn)
		},
		"ForceBase64 sends binary as text": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocket(&engineio.DialOptions{ForceBase64: true}, openWS)
			mustSend(t, conn, engineio.Binary([]byte{1, 2, 3, 4}))
			s.want("bAQIDBA==")
			finish(conn)
		},
		"noop, open and upgrade packets are ignored": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocket(nil, openWS)
			s.send("6", "5", `0{"sid":"other"}`, "3", "4still here")
			p.witness.wait(t, "still here")
			check(t, testSID, conn.ID())
			finish(conn)
		},
		"an unknown packet is a parse error": func(t *testing.T, p *scripted) {
			_, s := p.dialWebSocket(nil, openWS)
			s.send("4good", "x")
			err := p.witness.wantEnd(t, sioclient.ParseError)
			checkIs(t, err, sioclient.ErrEngine, sioclient.ErrPacket, errkit.Protocol)
			p.witness.wait(t, "good")
		},
		"an empty packet is a parse error": func(t *testing.T, p *scripted) {
			_, s := p.dialWebSocket(nil, openWS)
			s.send("")
			checkIs(t, p.witness.wantEnd(t, sioclient.ParseError), sioclient.ErrPacket)
		},
		"text that is not UTF-8 is refused with 1007": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocketRaw(openWS)
			if err := s.ws.Write(wsconn.Text, []byte("4\xff")); err != nil {
				t.Fatal(err)
			}
			check(t, 1007, s.wantClose())
			checkIs(t, p.witness.wantEnd(t, sioclient.TransportError), sioclient.ErrEngine, errkit.Protocol)
			conn.Wait()
		},
		"a message above ReadLimit ends the connection": func(t *testing.T, p *scripted) {
			_, s := p.dialWebSocket(&engineio.DialOptions{ReadLimit: 1000}, openWS)
			s.send("4" + strings.Repeat("x", 999))
			p.witness.wait(t, strings.Repeat("x", 999))
			_ = s.ws.Write(wsconn.Text, []byte("4"+strings.Repeat("x", 1000)))
			check(t, 1009, s.wantClose())
			checkIs(t, p.witness.wantEnd(t, sioclient.TransportError), sioclient.ErrTooLarge, errkit.TooLarge)
		},
		"close code 1009 says that a message was too large": func(t *testing.T, p *scripted) {
			_, s := p.dialWebSocket(nil, openWS)
			closeWith(s, 1009)
			checkIs(t, p.witness.wantEnd(t, sioclient.TransportClose), sioclient.ErrTooLarge)
		},
		"a close frame is a transport close": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocket(nil, openWS)
			closeWith(s, 1001)
			checkIs(t, p.witness.wantEnd(t, sioclient.TransportClose), sioclient.ErrEngine, errkit.Disconnected)
			err := conn.Send(engineio.Text("late"))
			e, ok := errors.AsType[*sioclient.DisconnectedError](err)
			if !ok {
				t.Fatalf("got %v, want a *DisconnectedError", err)
			}
			check(t, sioclient.TransportClose, e.Reason)
			checkIs(t, err, sioclient.ErrDisconnected, errkit.NotSent)
		},
		"the end of the stream is a transport close": func(t *testing.T, p *scripted) {
			_, _ = p.dialWebSocket(nil, openWS)
			p.network.DropAll()
			checkIs(t, p.witness.wantEnd(t, sioclient.TransportClose), sioclient.ErrEngine, errkit.Disconnected)
		},
		"a reset is a transport error": func(t *testing.T, p *scripted) {
			_, _ = p.dialWebSocket(nil, openWS)
			p.network.ResetAll()
			checkIs(t, p.witness.wantEnd(t, sioclient.TransportError), sioclient.ErrEngine, errkit.Disconnected)
		},
		"a close packet is a transport close": func(t *testing.T, p *scripted) {
			_, s := p.dialWebSocket(nil, openWS)
			// In one write: after the second, there may be nobody to write to.
			_, err := s.ws.WriteBatch([]wsconn.Message{
				{Type: wsconn.Text, Data: []byte("4last")},
				{Type: wsconn.Text, Data: []byte("1")},
				{Type: wsconn.Text, Data: []byte("4too late")},
			})
			check(t, nil, err)
			checkIs(t, p.witness.wantEnd(t, sioclient.TransportClose), sioclient.ErrEngine)
			p.witness.wait(t, "last")
		},
		"compression is offered when wanted": func(t *testing.T, p *scripted) {
			for _, want := range []bool{false, true} {
				d := p.start(t.Context(), &engineio.DialOptions{Transports: webSocketOnly, Compression: want})
				req := p.next("GET websocket")
				check(t, want, strings.Contains(req.r.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate"))
				s := req.accept(nil)
				s.send(openWS)
				finish(d.ok())
			}
		},
		"subprotocols are offered": func(t *testing.T, p *scripted) {
			d := p.start(t.Context(), &engineio.DialOptions{Transports: webSocketOnly, Subprotocols: []string{"a", "b"}})
			req := p.next("GET websocket")
			check(t, "a,b", strings.ReplaceAll(req.r.Header.Get("Sec-WebSocket-Protocol"), " ", ""))
			s := req.accept(nil)
			s.send(openWS)
			finish(d.ok())
		},
		"a batch keeps its order and goes out together": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocket(nil, openWS)
			var msgs []engineio.Message
			var want []string
			for i := range 500 {
				text := strings.Repeat("x", i)
				msgs = append(msgs, engineio.Text(text))
				want = append(want, "4"+text)
			}
			mustSend(t, conn, msgs...)
			s.want(want...)
			finish(conn)
		},
		"the answer to the upgrade must be 101": func(t *testing.T, p *scripted) {
			d := p.start(t.Context(), &engineio.DialOptions{Transports: webSocketOnly})
			p.next("GET websocket").answer(http.StatusServiceUnavailable, "<html>busy</html>")
			checkIs(t, d.fails(), sioclient.ErrEngine, errkit.Unavailable)
		},
	})
}

// keeper keeps binary messages.
type keeper struct{ got chan []byte }

func (k *keeper) take(data []byte) { k.got <- data }

// mustSend sends.
func mustSend(t *testing.T, conn *engineio.Conn, msgs ...engineio.Message) {
	t.Helper()
	if err := conn.Send(msgs...); err != nil {
		t.Fatal(err)
	}
}

// closeWith sends a close frame.
func closeWith(s *socket, code int) {
	s.t.Helper()
	if err := s.ws.Close(code, ""); err != nil {
		s.t.Fatal(err)
	}
}
