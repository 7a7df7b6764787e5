package sioserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

func TestConnecting(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"ids differ by namespace and from the session": func(t *testing.T) {
			b := newBench(t, nil)
			b.Of("custom")
			p, open := b.poll("EIO=4")
			check(t, true, strings.Contains(open, p.sid))
			check(t, "ok", p.post("40", "40/custom,"))
			synctest.Wait()
			main, custom := b.Sockets()[0].ID(), b.Of("/custom").Sockets()[0].ID()
			check(t, 20, len(main))
			check(t, true, main != custom && main != p.sid && custom != p.sid)
		},
		"auth as it was sent": func(t *testing.T) {
			b := newBench(t, nil)
			b.OnConnect(func(s *sioserver.Socket) { _ = s.Emit("auth", s.Handshake().Auth) })
			for _, auth := range []string{"", `{"token":"1"}`, "{}"} {
				p := b.dial()
				p.connect("/", auth)
				if auth == "" {
					auth = "{}"
				}
				p.want(`42["auth",` + auth + `]`)
			}
		},
		"no namespace in time": func(t *testing.T) {
			b := newBench(t, nil)
			start := time.Now()
			p := b.dial()
			p.want("closed")
			check(t, 45*time.Second, time.Since(start))
			_ = p
		},
		"refused is not joined": func(t *testing.T) {
			b := newBench(t, &sioserver.Options{ConnectTimeout: 3 * time.Second})
			p := b.dial()
			p.send("40/random,")
			p.want(`44/random,{"message":"Invalid namespace"}`)
			start := time.Now()
			p.want("closed")
			check(t, 3*time.Second, time.Since(start))
		},
		"joined stops the clock": func(t *testing.T) {
			b := newBench(t, nil)
			p := b.dial()
			p.join("/")
			p.send("41")
			time.Sleep(2 * time.Minute)
			p.join("/")
		},
		"too many namespaces": func(t *testing.T) {
			b := newBench(t, &sioserver.Options{MaxNamespaces: 2})
			b.OfRegexp(regexp.MustCompile("^/d"))
			p := b.dial()
			p.join("/")
			p.join("/d1")
			p.send("40/d2,")
			p.want(`44/d2,{"message":"Too many namespaces"}`)
			p.send("41/d1,")
			p.join("/d2")
		},
		"leaving one namespace": func(t *testing.T) {
			b := newBench(t, nil)
			custom := b.Of("/custom")
			reasons := make(chan sioclient.Reason, 1)
			custom.OnConnect(func(s *sioserver.Socket) {
				s.OnDisconnect(func(reason sioclient.Reason, err error) { reasons <- reason })
			})
			p := b.dial()
			p.join("/")
			p.join("/custom")
			p.send("41/custom,")
			check(t, sioclient.ClientNamespaceDisconnect, <-reasons)
			check(t, 0, len(custom.Sockets()))
			check(t, nil, b.Emit("here"))
			p.want(`42["here"]`)
			p.join("/custom")
		},
		"disconnected by the server": func(t *testing.T) {
			b := newBench(t, nil)
			custom := b.Of("/custom")
			var got notes
			for _, n := range []*sioserver.Namespace{b.Namespace, custom} {
				n.OnConnect(func(s *sioserver.Socket) {
					s.OnDisconnecting(func(sioclient.Reason, error) { got.add("%s rooms %d", n.Name(), len(s.Rooms())) })
					s.OnDisconnect(func(r sioclient.Reason, _ error) { got.add("%s %s, rooms %d", n.Name(), r, len(s.Rooms())) })
					s.Join("a", "b")
				})
			}
			p := b.dial()
			p.join("/")
			p.join("/custom")
			synctest.Wait()
			custom.Sockets()[0].Disconnect(false)
			p.want("41/custom,")
			p.quiet()
			b.Sockets()[0].Disconnect(true)
			p.want("41", "closed")
			synctest.Wait()
			check(t, []string{
				"/custom rooms 3", "/custom server namespace disconnect, rooms 1",
				"/ rooms 3", "/ server namespace disconnect, rooms 1",
			}, got.list())
		},
		"handshake": func(t *testing.T) {
			b := newBench(t, nil)
			p := b.dial("token=1", "two=a", "two=b")
			p.connect("/", `{"x":1}`)
			synctest.Wait()
			h := b.Sockets()[0].Handshake()
			raw, err := json.Marshal(h)
			check(t, nil, err)
			var got map[string]any
			check(t, nil, json.Unmarshal(raw, &got))
			check(t, map[string]any{"EIO": "4", "transport": "websocket", "token": "1", "two": []any{"a", "b"}}, got["query"].(map[string]any))
			check(t, "websocket", strings.ToLower(got["headers"].(map[string]any)["upgrade"].(string)))
			check(t, "/socket.io/?transport=websocket&EIO=4&token=1&two=a&two=b", got["url"].(string))
			check(t, any(map[string]any{"x": 1.0}), got["auth"])
			check(t, []any{false, false}, []any{got["secure"], got["xdomain"]})
			check(t, float64(h.Time.UnixMilli()), got["issued"].(float64))
			check(t, true, got["address"] != "" && !strings.Contains(got["address"].(string), ":"))
			var back sioserver.Handshake
			check(t, nil, json.Unmarshal(raw, &back))
			check(t, h.Query, back.Query)
			check(t, h.URL, back.URL)
		},
	})
}

func TestMiddleware(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"in order, before the client is told": func(t *testing.T) {
			b := newBench(t, nil)
			var got notes
			for _, name := range []string{"first", "second"} {
				b.Use(func(_ context.Context, s *sioserver.Socket) error {
					got.add("%s connected=%v", name, s.Connected())
					s.Join(name)
					return nil
				})
			}
			b.OnConnect(func(s *sioserver.Socket) { got.add("connect %v", s.Rooms()[1:]) })
			p := b.dial()
			p.join("/")
			synctest.Wait()
			check(t, []string{"first connected=false", "second connected=false", "connect [first second]"}, got.list())
			check(t, nil, b.To("first", "second").Emit("once"))
			p.want(`42["once"]`)
			p.quiet()
		},
		"refused with a message": func(t *testing.T) {
			b := newBench(t, nil)
			b.Use(func(context.Context, *sioserver.Socket) error { return sioclient.Refuse("Not authorized", nil) })
			p := b.dial()
			p.send("40")
			p.want(`44{"message":"Not authorized"}`)
			p.quiet()
			b.Of("/other")
			p.join("/other")
		},
		"refused with data": func(t *testing.T) {
			b := newBench(t, nil)
			b.Of("/a").Use(func(context.Context, *sioserver.Socket) error {
				return sioclient.Refuse("no", map[string]int{"code": 7})
			})
			p := b.dial()
			p.send("40/a,")
			p.want(`44/a,{"message":"no","data":{"code":7}}`)
		},
		"other errors and panics tell nothing": func(t *testing.T) {
			var reported []error
			b := newBench(t, &sioserver.Options{OnError: func(err error) { reported = append(reported, err) }})
			b.Of("/error").Use(func(context.Context, *sioserver.Socket) error { return errors.New("db: secret") })
			b.Of("/panic").Use(func(context.Context, *sioserver.Socket) error { panic("db: secret") })
			p := b.dial()
			p.send("40/error,")
			p.want(`44/error,{"message":"Connection rejected by server"}`)
			p.send("40/panic,")
			p.want(`44/panic,{"message":"Connection rejected by server"}`)
			check(t, 2, len(reported))
			check(t, true, errors.Is(reported[1], sioclient.ErrHandler))
		},
		"rooms of a refused client are left": func(t *testing.T) {
			b := newBench(t, nil)
			var refused *sioserver.Socket
			b.Use(func(_ context.Context, s *sioserver.Socket) error {
				s.Join("room")
				refused = s
				return sioclient.Refuse("no", nil)
			})
			p := b.dial()
			p.send("40")
			p.want(`44{"message":"no"}`)
			sockets, err := b.In("room").FetchSockets(t.Context())
			check(t, nil, err)
			check(t, 0, len(sockets))
			refused.Join("again")
			check(t, 1, len(refused.Rooms())-1)
			<-refused.Done()
		},
		"client gone meanwhile": func(t *testing.T) {
			b := newBench(t, nil)
			let := make(chan bool)
			ended := make(chan error, 1)
			b.Use(func(ctx context.Context, _ *sioserver.Socket) error {
				<-ctx.Done()
				ended <- ctx.Err()
				<-let
				return nil
			})
			b.OnConnect(func(*sioserver.Socket) { t.Error("let in") })
			p := b.dial()
			p.send("40")
			synctest.Wait()
			_ = p.conn.Close(1000, "")
			check(t, context.Canceled, <-ended)
			close(let)
			synctest.Wait()
			check(t, 0, len(b.Sockets()))
		},
		"events before the decision close the connection": func(t *testing.T) {
			b := newBench(t, nil)
			b.Use(func(ctx context.Context, _ *sioserver.Socket) error { <-ctx.Done(); return nil })
			p := b.dial()
			p.send("40", `42["early"]`)
			p.want("closed")
		},
		"disconnected by a middleware": func(t *testing.T) {
			b := newBench(t, nil)
			b.Use(func(_ context.Context, s *sioserver.Socket) error { s.Disconnect(false); return nil })
			b.OnConnect(func(*sioserver.Socket) { t.Error("let in") })
			p := b.dial()
			p.send("40")
			p.quiet()
			check(t, 0, b.Len())
		},
		"another namespace is not kept waiting": func(t *testing.T) {
			b := newBench(t, nil)
			b.Of("/slow").Use(func(ctx context.Context, _ *sioserver.Socket) error { <-ctx.Done(); return nil })
			p := b.dial()
			p.send("40/slow,")
			p.join("/")
		},
		"not reached by broadcasts before it is let in": func(t *testing.T) {
			b := newBench(t, nil)
			let := make(chan bool)
			b.Use(func(_ context.Context, s *sioserver.Socket) error { s.Join("room"); <-let; return nil })
			p := b.dial()
			p.send("40")
			synctest.Wait()
			check(t, nil, b.To("room").Emit("too early"))
			check(t, nil, b.Emit("too early"))
			close(let)
			p.confirmed("")
			p.quiet()
		},
	})
}

func TestDynamicNamespaces(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"regular expression": func(t *testing.T) {
			var made notes
			b := newBench(t, &sioserver.Options{OnNamespace: func(n *sioserver.Namespace) { made.add("%s", n.Name()) }})
			parent := b.OfRegexp(regexp.MustCompile(`^/room-\d+$`))
			parent.Use(func(_ context.Context, s *sioserver.Socket) error { s.Join("m"); return nil })
			parent.OnConnect(func(s *sioserver.Socket) { _ = s.Emit("in", s.Namespace().Name(), s.Rooms()[1:]) })
			p := b.dial()
			p.join("/room-1")
			p.want(`42/room-1,["in","/room-1",["m"]]`)
			p.send("40/room-x,")
			p.want(`44/room-x,{"message":"Invalid namespace"}`)
			p.join("/room-2")
			p.want(`42/room-2,["in","/room-2",["m"]]`)
			check(t, nil, parent.Emit("all"))
			got := []string{p.next(), p.next()}
			slices.Sort(got)
			check(t, []string{`42/room-1,["all"]`, `42/room-2,["all"]`}, got)
			_, err := parent.To("x").FetchSockets(t.Context())
			check(t, true, errors.Is(err, sioclient.ErrNotSupported))
			static := b.Of("/room-3")
			check(t, 3, len(parent.Children()))
			p.join("/room-3")
			p.want(`42/room-3,["in","/room-3",["m"]]`)
			check(t, 1, len(static.Sockets()))
			check(t, []string{"/room-1", "/room-2", "/room-3"}, made.list())
		},
		"functions in order": func(t *testing.T) {
			b := newBench(t, nil)
			var asked notes
			b.OfFunc(func(_ context.Context, name string, auth json.RawMessage) (bool, error) {
				asked.add("first %s %s", name, auth)
				return name == "/a", nil
			})
			b.OfFunc(func(_ context.Context, name string, _ json.RawMessage) (bool, error) {
				asked.add("second %s", name)
				if name == "/c" {
					panic("trouble")
				}
				return name == "/b", nil
			})
			p := b.dial()
			p.connect("/a", `{"k":1}`)
			p.connect("/b", "")
			p.send("40/c,")
			p.want(`44/c,{"message":"Invalid namespace"}`)
			check(t, []string{`first /a {"k":1}`, "first /b ", "second /b", "first /c ", "second /c"}, asked.list())
		},
		"a function that waits": func(t *testing.T) {
			b := newBench(t, nil)
			b.OfFunc(func(ctx context.Context, name string, _ json.RawMessage) (bool, error) {
				if name == "/slow" {
					time.Sleep(time.Second)
				}
				return true, nil
			})
			p := b.dial()
			p.send("40/slow,")
			p.join("/quick")
			p.confirmed("/slow,")
			p.send("40/slow,")
			p.want("closed")
		},
		"asked for twice while the function waits": func(t *testing.T) {
			b := newBench(t, nil)
			b.OfFunc(func(ctx context.Context, _ string, _ json.RawMessage) (bool, error) {
				<-ctx.Done()
				return true, nil
			})
			p := b.dial()
			p.send("40/slow,", "40/slow,")
			p.want("closed")
		},
		"a connection that ends while the function waits": func(t *testing.T) {
			let := make(chan bool)
			b := newBench(t, &sioserver.Options{Adapter: func(host *sioserver.AdapterHost) sioserver.Adapter {
				return &stuckAdapter{(&bus{}).adapter(host).(*busAdapter), let}
			}})
			b.OfFunc(func(ctx context.Context, _ string, _ json.RawMessage) (bool, error) {
				<-ctx.Done()
				return false, ctx.Err()
			})
			p := b.dial()
			p.join("/")
			p.send("40/slow,")
			synctest.Wait()
			p.send("40") // must not come; the end takes until the room can be left
			p.quiet()    // nobody has said that the namespace is invalid
			close(let)
			p.want("closed")
		},
		"clean-up": func(t *testing.T) {
			b := newBench(t, &sioserver.Options{CleanUpEmptyChildren: true})
			parent := b.OfRegexp(regexp.MustCompile(`^/d`))
			parent.Use(func(_ context.Context, s *sioserver.Socket) error {
				if s.Namespace().Name() == "/dno" {
					return sioclient.Refuse("no", nil)
				}
				return nil
			})
			p := b.dial()
			p.join("/d1")
			check(t, 1, len(parent.Children()))
			p.send("41/d1,")
			synctest.Wait()
			check(t, 0, len(parent.Children()))
			p.send("40/dno,")
			p.want(`44/dno,{"message":"no"}`)
			synctest.Wait()
			check(t, 0, len(parent.Children()))
			p.join("/d1")
			check(t, 1, len(parent.Children()))
			check(t, 2, len(b.Namespaces()))
		},
		"too many children": func(t *testing.T) {
			b := newBench(t, &sioserver.Options{MaxChildren: 2, CleanUpEmptyChildren: true})
			b.OfRegexp(regexp.MustCompile(`^/d`))
			p := b.dial()
			p.join("/d1")
			p.join("/d2")
			p.send("40/d3,")
			p.want(`44/d3,{"message":"Invalid namespace"}`)
			p.send("41/d1,")
			synctest.Wait()
			p.join("/d3")
		},
		"no clean-up unless told": func(t *testing.T) {
			b := newBench(t, nil)
			parent := b.OfRegexp(regexp.MustCompile(`^/d`))
			p := b.dial()
			p.join("/d1")
			p.send("41/d1,")
			synctest.Wait()
			check(t, 1, len(parent.Children()))
		},
	})
}
