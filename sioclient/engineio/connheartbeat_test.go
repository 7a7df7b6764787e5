package engineio_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// TestClientHeartbeat has the rules of revision 4: the server pings, the client answers and waits.
func TestClientHeartbeat(t *testing.T) {
	scriptedRows(t, map[string]func(t *testing.T, p *scripted){
		"a server that never pings is dead after interval and timeout": func(t *testing.T, p *scripted) {
			start := time.Now()
			_, _ = p.dialWebSocket(nil, openWS)
			err := p.witness.wantEnd(t, sioclient.PingTimeout)
			check(t, 45*time.Second, time.Since(start))
			checkIs(t, err, sioclient.ErrEngine, errkit.Timeout, errkit.Disconnected)
		},
		"a ping is answered and starts the time anew": func(t *testing.T, p *scripted) {
			pings := 0
			start := time.Now()
			_, s := p.dialWebSocket(&engineio.DialOptions{OnPing: func() { pings++ }}, openWS)
			for range 3 {
				time.Sleep(44 * time.Second)
				s.send("2")
				s.want("3")
			}
			p.witness.wantEnd(t, sioclient.PingTimeout)
			check(t, (3*44+45)*time.Second, time.Since(start))
			check(t, 3, pings)
		},
		"other packets do not": func(t *testing.T, p *scripted) {
			start := time.Now()
			_, s := p.dialWebSocket(nil, openWS)
			for range 4 {
				time.Sleep(10 * time.Second)
				s.send("4message", "6", "3")
			}
			p.witness.wantEnd(t, sioclient.PingTimeout)
			check(t, 45*time.Second, time.Since(start))
		},
		"the answer has the data of the ping": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocket(nil, openWS)
			s.send("2probe", "2")
			s.want("3probe")
			s.send("2")
			s.want("3")
			finish(conn)
		},
		"over polling the answer is posted": func(t *testing.T, p *scripted) {
			start := time.Now()
			conn, poll := p.dialPolling(nil, openData)
			time.Sleep(25 * time.Second)
			poll.answer(200, "2")
			post := p.nextPost()
			check(t, "3", post.body)
			post.answer(200, "ok")
			p.witness.wantEnd(t, sioclient.PingTimeout)
			check(t, 70*time.Second, time.Since(start))
			conn.Wait()
		},
		"a flood of pings is not answered one by one to a server that takes no answers": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocket(nil, openWS)
			p.network.Stall(netem.Up)
			for range 1000 {
				s.send("2" + strings.Repeat("x", 1000))
			}
			synctest.Wait()
			if messages, bytes := conn.Buffered(); messages > 200 || bytes > 200_000 {
				t.Errorf("%d answers of %d bytes wait", messages, bytes)
			}
			finish(conn)
		},
		"nor by polling, where the answer waits behind messages": func(t *testing.T, p *scripted) {
			conn, poll := p.dialPolling(nil, openData)
			var msgs []engineio.Message
			for i := range 40 {
				msgs = append(msgs, engineio.Text(strconv.Itoa(i)))
			}
			mustSend(t, conn, msgs...) // in one call, so that the first request is as full as the others
			var got []string
			for i := range 4 {
				post := p.next("POST polling")
				poll.answer(http.StatusOK, "2\x1e2\x1e2")
				poll = p.next("GET polling")
				got = append(got, strings.Split(post.body, "\x1e")...)
				if i == 3 {
					break
				}
				post.answer(http.StatusOK, "ok")
			}
			check(t, 42, len(got))
			check(t, []string{"439", "3", "3"}, got[39:]) // to those of before the third request, and of after it
			finish(conn)
		},
		"Send finds that the time was slept through": func(t *testing.T, p *scripted) {
			conn, _ := p.dialWebSocket(nil, openWS)
			time.Sleep(44 * time.Second)
			mustSend(t, conn, engineio.Text("still good"))
			// The clock on the wall goes on while a computer sleeps, the other one, and all timers, may not.
			engineio.SetNow(conn, func() time.Time { return time.Now().Round(0).Add(time.Hour) })
			check(t, false, conn.Writable())
			err := conn.Send(engineio.Text("lost"))
			checkIs(t, err, sioclient.ErrDisconnected, errkit.NotSent)
			p.witness.wantEnd(t, sioclient.PingTimeout)
		},
		"a server that promises an endless time": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocket(nil, `0{"sid":"a","upgrades":[],"pingInterval":1e300,"pingTimeout":1e300}`)
			time.Sleep(24 * time.Hour)
			s.send("4x")
			p.witness.wait(t, "x")
			finish(conn)
		},
	})
}

// TestClientHeartbeatEIO3 has those of revision 3: the client pings.
func TestClientHeartbeatEIO3(t *testing.T) {
	v3 := &engineio.DialOptions{EngineVersion: 3}
	scriptedRows(t, map[string]func(t *testing.T, p *scripted){
		"the client pings every interval": func(t *testing.T, p *scripted) {
			start, pongs := time.Now(), make(chan bool, 10)
			conn, s := p.dialWebSocket(
				&engineio.DialOptions{EngineVersion: 3, OnPing: func() { pongs <- true }}, openWS)
			check(t, 3, conn.Protocol())
			for i := range 3 {
				s.want("2")
				check(t, time.Duration(i+1)*25*time.Second, time.Since(start))
				s.send("3")
				<-pongs
			}
			finish(conn)
		},
		"the next ping is due an interval after the answer": func(t *testing.T, p *scripted) {
			start := time.Now()
			conn, s := p.dialWebSocket(v3, openWS)
			s.want("2")
			time.Sleep(10 * time.Second)
			s.send("3")
			s.want("2")
			check(t, 60*time.Second, time.Since(start))
			finish(conn)
		},
		"no answer within the timeout ends the connection": func(t *testing.T, p *scripted) {
			start := time.Now()
			_, s := p.dialWebSocket(v3, openWS)
			s.want("2")
			s.send("4message", "2") // neither is an answer
			p.witness.wantEnd(t, sioclient.PingTimeout)
			check(t, 45*time.Second, time.Since(start))
		},
		"an answer that nobody asked for changes nothing": func(t *testing.T, p *scripted) {
			start := time.Now()
			conn, s := p.dialWebSocket(v3, openWS)
			time.Sleep(20 * time.Second)
			s.send("3")
			s.want("2")
			check(t, 25*time.Second, time.Since(start))
			finish(conn)
		},
		"Send finds that the time was slept through": func(t *testing.T, p *scripted) {
			conn, _ := p.dialWebSocket(v3, openWS)
			shift := 44 * time.Second // the ping is late, but its answer might still come
			engineio.SetNow(conn, func() time.Time { return time.Now().Round(0).Add(shift) })
			mustSend(t, conn, engineio.Text("x"))
			finish(conn)
			p2 := newScripted(t)
			defer p2.close()
			conn, _ = p2.dialWebSocket(v3, openWS)
			engineio.SetNow(conn, func() time.Time { return time.Now().Round(0).Add(46 * time.Second) })
			checkIs(t, conn.Send(engineio.Text("x")), sioclient.ErrDisconnected)
			p2.witness.wantEnd(t, sioclient.PingTimeout)
		},
	})
}
