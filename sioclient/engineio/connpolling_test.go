package engineio_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// TestClientPolling has the rules of the polling transport.
func TestClientPolling(t *testing.T) {
	scriptedRows(t, map[string]func(t *testing.T, p *scripted){
		"one request waits, and the next one follows": func(t *testing.T, p *scripted) {
			conn, poll := p.dialPolling(nil, openData)
			check(t, engineio.Polling, conn.Transport())
			check(t, testSID, poll.r.URL.Query().Get("sid"))
			poll.answer(http.StatusOK, "4hello\x1ebAQIDBA==\x1e4")
			poll = p.next("GET polling")
			p.witness.wait(t, "hello", "binary 01020304", "")
			poll.answer(http.StatusOK, "6")
			p.next("GET polling")
			p.quiet()
			finish(conn)
		},
		"packets behind the open packet are delivered": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(nil, openData+"\x1e40\x1ebAQ==\x1e6\x1e4b")
			p.witness.wait(t, "0", "binary 01", "b")
			finish(conn)
		},
		"a broken packet behind the open packet is a parse error": func(t *testing.T, p *scripted) {
			d := p.start(t.Context(), &engineio.DialOptions{DisableUpgrade: true})
			p.next("GET polling").answer(http.StatusOK, openData+"\x1e40\x1ex")
			conn := d.ok()
			checkIs(t, p.witness.wantEnd(t, sioclient.ParseError), sioclient.ErrPacket)
			p.witness.wait(t, "0")
			conn.Wait()
		},
		"a broken payload is a parse error behind the good packets": func(t *testing.T, p *scripted) {
			_, poll := p.dialPolling(nil, openData)
			poll.answer(http.StatusOK, "4a\x1e4b\x1exyz\x1e4c")
			checkIs(t, p.witness.wantEnd(t, sioclient.ParseError), sioclient.ErrEngine, sioclient.ErrPacket)
			p.witness.wait(t, "a", "b")
		},
		"an empty payload is a parse error": func(t *testing.T, p *scripted) {
			_, poll := p.dialPolling(nil, openData)
			poll.answer(http.StatusOK, "")
			checkIs(t, p.witness.wantEnd(t, sioclient.ParseError), sioclient.ErrPacket)
		},
		"a close packet in a poll is a transport close without an answer": func(t *testing.T, p *scripted) {
			conn, poll := p.dialPolling(nil, openData)
			poll.answer(http.StatusOK, "4a\x1e1\x1e4b")
			p.witness.wantEnd(t, sioclient.TransportClose)
			p.witness.wait(t, "a")
			conn.Wait()
			p.quiet()
		},
		"one request sends at a time, with all that waits": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(nil, openData)
			mustSend(t, conn, engineio.Text("a"))
			post := p.next("POST polling")
			check(t, "4a", post.body)
			check(t, "text/plain;charset=UTF-8", post.r.Header.Get("Content-Type"))
			check(t, "*/*", post.r.Header.Get("Accept"))
			check(t, false, conn.Writable())
			mustSend(t, conn, engineio.Text("€"), engineio.Binary([]byte{1, 2, 3, 4}))
			mustSend(t, conn, engineio.Text(""))
			p.quiet()
			post.answer(http.StatusOK, "ok")
			post = p.next("POST polling")
			check(t, "4€\x1ebAQIDBA==\x1e4", post.body)
			post.answer(http.StatusNoContent, "")
			p.quiet()
			check(t, true, conn.Writable())
			messages, bytes := conn.Buffered()
			check(t, []int{0, 0}, []int{messages, bytes})
			finish(conn)
		},
		"any answer of success will do": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(nil, openData)
			for _, answer := range []string{"ok", "OK", "", `{"json":1}`, strings.Repeat("x", 100_000)} {
				mustSend(t, conn, engineio.Text("a"))
				p.next("POST polling").answer(http.StatusOK, answer)
				p.quiet()
			}
			finish(conn)
		},
		"not more than 16 packets in a request": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(nil, openData)
			var msgs []engineio.Message
			for i := range 40 {
				msgs = append(msgs, engineio.Text(fmt.Sprint(i)))
			}
			mustSend(t, conn, msgs...)
			var counts []int
			for range 3 {
				post := p.next("POST polling")
				counts = append(counts, strings.Count(post.body, "\x1e")+1)
				post.answer(http.StatusOK, "ok")
			}
			check(t, []int{16, 16, 8}, counts)
			finish(conn)
		},
		"not more than maxPayload in a request": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(nil, strings.Replace(openData, "1000000", "20", 1))
			mustSend(t, conn, engineio.Text(strings.Repeat("a", 9)), engineio.Text(strings.Repeat("b", 8)),
				engineio.Text("€"), engineio.Text("c"), engineio.Binary(make([]byte, 12)), engineio.Text("d"),
				engineio.Text(strings.Repeat("e", 19)))
			for _, want := range []string{
				"4aaaaaaaaa\x1e4bbbbbbbb", // 20 bytes
				"4€\x1e4c", "bAAAAAAAAAAAAAAAA\x1e4d", "4" + strings.Repeat("e", 19),
			} {
				post := p.next("POST polling")
				check(t, want, post.body)
				post.answer(http.StatusOK, "ok")
			}
			finish(conn)
		},
		"a message above maxPayload is refused before it is sent": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(nil, strings.Replace(openData, "1000000", "20", 1))
			for _, m := range []engineio.Message{
				engineio.Text(strings.Repeat("a", 20)), engineio.Binary(make([]byte, 15)), engineio.Binary(make([]byte, 21)),
			} {
				checkIs(t, conn.Send(m), sioclient.ErrTooLarge, errkit.TooLarge, errkit.NotSent)
			}
			p.quiet()
			finish(conn)
		},
		"without maxPayload there is no limit": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(nil, strings.Replace(openData, `,"maxPayload":1000000`, "", 1))
			check(t, int64(0), conn.MaxPayload())
			mustSend(t, conn, engineio.Text(strings.Repeat("a", 2<<20)), engineio.Text("b"))
			check(t, 2<<20+4, len(p.next("POST polling").body))
			finish(conn)
		},
		"text that cannot go through a payload is refused": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(nil, openData)
			for _, m := range []engineio.Message{
				engineio.Text("a\x1eb"), engineio.Text("\xff"), {}, engineio.Encoded(nil), engineio.Encoded([]byte("2")),
			} {
				checkIs(t, conn.Send(engineio.Text("good"), m), sioclient.ErrInvalid, errkit.NotSent)
			}
			p.quiet()
			finish(conn)
		},
		"a queue that is full takes nothing": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(&engineio.DialOptions{Queue: engineio.QueueLimits{Messages: 3, Bytes: 100}}, openData)
			mustSend(t, conn, engineio.Text("a"))
			post := p.next("POST polling")
			mustSend(t, conn, engineio.Text("b"))
			checkIs(t, conn.Send(engineio.Text("c"), engineio.Text("d")), sioclient.ErrBufferFull, errkit.Full, errkit.NotSent)
			checkIs(t, conn.Send(engineio.Text(strings.Repeat("x", 100))), sioclient.ErrBufferFull)
			mustSend(t, conn, engineio.Text("e"))
			post.answer(http.StatusOK, "ok")
			check(t, "4b\x1e4e", p.next("POST polling").body)
			finish(conn)
		},
		"compressed answers are accepted": func(t *testing.T, p *scripted) {
			conn, poll := p.dialPolling(nil, openData)
			check(t, true, strings.Contains(poll.r.Header.Get("Accept-Encoding"), "gzip"))
			poll.do(func(w http.ResponseWriter) {
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				_, _ = z.Write([]byte("4compressed"))
				_ = z.Close()
			})
			p.witness.wait(t, "compressed")
			finish(conn)
		},
		"a compressed bomb is stopped at ReadLimit": func(t *testing.T, p *scripted) {
			_, poll := p.dialPolling(&engineio.DialOptions{ReadLimit: 1 << 20}, openData)
			poll.do(func(w http.ResponseWriter) {
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				_, _ = z.Write([]byte("4" + strings.Repeat("x", 1<<20)))
				_ = z.Close()
			})
			checkIs(t, p.witness.wantEnd(t, sioclient.TransportError), sioclient.ErrTooLarge)
		},
		"a ReadLimit of no end": func(t *testing.T, p *scripted) {
			conn, poll := p.dialPolling(&engineio.DialOptions{ReadLimit: math.MaxInt64}, openData)
			poll.answer(http.StatusOK, "4hello")
			p.witness.wait(t, "hello")
			finish(conn)
		},
		"a refused poll keeps status, code and text": func(t *testing.T, p *scripted) {
			_, poll := p.dialPolling(nil, openData)
			poll.answer(http.StatusBadRequest, `{"code":1,"message":"Session ID unknown"}`)
			e := asEngineError(t, p.witness.wantEnd(t, sioclient.TransportError))
			check(t, brief3{engineio.Polling, 400, 1, "Session ID unknown"}, briefError(e))
		},
		"a session that the server does not know": func(t *testing.T, p *scripted) {
			conn, poll := p.dialPolling(nil, openData)
			poll.answer(http.StatusBadRequest, `{"code":1,"message":"Session ID unknown"}`)
			err := p.witness.wantEnd(t, sioclient.TransportError)
			checkIs(t, err, sioclient.ErrSession, sioclient.ErrEngine, errkit.NotFound)
			check(t, sioclient.CodeUnknownSession, asEngineError(t, err).Code)
			if e, ok := errors.AsType[*sioclient.SessionError](err); !ok || e.SID != conn.ID() {
				t.Errorf("got %#v, want a *SessionError of session %q", e, conn.ID())
			}
			if strings.Contains(err.Error(), conn.ID()) {
				t.Errorf("the session id is in the text %q", err)
			}
		},
		"413 to a request that sends": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(nil, openData)
			mustSend(t, conn, engineio.Text("a"))
			p.next("POST polling").answer(http.StatusRequestEntityTooLarge, "")
			checkIs(t, p.witness.wantEnd(t, sioclient.TransportError), sioclient.ErrTooLarge, sioclient.ErrEngine)
			conn.Wait()
		},
		"a redirect is not followed": func(t *testing.T, p *scripted) {
			_, poll := p.dialPolling(nil, openData)
			poll.do(func(w http.ResponseWriter) { http.Redirect(w, poll.r, "http://other.test/", http.StatusFound) })
			check(t, http.StatusFound, asEngineError(t, p.witness.wantEnd(t, sioclient.TransportError)).Status)
		},
		"RequestTimeout bounds a poll": func(t *testing.T, p *scripted) {
			start := time.Now()
			_, _ = p.dialPolling(&engineio.DialOptions{RequestTimeout: 30 * time.Second}, openData)
			checkIs(t, p.witness.wantEnd(t, sioclient.TransportError), errkit.Timeout)
			check(t, 30*time.Second, time.Since(start))
		},
		"an answer that is lost is not asked for again": func(t *testing.T, p *scripted) {
			conn, poll := p.dialPolling(nil, openData)
			poll.answer(http.StatusOK, "4a") // so that the connection below is one used before
			p.next("GET polling")
			p.network.Cut(netem.RST)
			checkIs(t, p.witness.wantEnd(t, sioclient.TransportError), errkit.Disconnected)
			conn.Wait()
			p.quiet()
		},
		"messages wait for a server that is slow to take them, in order": func(t *testing.T, p *scripted) {
			conn, _ := p.dialPolling(nil, openData)
			var want, got []string
			for i := range 200 {
				text := fmt.Sprint(i)
				want = append(want, "4"+text)
				mustSend(t, conn, engineio.Text(text))
			}
			for len(got) < len(want) {
				post := p.next("POST polling")
				time.Sleep(time.Second)
				got = append(got, strings.Split(post.body, "\x1e")...)
				post.answer(http.StatusOK, "ok")
			}
			check(t, true, slices.Equal(want, got))
			finish(conn)
		},
	})
}
