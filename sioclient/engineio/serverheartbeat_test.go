package engineio_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// ended returns when and how a session ended, as seen from start.
func ended(r *owner, start time.Time) (time.Duration, closing) {
	c := <-r.closed
	return time.Since(start), c
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	timedOut := closing{Reason: "ping timeout"}
	inBubbles(t, map[string]func(t *testing.T){
		"polling and nobody polls: exactly 500 ms after the handshake, and the id is unknown at once": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			start := time.Now()
			sid := b.open("")
			time.Sleep(500*ms - 1)
			check(t, 1, b.server.Sessions())
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			check(t, `400 {"code":1,"message":"Session ID unknown"}`, brief(b.do(http.MethodGet, sid, "")))
			after, how := ended(b.session(), start)
			check(t, 500*ms, after)
			check(t, timedOut, how)
		},
		"polling: the ping ends a poll, and without a pong the next one is closed": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			start := time.Now()
			sid := b.open("")
			check(t, "200 2", brief(b.do(http.MethodGet, sid, "")))
			check(t, 300*ms, time.Since(start))
			check(t, "200 1", brief(b.do(http.MethodGet, sid, "")))
			check(t, 500*ms, time.Since(start))
			check(t, timedOut, <-b.session().closed)
		},
		"polling: a pong gives another interval": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			start := time.Now()
			sid := b.open("")
			for i := range 5 {
				check(t, "200 2", brief(b.do(http.MethodGet, sid, "")))
				check(t, time.Duration(300+i*400)*ms, time.Since(start))
				time.Sleep(100 * ms)
				check(t, "200 ok", brief(b.do(http.MethodPost, sid, "3")))
			}
		},
		"websocket: no pong": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			start := time.Now()
			c := b.dial("")
			read(c)
			check(t, "2", read(c))
			check(t, 300*ms, time.Since(start))
			after, how := ended(b.session(), start)
			check(t, 500*ms, after)
			check(t, timedOut, how)
			check(t, 0, b.server.Sessions())
			check(t, "closed 1006", read(c))
		},
		"websocket: pongs": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			start := time.Now()
			c := b.dial("")
			read(c)
			for i := range 5 {
				check(t, "2", read(c))
				check(t, time.Duration(300*(i+1))*ms, time.Since(start))
				write(t, c, "3")
			}
		},
		"websocket: a peer that vanished": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			start := time.Now()
			c := b.dial("")
			read(c)
			b.network.Cut(netem.Silence)
			after, how := ended(b.session(), start)
			check(t, 500*ms, after)
			check(t, timedOut, how)
		},
		"the first packet after a ping gives the time of a pong once more": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			start := time.Now()
			c := b.dial("")
			read(c)
			check(t, "2", read(c))
			time.Sleep(150 * ms) // 450
			write(t, c, "4a")
			check(t, "4a", read(c))
			time.Sleep(150 * ms) // 600
			write(t, c, "4b")    // the second one gives nothing
			after, how := ended(b.session(), start)
			check(t, 650*ms, after)
			check(t, timedOut, how)
		},
		"and does so after the next ping again": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			start := time.Now()
			c := b.dial("")
			read(c)
			read(c) // 300
			write(t, c, "4a")
			read(c)
			time.Sleep(100 * ms)
			write(t, c, "3") // 400
			check(t, "2", read(c))
			check(t, 700*ms, time.Since(start))
			time.Sleep(199 * ms)
			write(t, c, "4b")
			check(t, "4b", read(c))
			after, _ := ended(b.session(), start)
			check(t, 1099*ms, after)
		},
		"messages do not put off the ping": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			start := time.Now()
			c := b.dial("")
			read(c)
			time.Sleep(200 * ms)
			write(t, c, "4a")
			check(t, "4a", read(c))
			check(t, "2", read(c))
			check(t, 300*ms, time.Since(start))
		},
		"a pong that nobody waits for is harmless": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			start := time.Now()
			c := b.dial("")
			read(c)
			time.Sleep(100 * ms)
			write(t, c, "3")
			write(t, c, "4a")
			check(t, "4a", read(c))
			check(t, "2", read(c))
			check(t, 400*ms, time.Since(start))
		},
		"a ping of the client's is of the wrong direction": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			c := b.dial("")
			read(c)
			write(t, c, "2")
			check(t, "closed 1000", read(c))
			how := <-b.session().closed
			check(t, closing{"transport error", "sioclient: engine.session: transport failed: websocket \"invalid heartbeat direction\""}, how)
		},
		"polling: a ping of the client's as well": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			sid := b.open("")
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "2")))
			check(t, engineio.Reason("transport error"), (<-b.session().closed).Reason)
			check(t, `400 {"code":1,"message":"Session ID unknown"}`, brief(b.do(http.MethodGet, sid, "")))
		},
		"revision 3: the server waits for pings and answers them without their data": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{AllowEIO3: true})
			start := time.Now()
			c := b.dial("EIO=3")
			read(c)
			time.Sleep(400 * ms)
			write(t, c, "2abc")
			check(t, "3", read(c))
			write(t, c, "4a") // is no ping
			check(t, "4a", read(c))
			after, how := ended(b.session(), start)
			check(t, 900*ms, after)
			check(t, timedOut, how)
		},
		"revision 3: polling": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{AllowEIO3: true})
			start := time.Now()
			sid := b.open("EIO=3&b64=1")
			time.Sleep(300 * ms)
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "1:2")))
			check(t, "200 1:3", brief(b.do(http.MethodGet, sid, "")))
			after, how := ended(b.session(), start)
			check(t, 800*ms, after)
			check(t, timedOut, how)
		},
		"revision 3: a pong of the client's is of the wrong direction": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{AllowEIO3: true})
			c := b.dial("EIO=3")
			read(c)
			write(t, c, "3")
			check(t, "closed 1000", read(c))
			check(t, engineio.Reason("transport error"), (<-b.session().closed).Reason)
		},
		"a control frame of WebSocket is no heartbeat": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			start := time.Now()
			c := b.dial("")
			read(c)
			var pings sync.WaitGroup
			pings.Go(func() {
				for range 5 {
					time.Sleep(90 * ms)
					if _, err := c.Ping(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
			pings.Go(func() {
				for {
					if _, _, err := c.Read(nil); err != nil {
						return
					}
				}
			})
			after, how := ended(b.session(), start)
			check(t, 500*ms, after)
			check(t, timedOut, how)
			pings.Wait()
		},
	})
}
