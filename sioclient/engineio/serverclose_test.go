package engineio_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// TestSessionClose: how sessions end, and for which reason.
func TestSessionClose(t *testing.T) {
	t.Parallel()
	forced := closing{Reason: "forced close"}
	inBubbles(t, map[string]func(t *testing.T){
		"websocket, by the server: a close frame and no packet, after what waits": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			send(t, b.session(), "a", "b")
			b.session().session.Close(false)
			checkIs(t, b.session().session.Send(engineio.Text("c")), sioerr.ErrClosed, errkit.NotSent)
			check(t, "4a", read(c))
			check(t, "4b", read(c))
			check(t, "closed 1000", read(c))
			check(t, forced, <-b.session().closed)
		},
		"websocket, by the server, with nothing to send": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			synctest.Wait()
			b.session().session.Close(false)
			check(t, "closed 1000", read(c))
			check(t, forced, <-b.session().closed)
		},
		"websocket, with discard: what waits is thrown away": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			b.network.Stall(netem.Down)
			big := engineio.Binary(make([]byte, 1_000_000))
			if err := b.session().session.Send(big, engineio.Text("never")); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			b.session().session.Close(true)
			<-b.session().session.Done()
			check(t, 0, b.server.Sessions())
			check(t, forced, <-b.session().closed)
			check(t, true, time.Since(start) <= 2*time.Second) // the limit of the close handshake
			synctest.Wait()                                    // for the end of the write
			messages, _ := b.session().session.Buffered()
			check(t, 0, messages)
		},
		"websocket, a peer that takes nothing: the heartbeat ends what Close began": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			c := b.dial("")
			read(c)
			b.network.Stall(netem.Down)
			if err := b.session().session.Send(engineio.Binary(make([]byte, 1_000_000))); err != nil {
				t.Fatal(err)
			}
			b.session().session.Close(false)
			check(t, closing{Reason: "ping timeout"}, <-b.session().closed)
		},
		"websocket, by a close packet": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			write(t, c, "1")
			check(t, "closed 1000", read(c))
			check(t, closing{Reason: "transport close"}, <-b.session().closed)
			check(t, 0, b.server.Sessions())
		},
		"websocket, by a close frame": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			check(t, nil, c.Close(1001, "bye"))
			check(t, engineio.Reason("transport close"), (<-b.session().closed).Reason)
		},
		"websocket, the connection ends without a frame": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			b.network.DropAll()
			check(t, engineio.Reason("transport close"), (<-b.session().closed).Reason)
		},
		"websocket, the connection is reset": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			b.network.ResetAll()
			check(t, engineio.Reason("transport error"), (<-b.session().closed).Reason)
		},
		"websocket, a message above the limit": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			if err := c.Write(wsconn.Text, []byte("4"+strings.Repeat("x", 1_000_000))); err != nil {
				t.Fatal(err)
			}
			check(t, "closed 1009", read(c))
			how := <-b.session().closed
			check(t, engineio.Reason("transport error"), how.Reason)
			check(t, true, strings.Contains(how.Err, "too large"))
		},
		"websocket, as large as may be": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			if err := c.Write(wsconn.Binary, make([]byte, 1_000_000)); err != nil {
				t.Fatal(err)
			}
			check(t, len("binary ")+2_000_000, len(read(c)))
		},
		"websocket, a packet of no type": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			write(t, c, "abc")
			check(t, "closed 1007", read(c))
			check(t, engineio.Reason("parse error"), (<-b.session().closed).Reason)
		},
		"websocket, text that is not UTF-8": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			write(t, c, "4\xff")
			check(t, "closed 1007", read(c))
			how := <-b.session().closed
			check(t, engineio.Reason("parse error"), how.Reason)
			check(t, true, strings.Contains(how.Err, "not UTF-8"))
		},
		"websocket, an empty packet": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			write(t, c, "")
			check(t, "closed 1007", read(c))
			check(t, engineio.Reason("parse error"), (<-b.session().closed).Reason)
		},
		"websocket, packets at the wrong time are no end": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			for _, p := range []string{"0{}", "5", "6", "6", "4a"} {
				write(t, c, p)
			}
			check(t, "4a", read(c))
		},
		"with a reason of the owner's": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			b.session().session.CloseWith(sioerr.TransportError, sioerr.Bare(sioerr.ErrBufferFull, "test", nil))
			check(t, "closed 1000", read(c))
			check(t, closing{"transport error", "sioclient: test: buffer full"}, <-b.session().closed)
		},
		"from within the handler: nothing more is delivered": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			b.session().message = func(o *owner, _ bool, data []byte) {
				if string(data) == "stop" {
					o.session.Close(true)
				}
			}
			write(t, c, "4stop")
			_ = c.Write(wsconn.Text, []byte("4never"))
			check(t, forced, <-b.session().closed)
			check(t, "stop", b.session().notes()[0])
			check(t, false, strings.Contains(strings.Join(b.session().notes(), " "), "never"))
		},
		"from within the handler of a post": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			b.session().echo = false
			b.session().message = func(o *owner, _ bool, _ []byte) {
				o.session.Close(true)
				select {
				case <-o.closed:
					t.Error("HandleClose within HandleMessage")
				case <-time.After(time.Second):
				}
			}
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "4stop\x1e4never")))
			check(t, forced, <-b.session().closed)
			check(t, []string{"stop"}, b.session().notes())
		},
		"from within OnSession": func(t *testing.T) {
			for _, query := range []string{"polling", "websocket"} {
				b := &rig{t: t, network: netem.New(nil), refused: make(chan *engineio.RefusedRequest, 1)}
				var err error
				b.server, err = engineio.NewServer(&engineio.ServerOptions{OnSession: func(s *engineio.Session) engineio.Handler {
					s.Close(true)
					return b.record(s)
				}})
				if err != nil {
					t.Fatal(err)
				}
				b.serve(b.server)
				if query == "polling" {
					b.open("")
				} else {
					check(t, "closed 1000", read(b.dial("")))
				}
				check(t, forced, <-b.session().closed)
			}
		},
		"polling, with a poll that waits": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			poll := b.get(sid)
			time.Sleep(time.Second)
			b.session().session.Close(false)
			check(t, "200 1", brief(<-poll))
			check(t, forced, <-b.session().closed)
			check(t, unknownSID, brief(b.do(http.MethodGet, sid, "")))
		},
		"polling, the next poll gets what waits and the end": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			send(t, b.session(), "a", "b")
			b.session().session.Close(false)
			time.Sleep(29 * time.Second)
			check(t, "200 4a\x1e4b\x1e1", brief(b.do(http.MethodGet, sid, "")))
			check(t, forced, <-b.session().closed)
			check(t, unknownSID, brief(b.do(http.MethodGet, sid, "")))
		},
		"polling, nobody polls for 30 s": func(t *testing.T) {
			b := newRig(t, patient)
			start := time.Now()
			b.open("")
			send(t, b.session(), "a")
			b.session().session.Close(false)
			b.session().session.Close(false)
			after, how := ended(b.session(), start)
			check(t, 30*time.Second, after)
			check(t, forced, how)
		},
		"polling, with discard": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			send(t, b.session(), "a")
			b.session().session.Close(true)
			check(t, forced, <-b.session().closed)
			check(t, unknownSID, brief(b.do(http.MethodGet, sid, "")))
		},
		"polling, messages of a session that is closing are dropped": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			b.session().session.Close(false)
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "4late")))
			check(t, nil, b.session().notes())
		},
		"once only, whoever closes": func(t *testing.T) {
			b := newRig(t, patient)
			c := b.dial("")
			read(c)
			s := b.session().session
			done := s.Done()
			for range 10 {
				go s.Close(true)
				go s.CloseWith("transport error", nil)
				go func() { _ = c.CloseNow() }()
			}
			<-done
			<-s.Done()
			<-b.session().closed
			time.Sleep(time.Hour)
			select {
			case second := <-b.session().closed:
				t.Errorf("and again: %+v", second)
			default:
			}
		},
	})
}

func TestServerClose(t *testing.T) {
	t.Parallel()
	// several begins sessions of all kinds.
	several := func(b *rig) (poll, probed string, waiting <-chan response, c *wsconn.Conn) {
		poll, probed = b.open(""), b.open("")
		waiting = b.get(poll)
		c = b.dial("")
		read(c)
		candidate := b.dial(probed)
		write(b.t, candidate, "2probe")
		read(candidate)
		return poll, probed, waiting, c
	}
	inBubbles(t, map[string]func(t *testing.T){
		"all at once": func(t *testing.T) {
			b := newRig(t, patient)
			poll, _, waiting, c := several(b)
			closed := later(b.server.Close)
			check(t, "200 1", brief(<-waiting))
			check(t, "closed 1000", read(c))
			check(t, nil, <-closed)
			check(t, 0, b.server.Sessions())
			for _, o := range b.sessions {
				check(t, closing{Reason: "forced close"}, <-o.closed)
			}
			check(t, `503 {"code":4,"message":"Server is closing"} SERVER_CLOSED`, b.refuse(http.MethodGet, "EIO=4&transport=polling&"+poll))
			check(t, `503 {"code":4,"message":"Server is closing"} SERVER_CLOSED`, b.refuse(http.MethodGet, "EIO=4&transport=polling"))
			check(t, nil, b.server.Close())
		},
		"after the last message": func(t *testing.T) {
			b := newRig(t, patient)
			_, probed, waiting, c := several(b)
			for _, o := range b.sessions {
				send(t, o, "goodbye")
			}
			ended := later(func() error { return b.server.Shutdown(t.Context()) })
			check(t, "200 4goodbye", brief(<-waiting))
			check(t, "4goodbye", read(c))
			check(t, "closed 1000", read(c))
			synctest.Wait()
			check(t, `503 {"code":4,"message":"Server is closing"} SERVER_CLOSED`, b.refuse(http.MethodGet, "EIO=4&transport=polling"))
			check(t, "200 4goodbye", brief(b.do(http.MethodGet, probed, "")))
			check(t, nil, <-ended)
			check(t, nil, b.server.Close())
		},
		"no longer than the context": func(t *testing.T) {
			b := newRig(t, patient)
			b.open("")
			send(t, b.session(), "nobody fetches it")
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			err := b.server.Shutdown(ctx)
			check(t, time.Second, time.Since(start))
			check(t, true, errors.Is(err, context.DeadlineExceeded) && errors.Is(err, sioerr.Err) && errors.Is(err, errkit.Timeout))
			check(t, 0, b.server.Sessions())
		},
		"while sessions begin": func(t *testing.T) {
			b := newRig(t, patient)
			results := make(chan error, 40)
			for i := range 40 {
				go func() {
					if i%2 == 0 {
						_, err := b.try(t.Context(), http.MethodGet, "", nil)
						results <- err
						return
					}
					_, err := b.tryDial("", "")
					results <- err
				}()
			}
			check(t, nil, b.server.Close())
			for range 40 {
				<-results
			}
			check(t, 0, b.server.Sessions())
		},
		"with answers that nobody takes": func(t *testing.T) {
			for name, end := range map[string]func(b *rig) (time.Duration, error){
				"Close": func(b *rig) (time.Duration, error) { return time.Second, b.server.Close() },
				"Shutdown": func(b *rig) (time.Duration, error) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					return time.Minute + time.Second, b.server.Shutdown(ctx)
				},
			} {
				b := newRig(t, patient)
				sid := b.open("")
				if err := b.session().session.Send(engineio.Binary(make([]byte, 1_000_000))); err != nil {
					t.Fatal(err)
				}
				b.session().session.Close(false)
				b.network.Stall(netem.Down)
				poll := b.get(sid)
				start := time.Now()
				within, err := end(b)
				if took := time.Since(start); took > within || err != nil {
					t.Errorf("%s took %v, %v", name, took, err)
				}
				b.network.Resume(netem.Down)
				<-poll
			}
		},
		"with an answer that is taken slowly": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			if err := b.session().session.Send(engineio.Binary(make([]byte, 900_000))); err != nil {
				t.Fatal(err)
			}
			b.session().session.Close(false)
			b.network.Stall(netem.Down)
			poll := b.get(sid)
			ended := later(func() error { return b.server.Shutdown(t.Context()) })
			time.Sleep(time.Minute)
			b.network.Resume(netem.Down)
			check(t, len("b\x1e1")+1_200_000, len((<-poll).Body))
			check(t, nil, <-ended)
		},
		"with a request under way": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			b.session().message = func(*owner, bool, []byte) { time.Sleep(time.Second) }
			posted := b.post(sid, "4a")
			time.Sleep(time.Millisecond)
			start := time.Now()
			check(t, nil, b.server.Close())
			check(t, time.Second-time.Millisecond, time.Since(start))
			<-posted
		},
	})
}

// post posts beside the test.
func (b *rig) post(sid, body string) <-chan response {
	return later(func() response {
		res, err := b.try(b.t.Context(), http.MethodPost, sid, strings.NewReader(body))
		if err != nil {
			return response{Body: err.Error()}
		}
		return res
	})
}

// TestPanics: what the HTTP server survives, the session does too, and the server can be closed.
func TestPanics(t *testing.T) {
	t.Parallel()
	boom := func(*http.Request) { panic("boom") }
	rows := map[string]func(t *testing.T){}
	for _, query := range []string{"polling", "websocket"} {
		begin := func(b *rig) {
			if query == "polling" {
				_, _ = b.try(b.t.Context(), http.MethodGet, "", nil)
			} else {
				_, _ = b.tryDial("", "")
			}
		}
		rows["OnSession, "+query] = func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{OnSession: func(s *engineio.Session) engineio.Handler {
				boom(nil)
				return nil
			}})
			begun := later(func() bool { // a WebSocket is not answered before the first packet, which does not come
				begin(b)
				return true
			})
			synctest.Wait()
			check(t, 1, b.server.Sessions())
			time.Sleep(500 * time.Millisecond)
			synctest.Wait()
			check(t, 0, b.server.Sessions())
			<-begun
		}
		rows["InitialHeaders, "+query] = func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{InitialHeaders: func(_ http.Header, r *http.Request) { boom(r) }})
			begin(b)
			check(t, 0, b.server.Sessions())
		}
	}
	rows["HandleMessage of a post"] = func(t *testing.T) {
		b := newRig(t, patient)
		sid := b.open("")
		b.session().message = func(_ *owner, _ bool, data []byte) {
			if string(data) == "boom" {
				boom(nil)
			}
		}
		_, err := b.try(t.Context(), http.MethodPost, sid, strings.NewReader("4boom"))
		check(t, true, err != nil)
		check(t, "200 ok", brief(b.do(http.MethodPost, sid, "4a")))
		check(t, []string{"boom", "a"}, b.session().notes())
	}
	inBubbles(t, rows)
}
