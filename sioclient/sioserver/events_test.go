package sioserver_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// echo answers events with their arguments.
func echo(s *sioserver.Socket) {
	s.OnAny(func(e *sioserver.Event) error {
		if e.WantsAck() {
			return e.Ack(values(e.Args)...)
		}
		return s.Emit(e.Name, values(e.Args)...)
	})
}

func values(args packet.Args) []any {
	list := make([]any, args.Len())
	for i := range list {
		_ = args.Decode(i, &list[i])
	}
	return list
}

func TestEvents(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"echo": func(t *testing.T) {
			b := newBench(t, nil)
			b.OnConnect(echo)
			p := b.dial()
			p.join("/")
			p.send(`42["m",1,"<&>",null,{"a":[true]}]`)
			p.want(`42["m",1,"<&>",null,{"a":[true]}]`)
			p.send(`4212["m",1]`)
			p.want(`4312[1]`)
			p.send(`420["m"]`)
			p.want(`430[]`)
			p.send(`452-["b",{"_placeholder":true,"num":1},{"x":{"_placeholder":true,"num":0}}]`, "binary ab", "binary c")
			p.want(`452-["b",{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1}}]`, "binary 63", "binary 6162")
			p.send(`451-7["b",{"_placeholder":true,"num":0}]`, "binary z")
			p.want(`461-7[{"_placeholder":true,"num":0}]`, "binary 7a")
		},
		"inline": func(t *testing.T) {
			b := newBench(t, &sioserver.Options{InlineHandlers: true})
			var got notes
			b.OnConnect(func(s *sioserver.Socket) {
				echo(s)
				s.On("bye", func(*sioserver.Event) error { s.Disconnect(true); got.add("handled"); return nil })
				s.OnDisconnect(func(r sioclient.Reason, _ error) { got.add("%s", r) })
			})
			b.Use(func(context.Context, *sioserver.Socket) error { return nil })
			p := b.dial()
			p.join("/")
			p.send(`42["m",1]`, `421["m"]`)
			p.want(`42["m",1]`, `431[]`)
			p.send(`42["bye"]`)
			p.want(`42["bye"]`, "41", "closed")
			synctest.Wait()
			check(t, []string{"handled", "server namespace disconnect"}, got.list())
		},
		"order of listeners": func(t *testing.T) {
			b := newBench(t, nil)
			var got notes
			note := func(name string) sioserver.Handler {
				return func(e *sioserver.Event) error { got.add("%s %s", name, e.Name); return nil }
			}
			b.OnConnect(func(s *sioserver.Socket) {
				s.On("a", note("on1"))
				s.On("a", note("on2"))
				s.Once("a", note("once"))
				s.OnAny(note("any2"))
				s.PrependAny(note("any1"))
				s.Use(note("use"))
			})
			p := b.dial()
			p.join("/")
			p.send(`42["a"]`, `42["a"]`, `42["b"]`)
			synctest.Wait()
			check(t, []string{
				"any1 a", "any2 a", "use a", "on1 a", "on2 a", "once a",
				"any1 a", "any2 a", "use a", "on1 a", "on2 a",
				"any1 b", "any2 b", "use b",
			}, got.list())
		},
		"removing listeners": func(t *testing.T) {
			b := newBench(t, nil)
			var got notes
			note := func(name string) sioserver.Handler {
				return func(*sioserver.Event) error { got.add("%s", name); return nil }
			}
			b.OnConnect(func(s *sioserver.Socket) {
				off := []func(){s.On("a", note("on")), s.OnAny(note("any")), s.Use(note("use")), s.OnAnyOutgoing(note("out"))}
				s.On("b", note("b"))
				s.On("off", func(*sioserver.Event) error {
					for _, f := range off {
						f()
					}
					s.Off("b")
					return s.Emit("done")
				})
			})
			p := b.dial()
			p.join("/")
			p.send(`42["off"]`)
			p.want(`42["done"]`)
			p.send(`42["a"]`, `42["b"]`)
			p.quiet()
			check(t, []string{"any", "use"}, got.list())
		},
		"middleware of a socket": func(t *testing.T) {
			b := newBench(t, nil)
			var got notes
			blocked := errors.New("blocked")
			b.OnConnect(func(s *sioserver.Socket) {
				s.OnError(func(err error) { got.add("error %v", errors.Is(err, blocked)) })
				s.OnAny(func(e *sioserver.Event) error { got.add("any %s", e.Name); return nil })
				s.Use(func(e *sioserver.Event) error {
					if e.Name == "no" {
						return blocked
					}
					return nil
				})
				s.On("no", func(e *sioserver.Event) error { got.add("no"); return e.Ack() })
				s.On("yes", func(e *sioserver.Event) error { return e.Ack() })
			})
			p := b.dial()
			p.join("/")
			p.send(`421["no"]`, `422["yes"]`)
			p.want(`432[]`)
			p.quiet()
			check(t, []string{"any no", "error true", "any yes"}, got.list())
		},
		"outgoing listeners": func(t *testing.T) {
			b := newBench(t, nil)
			var got notes
			b.OnConnect(func(s *sioserver.Socket) {
				s.OnAnyOutgoing(func(e *sioserver.Event) error { got.add("2 %s %s", e.Name, e.Args.JSON()); return nil })
				s.PrependAnyOutgoing(func(e *sioserver.Event) error { got.add("1 %s", e.Name); return nil })
				s.On("ask", func(e *sioserver.Event) error { return e.Ack("answer") })
			})
			p := b.dial()
			p.join("/")
			synctest.Wait()
			check(t, nil, b.Sockets()[0].Emit("one", 1, []byte("x")))
			check(t, nil, b.Emit("all", 2))
			p.send(`421["ask"]`)
			p.want(`451-["one",1,{"_placeholder":true,"num":0}]`, "binary 78", `42["all",2]`, `431["answer"]`)
			check(t, []string{
				"1 one", `2 one [1,{"_placeholder":true,"num":0}]`, "1 all", "2 all [2]",
			}, got.list())
		},
		"acknowledged once": func(t *testing.T) {
			b := newBench(t, nil)
			b.OnConnect(func(s *sioserver.Socket) {
				s.On("m", func(e *sioserver.Event) error { return errors.Join(e.Ack(1), e.Ack(2)) })
			})
			p := b.dial()
			p.join("/")
			p.send(`425["m"]`)
			p.want(`435[1]`)
			p.send(`426["nobody listens"]`)
			p.quiet()
		},
		"handlers may wait": func(t *testing.T) {
			b := newBench(t, nil)
			b.OnConnect(func(s *sioserver.Socket) {
				s.On("ask", func(e *sioserver.Event) error {
					args, err := s.Call(context.Background(), "question")
					if err != nil {
						return err
					}
					return s.Emit("answer", args.Raw(0))
				})
			})
			p := b.dial()
			p.join("/")
			p.send(`42["ask"]`)
			p.want(`420["question"]`)
			p.send(`430["yes"]`)
			p.want(`42["answer","yes"]`)
		},
		"panic of a handler": func(t *testing.T) {
			b := newBench(t, nil)
			failed := make(chan error, 1)
			b.OnConnect(func(s *sioserver.Socket) {
				echo(s)
				s.OnError(func(err error) { failed <- err })
				s.On("boom", func(*sioserver.Event) error { panic("boom") })
			})
			p := b.dial()
			p.join("/")
			p.send(`421["boom"]`, `422["next"]`)
			p.want(`431[]`, `432[]`)
			check(t, true, errors.Is(<-failed, sioclient.ErrHandler))
		},
	})
}

func TestEmitErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		p := b.dial()
		p.join("/")
		synctest.Wait()
		s := b.Sockets()[0]
		for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
			_, callErr := s.Call(t.Context(), name)
			for _, err := range []error{s.Emit(name), b.Emit(name), callErr} {
				check(t, true, errors.Is(err, sioclient.ErrReserved) && errors.Is(err, errkit.NotSent))
			}
		}
		bad := make(chan int)
		_, callErr := s.Call(t.Context(), "m", bad)
		_, broadcastErr := b.Call(t.Context(), "m", bad)
		for _, err := range []error{s.Emit("m", bad), b.Emit("m", bad), callErr, broadcastErr} {
			check(t, true, errors.Is(err, sioclient.ErrPacket) && errors.Is(err, errkit.NotSent))
		}
		p.quiet()
		_ = p.conn.Close(1000, "")
		synctest.Wait()
		_, callErr = s.Call(t.Context(), "m")
		for _, err := range []error{s.Emit("m"), callErr} {
			var gone *sioclient.DisconnectedError
			check(t, true, errors.As(err, &gone))
			check(t, sioclient.TransportClose, gone.Reason)
		}
		check(t, false, s.Connected())
	})
}

func TestCall(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"answer": func(t *testing.T) {
			s, p := one(t, nil)
			results := call(t.Context(), s, "q", 1)
			p.want(`420["q",1]`)
			p.send(`430["a",{"b":2}]`)
			r := <-results
			check(t, nil, r.err)
			check(t, `["a",{"b":2}]`, string(r.args.JSON()))
			results = call(t.Context(), s, "q")
			p.want(`421["q"]`)
			p.send(`461-1[{"_placeholder":true,"num":0}]`, "binary x")
			r = <-results
			data, ok := r.args.Bytes(0)
			check(t, true, ok)
			check(t, "x", string(data))
		},
		"time is up": func(t *testing.T) {
			s, p := one(t, nil)
			start := time.Now()
			r := <-call(t.Context(), s, "q")
			var e *sioclient.TimeoutError
			check(t, true, errors.As(r.err, &e))
			check(t, []any{"q", time.Minute}, []any{e.Event, e.Limit})
			check(t, time.Minute, time.Since(start))
			p.want(`420["q"]`)
			p.send(`430["late"]`)
			p.quiet()
			_, err := s.Timeout(time.Second).Call(t.Context(), "q")
			check(t, true, errors.Is(err, sioclient.ErrTimeout))
		},
		"the context's deadline": func(t *testing.T) {
			s, _ := one(t, nil)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			start := time.Now()
			r := <-call(ctx, s, "q")
			check(t, true, errors.Is(r.err, context.DeadlineExceeded) && errors.Is(r.err, sioclient.ErrTimeout))
			check(t, time.Hour, time.Since(start))
		},
		"canceled": func(t *testing.T) {
			s, _ := one(t, nil)
			ctx, cancel := context.WithCancel(t.Context())
			results := call(ctx, s, "q")
			synctest.Wait()
			cancel()
			r := <-results
			check(t, true, errors.Is(r.err, context.Canceled) && !errors.Is(r.err, sioclient.ErrTimeout))
		},
		"disconnected": func(t *testing.T) {
			s, p := one(t, nil)
			results := call(t.Context(), s, "q")
			p.want(`420["q"]`)
			start := time.Now()
			_ = p.conn.Close(1000, "")
			r := <-results
			var e *sioclient.DisconnectedError
			check(t, true, errors.As(r.err, &e))
			check(t, sioclient.TransportClose, e.Reason)
			check(t, time.Duration(0), time.Since(start))
		},
	})
}

type result struct {
	args packet.Args
	err  error
}

func call(ctx context.Context, s *sioserver.Socket, event string, args ...any) <-chan result {
	results := make(chan result, 1)
	go func() {
		args, err := s.Call(ctx, event, args...)
		results <- result{args, err}
	}()
	return results
}

// one is a server with one client in the main namespace.
func one(t *testing.T, opts *sioserver.Options) (*sioserver.Socket, *peer) {
	t.Helper()
	b := newBench(t, opts)
	p := b.dial()
	p.join("/")
	synctest.Wait()
	return b.Sockets()[0], p
}

// TestEventQueue: a handler that waits lets the events of its client wait, up to a limit, and loses none.
func TestEventQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		opts := &sioserver.Options{}
		opts.EventQueue.Messages = 4
		b := newBench(t, opts)
		let := make(chan bool)
		var got notes
		b.OnConnect(func(s *sioserver.Socket) {
			s.OnAny(func(e *sioserver.Event) error { <-let; got.add("%s", e.Args.JSON()); return nil })
		})
		p, other := b.dial(), b.dial()
		p.join("/")
		var want []string
		for i := range 50 {
			p.send(fmt.Sprintf(`42["m",%d]`, i))
			want = append(want, fmt.Sprintf("[%d]", i))
		}
		synctest.Wait()
		other.join("/")
		check(t, 0, len(got.list()))
		close(let)
		synctest.Wait()
		check(t, want, got.list())
	})
}
