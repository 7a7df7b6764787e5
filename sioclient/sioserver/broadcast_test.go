package sioserver_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// crowd is a server with clients in rooms: a in r1, b in r1 and r2, c in r2, d in none.
type crowd struct {
	*bench
	peers   map[string]*peer
	sockets map[string]*sioserver.Socket
}

func newCrowd(t *testing.T, opts *sioserver.Options) *crowd {
	t.Helper()
	c := &crowd{bench: newBench(t, opts), peers: map[string]*peer{}, sockets: map[string]*sioserver.Socket{}}
	for name, rooms := range map[string][]string{"a": {"r1"}, "b": {"r1", "r2"}, "c": {"r2"}, "d": nil} {
		p := c.dial()
		id := p.join("/")
		synctest.Wait()
		c.peers[name], c.sockets[name] = p, c.Socket(id)
		c.sockets[name].Join(rooms...)
		c.sockets[name].SetData(name)
	}
	return c
}

// got returns who got one message, and fails if it was another than the wanted one or came twice.
func (c *crowd) got(want string) string {
	c.t.Helper()
	synctest.Wait()
	var names []byte
	for name, p := range c.peers {
		n := len(p.got)
		if n == 0 {
			continue
		}
		if n > 1 {
			c.t.Fatalf("%s got %d messages", name, n)
		}
		p.want(want)
		names = append(names, name...)
	}
	slices.Sort(names)
	return string(names)
}

func TestBroadcast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, nil)
		a, b := c.sockets["a"], c.sockets["b"]
		for _, test := range []struct {
			name string
			to   sioserver.Broadcast
			want string
		}{
			{"all", c.Compress(true), "abcd"},
			{"one room", c.To("r1"), "ab"},
			{"two rooms, each socket once", c.To("r1", "r2"), "abc"},
			{"rooms add up", c.To("r1").In("r2"), "abc"},
			{"except a room", c.Except("r1"), "cd"},
			{"a room except another", c.To("r1").Except("r2"), "a"},
			{"a room that nobody is in", c.To("r3"), ""},
			{"except a room that nobody is in", c.Except("r3"), "abcd"},
			{"a socket by its id", c.To(a.ID()), "a"},
			{"an id and a room of it", c.To(a.ID(), "r1"), "ab"},
			{"except ids", c.Except(a.ID(), b.ID()), "cd"},
			{"all but the sender", a.Broadcast(), "bcd"},
			{"a room but the sender", b.To("r1"), "a"},
			{"rooms but the sender", b.To("r1", "r2"), "ac"},
			{"all but the sender and a room", a.Except("r2"), "d"},
			{"of this node", c.Local(), "abcd"},
			{"of this node but the sender", a.Local(), "bcd"},
			{"ready clients", c.Volatile(), "abcd"},
			{"not compressed", c.Compress(false).To("r2"), "bc"},
		} {
			check(t, nil, test.to.Emit("e", test.name))
			if got := c.got(`42["e","` + test.name + `"]`); got != test.want {
				t.Errorf("%s: got by %s, want %s", test.name, got, test.want)
			}
		}
	})
}

// TestBroadcastIsImmutable: a step does not change what it begins with.
func TestBroadcastIsImmutable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, nil)
		r1 := c.To("r1")
		for range 4 { // let append find room
			_ = r1.To("r2").Except("r1").Volatile().Local().Timeout(1)
			_ = r1.To("x")
		}
		both := r1.To("r2")
		_ = r1.To("nobody")
		check(t, nil, r1.Emit("e"))
		check(t, "ab", c.got(`42["e"]`))
		check(t, nil, both.Emit("e"))
		check(t, "abc", c.got(`42["e"]`))
	})
}

func TestBroadcastBinary(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, nil)
		check(t, nil, c.To("r1").Emit("e", []byte("xy"), map[string]any{"k": []byte("z")}))
		for _, name := range []string{"a", "b"} {
			c.peers[name].want(`452-["e",{"_placeholder":true,"num":0},{"k":{"_placeholder":true,"num":1}}]`, "binary 7879", "binary 7a")
		}
	})
}

// TestBroadcastVolatile: who cannot be written to at once gets nothing, not even a part.
func TestBroadcastVolatile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		slow, _ := b.poll("EIO=4")
		check(t, "ok", slow.post("40"))
		ready := b.dial()
		ready.join("/")
		synctest.Wait()
		slow.get()
		check(t, nil, b.Volatile().Emit("v", []byte("x")))
		check(t, nil, b.Emit("e"))
		ready.want(`451-["v",{"_placeholder":true,"num":0}]`, "binary 78", `42["e"]`)
		check(t, `42["e"]`, slow.get())
		check(t, int64(1), b.Stats().Dropped)
	})
}

func TestBroadcastCall(t *testing.T) {
	t.Parallel()
	type answers struct {
		args []packet.Args
		err  error
	}
	start := func(to sioserver.Broadcast) <-chan answers {
		c := make(chan answers, 1)
		go func() {
			args, err := to.Call(context.Background(), "q")
			c <- answers{args, err}
		}()
		return c
	}
	inBubbles(t, map[string]func(t *testing.T){
		"all answer": func(t *testing.T) {
			c := newCrowd(t, nil)
			got := start(c.To("r1", "r2"))
			for _, name := range []string{"c", "a", "b"} {
				c.peers[name].want(`420["q"]`)
				c.peers[name].send(`430["` + name + `"]`)
				synctest.Wait()
			}
			r := <-got
			check(t, nil, r.err)
			var names []string
			for _, args := range r.args {
				var name string
				check(t, nil, args.Decode(0, &name))
				names = append(names, name)
			}
			check(t, []string{"c", "a", "b"}, names)
		},
		"nobody is asked": func(t *testing.T) {
			c := newCrowd(t, nil)
			r := <-start(c.To("nobody"))
			check(t, nil, r.err)
			check(t, 0, len(r.args))
		},
		"one does not answer": func(t *testing.T) {
			c := newCrowd(t, nil)
			begin := time.Now()
			got := start(c.To("r1").Timeout(3 * time.Second))
			c.peers["a"].want(`420["q"]`)
			c.peers["a"].send(`430[{"x":1}]`)
			r := <-got
			var e *sioclient.AckTimeoutError
			check(t, true, errors.As(r.err, &e))
			check(t, 2, e.Expected)
			check(t, 1, len(e.Responses))
			check(t, `{"x":1}`, string(e.Responses[0]))
			check(t, true, errors.Is(r.err, errkit.Timeout))
			check(t, 3*time.Second, time.Since(begin))
			check(t, 1, len(r.args))
			c.peers["b"].want(`420["q"]`)
			c.peers["b"].send(`430["late"]`)
			check(t, nil, c.To("r1").Emit("on"))
			c.peers["b"].want(`42["on"]`)
		},
		"without a limit it ends too": func(t *testing.T) {
			c := newCrowd(t, nil)
			begin := time.Now()
			r := <-start(c.To("r1"))
			check(t, true, errors.Is(r.err, sioclient.ErrAckTimeout))
			check(t, sioserver.DefaultCallTimeout, time.Since(begin))
		},
		"one goes away": func(t *testing.T) {
			c := newCrowd(t, nil)
			begin := time.Now()
			got := start(c.To("r1"))
			c.peers["a"].want(`420["q"]`)
			c.peers["a"].send(`430[]`)
			_ = c.peers["b"].conn.Close(1000, "")
			r := <-got
			var e *sioclient.AckTimeoutError
			check(t, true, errors.As(r.err, &e))
			check(t, "null", string(e.Responses[0]))
			check(t, true, errors.Is(r.err, sioclient.ErrDisconnected))
			check(t, time.Duration(0), time.Since(begin))
		},
	})
}

func TestRemote(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"fetch": func(t *testing.T) {
			c := newCrowd(t, nil)
			sockets, err := c.In("r1").FetchSockets(t.Context())
			check(t, nil, err)
			check(t, 2, len(sockets))
			for _, r := range sockets {
				var name string
				for n, s := range c.sockets {
					if s.ID() == r.ID {
						name = n
					}
				}
				check(t, `"`+name+`"`, string(r.Data))
				check(t, c.sockets[name].Rooms(), r.Rooms)
				check(t, "websocket", r.Handshake.Query.Get("transport"))
				check(t, nil, r.Emit("to", name))
				c.peers[name].want(`42["to","` + name + `"]`)
			}
		},
		"call": func(t *testing.T) {
			c := newCrowd(t, nil)
			sockets, err := c.In(c.sockets["a"].ID()).FetchSockets(t.Context())
			check(t, nil, err)
			answers := make(chan result, 1)
			go func() {
				args, err := sockets[0].Call(t.Context(), "q")
				answers <- result{args, err}
			}()
			c.peers["a"].want(`420["q"]`)
			c.peers["a"].send(`430["yes"]`)
			r := <-answers
			check(t, nil, r.err)
			check(t, `["yes"]`, string(r.args.JSON()))
			_ = c.peers["a"].conn.Close(1000, "")
			synctest.Wait()
			_, err = sockets[0].Call(t.Context(), "q")
			check(t, true, errors.Is(err, sioclient.ErrDisconnected))
		},
		"join and leave": func(t *testing.T) {
			c := newCrowd(t, nil)
			check(t, nil, c.In("r1").SocketsJoin("x", "y"))
			check(t, nil, c.To("x").Emit("e"))
			check(t, "ab", c.got(`42["e"]`))
			check(t, nil, c.In("r2").SocketsLeave("x", "r2"))
			check(t, nil, c.To("x", "r2").Emit("e"))
			check(t, "a", c.got(`42["e"]`))
			sockets, err := c.In("y").Except("x").FetchSockets(t.Context())
			check(t, nil, err)
			check(t, 1, len(sockets))
			check(t, nil, sockets[0].Join("z"))
			check(t, nil, sockets[0].Leave("y"))
			check(t, nil, c.To("z").Except("y").Emit("e"))
			check(t, "b", c.got(`42["e"]`))
		},
		"disconnect": func(t *testing.T) {
			c := newCrowd(t, nil)
			check(t, nil, c.In("r1").DisconnectSockets(false))
			check(t, "ab", c.got("41"))
			c.peers["a"].join("/")
			check(t, nil, c.In("r2").DisconnectSockets(true))
			c.peers["c"].want("41", "closed")
			c.peers["b"].quiet()
			sockets, err := c.FetchSockets(t.Context())
			check(t, nil, err)
			check(t, 2, len(sockets))
		},
		"events between servers": func(t *testing.T) {
			c := newCrowd(t, nil)
			check(t, true, errors.Is(c.ServerSideEmit("x"), sioclient.ErrNotSupported))
		},
	})
}

// TestRooms: joining and leaving leave nothing behind, in whatever order.
func TestRooms(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, nil)
		a := c.sockets["a"]
		a.Join("r1", a.ID(), "r5", "r5")
		a.Leave("nowhere", a.ID())
		check(t, []string{a.ID(), "r1", "r5"}, a.Rooms())
		for _, s := range c.sockets {
			s.Join("all")
		}
		a.Leave("all")
		c.sockets["d"].Leave("all")
		check(t, nil, c.To("all").Emit("e"))
		check(t, "bc", c.got(`42["e"]`))
		c.sockets["b"].Disconnect(false)
		c.peers["b"].want("41")
		c.sockets["b"].Join("all")
		check(t, nil, c.To("all").Emit("e"))
		check(t, "c", c.got(`42["e"]`))
	})
}

func TestData(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type session struct{ Visits int }
		s, _ := one(t, nil)
		check(t, nil, s.Data())
		for range 2 {
			sioserver.Update(s, func(v *session) { v.Visits++ })
		}
		check(t, any(&session{2}), s.Data())
		remote, err := s.Namespace().FetchSockets(t.Context())
		check(t, nil, err)
		check(t, `{"Visits":2}`, string(remote[0].Data))
		s.SetData(make(chan int))
		remote, err = s.Namespace().FetchSockets(t.Context())
		check(t, nil, err)
		check(t, `{}`, string(remote[0].Data))
	})
}
