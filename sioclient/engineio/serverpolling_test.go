package engineio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// patient is a heartbeat that does not come in between.
var patient = engineio.ServerOptions{PingInterval: time.Hour, PingTimeout: time.Hour}

const unknownSID = `400 {"code":1,"message":"Session ID unknown"}`

const badRequest = `400 {"code":3,"message":"Bad request"}`

func TestPoll(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"all that waits in one answer": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			s := b.session().session
			for i := range 3 {
				if err := s.Send(engineio.Text(fmt.Sprint(i)), engineio.Binary([]byte{byte(i)})); err != nil {
					t.Fatal(err)
				}
			}
			messages, bytes := s.Buffered()
			check(t, [2]int{6, 9}, [2]int{messages, bytes})
			check(t, "200 40\x1ebAA==\x1e41\x1ebAQ==\x1e42\x1ebAg==", brief(b.do(http.MethodGet, sid, "")))
			synctest.Wait() // for the end of the request
			messages, bytes = s.Buffered()
			check(t, [2]int{0, 0}, [2]int{messages, bytes})
		},
		"held longer than the limits of the HTTP server": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			got := b.get(sid)
			time.Sleep(time.Minute)
			if err := b.session().session.Send(engineio.Text("late")); err != nil {
				t.Fatal(err)
			}
			check(t, "200 4late", brief(<-got))
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "4a")))
		},
		"overlap": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			first := b.get(sid)
			time.Sleep(time.Second)
			check(t, "400", brief(b.do(http.MethodGet, sid, "")))
			check(t, "200 1", brief(<-first))
			check(t, unknownSID, brief(b.do(http.MethodGet, sid, "")))
			how := <-b.session().closed
			check(t, engineio.Reason("transport error"), how.Reason)
			check(t, true, strings.Contains(how.Err, "overlap from client"))
		},
		"the client goes away": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := b.try(ctx, http.MethodGet, sid, nil)
			check(t, true, errors.Is(err, context.DeadlineExceeded))
			how := <-b.session().closed
			check(t, engineio.Reason("transport error"), how.Reason)
			check(t, true, strings.Contains(how.Err, "poll connection closed prematurely"))
			check(t, unknownSID, brief(b.do(http.MethodGet, sid, "")))
		},
		"the network goes away": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			got := b.get(sid)
			time.Sleep(time.Second)
			b.network.ResetAll()
			<-got
			check(t, engineio.Reason("transport error"), (<-b.session().closed).Reason)
		},
		"a client that does not take the answer": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{PingInterval: 3 * time.Second, PingTimeout: 2 * time.Second})
			sid := b.open("")
			if err := b.session().session.Send(engineio.Binary(make([]byte, 1_000_000))); err != nil {
				t.Fatal(err)
			}
			b.network.Stall(netem.Down)
			time.Sleep(time.Second)
			got := b.get(sid)
			check(t, engineio.Reason("ping timeout"), (<-b.session().closed).Reason)
			time.Sleep(time.Second)
			b.network.Resume(netem.Down)
			<-got
			check(t, nil, b.server.Close()) // nothing hangs
		},
		"the client goes away just when there is something for it": func(t *testing.T) {
			for range 200 {
				b := &rig{t: t, network: netem.New(nil)}
				opts := patient
				opts.OnSession = b.record
				var err error
				if b.server, err = engineio.NewServer(&opts); err != nil {
					t.Fatal(err)
				}
				serve := func(ctx context.Context, query string) string {
					w := httptest.NewRecorder()
					b.server.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/engine.io/?EIO=4&transport=polling"+query, nil))
					return w.Body.String()
				}
				serve(t.Context(), "")
				o := b.session()
				ctx, cancel := context.WithCancel(t.Context())
				got := later(func() string { return serve(ctx, "&sid="+o.session.ID()) })
				synctest.Wait()
				cancel()
				_ = o.session.Send(engineio.Text("a"))
				if <-got == "" { // then the owner must learn of it
					check(t, engineio.Reason("transport error"), (<-o.closed).Reason)
				}
				check(t, nil, b.server.Close())
			}
		},
		"sequential polls on one connection are no overlap": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			s := b.session().session
			for i := range 1000 {
				got := b.get(sid)
				if err := s.Send(engineio.Text(fmt.Sprint(i))); err != nil {
					t.Fatal(err)
				}
				check(t, fmt.Sprint("200 4", i), brief(<-got))
			}
			check(t, 1, b.server.Sessions())
		},
		"text that divides payloads is refused": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			err := b.session().session.Send(engineio.Text("fine"), engineio.Text("a\x1eb"))
			check(t, "sioclient: engine.Send: invalid argument: message: contains U+001E, which cannot be sent by polling", fmt.Sprint(err))
			if err := b.session().session.Send(engineio.Binary([]byte{0x1e})); err != nil {
				t.Fatal(err)
			}
			check(t, "200 bHg==", brief(b.do(http.MethodGet, sid, "")))
		},
		"what is no message is refused": func(t *testing.T) {
			b := newRig(t, patient)
			b.open("")
			for _, m := range []engineio.Message{
				{}, engineio.Encoded(nil), engineio.Encoded([]byte("2")), engineio.Encoded([]byte("xyz")), engineio.Text("\xff"),
			} {
				if b.session().session.Send(m) == nil {
					t.Errorf("%+v was taken", m)
				}
			}
			messages, _ := b.session().session.Buffered()
			check(t, 0, messages)
		},
	})
}

func TestPost(t *testing.T) {
	t.Parallel()
	rows := map[string]func(t *testing.T){
		"in order, with what the types of content may be": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			for _, kind := range []string{"text/plain;charset=UTF-8", "text/plain", "application/x-www-form-urlencoded", "a b;;=", ""} {
				check(t, "200 ok", brief(b.do(http.MethodPost, sid, "4"+kind+"\x1e4next", "Content-Type", kind)))
				got := b.session().notes()
				check(t, []string{kind, "next"}, got[len(got)-2:])
			}
		},
		"the content of binary payloads": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			check(t, badRequest, brief(b.do(http.MethodPost, sid, "4a", "Content-Type", "application/octet-stream; x=y")))
			how := <-b.session().closed
			check(t, engineio.Reason("transport error"), how.Reason)
			check(t, true, strings.Contains(how.Err, "invalid content"))
			check(t, unknownSID, brief(b.do(http.MethodPost, sid, "4a")))
		},
		"overlap": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			poll := b.get(sid)
			body, slow := io.Pipe()
			first := later(func() error {
				_, err := b.try(t.Context(), http.MethodPost, sid, body)
				return err
			})
			_, _ = io.WriteString(slow, "4a")
			time.Sleep(time.Second)
			check(t, "400", brief(b.do(http.MethodPost, sid, "4b")))
			how := <-b.session().closed
			check(t, engineio.Reason("transport error"), how.Reason)
			check(t, true, strings.Contains(how.Err, "data request overlap from client"))
			check(t, "200 1", brief(<-poll))
			_ = slow.Close()
			<-first
			check(t, nil, b.session().notes())
			check(t, unknownSID, brief(b.do(http.MethodPost, sid, "4c")))
		},
		"as large as may be": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{PingInterval: time.Hour, PingTimeout: time.Hour, MaxPayload: 100})
			sid := b.open("")
			text := strings.Repeat("x", 99)
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "4"+text)))
			check(t, []string{text}, b.session().notes())
		},
		"without a limit to speak of": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{PingInterval: time.Hour, PingTimeout: time.Hour, MaxPayload: math.MaxInt64})
			sid := b.open("")
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "4a")))
			check(t, []string{"a"}, b.session().notes())
		},
		"too large, announced": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{PingInterval: time.Hour, PingTimeout: time.Hour, MaxPayload: 100})
			sid := b.open("")
			check(t, "413", brief(b.do(http.MethodPost, sid, "4"+strings.Repeat("x", 100))))
			how := <-b.session().closed
			check(t, engineio.Reason("transport error"), how.Reason)
			check(t, true, strings.Contains(how.Err, "too large"))
			check(t, unknownSID, brief(b.do(http.MethodGet, sid, "")))
			check(t, nil, b.session().notes())
		},
		"too large, in pieces: refused while the rest has yet to come": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{PingInterval: time.Hour, PingTimeout: time.Hour, MaxPayload: 100})
			sid := b.open("")
			body, slow := io.Pipe()
			answer := later(func() string {
				res, err := b.try(t.Context(), http.MethodPost, sid, body)
				_ = body.Close()
				return fmt.Sprint(brief(res), err)
			})
			_, _ = io.WriteString(slow, "4"+strings.Repeat("x", 100))
			check(t, engineio.Reason("transport error"), (<-b.session().closed).Reason)
			check(t, "413<nil>", <-answer)
		},
		"a body that never ends": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{PingInterval: time.Hour, PingTimeout: time.Hour, MaxPayload: 1000})
			sid := b.open("")
			_, err := b.try(t.Context(), http.MethodPost, sid, endless{})
			_ = err // an answer or a reset, as fast as the client looks
			check(t, engineio.Reason("transport error"), (<-b.session().closed).Reason)
		},
		"slower than the heartbeat": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			start := time.Now()
			sid := b.open("")
			body, slow := io.Pipe()
			done := later(func() error {
				_, err := b.try(t.Context(), http.MethodPost, sid, body)
				_ = body.Close()
				return err
			})
			trickled := later(func() error {
				for {
					if _, err := io.WriteString(slow, "4"); err != nil {
						return err
					}
					time.Sleep(10 * time.Millisecond)
				}
			})
			after, how := ended(b.session(), start)
			check(t, 500*time.Millisecond, after)
			check(t, closing{Reason: "ping timeout"}, how)
			<-done
			<-trickled
		},
		"the client goes away": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			body, slow := io.Pipe()
			ctx, cancel := context.WithCancel(t.Context())
			done := later(func() error {
				_, err := b.try(ctx, http.MethodPost, sid, body)
				return err
			})
			_, _ = io.WriteString(slow, "4a\x1e4b")
			time.Sleep(time.Second)
			cancel()
			_ = slow.CloseWithError(context.Canceled)
			<-done
			how := <-b.session().closed
			check(t, engineio.Reason("transport error"), how.Reason)
			check(t, true, strings.Contains(how.Err, "data request connection closed prematurely"))
			check(t, nil, b.session().notes())
		},
		"a packet that closes": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			poll := b.get(sid)
			time.Sleep(time.Second)
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "1\x1e4never")))
			check(t, "200 6", brief(<-poll))
			check(t, closing{Reason: "transport close"}, <-b.session().closed)
			check(t, nil, b.session().notes())
			check(t, unknownSID, brief(b.do(http.MethodGet, sid, "")))
		},
		"packets that make no sense at the time": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "0{}\x1e5\x1e6\x1e3\x1e4a")))
			check(t, []string{"a"}, b.session().notes())
		},
		"as many packets as may be, and one more": func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{PingInterval: time.Hour, PingTimeout: time.Hour, MaxPacketsPerPayload: 3})
			sid := b.open("")
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "41\x1e42\x1e43")))
			check(t, badRequest, brief(b.do(http.MethodPost, sid, "44\x1e45\x1e46\x1e47")))
			check(t, []string{"1", "2", "3", "4", "5", "6"}, b.session().notes())
			how := <-b.session().closed
			check(t, engineio.Reason("parse error"), how.Reason)
			check(t, true, strings.Contains(how.Err, "too many packets"))
		},
		"many packets without a bound": func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			check(t, "200 ok", brief(b.do(http.MethodPost, sid, "40"+strings.Repeat("\x1e4x", 9999))))
			check(t, 10_000, len(b.session().notes()))
		},
	}
	for name, body := range map[string]string{
		"no packet": "", "no type": "abc", "a type too high": "7", "an empty packet at the end": "4a\x1e", "bad base64": "b!!!!",
		"text that is not UTF-8": "4\xff",
	} {
		rows["undecodable: "+name] = func(t *testing.T) {
			b := newRig(t, patient)
			sid := b.open("")
			poll := b.get(sid)
			time.Sleep(time.Second)
			if body != "" {
				body = "4before\x1e" + body
			}
			check(t, badRequest, brief(b.do(http.MethodPost, sid, body)))
			check(t, engineio.Reason("parse error"), (<-b.session().closed).Reason)
			if body != "" {
				check(t, "before", b.session().notes()[0])
				check(t, true, strings.HasPrefix(brief(<-poll), "200 4before"))
			} else {
				check(t, "200 1", brief(<-poll))
			}
			check(t, unknownSID, brief(b.do(http.MethodPost, sid, "4a")))
		}
	}
	inBubbles(t, rows)
}

// eager is a client that sends its next request while the answer to the last one is still being written.
type eager struct {
	*httptest.ResponseRecorder
	next func()
}

func (e *eager) Write(p []byte) (int, error) {
	n, err := e.ResponseRecorder.Write(p)
	e.next()
	return n, err
}

// TestEagerClient: with its answer a request is over, and the next one is no overlap.
func TestEagerClient(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){"handshake, posts and polls": func(t *testing.T) {
		b := newRig(t, patient)
		steps := []struct{ method, body string }{
			{http.MethodGet, ""},
			{http.MethodPost, "4a"},
			{http.MethodPost, "4b"},
			{http.MethodGet, ""},
			{http.MethodPost, "4c"},
			{http.MethodGet, ""},
		}
		var answers []string // the last one first
		var run func(i int)
		run = func(i int) {
			if i == len(steps) {
				return
			}
			target := "/engine.io/?EIO=4&transport=polling"
			if i > 0 {
				target += "&sid=" + b.session().session.ID()
			}
			w := &eager{httptest.NewRecorder(), func() { run(i + 1) }}
			b.server.ServeHTTP(w, httptest.NewRequest(steps[i].method, target, strings.NewReader(steps[i].body)))
			answers = append(answers, w.Body.String())
		}
		run(0)
		check(t, []string{"4c", "ok", "4a\x1e4b", "ok", "ok"}, answers[:5])
		check(t, 1, b.server.Sessions())
	}})
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '4'
	}
	return len(p), nil
}
