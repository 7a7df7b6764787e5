package sioserver_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

func recoverable() *sioserver.Options {
	return &sioserver.Options{Recovery: &sioserver.RecoveryOptions{}}
}

// event reads an event and returns it without its offset, and the offset.
func (p *peer) event() (text, offset string) {
	p.t.Helper()
	m := p.next()
	i := strings.LastIndex(m, `,"`)
	if i < 0 || !strings.HasSuffix(m, `"]`) {
		p.t.Fatalf("no event with an offset: %q", m)
	}
	return m[:i] + "]", m[i+2 : len(m)-2]
}

func (p *peer) wantEvent(want string) (offset string) {
	p.t.Helper()
	got, offset := p.event()
	check(p.t, want, got)
	return offset
}

// cut breaks the connection without a word.
func (p *peer) cut() {
	_ = p.conn.CloseNow()
	synctest.Wait()
}

func claim(pid, offset string) string { return fmt.Sprintf(`{"pid":%q,"offset":%q}`, pid, offset) }

func TestRecovery(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"what was missed comes before the confirmation": func(t *testing.T) {
			b := newBench(t, recoverable())
			var got notes
			b.OnConnect(func(s *sioserver.Socket) {
				got.add("%v %v %v", s.Recovered(), s.Data(), s.Rooms()[1:])
				if !s.Recovered() {
					s.SetData("mine")
					s.Join("room")
				}
			})
			b.Use(func(_ context.Context, s *sioserver.Socket) error { got.add("middleware"); return nil })
			p := b.dial()
			sid, pid := p.connectPID("/", "")
			check(t, true, len(pid) >= 22 && pid != sid)
			synctest.Wait()
			s := b.Socket(sid)
			check(t, nil, s.Emit("own", 1))
			offset := p.wantEvent(`42["own",1]`)
			p.cut()
			check(t, nil, s.Namespace().To("room").Emit("room", 2, []byte("x")))
			check(t, nil, b.To("other").Emit("other"))
			check(t, nil, b.Except("room").Emit("not for it"))
			check(t, nil, b.Emit("all", 3))
			check(t, nil, b.Volatile().Emit("volatile"))
			check(t, nil, b.To(sid).Emit("own", 4))

			p = b.dial()
			p.send("40" + claim(pid, offset))
			p.wantEvent(`451-["room",2,{"_placeholder":true,"num":0}]`)
			p.want("binary 78")
			p.wantEvent(`42["all",3]`)
			last := p.wantEvent(`42["own",4]`)
			sid2, pid2 := p.confirmed("")
			check(t, []string{sid, pid}, []string{sid2, pid2})
			synctest.Wait()
			check(t, []string{"middleware", "false <nil> []", "true mine [room]"}, got.list())

			check(t, nil, b.To("room").Emit("on"))
			p.wantEvent(`42["on"]`)
			p.cut()
			p = b.dial()
			p.send("40" + claim(pid, last)) // the client lost what came last
			p.wantEvent(`42["on"]`)
			p.confirmed("")
			p.quiet()
		},
		"without an offset": func(t *testing.T) {
			b := newBench(t, recoverable())
			p := b.dial()
			check(t, nil, b.Emit("before it came"))
			sid, pid := p.connectPID("/", "")
			p.cut()
			check(t, nil, b.Emit("missed"))
			p = b.dial()
			p.send(`40{"pid":"` + pid + `"}`)
			offset := p.wantEvent(`42["missed"]`)
			sid2, _ := p.confirmed("")
			check(t, sid, sid2)
			p.cut()
			p = b.dial()
			p.send("40" + claim(pid, offset))
			sid2, _ = p.confirmed("")
			check(t, sid, sid2)
			p.quiet()
		},
		"without an offset, though something was sent": func(t *testing.T) {
			b := newBench(t, recoverable())
			p := b.dial()
			_, pid := p.connectPID("/", "")
			synctest.Wait()
			check(t, nil, b.Emit("lost in the cut"))
			p.cut()
			p = b.dial()
			p.send(`40{"pid":"` + pid + `"}`)
			p.wantEvent(`42["lost in the cut"]`)
			p.confirmed("")
		},
		"twice in a row without any event": func(t *testing.T) {
			b := newBench(t, recoverable())
			p := b.dial()
			sid, pid := p.connectPID("/", "")
			for range 3 {
				p.cut()
				p = b.dial()
				again, _ := p.connectPID("/", `{"pid":"`+pid+`"}`)
				check(t, sid, again)
			}
		},
		"the official way without an offset": func(t *testing.T) {
			opts := recoverable()
			opts.Recovery.RequireOffset = true
			b := newBench(t, opts)
			p := b.dial()
			sid, pid := p.connectPID("/", "")
			p.cut()
			p = b.dial()
			again, pid2 := p.connectPID("/", `{"pid":"`+pid+`"}`)
			check(t, true, sid != again && pid != pid2)
		},
		"too late": func(t *testing.T) {
			b := newBench(t, recoverable())
			p := b.dial()
			sid, pid := p.connectPID("/", "")
			p.cut()
			time.Sleep(2*time.Minute + time.Second)
			p = b.dial()
			again, _ := p.connectPID("/", `{"pid":"`+pid+`"}`)
			check(t, true, sid != again)
		},
		"just in time, after a long silence": func(t *testing.T) {
			b := newBench(t, recoverable())
			p := b.dial()
			sid, pid := p.connectPID("/", "")
			check(t, nil, b.Emit("e"))
			offset := p.wantEvent(`42["e"]`)
			time.Sleep(time.Hour)
			p.cut()
			check(t, nil, b.Emit("missed"))
			time.Sleep(119 * time.Second)
			p = b.dial()
			p.send("40" + claim(pid, offset))
			p.wantEvent(`42["missed"]`)
			again, _ := p.confirmed("")
			check(t, sid, again)
		},
		"a private id is good once": func(t *testing.T) {
			b := newBench(t, recoverable())
			p := b.dial()
			sid, pid := p.connectPID("/", "")
			p.cut()
			first, second := b.dial(), b.dial()
			first.send(`40{"pid":"` + pid + `"}`)
			again, _ := first.confirmed("")
			check(t, sid, again)
			first.send("41")
			synctest.Wait()
			other, pid2 := second.connectPID("/", `{"pid":"`+pid+`"}`)
			check(t, true, other != sid && pid2 != pid)
		},
		"strange claims": func(t *testing.T) {
			b := newBench(t, recoverable())
			p := b.dial()
			sid, pid := p.connectPID("/", "")
			for _, auth := range []string{
				claim("nobody", "x"), `{"pid":7}`, `{"pid":null}`, `{"pid":""}`, `{"pid":"` + pid + `x"}`,
			} {
				q := b.dial()
				again, _ := q.connectPID("/", auth)
				check(t, true, again != sid)
			}
			for _, offset := range []string{"", "zzzzzzzzz", "0", "€", "Q81qfyx.1", strings.Repeat("z", 100)} {
				p.cut()
				p = b.dial()
				again, next := p.connectPID("/", claim(pid, offset))
				check(t, true, again != sid && next != pid)
				sid, pid = again, next
			}
		},
		"the server has not noticed the cut": func(t *testing.T) {
			b := newBench(t, recoverable())
			reasons := make(chan sioclient.Reason, 9)
			b.OnConnect(func(s *sioserver.Socket) {
				s.OnDisconnect(func(r sioclient.Reason, _ error) { reasons <- r })
			})
			old := b.dial()
			sid, pid := old.connectPID("/", "")
			synctest.Wait()
			check(t, nil, b.Emit("lost"))
			synctest.Wait()
			p := b.dial()
			p.send(`40{"pid":"` + pid + `"}`)
			p.wantEvent(`42["lost"]`)
			again, _ := p.confirmed("")
			check(t, sid, again)
			check(t, sioclient.TransportClose, <-reasons)
			old.wantEvent(`42["lost"]`)
			old.want("closed")
			check(t, 1, len(b.Sockets()))
			check(t, nil, b.Emit("on"))
			p.wantEvent(`42["on"]`)
		},
		"what could not be queued is replayed": func(t *testing.T) {
			opts := recoverable()
			opts.InlineHandlers = true
			b := newBench(t, opts)
			let := make(chan bool)
			b.OnConnect(func(s *sioserver.Socket) {
				s.On("block", func(*sioserver.Event) error { <-let; return nil })
			})
			p := b.dial()
			sid, pid := p.connectPID("/", "")
			check(t, nil, b.Emit("got"))
			offset := p.wantEvent(`42["got"]`)
			p.send(`42["block"]`)
			p.want("closed") // the answer to a heartbeat is not read, and the end waits for the handler
			check(t, nil, b.Emit("missed", 1))
			check(t, nil, b.Emit("missed", 2))
			close(let)
			synctest.Wait()
			check(t, nil, b.Emit("missed", 3))
			p = b.dial()
			p.send("40" + claim(pid, offset))
			for i := range 3 {
				p.wantEvent(fmt.Sprintf(`42["missed",%d]`, i+1))
			}
			again, _ := p.confirmed("")
			check(t, sid, again)
		},
		"who was sent away or went does not come back": func(t *testing.T) {
			b := newBench(t, recoverable())
			for _, leave := range []func(p *peer, s *sioserver.Socket){
				func(p *peer, _ *sioserver.Socket) { p.send("41") },
				func(_ *peer, s *sioserver.Socket) { s.Disconnect(false) },
				func(_ *peer, s *sioserver.Socket) { s.Disconnect(true) },
			} {
				p := b.dial()
				sid, pid := p.connectPID("/", "")
				synctest.Wait()
				leave(p, b.Socket(sid))
				synctest.Wait()
				q := b.dial()
				again, _ := q.connectPID("/", `{"pid":"`+pid+`"}`)
				check(t, true, sid != again)
			}
		},
		"more than is kept": func(t *testing.T) {
			opts := recoverable()
			opts.Recovery.MaxPackets = 3
			b := newBench(t, opts)
			keep, lose := b.dial(), b.dial()
			sid, pid := keep.connectPID("/", "")
			_, pid2 := lose.connectPID("/", "")
			lose.cut()
			check(t, nil, b.Emit("e", 0))
			offset := keep.wantEvent(`42["e",0]`)
			keep.cut()
			for i := range 3 {
				check(t, nil, b.Emit("e", i+1))
			}
			p := b.dial()
			p.send("40" + claim(pid, offset))
			for i := range 3 {
				p.wantEvent(fmt.Sprintf(`42["e",%d]`, i+1))
			}
			again, _ := p.confirmed("")
			check(t, sid, again)
			p = b.dial()
			_, pid3 := p.connectPID("/", `{"pid":"`+pid2+`"}`)
			check(t, true, pid3 != pid2)
			p.quiet()
		},
		"more bytes than are kept, what they are wrapped in included": func(t *testing.T) {
			opts := recoverable()
			opts.Recovery.MaxBytes = 100_000
			b := newBench(t, opts)
			for _, packets := range []int{50, 250} {
				p := b.dial()
				sid, pid := p.connectPID("/", "")
				synctest.Wait()
				check(t, nil, b.Socket(sid).Emit("begin"))
				offset := p.wantEvent(`42["begin"]`)
				check(t, nil, b.Emit("lost"))
				p.cut()
				for i := range packets {
					check(t, nil, b.To("elsewhere").Emit("e", i))
				}
				p = b.dial()
				p.send("40" + claim(pid, offset))
				if packets == 50 {
					p.wantEvent(`42["lost"]`)
				}
				again, _ := p.confirmed("")
				check(t, packets == 50, sid == again)
				p.cut()
			}
		},
		"more than is kept, in other namespaces": func(t *testing.T) {
			opts := recoverable()
			opts.Recovery.MaxPackets, opts.Recovery.MaxSessions = 3, 2
			b := newBench(t, opts)
			b.Of("/a")
			b.Of("/b")
			var pids, sids []string
			for i := range 3 {
				p := b.dial()
				sid, pid := p.connectPID([]string{"/", "/a", "/b"}[i], "")
				pids, sids = append(pids, pid), append(sids, sid)
				if i == 0 {
					check(t, nil, b.Emit("kept for two who are gone"))
				}
				p.cut()
			}
			for i := range 3 {
				p := b.dial()
				sid, _ := p.connectPID([]string{"/", "/a", "/b"}[i], `{"pid":"`+pids[i]+`"}`)
				check(t, i > 0, sid == sids[i]) // the third session has put out the first
				if i > 0 {
					p.cut()
				}
			}
			p := b.dial()
			p.send("40/a," + `{"pid":"` + pids[1] + `"}`)
			again, _ := p.confirmed("/a,")
			check(t, sids[1], again)
			p.cut()
			check(t, nil, b.Of("/a").Emit("first"))
			for range 3 {
				check(t, nil, b.Of("/b").Emit("later"))
			}
			p = b.dial()
			again, _ = p.connectPID("/a", `{"pid":"`+pids[1]+`"}`)
			check(t, true, sids[1] != again) // packets of another namespace have put out the one it needs
		},
		"a namespace that is gone keeps nothing": func(t *testing.T) {
			opts := recoverable()
			opts.Recovery.MaxPackets = 3
			opts.CleanUpEmptyChildren = true
			b := newBench(t, opts)
			b.OfRegexp(regexp.MustCompile("^/dynamic$"))
			p := b.dial()
			sid, pid := p.connectPID("/", "")
			synctest.Wait()
			p.cut()
			check(t, nil, b.Emit("needed"))
			q := b.dial()
			q.join("/dynamic")
			synctest.Wait()
			check(t, nil, b.Of("/dynamic").Emit("e"))
			q.wantEvent(`42/dynamic,["e"]`)
			q.cut() // with its namespace
			check(t, nil, b.Emit("needed too"))
			check(t, nil, b.Emit("and this"))
			p = b.dial()
			p.send(`40{"pid":"` + pid + `"}`)
			p.wantEvent(`42["needed"]`)
			p.wantEvent(`42["needed too"]`)
			p.wantEvent(`42["and this"]`)
			again, _ := p.confirmed("")
			check(t, sid, again)
		},
		"an event that can never be kept": func(t *testing.T) {
			opts := recoverable()
			opts.Recovery.MaxBytes = 10_000
			b := newBench(t, opts)
			p := b.dial()
			sid, _ := p.connectPID("/", "")
			synctest.Wait()
			var full *sioclient.BufferFullError
			large := strings.Repeat("x", 10_000)
			check(t, true, errors.As(b.Emit("large", large), &full))
			check(t, true, errors.As(b.Socket(sid).Emit("large", large), &full))
			p.quiet()
			check(t, nil, b.Socket(sid).Emit("small"))
			p.wantEvent(`42["small"]`)
		},
		"what a client does not read": func(t *testing.T) {
			opts := recoverable()
			opts.Engine.Queue.Bytes = 100_000
			b := newBench(t, opts)
			p := b.dial()
			sid, pid := p.connectPID("/", "")
			synctest.Wait()
			s := b.Socket(sid)
			b.net.Stall(netem.Down)
			check(t, nil, s.Emit("under way", strings.Repeat("x", 600_000)))
			synctest.Wait()
			check(t, nil, s.Emit("too much", strings.Repeat("y", 300)))
			check(t, int64(1), b.Stats().Slow)
			b.net.Resume(netem.Down)
			offset := p.wantEvent(`42["under way","` + strings.Repeat("x", 600_000) + `"]`)
			p.want("closed")
			p = b.dial()
			p.send("40" + claim(pid, offset))
			p.wantEvent(`42["too much","` + strings.Repeat("y", 300) + `"]`)
			again, _ := p.confirmed("")
			check(t, sid, again)
		},
		"more sessions than are kept": func(t *testing.T) {
			opts := recoverable()
			opts.Recovery.MaxSessions = 2
			b := newBench(t, opts)
			var pids, sids []string
			for range 3 {
				p := b.dial()
				sid, pid := p.connectPID("/", "")
				pids, sids = append(pids, pid), append(sids, sid)
				p.cut()
			}
			for i := range 3 {
				p := b.dial()
				sid, _ := p.connectPID("/", `{"pid":"`+pids[i]+`"}`)
				check(t, i > 0, sid == sids[i])
			}
		},
		"middlewares if wanted": func(t *testing.T) {
			opts := recoverable()
			opts.Recovery.RunMiddlewares = true
			b := newBench(t, opts)
			asked := 0
			b.Use(func(context.Context, *sioserver.Socket) error {
				if asked++; asked == 3 {
					return sioclient.Refuse("no", nil)
				}
				return nil
			})
			p := b.dial()
			sid, pid := p.connectPID("/", "")
			p.cut()
			p = b.dial()
			again, _ := p.connectPID("/", `{"pid":"`+pid+`"}`)
			check(t, sid, again)
			p.cut()
			p = b.dial()
			p.send(`40{"pid":"` + pid + `"}`)
			p.want(`44{"message":"no"}`)
		},
		"acknowledgements and volatile events have no offset": func(t *testing.T) {
			s, p := one(t, recoverable())
			check(t, nil, s.Volatile().Emit("v"))
			p.want(`42["v"]`)
			call(t.Context(), s, "q")
			p.want(`420["q"]`)
		},
		"rooms of another namespace": func(t *testing.T) {
			b := newBench(t, recoverable())
			n := b.Of("/n")
			p := b.dial()
			p.connectPID("/", "")
			sid, pid := p.connectPID("/n", "")
			p.cut()
			check(t, nil, b.Emit("main"))
			check(t, nil, n.Emit("other"))
			p = b.dial()
			p.send(`40/n,{"pid":"` + pid + `"}`)
			p.wantEvent(`42/n,["other"]`)
			again, _ := p.confirmed("/n,")
			check(t, sid, again)
		},
	})
}

// TestRecoveryUnderLoad: whatever is broadcast while clients are cut and come back, each gets all of it, once and in
// order.
func TestRecoveryUnderLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const events, clients, cuts = 2000, 4, 40
		b := newBench(t, recoverable())
		done := make(chan error, clients)
		ready := make(chan bool, clients)
		for range clients {
			go func() { done <- followWithCuts(b, events, cuts, ready) }()
		}
		for range clients {
			<-ready
		}
		for i := range events {
			check(t, nil, b.Emit("n", i))
			if i%50 == 0 {
				time.Sleep(time.Millisecond) // lets the clients come in between
			}
		}
		for range clients {
			check(t, nil, <-done)
		}
	})
}

// followWithCuts counts events over connections that break all the time.
func followWithCuts(b *bench, events, cuts int, ready chan<- bool) error {
	p := b.dial()
	_, pid := p.connectPID("/", "")
	ready <- true
	offset, next := "", 0
	for next < events {
		m := p.next()
		if strings.HasPrefix(m, "40") {
			if !strings.Contains(m, pid) {
				return fmt.Errorf("not recovered after %d events", next)
			}
			continue
		}
		rest, ok := strings.CutPrefix(m, fmt.Sprintf(`42["n",%d,"`, next))
		if !ok {
			return fmt.Errorf("event %d: %q", next, m)
		}
		offset = strings.TrimSuffix(rest, `"]`)
		if next++; next%(events/cuts) != 0 {
			continue
		}
		_ = p.conn.CloseNow()
		p = b.dial()
		p.send("40" + claim(pid, offset))
	}
	return nil
}
