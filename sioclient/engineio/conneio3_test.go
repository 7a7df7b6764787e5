package engineio_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// openV3 is the first answer of a Socket.IO 2 server: the open packet and the connect packet of the main namespace.
const openV3 = `97:0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}2:40`

// TestClientEIO3 has the rules for servers of revision 3. See TestClientHeartbeatEIO3 for the heartbeat.
func TestClientEIO3(t *testing.T) {
	v3 := &engineio.DialOptions{EngineVersion: 3}
	scriptedRows(t, map[string]func(t *testing.T, p *scripted){
		"payloads of text count UTF-16": func(t *testing.T, p *scripted) {
			conn, poll := p.dialPolling(v3, openV3)
			check(t, 3, conn.Protocol())
			check(t, "3", poll.r.URL.Query().Get("EIO"))
			p.witness.wait(t, "0")
			poll.answer(http.StatusOK, `22:42["message-back","€"]3:4😀10:b4AQIDBA==1:6`)
			p.next("GET polling")
			p.witness.wait(t, "0", `2["message-back","€"]`, "😀", "binary 01020304")
			mustSend(t, conn, engineio.Text("€😀"), engineio.Binary([]byte{1, 2, 3, 4}), engineio.Text("a\x1eb"))
			post := p.next("POST polling")
			check(t, "4:4€😀10:b4AQIDBA==4:4a\x1eb", post.body)
			post.answer(http.StatusOK, "ok")
			finish(conn)
		},
		"binary payloads are known by their content type": func(t *testing.T, p *scripted) {
			conn, poll := p.dialPolling(v3, openV3)
			poll.do(func(w http.ResponseWriter) {
				w.Header().Set("Content-Type", "application/octet-stream")
				_, _ = w.Write([]byte("\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04"))
			})
			p.next("GET polling")
			p.witness.wait(t, "0", "hello", "binary 01020304")
			finish(conn)
		},
		"a broken payload is a parse error": func(t *testing.T, p *scripted) {
			_, poll := p.dialPolling(v3, openV3)
			poll.answer(http.StatusOK, "2:4a9:4b")
			checkIs(t, p.witness.wantEnd(t, sioclient.ParseError), sioclient.ErrPacket)
			p.witness.wait(t, "0", "a")
		},
		"binary WebSocket messages have the type in front": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocket(v3, openWS)
			if err := s.ws.Write(wsconn.Binary, []byte("\x04\x01\x02")); err != nil {
				t.Fatal(err)
			}
			s.send("b4AQIDBA==", "40")
			p.witness.wait(t, "binary 0102", "binary 01020304", "0")
			mustSend(t, conn, engineio.Binary([]byte{1, 2}), engineio.Text("x"))
			s.want("binary \x04\x01\x02", "4x")
			finish(conn)
		},
		"a binary WebSocket message of another type is a parse error": func(t *testing.T, p *scripted) {
			_, s := p.dialWebSocket(v3, openWS)
			if err := s.ws.Write(wsconn.Binary, []byte("4\x01\x02")); err != nil {
				t.Fatal(err)
			}
			checkIs(t, p.witness.wantEnd(t, sioclient.ParseError), sioclient.ErrPacket)
		},
		"ForceBase64 over WebSocket": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocket(&engineio.DialOptions{EngineVersion: 3, ForceBase64: true}, openWS)
			mustSend(t, conn, engineio.Binary([]byte{1, 2, 3, 4}))
			s.want("b4AQIDBA==")
			finish(conn)
		},
		"upgrade": func(t *testing.T, p *scripted) {
			d := p.start(t.Context(), v3)
			p.next("GET polling").answer(http.StatusOK, openV3)
			conn := d.ok()
			ws := p.nextWebSocket()
			check(t, "3", ws.r.URL.Query().Get("EIO"))
			s := ws.accept(nil)
			s.want("2probe")
			s.send("3probe")
			poll := p.nextPoll()
			synctest.Wait()
			mustSend(t, conn, engineio.Text("up"))
			poll.answer(http.StatusOK, "5:4last1:6")
			s.want("5", "4up", "2")
			p.witness.waitUpgrade()
			p.witness.wait(t, "0", "last")
			finish(conn)
		},
		"the end of a polling connection": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(v3, openV3)
			conn.Close(false)
			post := p.next("POST polling")
			check(t, "1:1", post.body)
			post.answer(http.StatusOK, "ok")
			conn.Wait()
		},
		"maxPayload": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(v3, `113:0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":50}`)
			mustSend(t, conn, engineio.Text(strings.Repeat("a", 20)), engineio.Text(strings.Repeat("b", 20)))
			for _, want := range []string{"21:4" + strings.Repeat("a", 20), "21:4" + strings.Repeat("b", 20)} {
				post := p.next("POST polling")
				check(t, want, post.body)
				post.answer(http.StatusOK, "ok")
			}
			finish(conn)
		},
	})
}

// TestEngineVersion: a server of revision 3 answers in its own way whatever it is asked for.
func TestEngineVersion(t *testing.T) {
	scriptedRows(t, map[string]func(t *testing.T, p *scripted){
		"revision 4 tells what the server speaks": func(t *testing.T, p *scripted) {
			d := p.start(t.Context(), nil)
			p.next("GET polling").answer(http.StatusOK, openV3)
			err := d.fails()
			checkIs(t, err, sioclient.ErrEngineVersion, sioclient.ErrEngine, errkit.Unsupported)
			if !strings.Contains(err.Error(), "the server speaks Engine.IO 3") {
				t.Error(err)
			}
			p.quiet()
		},
		"EngineAuto asks again": func(t *testing.T, p *scripted) {
			d := p.start(t.Context(), &engineio.DialOptions{EngineVersion: engineio.EngineAuto, DisableUpgrade: true})
			for _, want := range []string{"4", "3"} {
				req := p.next("GET polling")
				check(t, want, req.r.URL.Query().Get("EIO"))
				check(t, "", req.r.URL.Query().Get("sid"))
				req.answer(http.StatusOK, openV3)
			}
			conn := d.ok()
			check(t, 3, conn.Protocol())
			p.witness.wait(t, "0")
			finish(conn)
		},
		"EngineAuto with a server of revision 4": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(&engineio.DialOptions{EngineVersion: engineio.EngineAuto}, openData)
			check(t, 4, conn.Protocol())
			finish(conn)
		},
		"EngineAuto does not ask again for another reason": func(t *testing.T, p *scripted) {
			d := p.start(t.Context(), &engineio.DialOptions{EngineVersion: engineio.EngineAuto})
			p.next("GET polling").answer(http.StatusForbidden, "")
			d.fails()
			p.quiet()
		},
		"a server that does not speak revision 3": func(t *testing.T, p *scripted) {
			for _, transport := range []string{engineio.Polling, engineio.WebSocket} {
				d := p.start(t.Context(), &engineio.DialOptions{EngineVersion: 3, Transports: []string{transport}})
				p.next("GET "+transport).answer(http.StatusBadRequest, `{"code":5,"message":"Unsupported protocol version"}`)
				checkIs(t, d.fails(), sioclient.ErrEngineVersion)
			}
		},
	})
}
