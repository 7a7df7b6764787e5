package engineio_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
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
		"bytes belong to the handler": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			o := b.session()
			var kept [][]byte
			o.echo = false
			o.message = func(_ *owner, binary bool, data []byte) {
				if binary {
					kept = append(kept, data)
				}
			}
			var want [][]byte
			for i := range 20 {
				write(t, c, "4"+strings.Repeat("x", 100*i))
				data := bytes.Repeat([]byte{byte(i)}, i*i*10)
				want = append(want, data)
				if err := c.Write(wsconn.Binary, data); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			check(t, true, slices.EqualFunc(want, kept, bytes.Equal))
		},
		"compressed, if both want it": func(t *testing.T) {
			opts := patient
			opts.Compression, opts.CompressionThreshold = wsconn.CompressionNoContextTakeover, 100
			b := newRig(t, opts)
			b.compression = wsconn.CompressionNoContextTakeover
			c := b.dial("")
			read(c)
			check(t, true, c.Compressed())
			long := "4" + strings.Repeat("x", 100_000)
			write(t, c, long)
			check(t, long, read(c))
			check(t, true, c.Stats().BytesIn < 10_000)
		},
		"not compressed by default": func(t *testing.T) {
			b := newRig(t, patient)
			b.compression = wsconn.CompressionNoContextTakeover
			check(t, false, b.dial("").Compressed())
		},
	})
}

// TestHTTP2: polling is the same there.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	began := make(chan *owner, 1)
	engine, err := engineio.NewServer(&engineio.ServerOptions{OnSession: func(s *engineio.Session) engineio.Handler {
		o := &owner{session: s, echo: true, closed: make(chan closing, 1)}
		began <- o
		return o
	}})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(engine)
	web.EnableHTTP2 = true
	web.StartTLS()
	defer web.Close()
	do := func(method, query, body string) (string, error) {
		req, err := http.NewRequestWithContext(t.Context(), method, web.URL+"/engine.io/?EIO=4&transport=polling"+query, strings.NewReader(body))
		if err != nil {
			return "", err
		}
		res, err := web.Client().Do(req)
		if err != nil {
			return "", err
		}
		defer func() { _ = res.Body.Close() }()
		got, err := io.ReadAll(res.Body)
		return fmt.Sprint(res.Proto, " ", res.StatusCode, " ", string(got)), err
	}
	must := func(want, method, query, body string) {
		t.Helper()
		got, err := do(method, query, body)
		if err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("want %q, got %q, %v", want, got, err)
		}
	}
	must(`HTTP/2.0 200 0{"sid":`, http.MethodGet, "", "")
	o := <-began
	sid := "&sid=" + o.session.ID()
	poll := later(func() string {
		got, err := do(http.MethodGet, sid, "")
		return fmt.Sprint(got, err)
	})
	must("HTTP/2.0 200 ok", http.MethodPost, sid, "4a\x1ebAQ==")
	check(t, true, strings.HasPrefix(<-poll, "HTTP/2.0 200 4a"))
	must("HTTP/2.0 200 ok", http.MethodPost, sid, "1")
	check(t, closing{Reason: "transport close"}, <-o.closed)
	check(t, nil, engine.Close())
}
