package sioserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// TestLifecycle is about what happens at the same moment as something begins or ends.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"a bad packet while the connect handlers run": func(t *testing.T) {
			b := newBench(t, nil)
			let := make(chan bool)
			var got notes
			b.OnConnect(func(s *sioserver.Socket) {
				<-let
				s.OnError(func(err error) { got.add("error %v", errors.Is(err, sioclient.ErrPacket)) })
				s.OnDisconnect(func(r sioclient.Reason, _ error) { got.add("%s", r) })
			})
			p := b.dial()
			p.join("/")
			p.send("4abc")
			p.want("closed")
			synctest.Wait()
			close(let)
			synctest.Wait()
			check(t, []string{"error true", "forced close"}, got.list())
		},
		"an error in the midst of a delivery": func(t *testing.T) {
			for _, opts := range []*sioserver.Options{nil, recoverable()} {
				b := newBench(t, opts)
				b.OnConnect(func(s *sioserver.Socket) {
					s.OnAnyOutgoing(func(*sioserver.Event) error { return errors.New("no") })
					s.OnError(func(error) { s.Disconnect(true) })
				})
				p := b.dial()
				p.join("/")
				synctest.Wait()
				check(t, nil, b.Emit("e"))
				check(t, `42["e"`, p.next()[:6])
				p.want("41", "closed")
				b.net.ResetAll()
			}
		},
		"observers are told of the end after the beginning": func(t *testing.T) {
			b := newBench(t, nil)
			var got notes
			let := make(chan bool)
			b.Observe(sioserver.Observer{
				Connected:    func(*sioserver.Socket) { <-let; got.add("connected") },
				Left:         func(_ *sioserver.Socket, room string) { got.add("left %s", room) },
				Disconnected: func(_ *sioserver.Socket, r sioclient.Reason) { got.add("%s", r) },
			})
			b.Use(func(_ context.Context, s *sioserver.Socket) error { s.Join("r"); return nil })
			p := b.dial()
			p.join("/")
			p.send("41")
			synctest.Wait()
			close(let)
			synctest.Wait()
			check(t, []string{"connected", "left r", "client namespace disconnect"}, got.list())
		},
		"a client finds what OnNamespace sets up": func(t *testing.T) {
			let := make(chan bool)
			var b *bench
			b = newBench(t, &sioserver.Options{OnNamespace: func(n *sioserver.Namespace) {
				<-let
				b.Of(n.Name()).OnConnect(func(s *sioserver.Socket) { _ = s.Emit("hello") })
			}})
			b.OfRegexp(regexp.MustCompile("^/d"))
			first, second := b.dial(), b.dial()
			first.send("40/d,")
			synctest.Wait()
			second.send("40/d,")
			second.quiet()
			close(let)
			for _, p := range []*peer{first, second} {
				p.confirmed("/d,")
				p.want(`42/d,["hello"]`)
			}
		},
		"a panic of OnNamespace": func(t *testing.T) {
			var reported atomic.Value
			b := newBench(t, &sioserver.Options{
				OnNamespace: func(*sioserver.Namespace) { panic("no") },
				OnError:     func(err error) { reported.Store(err) },
			})
			b.OfRegexp(regexp.MustCompile("^/d"))
			b.dial().join("/d")
			err, _ := reported.Load().(error)
			check(t, true, errors.Is(err, sioclient.ErrHandler))
		},
		"refused, it may ask again at once": func(t *testing.T) {
			b := newBench(t, nil)
			var asked atomic.Int64
			b.Use(func(context.Context, *sioserver.Socket) error {
				if asked.Add(1) < 10 {
					return sioclient.Refuse("no", nil)
				}
				return nil
			})
			p := b.dial()
			for range 9 {
				p.send("40")
				p.want(`44{"message":"no"}`)
			}
			p.join("/")
		},
	})
}

// counted is a bus whose adapters count how many of them are open, and use their host while they are made.
type counted struct {
	bus
	open atomic.Int64
}

func (c *counted) adapter(host *sioserver.AdapterHost) sioserver.Adapter {
	c.open.Add(1)
	if host.HasRoom("x") || len(host.Rooms()) > 0 || len(host.FetchSockets(&sioserver.Target{Rooms: []string{"a", "b"}})) > 0 {
		panic("somebody is there already")
	}
	args, err := packet.NewArgs(1)
	if err == nil {
		err = host.Broadcast(host.NewPacket("e", args), &sioserver.Target{})
	}
	if err != nil {
		panic(err)
	}
	return &countedAdapter{Adapter: c.bus.adapter(host), open: &c.open}
}

type countedAdapter struct {
	sioserver.Adapter
	open *atomic.Int64
	once sync.Once
}

func (a *countedAdapter) Close() error {
	a.once.Do(func() { a.open.Add(-1) })
	return a.Adapter.Close()
}

// TestAdaptersAreClosed: none is left behind, whatever is asked for after the end.
func TestAdaptersAreClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c counted
		b := newBench(t, &sioserver.Options{Adapter: c.adapter, CleanUpEmptyChildren: true})
		b.OfRegexp(regexp.MustCompile("^/d"))
		b.Of("/static")
		p := b.dial()
		p.join("/d1")
		p.join("/d2")
		p.send("41/d1,")
		synctest.Wait()
		check(t, int64(3), c.open.Load())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		check(t, nil, b.Shutdown(ctx))
		check(t, int64(0), c.open.Load())
		late := b.Of("/static")
		check(t, nil, late.Emit("to nobody"))
		check(t, "/static", late.Name())
		check(t, 0, late.Len())
		check(t, int64(0), c.open.Load())
		check(t, 0, len(b.Namespaces()))
	})
}

// TestDataOfAnotherNode: it comes as JSON, and is not lost when the program goes on with it.
func TestDataOfAnotherNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type session struct{ Visits int }
		s, _ := one(t, nil)
		s.SetData(json.RawMessage(`{"Visits":7}`))
		sioserver.Update(s, func(v *session) { v.Visits++ })
		check(t, any(&session{8}), s.Data())
		s.SetData(json.RawMessage(`{"Visits":"x"}`))
		sioserver.Update(s, func(v *session) { v.Visits++ })
		check(t, any(&session{1}), s.Data())
	})
}
