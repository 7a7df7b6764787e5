package engineio_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

func TestQueueLimits(t *testing.T) {
	t.Parallel()
	limited := func(messages, bytes int) engineio.ServerOptions {
		o := patient
		o.Queue = engineio.QueueLimits{Messages: messages, Bytes: bytes}
		return o
	}
	inBubbles(t, map[string]func(t *testing.T){
		"messages, all or none": func(t *testing.T) {
			b := newRig(t, limited(3, 1000))
			sid := b.open("")
			send(t, b.session(), "a", "b")
			err := b.session().session.Send(engineio.Text("c"), engineio.Text("d"))
			full, ok := errors.AsType[*sioerr.BufferFullError](err)
			check(t, true, ok && errors.Is(err, errkit.NotSent) && errors.Is(err, errkit.Full))
			check(t, [2]int{2, 4}, [2]int{full.Messages, full.Bytes})
			send(t, b.session(), "e")
			check(t, "200 4a\x1e4b\x1e4e", brief(b.do(http.MethodGet, sid, "")))
			synctest.Wait() // for the end of the request, which frees the room
			send(t, b.session(), "f")
		},
		"bytes": func(t *testing.T) {
			b := newRig(t, limited(1000, 10))
			sid := b.open("")
			send(t, b.session(), "1234")
			send(t, b.session(), "5678")
			check(t, true, errors.Is(b.session().session.Send(engineio.Binary([]byte{1})), sioerr.ErrBufferFull))
			check(t, "200 41234\x1e45678", brief(b.do(http.MethodGet, sid, "")))
		},
		"a large message alone": func(t *testing.T) {
			b := newRig(t, limited(2, 10))
			c := b.dial("")
			read(c)
			large := strings.Repeat("x", 100_000)
			synctest.Wait()
			send(t, b.session(), large)
			check(t, "4"+large, read(c))
		},
		"a ping has room whatever waits": func(t *testing.T) {
			o := limited(2, 1000)
			o.PingInterval, o.PingTimeout = 300*time.Millisecond, 200*time.Millisecond
			b := newRig(t, o)
			sid := b.open("")
			send(t, b.session(), "a", "b")
			time.Sleep(300 * time.Millisecond)
			synctest.Wait()
			check(t, "200 4a\x1e4b\x1e2", brief(b.do(http.MethodGet, sid, "")))
		},
		"a websocket that takes nothing: bounded, and others do not notice": func(t *testing.T) {
			b := newRig(t, limited(100, 1<<20))
			slow := b.dial("")
			read(slow)
			o := b.session()
			b.network.Links()[0].Stall(netem.Down)
			fine := b.dial("")
			read(fine)
			message := engineio.Binary(make([]byte, 100_000))
			var err error
			sent := 0
			for ; err == nil && sent < 1000; sent++ {
				err = o.session.Send(message)
				synctest.Wait()
			}
			check(t, true, errors.Is(err, sioerr.ErrBufferFull))
			_, bytes := o.session.Buffered()
			check(t, true, bytes <= 1<<20 && sent > 5)
			check(t, false, o.session.Writable())
			write(t, fine, "4a")
			check(t, "4a", read(fine))
			o.session.CloseWith(sioerr.TransportError, err)
			check(t, engineio.Reason("transport error"), (<-o.closed).Reason)
		},
	})
}

func TestWritable(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"websocket": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			synctest.Wait()
			s := b.session().session
			check(t, true, s.Writable())
			b.network.Stall(netem.Down)
			if err := s.Send(engineio.Binary(make([]byte, 1_000_000))); err != nil {
				t.Fatal(err)
			}
			check(t, false, s.Writable())
			synctest.Wait()
			check(t, false, s.Writable())
			b.network.Resume(netem.Down)
			read(c)
			synctest.Wait()
			check(t, true, s.Writable())
			s.Close(true)
			check(t, false, s.Writable())
		},
		"polling": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			s := b.session().session
			check(t, false, s.Writable())
			poll := b.get(sid)
			check(t, true, s.Writable())
			send(t, b.session(), "a")
			check(t, false, s.Writable())
			<-poll
		},
	})
}

func TestAdmission(t *testing.T) {
	t.Parallel()
	const full = `503 {"code":4,"message":"Too many sessions"} TOO_MANY_SESSIONS`
	const crowded = `429 {"code":4,"message":"Too many sessions"} TOO_MANY_SESSIONS`
	inBubbles(t, map[string]func(t *testing.T){
		"in total": func(t *testing.T) {
			o := patient
			o.MaxSessions = 2
			b := newRig(t, o)
			sid := b.open("")
			c := b.dial("")
			check(t, full, b.refuse(http.MethodGet, "EIO=4&transport=polling"))
			check(t, full, b.refuse(upgradeHeaders, "EIO=4&transport=websocket"))
			check(t, nil, c.Close(1000, ""))
			<-b.session().closed
			synctest.Wait()
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "4a")))
			b.open("")
			check(t, full, b.refuse(http.MethodGet, "EIO=4&transport=polling"))
		},
		"per address": func(t *testing.T) {
			o := patient
			o.MaxSessionsPerAddress = 2
			b := newRig(t, o)
			first, _ := b.open(""), b.open("") // from 10.0.0.1
			check(t, "429", fmt.Sprint(b.do(http.MethodGet, "", "").Status))
			<-b.refused
			check(t, "", strings.TrimPrefix(b.refuse(http.MethodGet, "EIO=4&transport=polling")[:3], "200")) // from elsewhere
			b.do(http.MethodPost, first, "1")
			synctest.Wait()
			b.open("")
		},
		"per address behind a proxy": func(t *testing.T) {
			o := patient
			o.MaxSessionsPerAddress = 1
			o.Address = func(r *http.Request) string { return r.Header.Get("X-Forwarded-For") }
			b := newRig(t, o)
			for _, from := range []string{"a", "b", "c"} {
				check(t, "200", b.refuse(http.MethodGet, "EIO=4&transport=polling", "X-Forwarded-For", from)[:3])
				check(t, crowded, b.refuse(http.MethodGet, "EIO=4&transport=polling", "X-Forwarded-For", from))
			}
		},
		"a refused handshake takes no room": func(t *testing.T) {
			o := patient
			o.MaxSessions, o.MaxSessionsPerAddress = 1, 1
			b := newRig(t, o)
			// No Hijacker: the upgrade passes verification and fails afterwards.
			got := b.refuse(upgradeHeaders, "EIO=4&transport=websocket")
			check(t, true, strings.HasPrefix(got, "501 ") && strings.HasSuffix(got, " TRANSPORT_HANDSHAKE_ERROR"))
			check(t, 0, b.server.Sessions())
			b.open("")
		},
	})
}

// TestIdleGoroutines: an idle WebSocket session has one goroutine, an idle polling session none.
func TestIdleGoroutines(t *testing.T) {
	t.Parallel()
	rows := map[string]func(t *testing.T){"": func(t *testing.T) {
		const sessions = 20
		b := newRig(t, patient)
		for range sessions {
			b.open("")
		}
		polling := goroutines(t)
		for range sessions {
			b.open("")
		}
		check(t, polling, goroutines(t))
		for range sessions {
			read(b.dial(""))
		}
		check(t, polling+sessions, goroutines(t))
	}}
	inBubbles(t, rows)
}

// goroutines counts those of the bubble that it is called from.
func goroutines(t *testing.T) int {
	t.Helper()
	synctest.Wait()
	buf := make([]byte, 16<<20)
	stacks := string(buf[:runtime.Stack(buf, true)])
	_, bubble, ok := strings.Cut(stacks[:strings.Index(stacks, "\n")], "synctest bubble ")
	if !ok {
		t.Fatal("not in a bubble")
	}
	return strings.Count(stacks, "synctest bubble "+bubble)
}

// TestServerOptions: what cannot be used is refused.
func TestServerOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]engineio.ServerOptions{
		"PingInterval":           {PingInterval: -1},
		"PingTimeout":            {PingTimeout: time.Microsecond},
		"UpgradeTimeout":         {UpgradeTimeout: -time.Second},
		"MaxPayload":             {MaxPayload: -1},
		"MaxPacketsPerPayload":   {MaxPacketsPerPayload: -1},
		"CompressionThreshold":   {CompressionThreshold: -1},
		"Compression":            {Compression: 7},
		"MaxSessions":            {MaxSessions: -1},
		"MaxSessionsPerAddress":  {MaxSessionsPerAddress: -1},
		"Queue":                  {Queue: engineio.QueueLimits{Bytes: -1}},
		"Path":                   {Path: "engine.io"},
		"Transports":             {Transports: []string{"webtransport"}},
		"Transports, none":       {Transports: []string{}},
		"InitialPacket":          {InitialPacket: engineio.Text("\xff")},
		"InitialPacket, divided": {InitialPacket: engineio.Text("a\x1eb")},
		"CORS.MaxAge":            {CORS: &engineio.CORS{MaxAge: -1}},
		"CORS.AllowedOrigins":    {CORS: &engineio.CORS{AllowedOrigins: []string{"*", "http://a.test"}}},
		"CORS.Credentials":       {CORS: &engineio.CORS{AllowedOrigins: []string{"*"}, Credentials: true}},
		"Cookie":                 {Cookie: &engineio.CookieOptions{Name: "a b"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := engineio.NewServer(&o)
			invalid, ok := errors.AsType[*sioerr.InvalidError](err)
			if s != nil || !ok {
				t.Fatalf("server %v, error %v", s, err)
			}
			field, _, _ := strings.Cut(name, ",")
			check(t, field, invalid.Field)
		})
	}
	s, err := engineio.NewServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/engine.io/?EIO=4&transport=polling", nil))
	_, rest, _ := strings.Cut(w.Body.String(), `,`)
	check(t, `"upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`, rest)
}

// TestServerOptionsAreCopied: what the caller does with its options afterwards changes nothing.
func TestServerOptionsAreCopied(t *testing.T) {
	t.Parallel()
	o := engineio.ServerOptions{
		Transports: []string{"polling"}, CORS: &engineio.CORS{AllowedOrigins: []string{"http://a.test"}},
		Cookie: &engineio.CookieOptions{Name: "a"},
	}
	s, err := engineio.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	o.Transports[0], o.CORS.AllowedOrigins[0], o.Cookie.Name = "websocket", "http://b.test", "b"
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/engine.io/?EIO=4&transport=polling", nil))
	check(t, http.StatusOK, w.Code)
	check(t, "http://a.test", w.Header().Get("Access-Control-Allow-Origin"))
	check(t, true, strings.HasPrefix(w.Header().Get("Set-Cookie"), "a="))
}
