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
			same(t, `0{"sid":"`+s.session.ID()+`","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}`, open)
			write(t, c, "4hello €")
			same(t, "4hello €", read(c))
			if err := c.Write(wsconn.Binary, []byte{1, 2, 3, 4}); err != nil {
				t.Fatal(err)
			}
			same(t, "binary 01020304", read(c))
			write(t, c, "4")
			same(t, "4", read(c))
			write(t, c, "bAQIDBA==")
			same(t, "binary 01020304", read(c))
			same(t, "2", read(c))
			write(t, c, "3")
			same(t, []string{"hello €", "binary 01020304", "", "binary 01020304"}, s.notes())
			same(t, engineio.WebSocket, s.session.Transport())
			same(t, nil, c.Close(1000, ""))
			same(t, engineio.Reason("transport close"), (<-s.closed).Reason)
		},
		"polling": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{PingInterval: time.Minute, PingTimeout: time.Minute})
			sid := b.open("")
			s := b.session()
			same(t, "200 ok", brief(b.do(http.MethodPost, sid, "4hello €\x1ebAQIDBA==\x1e4")))
			same(t, "200 4hello €\x1ebAQIDBA==\x1e4", brief(b.do(http.MethodGet, sid, "")))
			same(t, []string{"hello €", "binary 01020304", ""}, s.notes())
			same(t, engineio.Polling, s.session.Transport())
			waiting := b.get(sid)
			time.Sleep(time.Second)
			same(t, true, s.session.Writable())
			if err := s.session.Send(engineio.Text("later"), engineio.Binary([]byte{255})); err != nil {
				t.Fatal(err)
			}
			same(t, "200 4later\x1eb/w==", brief(<-waiting))
			same(t, false, s.session.Writable())
			same(t, "200 ok", brief(b.do(http.MethodPost, sid, "1")))
			same(t, closing{Reason: "transport close"}, <-s.closed)
		},
	})
}
