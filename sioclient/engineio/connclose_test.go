package engineio_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// TestClientClose has the rules for the end of a connection by its owner.
func TestClientClose(t *testing.T) {
	scriptedRows(t, map[string]func(t *testing.T, p *scripted){
		"over WebSocket a close frame and no packet": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocket(nil, openWS)
			conn.Close(false)
			check(t, 1000, s.wantClose())
			conn.Wait()
			check(t, nil, p.witness.wantEnd(t, sioclient.ForcedClose))
			err := conn.Send(engineio.Text("late"))
			checkIs(t, err, sioclient.ErrClosed, errkit.NotSent)
			conn.Close(false)
			conn.Close(true)
			conn.CloseWith(sioclient.ParseError, nil)
			conn.Wait()
			check(t, nil, p.witness.wantEnd(t, sioclient.ForcedClose))
		},
		"over polling a close packet": func(t *testing.T, p *scripted) {
			conn, poll := p.dialPolling(nil, openData)
			conn.Close(false)
			post := p.next("POST polling")
			check(t, "1", post.body)
			poll.answer(http.StatusOK, "6") // what a server does with the poll that waits
			post.answer(http.StatusOK, "ok")
			conn.Wait()
			check(t, nil, p.witness.wantEnd(t, sioclient.ForcedClose))
			p.quiet()
		},
		"a poll that fails meanwhile is no news": func(t *testing.T, p *scripted) {
			conn, poll := p.dialPolling(nil, openData)
			conn.Close(false)
			post := p.next("POST polling")
			poll.answer(http.StatusBadRequest, `{"code":1,"message":"Session ID unknown"}`)
			synctest.Wait()
			post.answer(http.StatusOK, "ok")
			conn.Wait()
			check(t, nil, p.witness.wantEnd(t, sioclient.ForcedClose))
		},
		"what waits is sent first": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(nil, openData)
			mustSend(t, conn, engineio.Text("a"))
			post := p.next("POST polling")
			mustSend(t, conn, engineio.Text("b"))
			conn.Close(false)
			checkIs(t, conn.Send(engineio.Text("c")), sioclient.ErrClosed)
			post.answer(http.StatusOK, "ok")
			for _, want := range []string{"4b", "1"} {
				post = p.next("POST polling")
				check(t, want, post.body)
				post.answer(http.StatusOK, "ok")
			}
			conn.Wait()
		},
		"with discard it is not": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(nil, openData)
			mustSend(t, conn, engineio.Text("a"))
			post := p.next("POST polling")
			mustSend(t, conn, engineio.Text("b"))
			conn.Close(true)
			post.answer(http.StatusOK, "ok")
			post = p.next("POST polling")
			check(t, "1", post.body)
			post.answer(http.StatusOK, "ok")
			conn.Wait()
		},
		"messages still come while what waits is sent, and none afterwards": func(t *testing.T, p *scripted) {
			conn, poll := p.dialPolling(nil, openData)
			mustSend(t, conn, engineio.Text("a"))
			post := p.next("POST polling")
			conn.Close(false)
			poll.answer(http.StatusOK, "4while closing")
			poll = p.next("GET polling")
			p.witness.wait(t, "while closing")
			conn.Close(true)
			poll.answer(http.StatusOK, "4too late")
			post.answer(http.StatusOK, "ok")
			p.nextPost().answer(http.StatusOK, "ok")
			conn.Wait()
			p.witness.wait(t, "while closing")
		},
		"CloseWith gives its reason": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocket(nil, openWS)
			cause := errors.New("cause")
			p.witness.onText = func(string) { conn.CloseWith(sioclient.ParseError, cause) }
			s.send("4a", "4b", "4c")
			check(t, 1000, s.wantClose())
			conn.Wait()
			if err := p.witness.wantEnd(t, sioclient.ParseError); err != cause {
				t.Error(err)
			}
			p.witness.wait(t, "a")
		},
		"a server that answers nothing is waited for for a limited time": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(&engineio.DialOptions{CloseTimeout: 3 * time.Second}, openData)
			start := time.Now()
			conn.Close(false)
			_ = p.next("POST polling")
			conn.Wait()
			check(t, 3*time.Second, time.Since(start))
			check(t, nil, p.witness.wantEnd(t, sioclient.ForcedClose))
		},
		"nor is one that has gone from the net": func(t *testing.T, p *scripted) {
			conn, _ := p.dialWebSocket(nil, openWS)
			p.network.Cut(netem.Silence)
			start := time.Now()
			conn.Close(false)
			conn.Wait()
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			p.witness.wantEnd(t, sioclient.ForcedClose)
		},
		"a failure while closing is the reason": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(nil, openData)
			mustSend(t, conn, engineio.Text("a"))
			post := p.next("POST polling")
			conn.Close(false)
			post.answer(http.StatusBadRequest, "")
			checkIs(t, p.witness.wantEnd(t, sioclient.TransportError), errkit.Invalid)
			conn.Wait()
		},
		"Done comes before the handler knows, Wait after": func(t *testing.T, p *scripted) {
			conn, s := p.dialWebSocket(nil, openWS)
			release := make(chan struct{})
			p.witness.onText = func(string) { <-release }
			s.send("4a")
			p.witness.wait(t, "a")
			conn.Close(true)
			<-conn.Done()
			check(t, 0, p.witness.closes())
			close(release)
			conn.Wait()
			check(t, 1, p.witness.closes())
		},
		"Close in OnOpen": func(t *testing.T, p *scripted) {
			d := p.start(t.Context(), &engineio.DialOptions{OnOpen: func(c *engineio.Conn) { c.Close(false) }})
			p.next("GET polling").answer(http.StatusOK, openData)
			post := p.nextPost()
			check(t, "1", post.body)
			post.answer(http.StatusOK, "ok")
			d.ok().Wait()
		},
	})
}
