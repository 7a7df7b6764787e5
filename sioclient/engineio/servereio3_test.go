package engineio_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// TestRevision3 holds what is different for clients of Socket.IO 2.
func TestRevision3(t *testing.T) {
	t.Parallel()
	v3 := engineio.ServerOptions{PingInterval: time.Hour, PingTimeout: time.Hour, AllowEIO3: true}
	inBubbles(t, map[string]func(t *testing.T){
		"polling with base64": func(t *testing.T) {
			b := newRig(t, v3)
			res := b.do(http.MethodGet, "EIO=3&b64=1", "")
			id := b.session().session.ID()
			check(t, `200 122:0{"sid":"`+id+`","upgrades":["websocket"],"pingInterval":3600000,"pingTimeout":3600000,"maxPayload":1000000}`, brief(res))
			sid := "EIO=3&b64=1&sid=" + id
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "6:4hello10:b4AQIDBA==2:4€")))
			check(t, []string{"hello", "binary 01020304", "€"}, b.session().notes())
			res = b.do(http.MethodGet, sid, "")
			check(t, "200 6:4hello10:b4AQIDBA==2:4€", brief(res))
			check(t, "text/plain; charset=UTF-8", res.header.Get("Content-Type"))
			check(t, 3, b.session().session.Protocol())
		},
		"polling with bytes": func(t *testing.T) {
			b := newRig(t, v3)
			res := b.do(http.MethodGet, "EIO=3", "")
			check(t, "text/plain; charset=UTF-8", res.header.Get("Content-Type"))
			sid := "EIO=3&sid=" + b.session().session.ID()
			payload := "\x00\x04\xff4€\x01\x05\xff\x04\x01\x02\x03\x04"
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, payload, "Content-Type", "application/octet-stream")))
			check(t, []string{"€", "binary 01020304"}, b.session().notes())
			res = b.do(http.MethodGet, sid, "")
			check(t, "200 "+payload, brief(res))
			check(t, "application/octet-stream", res.header.Get("Content-Type"))
			send(t, b.session(), "text alone")
			check(t, "200 11:4text alone", brief(b.do(http.MethodGet, sid, "")))
		},
		"an initial message, as servers of Socket.IO 2 have it": func(t *testing.T) {
			opts := v3
			opts.InitialPacket = engineio.Text("0")
			b := newRig(t, opts)
			check(t, true, strings.HasSuffix(b.do(http.MethodGet, "EIO=3&b64=1", "").Body, "}2:40"))
		},
		"text that would divide payloads of revision 4": func(t *testing.T) {
			b := newRig(t, v3)
			sid := b.open("EIO=3&b64=1")
			send(t, b.session(), "a\x1eb")
			check(t, "200 4:4a\x1eb", brief(b.do(http.MethodGet, sid, "")))
		},
		"an undecodable payload": func(t *testing.T) {
			b := newRig(t, v3)
			sid := b.open("EIO=3&b64=1")
			check(t, badRequest, brief(b.do(http.MethodPost, sid, "6:4hello99:4a")))
			check(t, []string{"hello"}, b.session().notes())
			check(t, engineio.Reason("parse error"), (<-b.session().closed).Reason)
		},
		"an undecodable payload of bytes": func(t *testing.T) {
			b := newRig(t, v3)
			sid := b.open("EIO=3")
			check(t, badRequest, brief(b.do(http.MethodPost, sid, "\x02abc", "Content-Type", "application/octet-stream")))
			check(t, engineio.Reason("parse error"), (<-b.session().closed).Reason)
		},
		"a poll that ends without data, and the end": func(t *testing.T) {
			b := newRig(t, v3)
			sid := b.open("EIO=3&b64=1")
			poll := b.get(sid)
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "1:1")))
			check(t, "200 1:6", brief(<-poll))
			check(t, closing{Reason: "transport close"}, <-b.session().closed)
		},
		"websocket": func(t *testing.T) {
			b := newRig(t, v3)
			c := b.dial("EIO=3")
			check(t, true, strings.HasPrefix(read(c), `0{"sid":"`))
			write(t, c, "4hello")
			check(t, "4hello", read(c))
			if err := c.Write(wsconn.Binary, []byte{4, 1, 2}); err != nil {
				t.Fatal(err)
			}
			check(t, "binary 040102", read(c))
			check(t, []string{"hello", "binary 0102"}, b.session().notes())
			if err := c.Write(wsconn.Binary, []byte{5, 1, 2}); err != nil {
				t.Fatal(err)
			}
			check(t, "closed 1007", read(c))
			check(t, engineio.Reason("parse error"), (<-b.session().closed).Reason)
		},
		"websocket with base64": func(t *testing.T) {
			b := newRig(t, v3)
			c := b.dial("EIO=3&b64=1")
			read(c)
			write(t, c, "b4AQI=")
			check(t, "b4AQI=", read(c))
		},
		"revision 4, websocket with base64": func(t *testing.T) {
			b := newRig(t, v3)
			c := b.dial("b64=1")
			read(c)
			write(t, c, "bAQI=")
			check(t, "bAQI=", read(c))
		},
		"upgrade": func(t *testing.T) {
			b := newRig(t, v3)
			sid := b.open("EIO=3&b64=1")
			poll := b.get(sid)
			c := b.dial(sid)
			write(t, c, "2probe")
			check(t, "3probe", read(c))
			check(t, "200 1:6", brief(<-poll))
			write(t, c, "5")
			write(t, c, "2")
			check(t, "3", read(c))
			write(t, c, "4a")
			check(t, "4a", read(c))
		},
		"only what says so is revision 3": func(t *testing.T) {
			b := newRig(t, v3)
			const want = `400 {"code":5,"message":"Unsupported protocol version"} UNSUPPORTED_PROTOCOL_VERSION`
			for _, eio := range []string{"", "EIO=&", "EIO=abc&", "EIO=5&", "EIO=03&"} {
				check(t, want, b.refuse(http.MethodGet, eio+"transport=polling"))
			}
		},
		"pings without reading the answers": func(t *testing.T) {
			opts := v3
			opts.Queue = engineio.QueueLimits{Messages: 10}
			b := newRig(t, opts)
			sid := b.open("EIO=3&b64=1")
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, strings.Repeat("1:2", 10))))
			check(t, 1, b.server.Sessions())
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "1:2")))
			how := <-b.session().closed
			check(t, engineio.Reason("transport error"), how.Reason)
			check(t, true, strings.Contains(how.Err, "buffer full"))
		},
	})
}
