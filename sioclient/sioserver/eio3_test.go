package sioserver_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// TestRevision4 is about clients of Socket.IO 2.
func TestRevision4(t *testing.T) {
	t.Parallel()
	newServer := func(t *testing.T) *bench {
		t.Helper()
		opts := &sioserver.Options{}
		opts.Engine.AllowEIO3 = true
		return newBench(t, opts)
	}
	// dial opens a connection, reads the open packet and returns the session id.
	dial := func(t *testing.T, b *bench) (*peer, string) {
		t.Helper()
		p := b.dialRaw("EIO=3", "token=1")
		_, rest, _ := strings.Cut(p.next(), `"sid":"`)
		sid, _, _ := strings.Cut(rest, `"`)
		return p, sid
	}
	inBubbles(t, map[string]func(t *testing.T){
		"the main namespace is joined without a request": func(t *testing.T) {
			b := newServer(t)
			b.OnConnect(func(s *sioserver.Socket) {
				echo(s)
				_ = s.Emit("hello", s.Handshake().Auth, s.Handshake().Query.Get("token"))
			})
			p, sid := dial(t, b)
			p.want("40", `42["hello",{},"1"]`)
			check(t, sid, b.Sockets()[0].ID())
			p.send(`421["m",1]`, `451-["b",{"_placeholder":true,"num":0}]`, "binary \x04xy")
			p.want("431[1]", `451-["b",{"_placeholder":true,"num":0}]`, "binary 047879")
		},
		"polling": func(t *testing.T) {
			b := newServer(t)
			b.OnConnect(func(s *sioserver.Socket) { _ = s.Emit("hello") })
			p, open := b.poll("EIO=3&b64=1")
			rest, ok := strings.CutSuffix(open, "2:40")
			if !ok {
				open = p.request("GET", "EIO=3&b64=1", "")
				rest, ok = strings.CutPrefix(open, "2:40")
			}
			check(t, true, ok)
			if !strings.Contains(rest, "hello") {
				rest = p.request("GET", "EIO=3&b64=1", "")
			}
			check(t, true, strings.HasSuffix(rest, `11:42["hello"]`))
		},
		"other namespaces": func(t *testing.T) {
			b := newServer(t)
			custom := b.Of("/custom")
			custom.OnConnect(func(s *sioserver.Socket) { _ = s.Emit("auth", s.Handshake().Auth) })
			p, sid := dial(t, b)
			p.want("40")
			p.send("40/custom?token=1&x=2,")
			p.want("40/custom,", `42/custom,["auth",{"token":"1","x":"2"}]`)
			check(t, "/custom#"+sid, custom.Sockets()[0].ID())
			p.send("41/custom,")
			synctest.Wait()
			p.send("40/custom")
			p.want("40/custom,", `42/custom,["auth",{}]`)
			p.send("40/none,")
			p.want(`44/none,{"message":"Invalid namespace"}`)
			p.send("40/custom,")
			p.want("closed")
		},
		"refused": func(t *testing.T) {
			b := newServer(t)
			b.Use(func(context.Context, *sioserver.Socket) error { return sioclient.Refuse("go away", nil) })
			b.Of("/data").Use(func(context.Context, *sioserver.Socket) error {
				return sioclient.Refuse("no", map[string]int{"c": 1})
			})
			p, _ := dial(t, b)
			p.want(`44"go away"`)
			p.send("40/data,")
			p.want(`44/data,{"c":1}`)
		},
		"either side ends the main namespace, and others stay": func(t *testing.T) {
			b := newServer(t)
			b.Of("/x").OnConnect(func(s *sioserver.Socket) {
				s.On("echo", func(e *sioserver.Event) error { return s.Emit("back") })
			})
			for _, end := range []func(p *peer){
				func(p *peer) { p.send("41") },
				func(p *peer) {
					b.Server.Sockets()[0].Disconnect(false)
					p.want("41")
				},
			} {
				p, _ := dial(t, b)
				p.want("40")
				p.send("40/x,")
				p.want("40/x,")
				synctest.Wait()
				end(p)
				p.send(`42/x,["echo"]`)
				p.want(`42/x,["back"]`)
				check(t, 0, b.Len())
				p.send("40")
				p.want("40")
				p.send("41", "41/x,")
				synctest.Wait()
				check(t, 1, b.Stats().Connections) // it is the client's to close
				p.cut()
			}
		},
		"no recovery": func(t *testing.T) {
			opts := recoverable()
			opts.Engine.AllowEIO3 = true
			b := newBench(t, opts)
			p, _ := dial(t, b)
			p.want("40")
			p.send("41")
			synctest.Wait()
			check(t, 0, len(b.Sockets()))
		},
		"recovery of others: what such a client does not read is an error all the same": func(t *testing.T) {
			opts := recoverable()
			opts.Engine.AllowEIO3 = true
			opts.Engine.Queue.Bytes = 100_000
			b := newBench(t, opts)
			p, _ := dial(t, b)
			p.want("40")
			synctest.Wait()
			s := b.Sockets()[0]
			b.net.Stall(netem.Down)
			check(t, nil, s.Emit("under way", strings.Repeat("x", 600_000)))
			synctest.Wait()
			var full *sioclient.BufferFullError
			check(t, true, errors.As(s.Emit("too much", strings.Repeat("y", 300)), &full))
			p.cut()
		},
		"broadcasts reach both kinds": func(t *testing.T) {
			b := newServer(t)
			old, _ := dial(t, b)
			old.want("40")
			p := b.dial()
			p.join("/")
			synctest.Wait()
			check(t, nil, b.Emit("m", []byte("x")))
			p.want(`451-["m",{"_placeholder":true,"num":0}]`, "binary 78")
			old.want(`451-["m",{"_placeholder":true,"num":0}]`, "binary 0478")
		},
	})
}
