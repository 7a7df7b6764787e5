package sioserver_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// TestPeerBugs are mistakes of other implementations. What a hostile packet, an upgrade under load and a slow reader
// do is tested elsewhere as well: TestStrictness, TestSlowReader.
func TestPeerBugs(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"1 one packet ends the process": func(t *testing.T) {
			b := newBench(t, nil)
			b.OnConnect(echo)
			honest := b.dial()
			honest.join("/")
			for _, m := range []string{
				`459000000000000-["a"]`, `4550-["a"]`,
				`451-["bin",{"_placeholder":true,"num":7}]`, `451-["bin",{"_placeholder":true,"num":-7}]`,
				`451-["bin",{"_placeholder":true,"num":1e300}]`,
				`42["a",` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "]",
				`42["a"` + strings.Repeat(",1", 200_000) + "]",
			} {
				p := b.dial()
				p.join("/")
				p.offend(m, "binary x")
				p.want("closed")
				honest.send(`421["m"]`)
				honest.want("431[]")
			}
			check(t, 1, len(b.Sockets()))
		},
		"3 events out of order": func(t *testing.T) {
			b := newBench(t, nil)
			var got notes
			b.OnConnect(func(s *sioserver.Socket) {
				s.On("n", func(e *sioserver.Event) error { got.add("%s", e.Args.JSON()); return nil })
			})
			p := b.dial()
			p.join("/")
			var want []string
			for i := range 2000 {
				p.send(fmt.Sprintf(`42["n",%d]`, i))
				want = append(want, fmt.Sprintf("[%d]", i))
			}
			synctest.Wait()
			check(t, want, got.list())
		},
		"4 one slow client holds up the others": func(t *testing.T) {
			b := newBench(t, nil)
			let := make(chan bool)
			b.OnConnect(func(s *sioserver.Socket) {
				s.Join("room")
				s.On("stop", func(*sioserver.Event) error { <-let; return nil })
			})
			stuck, p := b.dial(), b.dial()
			stuck.join("/")
			p.join("/")
			synctest.Wait()
			b.net.Links()[0].Stall(1 << 1)
			stuck.send(`42["stop"]`)
			for i := range 100 {
				check(t, nil, b.To("room").Emit("n", i, strings.Repeat("x", 1000)))
				if m := p.next(); !strings.HasPrefix(m, fmt.Sprintf(`42["n",%d,`, i)) {
					t.Fatal(m)
				}
			}
			b.Sockets()[1].Join("another")
			close(let)
		},
		"5 delivered once per room": func(t *testing.T) {
			b := newBench(t, nil)
			b.OnConnect(func(s *sioserver.Socket) { s.Join("a", "b", "c") })
			p := b.dial()
			p.join("/")
			synctest.Wait()
			check(t, nil, b.Emit("all"))
			check(t, nil, b.To("a", "b", "c", b.Sockets()[0].ID()).Emit("rooms"))
			p.want(`42["all"]`, `42["rooms"]`)
			p.quiet()
		},
		"6 a wrong type disconnects": func(t *testing.T) {
			b := newBench(t, nil)
			failed := make(chan error, 9)
			b.OnConnect(func(s *sioserver.Socket) {
				echo(s)
				s.OnError(func(err error) { failed <- err })
				sioclient.On1(s, "number", func(int) { t.Error("called") })
			})
			p := b.dial()
			p.join("/")
			p.send(`42["number","text"]`)
			p.want(`42["number","text"]`)
			var e *sioclient.DecodeError
			check(t, true, errors.As(<-failed, &e))
			check(t, []any{"number", 0}, []any{e.Event, e.Index})
			p.send(`42["a,b",1]`, `42/,["c,d]\"",2]`)
			p.want(`42["a,b",1]`, `42["c,d]\"",2]`)
		},
		"7 a refused namespace closes the connection": func(t *testing.T) {
			b := newBench(t, nil)
			b.OnConnect(echo)
			p := b.dial()
			p.join("/")
			p.send("40/unknown,", `42["still here"]`)
			p.want(`44/unknown,{"message":"Invalid namespace"}`, `42["still here"]`)
		},
		"8 a race for ids of acknowledgements": func(t *testing.T) {
			s, p := one(t, nil)
			const calls = 200
			go func() {
				for range calls {
					m := p.next()
					id, _, _ := strings.Cut(m[2:], "[")
					p.send("43" + id + "[" + id + "]")
				}
			}()
			var wg sync.WaitGroup
			var mu sync.Mutex
			ids := map[string]bool{}
			for range calls {
				wg.Go(func() {
					args, err := s.Call(t.Context(), "q")
					check(t, nil, err)
					mu.Lock()
					defer mu.Unlock()
					ids[string(args.JSON())] = true
				})
			}
			wg.Wait()
			check(t, calls, len(ids))
		},
		"9 nil as an argument, and values that cannot be encoded": func(t *testing.T) {
			s, p := one(t, nil)
			check(t, nil, s.Emit("x", nil))
			p.want(`42["x",null]`)
			check(t, true, errors.Is(s.Emit("x", func() {}), sioclient.ErrPacket))
			check(t, true, errors.Is(s.Broadcast().Emit("x", func() {}), sioclient.ErrPacket))
			p.quiet()
			check(t, true, s.Connected())
		},
		"10 no attachments leave the decoder waiting": func(t *testing.T) {
			b := newBench(t, nil)
			p := b.dial()
			p.join("/")
			p.send(`450-["m"]`)
			p.want("closed")
			b.dial().join("/")
		},
	})
}

// TestUpgradeUnderLoad: nothing is lost or reordered when a session goes over to WebSocket.
func TestUpgradeUnderLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const events = 1000
		b := newBench(t, nil)
		var got notes
		b.OnConnect(func(s *sioserver.Socket) {
			s.On("n", func(e *sioserver.Event) error {
				got.add("%s", e.Args.JSON())
				return s.Emit("n", e.Args.Raw(0))
			})
		})
		p, _ := b.poll("EIO=4")
		check(t, "ok", p.post("40"))
		synctest.Wait()
		p.get()
		batch := func(from, to int) (packets []string) {
			for i := from; i < to; i++ {
				packets = append(packets, fmt.Sprintf(`42["n",%d]`, i))
			}
			return packets
		}
		check(t, "ok", p.post(batch(0, events/2)...))
		ws := b.dialRaw("EIO=4", "sid="+p.sid)
		ws.send("2probe")
		ws.want("3probe")
		received := strings.Split(p.get(), "\x1e")
		ws.send("5")
		ws.send(batch(events/2, events)...)
		for len(received) < events {
			if m := ws.next(); m != "6" {
				received = append(received, m)
			}
		}
		check(t, batch(0, events), received)
		check(t, events, len(got.list()))
		check(t, "websocket", b.Sockets()[0].Transport())
	})
}

// TestConnectFlood: requests for namespaces that do not exist are answered, or end the connection of a client that does
// not read the answers. Others go on.
func TestConnectFlood(t *testing.T) {
	t.Parallel()
	for name, reads := range map[string]bool{"answers are read": true, "answers are not read": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				b.OnConnect(echo)
				flood, honest := b.dial(), b.dial()
				honest.join("/")
				if !reads {
					b.net.Links()[0].Stall(1 << 1)
				}
				const requests, burst = 20_000, 1000 // a burst is far below what may wait for a client
				for i := range requests {
					if flood.conn.Write(wsconn.Text, fmt.Appendf(nil, "40/x%d,", i)) != nil {
						break
					}
					if !reads || (i+1)%burst != 0 {
						continue
					}
					for j := i + 1 - burst; j <= i; j++ {
						flood.want(fmt.Sprintf(`44/x%d,{"message":"Invalid namespace"}`, j))
					}
				}
				honest.send(`421["m"]`)
				honest.want("431[]")
				synctest.Wait()
				want := int64(1)
				if reads {
					want = 0
				}
				check(t, want, b.Stats().Slow)
				check(t, 1, len(b.Namespaces()))
			})
		})
	}
}
