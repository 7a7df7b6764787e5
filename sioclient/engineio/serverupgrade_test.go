package engineio_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

func TestServerUpgrade(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"as the original's client does it": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			s := b.session()
			poll := b.get(sid)
			time.Sleep(time.Second)
			c := b.dial(sid)
			write(t, c, "2probe")
			check(t, "3probe", read(c))
			check(t, "200 6", brief(<-poll))
			write(t, c, "5")
			write(t, c, "4over websocket")
			check(t, "4over websocket", read(c))
			check(t, []string{"upgrade", "over websocket"}, s.notes())
			check(t, engineio.WebSocket, s.session.Transport())
			check(t, true, s.session.Upgraded())
			check(t, engineio.ServerStats{Sessions: 1, Begun: 1, Upgraded: 1}, b.server.Stats())
			check(t, badRequest, brief(b.do(http.MethodGet, sid, "")))
			check(t, badRequest, brief(b.do(http.MethodPost, sid, "4a")))
			check(t, nil, c.Close(1000, ""))
			check(t, engineio.Reason("transport close"), (<-s.closed).Reason)
		},
		"probe and upgrade back to back, then a poll": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			c := b.dial(sid)
			write(t, c, "2probe")
			write(t, c, "5")
			check(t, badRequest, brief(b.do(http.MethodGet, sid, "")))
			check(t, "3probe", read(c))
		},
		"a poll that comes between probe and upgrade": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			c := b.dial(sid)
			write(t, c, "2probe")
			check(t, "3probe", read(c))
			start := time.Now()
			check(t, "200 6", brief(b.do(http.MethodGet, sid, "")))
			check(t, 100*time.Millisecond, time.Since(start))
			late := b.get(sid)
			time.Sleep(50 * time.Millisecond)
			write(t, c, "5")
			check(t, badRequest, brief(<-late))
		},
		"packets go over polling until the upgrade is done": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			c := b.dial(sid)
			write(t, c, "2probe")
			check(t, "3probe", read(c))
			send(t, b.session(), "a", "b")
			check(t, "200 4a\x1e4b", brief(b.do(http.MethodGet, sid, "")))
			send(t, b.session(), "c")
			write(t, c, "5")
			check(t, "4c", read(c))
		},
		"a post under way is finished first": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			s := b.session()
			gate := make(chan struct{})
			s.message = func(_ *owner, _ bool, data []byte) {
				if string(data) == "slow" {
					<-gate
				}
			}
			posted := later(func() response { return b.do(http.MethodPost, sid, "4slow\x1e4next") })
			synctest.Wait()
			c := b.dial(sid)
			write(t, c, "2probe")
			check(t, "3probe", read(c))
			write(t, c, "5")
			write(t, c, "4last")
			time.Sleep(time.Second)
			check(t, engineio.Polling, s.session.Transport())
			close(gate)
			check(t, "200 ok", brief(<-posted))
			check(t, "4slow", read(c))
			check(t, "4next", read(c))
			check(t, "4last", read(c))
			check(t, []string{"slow", "next", "upgrade", "last"}, s.notes())
		},
		"nothing for the whole time": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			start := time.Now()
			c := b.dial(sid)
			check(t, "closed 1006", read(c))
			check(t, 10*time.Second, time.Since(start))
			stays(t, b, sid)
		},
		"a probe and then nothing": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{PingInterval: time.Hour, PingTimeout: time.Hour, UpgradeTimeout: time.Second})
			sid := b.open("")
			start := time.Now()
			c := b.dial(sid)
			write(t, c, "2probe")
			check(t, "3probe", read(c))
			check(t, "closed 1006", read(c))
			check(t, time.Second, time.Since(start))
			stays(t, b, sid)
		},
		"the network of the probe goes away": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			c := b.dial(sid)
			write(t, c, "2probe")
			check(t, "3probe", read(c))
			check(t, nil, c.CloseNow())
			time.Sleep(time.Second)
			stays(t, b, sid)
		},
		"a session that closes takes the new transport along": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			poll := b.get(sid)
			c := b.dial(sid)
			b.session().session.Close(true)
			check(t, "closed 1000", read(c))
			check(t, "200 1", brief(<-poll))
			check(t, closing{Reason: "forced close"}, <-b.session().closed)
		},
		"a session that is closing goes over, sends what waits and closes": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			c := b.dial(sid)
			write(t, c, "2probe")
			check(t, "3probe", read(c))
			send(t, b.session(), "rest")
			b.session().session.Close(false)
			write(t, c, "5")
			check(t, "4rest", read(c))
			check(t, "closed 1000", read(c))
			check(t, closing{Reason: "forced close"}, <-b.session().closed)
		},
		"a session that sends and closes in the moment of the upgrade": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			goodbye := strings.Repeat("x", 999_999)
			b.session().upgraded = func(o *owner) {
				b.network.Stall(netem.Down)
				send(t, o, goodbye)
				synctest.Wait() // until it is being written
				o.session.Close(false)
			}
			c := b.dial(sid)
			write(t, c, "2probe")
			check(t, "3probe", read(c))
			write(t, c, "5")
			time.Sleep(time.Minute)
			b.network.Resume(netem.Down)
			check(t, "4"+goodbye, read(c))
			check(t, "closed 1000", read(c))
			check(t, closing{Reason: "forced close"}, <-b.session().closed)
		},
		"a session that is closing, with nothing to send": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			c := b.dial(sid)
			write(t, c, "2probe")
			check(t, "3probe", read(c))
			b.session().session.Close(false)
			write(t, c, "5")
			check(t, "closed 1000", read(c))
			check(t, closing{Reason: "forced close"}, <-b.session().closed)
		},
		"a session that is closing, and the upgrade fails": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			c := b.dial(sid)
			write(t, c, "2probe")
			check(t, "3probe", read(c))
			send(t, b.session(), "rest")
			b.session().session.Close(false)
			write(t, c, "4no")
			check(t, "closed 1000", read(c))
			check(t, "200 4rest\x1e1", brief(b.do(http.MethodGet, sid, "")))
			check(t, closing{Reason: "forced close"}, <-b.session().closed)
		},
		"the heart beats on": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			sid := b.open("")
			c := b.dial(sid)
			write(t, c, "2probe")
			check(t, "3probe", read(c))
			write(t, c, "5")
			for range 3 {
				check(t, "2", read(c))
				write(t, c, "3")
			}
			check(t, closing{Reason: "ping timeout"}, <-b.session().closed)
		},
		"switched off": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{PingInterval: time.Hour, PingTimeout: time.Hour, DisableUpgrade: true})
			sid := b.open("")
			_, err := b.tryDial(sid, "")
			check(t, true, err != nil)
			stays(t, b, sid)
		},
	})
}

// stays checks that a session is on polling and works.
func stays(t *testing.T, b *rig, sid string) {
	t.Helper()
	s := b.session()
	check(t, engineio.Polling, s.session.Transport())
	check(t, "200 ok", brief(b.do(http.MethodPost, sid, "4still here")))
	check(t, "200 4still here", brief(b.do(http.MethodGet, sid, "")))
}

func send(t *testing.T, o *owner, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if err := o.session.Send(engineio.Text(s)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestForgedUpgrade: what does not begin with a probe ends the new connection and nothing else; nor does a second
// WebSocket take over.
func TestForgedUpgrade(t *testing.T) {
	t.Parallel()
	rows := map[string]func(t *testing.T){
		"a second one while the first is at it": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			c := b.dial(sid)
			second := b.dial(sid)
			check(t, "closed 1000", read(second))
			write(t, c, "2probe")
			check(t, "3probe", read(c))
			third := b.dial(sid)
			check(t, "closed 1000", read(third))
			write(t, c, "5")
			write(t, c, "4a")
			check(t, "4a", read(c))
		},
		"a second one after the upgrade": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			c := b.dial(sid)
			write(t, c, "2probe")
			check(t, "3probe", read(c))
			write(t, c, "5")
			write(t, c, "4a")
			check(t, "4a", read(c))
			second := b.dial(sid)
			check(t, "closed 1000", read(second))
			write(t, c, "4b")
			check(t, "4b", read(c))
		},
		"no proper request for a WebSocket": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			got := b.refuse(http.MethodGet, "EIO=4&transport=websocket&"+sid, "Connection", "Upgrade", "Upgrade", "websocket")
			check(t, true, strings.HasSuffix(got, " TRANSPORT_HANDSHAKE_ERROR"))
			stays(t, b, sid)
			c := b.dial(sid)
			write(t, c, "2probe")
			check(t, "3probe", read(c))
		},
		"for a session that began as a WebSocket": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			second := b.dial("sid=" + b.session().session.ID())
			check(t, "closed 1000", read(second))
			write(t, c, "4a")
			check(t, "4a", read(c))
			check(t, false, b.session().session.Upgraded())
		},
		"many at a time": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			var dials sync.WaitGroup
			for range 20 {
				dials.Go(func() {
					c, err := b.tryDial(sid, "")
					if err != nil {
						return
					}
					if c.Write(wsconn.Text, []byte("2probe")) == nil && read(c) == "3probe" {
						_ = c.Write(wsconn.Text, []byte("5"))
						_ = c.Write(wsconn.Text, []byte("4mine"))
						check(t, "4mine", read(c))
					}
				})
			}
			dials.Wait()
			check(t, []string{"upgrade", "mine"}, b.session().notes())
		},
	}
	for name, first := range map[string]wsconn.Message{
		"a message":           {Type: wsconn.Text, Data: []byte("4hello")},
		"a ping":              {Type: wsconn.Text, Data: []byte("2")},
		"another probe":       {Type: wsconn.Text, Data: []byte("2probe ")},
		"a pong":              {Type: wsconn.Text, Data: []byte("3probe")},
		"upgrade, no probe":   {Type: wsconn.Text, Data: []byte("5")},
		"no packet":           {Type: wsconn.Text, Data: nil},
		"a binary probe":      {Type: wsconn.Binary, Data: []byte("2probe")},
		"a large message":     {Type: wsconn.Text, Data: []byte("4" + strings.Repeat("x", 100_000))},
		"one above the limit": {Type: wsconn.Binary, Data: make([]byte, 1_000_001)},
	} {
		rows["first "+name] = func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			c := b.dial(sid)
			if err := c.Write(first.Type, first.Data); err != nil {
				t.Fatal(err)
			}
			if got := read(c); !strings.HasPrefix(got, "closed") {
				t.Errorf("got %q", got)
			}
			synctest.Wait() // until then, another WebSocket might still be the second one
			stays(t, b, sid)
			again := b.dial(sid)
			write(t, again, "2probe")
			check(t, "3probe", read(again))
			write(t, again, "5")
			write(t, again, "4a")
			check(t, "4a", read(again))
		}
	}
	inBubbles(t, rows)
}

// TestUpgradeUnderLoad: 1,000 messages each way, sent before, while and after the transport changes. None is lost, none
// comes twice, none out of order.
func TestUpgradeUnderLoad(t *testing.T) {
	t.Parallel()
	const total = 1000
	rows := map[string]func(t *testing.T){}
	for _, latency := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond} {
		rows[latency.String()] = func(t *testing.T) {
			b := newRig(t, patient)
			b.network.Latency(netem.Both, latency)
			sid := b.open("")
			s := b.session()
			s.echo = false
			client := &upgradingClient{t: t, b: b, sid: sid}
			var work sync.WaitGroup
			work.Go(func() { // the server's messages
				for i := range total {
					send(t, s, fmt.Sprint(i))
					if i%100 == 99 {
						time.Sleep(time.Millisecond)
					}
				}
			})
			work.Go(func() { client.run(total) })
			work.Wait()
			want := make([]string, total)
			for i := range want {
				want[i] = fmt.Sprint(i)
			}
			check(t, want, client.got)
			notes := s.notes()
			got := make([]string, 0, total)
			for _, n := range notes {
				if n != "upgrade" {
					got = append(got, n)
				}
			}
			check(t, want, got)
			check(t, total+1, len(notes))
			check(t, true, s.session.Upgraded())
		}
	}
	inBubbles(t, rows)
}

// upgradingClient is an honest client: it polls and posts, probes, pauses polling, and goes over.
type upgradingClient struct {
	t   *testing.T
	b   *rig
	sid string
	got []string
	out int
}

func (u *upgradingClient) take(payload string) {
	for p := range strings.SplitSeq(payload, "\x1e") {
		if p != "6" {
			u.got = append(u.got, strings.TrimPrefix(p, "4"))
		}
	}
}

// next returns the next messages to send.
func (u *upgradingClient) next(n, total int) []string {
	var out []string
	for ; len(out) < n && u.out < total; u.out++ {
		out = append(out, fmt.Sprint("4", u.out))
	}
	return out
}

func (u *upgradingClient) run(total int) {
	post := func(n int) {
		check(u.t, "200 ok", brief(u.b.do(http.MethodPost, u.sid, strings.Join(u.next(n, total), "\x1e"))))
	}
	post(100)
	u.take(u.b.do(http.MethodGet, u.sid, "").Body)
	ws := u.b.dial(u.sid)
	probed := later(func() string {
		write(u.t, ws, "2probe")
		return read(ws)
	})
	// Until the probe is answered all goes on as before.
	for done := false; !done; {
		poll := u.b.get(u.sid)
		post(10)
		u.take((<-poll).Body)
		select {
		case answer := <-probed:
			check(u.t, "3probe", answer)
			done = true
		default:
		}
	}
	write(u.t, ws, "5")
	sent := later(func() bool {
		for _, m := range u.next(total, total) {
			write(u.t, ws, m)
		}
		return true
	})
	for len(u.got) < total {
		m := read(ws)
		if !strings.HasPrefix(m, "4") {
			u.t.Errorf("got %q after %d", m, len(u.got))
			break
		}
		u.got = append(u.got, m[1:])
	}
	<-sent
	write(u.t, ws, "4flush") // what is read after this came in order
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if notes := u.b.session().notes(); notes[len(notes)-1] == "flush" {
			break
		}
	}
	u.b.session().drop("flush")
}

// drop takes the last note away, which must be this one.
func (r *owner) drop(note string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.got) - 1; r.got[n] == note {
		r.got = r.got[:n]
	}
}
