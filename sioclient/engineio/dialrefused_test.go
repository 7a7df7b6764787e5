package engineio_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// brief3 is what a refusal says.
type brief3 struct {
	Transport    string
	Status, Code int
	Message      string
}

func briefError(e *sioclient.EngineError) brief3 {
	return brief3{e.Transport, e.Status, e.Code, e.Message}
}

func asEngineError(t *testing.T, err error) *sioclient.EngineError {
	t.Helper()
	e, ok := errors.AsType[*sioclient.EngineError](err)
	if !ok {
		t.Fatalf("got %v, want an *EngineError", err)
	}
	return e
}

// TestDialRefused: what servers of all kinds say is in the error, by both transports.
func TestDialRefused(t *testing.T) {
	rows := map[string]func(t *testing.T, p *scripted){}
	for name, row := range map[string]struct {
		status int
		body   string
		want   brief3
		is     error
	}{
		"reference, unknown transport": {400, `{"code":0,"message":"Transport unknown"}`, brief3{"", 400, 0, "Transport unknown"}, errkit.Invalid},
		"reference, forbidden":         {403, `{"code":4,"message":"thou shall not pass"}`, brief3{"", 403, 4, "thou shall not pass"}, errkit.Denied},
		"reference, version":           {400, `{"code":5,"message":"Unsupported protocol version"}`, brief3{"", 400, 5, "Unsupported protocol version"}, sioclient.ErrEngineVersion},
		"python, a JSON string":        {400, `"The client is using an unsupported version of the Socket.IO or Engine.IO protocols"`, brief3{"", 400, -1, "The client is using an unsupported version of the Socket.IO or Engine.IO protocols"}, sioclient.ErrEngine},
		"python, connect handler":      {401, `{"message":"token expired"}`, brief3{"", 401, -1, "token expired"}, errkit.Auth},
		"python, object as refusal":    {401, `{"reason":17}`, brief3{"", 401, -1, ""}, errkit.Auth},
		"plain text":                   {400, "Bad request\n", brief3{"", 400, -1, "Bad request"}, errkit.Invalid},
		"a proxy's page":               {502, "<html>bad gateway</html>", brief3{"", 502, -1, "<html>bad gateway</html>"}, errkit.Unavailable},
		"nothing":                      {404, "", brief3{"", 404, -1, ""}, errkit.NotFound},
		"a number":                     {400, "17", brief3{"", 400, -1, "17"}, sioclient.ErrEngine},
		"bytes":                        {400, "\x00\xff\x01", brief3{"", 400, -1, ""}, sioclient.ErrEngine},
		"no success":                   {204, "", brief3{"", 204, -1, ""}, sioclient.ErrEngine},
	} {
		for _, transport := range []string{engineio.Polling, engineio.WebSocket} {
			rows[name+" by "+transport] = func(t *testing.T, p *scripted) {
				d := p.start(t.Context(), &engineio.DialOptions{Transports: []string{transport}})
				p.next("GET "+transport).answer(row.status, row.body)
				err := d.fails()
				want := row.want
				want.Transport = transport
				check(t, want, briefError(asEngineError(t, err)))
				checkIs(t, err, row.is, sioclient.ErrEngine)
				check(t, 0, p.witness.closes())
			}
		}
	}
	scriptedRows(t, rows)
}

// TestDialAnswerRefused: answers that are none.
func TestDialAnswerRefused(t *testing.T) {
	rows := map[string]func(t *testing.T, p *scripted){}
	for name, body := range map[string]string{
		"not an open packet": "4hello", "no packet at all": "<html>", "JSON cut short": `0{"sid":`,
		"without a session": `0{"pingInterval":1,"pingTimeout":1}`, "without times": `0{"sid":"a"}`,
		"negative times": `0{"sid":"a","pingInterval":-1,"pingTimeout":1}`, "binary": "bAQ==", "empty": "",
		"a pong": "3",
	} {
		for _, transport := range []string{engineio.Polling, engineio.WebSocket} {
			rows[name+" by "+transport] = func(t *testing.T, p *scripted) {
				d := p.start(t.Context(), &engineio.DialOptions{Transports: []string{transport}})
				req := p.next("GET " + transport)
				if transport == engineio.WebSocket {
					s := req.accept(nil)
					s.send(body)
				} else {
					req.answer(http.StatusOK, body)
				}
				err := d.fails()
				checkIs(t, err, sioclient.ErrEngine, sioclient.ErrPacket, errkit.Protocol)
				check(t, transport, asEngineError(t, err).Transport)
			}
		}
	}
	rows["a payload of nothing, revision 3"] = func(t *testing.T, p *scripted) {
		d := p.start(t.Context(), &engineio.DialOptions{EngineVersion: 3})
		p.next("GET polling").answer(http.StatusOK, "0:")
		checkIs(t, d.fails(), sioclient.ErrEngine)
	}
	rows["a payload above ReadLimit"] = func(t *testing.T, p *scripted) {
		d := p.start(t.Context(), &engineio.DialOptions{ReadLimit: 10})
		p.next("GET polling").answer(http.StatusOK, openData)
		checkIs(t, d.fails(), sioclient.ErrTooLarge)
	}
	rows["binary over WebSocket"] = func(t *testing.T, p *scripted) {
		d := p.start(t.Context(), &engineio.DialOptions{Transports: webSocketOnly})
		s := p.next("GET websocket").accept(nil)
		if err := s.ws.Write(2, []byte(openWS)); err != nil {
			t.Fatal(err)
		}
		checkIs(t, d.fails(), sioclient.ErrEngine)
	}
	scriptedRows(t, rows)
}

// TestDialUnreachable: no server, one that hangs, and a caller that has enough.
func TestDialUnreachable(t *testing.T) {
	rows := map[string]func(t *testing.T, p *scripted){}
	for _, transport := range []string{engineio.Polling, engineio.WebSocket} {
		opts := engineio.DialOptions{Transports: []string{transport}}
		rows["refused by "+transport] = func(t *testing.T, p *scripted) {
			p.network.Refuse("")
			checkIs(t, p.start(t.Context(), &opts).fails(), sioclient.ErrEngine, errkit.Connection, errkit.NotSent)
		}
		rows["no way there by "+transport] = func(t *testing.T, p *scripted) {
			p.network.Blackhole("")
			start := time.Now()
			err := p.start(t.Context(), &opts).fails()
			checkIs(t, err, sioclient.ErrEngine, errkit.Timeout, errkit.Connection)
			check(t, 20*time.Second, time.Since(start))
		}
		rows["no answer by "+transport] = func(t *testing.T, p *scripted) {
			o := opts
			o.HandshakeTimeout = 7 * time.Second
			start := time.Now()
			d := p.start(t.Context(), &o)
			p.next("GET " + transport)
			checkIs(t, d.fails(), sioclient.ErrEngine, errkit.Timeout)
			check(t, 7*time.Second, time.Since(start))
		}
		rows["cancelled by the caller by "+transport] = func(t *testing.T, p *scripted) {
			o := opts
			o.HandshakeTimeout = -1
			ctx, cancel := context.WithCancel(t.Context())
			d := p.start(ctx, &o)
			p.next("GET " + transport)
			cancel()
			checkIs(t, d.fails(), sioclient.ErrEngine, context.Canceled, errkit.Canceled)
		}
		rows["the caller's deadline by "+transport] = func(t *testing.T, p *scripted) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			d := p.start(ctx, &opts)
			checkIs(t, d.fails(), context.DeadlineExceeded, errkit.Timeout)
		}
	}
	rows["an open packet that does not come"] = func(t *testing.T, p *scripted) {
		start := time.Now()
		d := p.start(t.Context(), &engineio.DialOptions{Transports: webSocketOnly})
		p.next("GET websocket").accept(nil)
		checkIs(t, d.fails(), sioclient.ErrEngine, errkit.Timeout)
		check(t, 20*time.Second, time.Since(start))
	}
	scriptedRows(t, rows)
}

// TestDialSecrets: neither the session id nor credentials get into an error.
func TestDialSecrets(t *testing.T) {
	scriptedRows(t, map[string]func(t *testing.T, p *scripted){
		"the session id in the text of the server": func(t *testing.T, p *scripted) {
			_, poll := p.dialPolling(nil, openData)
			poll.answer(http.StatusBadRequest, `"Invalid session `+testSID+`"`)
			checkSilent(t, p.witness.wantEnd(t, sioclient.TransportError), testSID)
		},
		"in the address": func(t *testing.T, p *scripted) {
			_, _ = p.dialPolling(nil, openData)
			p.network.Refuse("")
			p.network.Cut(netem.RST)
			checkSilent(t, p.witness.wantEnd(t, sioclient.TransportError), testSID)
		},
		"in the address of an upgrade": func(t *testing.T, p *scripted) {
			failed := make(chan error, 1)
			d := p.start(t.Context(), &engineio.DialOptions{
				OnUpgradeError: func(err error) { failed <- err },
				OnOpen:         func(*engineio.Conn) { p.network.Refuse("") },
			})
			p.next("GET polling").answer(http.StatusOK, openData)
			checkSilent(t, <-failed, testSID)
			finish(d.ok())
		},
		"credentials": func(t *testing.T, p *scripted) {
			p.network.Refuse("")
			for _, transport := range []string{engineio.Polling, engineio.WebSocket} {
				_, err := engineio.Dial(t.Context(), "http://user:hunter2@peer.test/?token=opensesame", p.options(
					&engineio.DialOptions{Transports: []string{transport}, Header: http.Header{"Authorization": {"Bearer tiptop"}}},
				), p.witness)
				checkSilent(t, err, "hunter2", "opensesame", "tiptop")
			}
		},
	})
}

func checkSilent(t *testing.T, err error, secrets ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, text := range []string{err.Error(), errkit.Detail(err)} {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("a secret in %q", text)
			}
		}
	}
}

// TestTryAllTransports: the next transport is tried only when wanted, and only while opening.
func TestTryAllTransports(t *testing.T) {
	scriptedRows(t, map[string]func(t *testing.T, p *scripted){
		"not without": func(t *testing.T, p *scripted) {
			d := p.start(t.Context(), nil)
			p.next("GET polling").answer(http.StatusBadGateway, "")
			check(t, http.StatusBadGateway, asEngineError(t, d.fails()).Status)
			p.quiet()
		},
		"with": func(t *testing.T, p *scripted) {
			d := p.start(t.Context(), &engineio.DialOptions{TryAllTransports: true})
			p.next("GET polling").answer(http.StatusBadGateway, "")
			s := p.next("GET websocket").accept(nil)
			s.send(openWS)
			finish(d.ok())
		},
		"in the order given": func(t *testing.T, p *scripted) {
			d := p.start(t.Context(), &engineio.DialOptions{
				TryAllTransports: true, Transports: []string{engineio.WebSocket, engineio.Polling},
			})
			p.next("GET websocket").answer(http.StatusBadGateway, "")
			p.next("GET polling").answer(http.StatusForbidden, "")
			check(t, http.StatusForbidden, asEngineError(t, d.fails()).Status)
		},
	})
}
