package engineio_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// upgrading is a connection whose WebSocket has answered the probe, with the poll that still waits.
type upgrading struct {
	conn   *engineio.Conn
	socket *socket
	poll   *request
	failed chan error
}

// startUpgrade dials and goes as far as the answer to the probe.
func (p *scripted) startUpgrade(opts *engineio.DialOptions) *upgrading {
	p.t.Helper()
	u := p.startProbe(opts)
	u.answerProbe()
	return u
}

// answerProbe answers the probe, and waits until the client knows.
func (u *upgrading) answerProbe() {
	u.socket.t.Helper()
	u.socket.want("2probe")
	u.socket.send("3probe")
	synctest.Wait()
}

// startProbe dials and goes as far as the second connection.
func (p *scripted) startProbe(opts *engineio.DialOptions) *upgrading {
	p.t.Helper()
	u := &upgrading{failed: make(chan error, 10)}
	var o engineio.DialOptions
	if opts != nil {
		o = *opts
	}
	o.OnUpgradeError = func(err error) { u.failed <- err }
	d := p.start(p.t.Context(), &o)
	p.next("GET polling").answer(http.StatusOK, openData)
	u.conn = d.ok()
	ws := p.nextWebSocket()
	u.poll = p.nextPoll()
	for _, req := range []*request{ws, u.poll} {
		check(p.t, testSID, req.r.URL.Query().Get("sid"))
	}
	u.socket = ws.accept(nil)
	return u
}

// TestClientUpgrade has the rules for the change from polling to WebSocket.
func TestClientUpgrade(t *testing.T) {
	scriptedRows(t, map[string]func(t *testing.T, p *scripted){
		"probe, end of the poll, upgrade packet, messages": func(t *testing.T, p *scripted) {
			u := p.startUpgrade(nil)
			mustSend(t, u.conn, engineio.Text("held back"))
			check(t, false, u.conn.Writable())
			check(t, engineio.Polling, u.conn.Transport())
			p.quiet()
			u.poll.answer(http.StatusOK, "4last\x1e6")
			u.socket.want("5", "4held back")
			p.witness.waitUpgrade()
			p.witness.wait(t, "last")
			check(t, engineio.WebSocket, u.conn.Transport())
			check(t, true, u.conn.Upgraded())
			u.socket.send("6", "4first") // python-engineio answers the upgrade packet with a noop
			p.witness.wait(t, "last", "first")
			p.quiet()
			finish(u.conn)
			check(t, 0, len(u.failed))
		},
		"it begins at once, and what is sent meanwhile goes by polling": func(t *testing.T, p *scripted) {
			u := p.startProbe(nil)
			mustSend(t, u.conn, engineio.Text("early"))
			post := p.next("POST polling")
			check(t, "4early", post.body)
			u.answerProbe()
			u.poll.answer(http.StatusOK, "6")
			p.quiet()
			check(t, engineio.Polling, u.conn.Transport()) // the request that sends is waited for
			post.answer(http.StatusOK, "ok")
			u.socket.want("5")
			p.witness.waitUpgrade()
			finish(u.conn)
		},
		"polling goes on until the probe is answered": func(t *testing.T, p *scripted) {
			u := p.startProbe(nil)
			for i := range 3 {
				u.poll.answer(http.StatusOK, fmt.Sprintf("4%d", i))
				u.poll = p.next("GET polling")
			}
			u.answerProbe()
			u.poll.answer(http.StatusOK, "43")
			u.socket.want("5")
			p.witness.wait(t, "0", "1", "2", "3")
			finish(u.conn)
		},
		"a message behind the upgrade packet comes after those of the last poll": func(t *testing.T, p *scripted) {
			u := p.startUpgrade(nil)
			release := make(chan struct{})
			p.witness.onText = func(text string) {
				if text == "slow" {
					<-release
				}
			}
			u.poll.answer(http.StatusOK, "4slow\x1e4next")
			p.witness.wait(t, "slow")
			close(release)
			u.socket.want("5")
			u.socket.send("4over")
			p.witness.wait(t, "slow", "next", "over")
			finish(u.conn)
		},
		"a server that offers none gets none": func(t *testing.T, p *scripted) {
			for _, open := range []string{
				openWS, strings.Replace(openData, "websocket", "webtransport", 1), strings.Replace(openData, `"upgrades":["websocket"],`, "", 1),
			} {
				d := p.start(t.Context(), nil)
				p.next("GET polling").answer(http.StatusOK, open)
				conn := d.ok()
				p.next("GET polling")
				p.quiet()
				finish(conn)
			}
		},
		"nor a client that wants none": func(t *testing.T, p *scripted) {
			for _, opts := range []engineio.DialOptions{{DisableUpgrade: true}, {Transports: []string{engineio.Polling}}} {
				d := p.start(t.Context(), &opts)
				p.next("GET polling").answer(http.StatusOK, openData)
				conn := d.ok()
				p.next("GET polling")
				p.quiet()
				finish(conn)
			}
		},
		"a server that keeps offering webtransport is asked for WebSocket": func(t *testing.T, p *scripted) {
			d := p.start(t.Context(), nil)
			p.next("GET polling").answer(http.StatusOK, strings.Replace(openData, `"websocket"`, `"webtransport","websocket"`, 1))
			conn := d.ok()
			check(t, engineio.WebSocket, p.nextWebSocket().r.URL.Query().Get("transport"))
			finish(conn)
		},
		"a poll that fails meanwhile ends it all": func(t *testing.T, p *scripted) {
			u := p.startUpgrade(nil)
			u.poll.answer(http.StatusBadRequest, "")
			p.witness.wantEnd(t, sioclient.TransportError)
			u.conn.Wait()
		},
		"Close waits for it": func(t *testing.T, p *scripted) {
			u := p.startUpgrade(nil)
			u.conn.Close(false)
			p.quiet()
			u.poll.answer(http.StatusOK, "6")
			u.socket.want("5")
			check(t, 1000, u.socket.wantClose())
			u.conn.Wait()
			p.witness.wantEnd(t, sioclient.ForcedClose)
		},
		"Close waits for its failure": func(t *testing.T, p *scripted) {
			u := p.startProbe(nil)
			u.conn.Close(false)
			p.quiet()
			u.socket.want("2probe")
			closeWith(u.socket, 1000)
			check(t, "1", p.nextPost().body)
			u.poll.answer(http.StatusOK, "6")
			u.conn.Wait()
			p.witness.wantEnd(t, sioclient.ForcedClose)
		},
		"the connection fails when the upgrade packet cannot be sent": func(t *testing.T, p *scripted) {
			u := p.startUpgrade(nil)
			for _, link := range p.network.Links() {
				link.Stall(netem.Up)
				link.Window(netem.Up, 1)
			}
			u.poll.answer(http.StatusOK, "6")
			err := p.witness.wantEnd(t, sioclient.TransportError)
			checkIs(t, err, sioclient.ErrEngine, errkit.Timeout)
			check(t, engineio.WebSocket, asEngineError(t, err).Transport)
			u.conn.Wait()
			p.witness.wait(t)
		},
		"the heartbeat goes on over the new transport": func(t *testing.T, p *scripted) {
			start := time.Now()
			u := p.startUpgrade(nil)
			u.poll.answer(http.StatusOK, "6")
			u.socket.want("5")
			time.Sleep(25 * time.Second)
			u.socket.send("2")
			u.socket.want("3")
			p.witness.wantEnd(t, sioclient.PingTimeout)
			check(t, 70*time.Second, time.Since(start))
		},
		"a ping in the last poll is answered over the new transport": func(t *testing.T, p *scripted) {
			u := p.startUpgrade(nil)
			u.poll.answer(http.StatusOK, "2")
			u.socket.want("5", "3")
			finish(u.conn)
		},
		"cookies of polling go along": func(t *testing.T, p *scripted) {
			jar, err := cookiejar.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			d := p.start(t.Context(), &engineio.DialOptions{Jar: jar})
			p.next("GET polling").do(func(w http.ResponseWriter) {
				w.Header().Add("Set-Cookie", "io="+testSID+"; Path=/; HttpOnly; SameSite=Lax")
				w.Header().Add("Set-Cookie", "gone=1; Max-Age=20")
				_, _ = w.Write([]byte(openData))
			})
			conn := d.ok()
			ws := p.nextWebSocket()
			check(t, map[string]string{"io": testSID, "gone": "1"}, cookies(ws))
			s := ws.accept(http.Header{"Set-Cookie": {"ws=2; Path=/"}})
			s.want("2probe")
			time.Sleep(21 * time.Second)
			mustSend(t, conn, engineio.Text("x"))
			check(t, map[string]string{"io": testSID, "ws": "2"}, cookies(p.nextPost()))
			finish(conn)
		},
	})
}

// cookies returns the cookies of a request.
func cookies(r *request) map[string]string {
	list := map[string]string{}
	for _, c := range r.r.Cookies() {
		list[c.Name] = c.Value
	}
	return list
}

// TestClientUpgradeFails: whatever happens to the second connection before the upgrade packet, the first one goes on.
func TestClientUpgradeFails(t *testing.T) {
	rows := map[string]func(t *testing.T, p *scripted){
		"refused": func(t *testing.T, p *scripted) {
			failed := make(chan error, 1)
			d := p.start(t.Context(), &engineio.DialOptions{OnUpgradeError: func(err error) { failed <- err }})
			p.next("GET polling").answer(http.StatusOK, openData)
			conn := d.ok()
			p.nextWebSocket().answer(http.StatusBadRequest, `{"code":3,"message":"Bad request"}`)
			err := <-failed
			check(t, brief3{engineio.WebSocket, 400, 3, "Bad request"}, briefError(asEngineError(t, err)))
			checkPolls(t, p, conn, p.nextPoll())
		},
		"no answer to the request": func(t *testing.T, p *scripted) {
			failed := make(chan error, 1)
			d := p.start(t.Context(), &engineio.DialOptions{
				OnUpgradeError: func(err error) { failed <- err }, HandshakeTimeout: time.Second,
			})
			p.next("GET polling").answer(http.StatusOK, openData)
			conn := d.ok()
			p.nextWebSocket()
			checkIs(t, <-failed, sioclient.ErrEngine, errkit.Timeout)
			checkPolls(t, p, conn, p.nextPoll())
		},
	}
	for name, act := range map[string]func(s *socket){
		"another packet":         func(s *socket) { s.send("4hello") },
		"another probe":          func(s *socket) { s.send("3other") },
		"a pong without a probe": func(s *socket) { s.send("3") },
		"rubbish":                func(s *socket) { s.send("rubbish") },
		"a binary message":       func(s *socket) { _ = s.ws.Write(2, []byte("3probe")) },
		"closed":                 func(s *socket) { closeWith(s, 1000) },
		"cut":                    func(s *socket) { _ = s.ws.CloseNow() },
		"silence":                func(*socket) {},
	} {
		rows["instead of the answer "+name] = func(t *testing.T, p *scripted) {
			u := p.startProbe(nil)
			u.socket.want("2probe")
			act(u.socket)
			checkIs(t, <-u.failed, sioclient.ErrEngine)
			checkPolls(t, p, u.conn, u.poll)
		}
	}
	for name, act := range map[string]func(s *socket){
		"closed":            func(s *socket) { closeWith(s, 1000) },
		"cut":               func(s *socket) { _ = s.ws.CloseNow() },
		"a packet too soon": func(s *socket) { s.send("4hello") },
	} {
		rows["behind the answer "+name] = func(t *testing.T, p *scripted) {
			u := p.startUpgrade(nil)
			mustSend(t, u.conn, engineio.Text("held back"))
			act(u.socket)
			checkIs(t, <-u.failed, sioclient.ErrEngine)
			post := p.next("POST polling")
			check(t, "4held back", post.body)
			post.answer(http.StatusOK, "ok")
			checkPolls(t, p, u.conn, u.poll)
		}
	}
	scriptedRows(t, rows)
}

// checkPolls checks that a connection works by polling, and ends it.
func checkPolls(t *testing.T, p *scripted, conn *engineio.Conn, poll *request) {
	t.Helper()
	check(t, engineio.Polling, conn.Transport())
	poll.answer(http.StatusOK, "4down")
	p.next("GET polling")
	p.witness.wait(t, "down")
	mustSend(t, conn, engineio.Text("up"))
	post := p.next("POST polling")
	check(t, "4up", post.body)
	post.answer(http.StatusOK, "ok")
	p.quiet()
	check(t, 0, p.witness.closes())
	finish(conn)
}

// TestRememberUpgrade: after a success the next connection begins with WebSocket, after a failure with polling.
func TestRememberUpgrade(t *testing.T) {
	scriptedRows(t, map[string]func(t *testing.T, p *scripted){
		"an upgrade": func(t *testing.T, p *scripted) {
			opts := &engineio.DialOptions{Remember: new(engineio.UpgradeMemory)}
			u := p.startUpgrade(opts)
			check(t, false, opts.Remember.WebSocket())
			u.poll.answer(http.StatusOK, "6")
			u.socket.want("5")
			p.witness.waitUpgrade()
			check(t, true, opts.Remember.WebSocket())
			finish(u.conn)
			d := p.start(t.Context(), opts)
			s := p.next("GET websocket").accept(nil)
			s.send(openWS)
			conn := d.ok()
			p.network.ResetAll()
			conn.Wait()
			check(t, false, opts.Remember.WebSocket())
			d = p.start(t.Context(), opts)
			p.next("GET polling").answer(http.StatusBadGateway, "")
			d.fails()
		},
		"WebSocket that does not open any more": func(t *testing.T, p *scripted) {
			opts := &engineio.DialOptions{Remember: new(engineio.UpgradeMemory), Transports: webSocketOnly}
			d := p.start(t.Context(), opts)
			s := p.next("GET websocket").accept(nil)
			s.send(openWS)
			finish(d.ok())
			opts.Transports = nil
			d = p.start(t.Context(), opts)
			p.next("GET websocket").answer(http.StatusBadGateway, "")
			d.fails()
			d = p.start(t.Context(), opts)
			p.next("GET polling").answer(http.StatusBadGateway, "")
			d.fails()
		},
		"nothing without": func(t *testing.T, p *scripted) {
			u := p.startUpgrade(nil)
			u.poll.answer(http.StatusOK, "6")
			u.socket.want("5")
			p.witness.waitUpgrade()
			finish(u.conn)
			d := p.start(t.Context(), nil)
			p.next("GET polling").answer(http.StatusBadGateway, "")
			d.fails()
		},
	})
}
