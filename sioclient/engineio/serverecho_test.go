package engineio_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

func TestEcho(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"websocket": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			c := b.dial("")
			open := read(c)
			s := b.session()
			check(t, `0{"sid":"`+s.session.ID()+`","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}`, open)
			write(t, c, "4hello €")
			check(t, "4hello €", read(c))
			if err := c.Write(wsconn.Binary, []byte{1, 2, 3, 4}); err != nil {
				t.Fatal(err)
			}
			check(t, "binary 01020304", read(c))
			write(t, c, "4")
			check(t, "4", read(c))
			write(t, c, "bAQIDBA==")
			check(t, "binary 01020304", read(c))
			check(t, "2", read(c))
			write(t, c, "3")
			check(t, []string{"hello €", "binary 01020304", "", "binary 01020304"}, s.notes())
			check(t, engineio.WebSocket, s.session.Transport())
			check(t, nil, c.Close(1000, ""))
			check(t, engineio.Reason("transport close"), (<-s.closed).Reason)
		},
		"polling": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{PingInterval: time.Minute, PingTimeout: time.Minute})
			sid := b.open("")
			s := b.session()
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "4hello €\x1ebAQIDBA==\x1e4")))
			check(t, "200 4hello €\x1ebAQIDBA==\x1e4", brief(b.do(http.MethodGet, sid, "")))
			check(t, []string{"hello €", "binary 01020304", ""}, s.notes())
			check(t, engineio.Polling, s.session.Transport())
			waiting := b.get(sid)
			time.Sleep(time.Second)
			check(t, true, s.session.Writable())
			if err := s.session.Send(engineio.Text("later"), engineio.Binary([]byte{255})); err != nil {
				t.Fatal(err)
			}
			check(t, "200 4later\x1eb/w==", brief(<-waiting))
			check(t, false, s.session.Writable())
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "1")))
			check(t, closing{Reason: "transport close"}, <-s.closed)
		},
	})
}
