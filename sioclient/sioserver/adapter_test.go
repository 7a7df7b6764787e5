package sioserver_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// bus joins the adapters of several servers, as a broker would: packets cross it as JSON and attachments.
type bus struct {
	mu    sync.Mutex
	nodes []*busAdapter
}

type busAdapter struct {
	bus   *bus
	host  *sioserver.AdapterHost
	rooms map[string]bool // reported by the host
}

func (b *bus) adapter(host *sioserver.AdapterHost) sioserver.Adapter {
	a := &busAdapter{bus: b, host: host, rooms: map[string]bool{}}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nodes = append(b.nodes, a)
	return a
}

func (a *busAdapter) RoomCreated(room string) { a.rooms[room] = true }
func (a *busAdapter) RoomDeleted(room string) { delete(a.rooms, room) }

// each calls f for all nodes of the namespace, only itself if the target is local.
func (a *busAdapter) each(to *sioserver.Target, f func(*sioserver.AdapterHost)) {
	a.bus.mu.Lock()
	nodes := a.bus.nodes
	a.bus.mu.Unlock()
	for _, n := range nodes {
		if n == a || n.host.Namespace() == a.host.Namespace() && (to == nil || !to.Local) {
			f(n.host)
		}
	}
}

// carry takes a packet to another node.
func carry(h *sioserver.AdapterHost, p *sioserver.Packet) *sioserver.Packet {
	args, err := packet.ParseArgs(append([]byte(nil), p.Args().JSON()...), p.Args().Attachments())
	if err != nil {
		panic(err)
	}
	return h.NewPacket(p.Name(), args)
}

func (a *busAdapter) Broadcast(p *sioserver.Packet, to *sioserver.Target) error {
	var errs []error
	a.each(to, func(h *sioserver.AdapterHost) { errs = append(errs, h.Broadcast(carry(h, p), to)) })
	return errors.Join(errs...)
}

func (a *busAdapter) BroadcastWithAck(ctx context.Context, p *sioserver.Packet, to *sioserver.Target, count func(int), answer func(packet.Args)) error {
	var wg sync.WaitGroup
	errs := make(chan error, 10)
	a.each(to, func(h *sioserver.AdapterHost) {
		wg.Go(func() { errs <- h.BroadcastWithAck(ctx, carry(h, p), to, count, answer) })
	})
	wg.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}

func (a *busAdapter) FetchSockets(_ context.Context, to *sioserver.Target) (all []sioserver.SocketInfo, err error) {
	a.each(to, func(h *sioserver.AdapterHost) { all = append(all, h.FetchSockets(to)...) })
	return all, nil
}

func (a *busAdapter) SocketsJoin(to *sioserver.Target, rooms []string) error {
	a.each(to, func(h *sioserver.AdapterHost) { h.SocketsJoin(to, rooms) })
	return nil
}

func (a *busAdapter) SocketsLeave(to *sioserver.Target, rooms []string) error {
	a.each(to, func(h *sioserver.AdapterHost) { h.SocketsLeave(to, rooms) })
	return nil
}

func (a *busAdapter) DisconnectSockets(to *sioserver.Target, closeConn bool) error {
	a.each(to, func(h *sioserver.AdapterHost) { h.DisconnectSockets(to, closeConn) })
	return nil
}

func (a *busAdapter) ServerSideEmit(ctx context.Context, p *sioserver.Packet, reply func(packet.Args)) error {
	waiting := 0
	replies := make(chan packet.Args, 10)
	a.each(nil, func(h *sioserver.AdapterHost) {
		switch {
		case h == a.host:
		case reply == nil:
			h.ServerSideEvent(carry(h, p), nil)
		default:
			waiting++
			h.ServerSideEvent(carry(h, p), func(args packet.Args) { replies <- args })
		}
	})
	for ; waiting > 0; waiting-- {
		select {
		case args := <-replies:
			reply(args)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (a *busAdapter) Close() error { return nil }

// stuckAdapter is one whose rooms cannot be left for a while.
type stuckAdapter struct {
	*busAdapter
	let <-chan bool
}

func (a *stuckAdapter) RoomDeleted(room string) {
	<-a.let
	a.busAdapter.RoomDeleted(room)
}

// TestAdapterThatCannotBeMade: a namespace whose adapter is missing works on its own, and the program knows.
func TestAdapterThatCannotBeMade(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cluster := &bus{}
		var reported []error
		b := newBench(t, &sioserver.Options{
			Adapter: func(host *sioserver.AdapterHost) sioserver.Adapter {
				if host.Namespace() == "/later" {
					return nil
				}
				return cluster.adapter(host)
			},
			OnError: func(err error) { reported = append(reported, err) },
		})
		n := b.Of("/later")
		check(t, 1, len(reported))
		check(t, true, errors.Is(reported[0], sioclient.ErrNotSupported))
		p := b.dial()
		p.join("/later")
		check(t, nil, n.Emit("e"))
		p.want(`42/later,["e"]`)
		check(t, true, errors.Is(n.ServerSideEmit("e"), sioclient.ErrNotSupported))
		b.Of("/other")
		check(t, 1, len(reported))
	})
}

// TestCluster: two servers behave like one.
func TestCluster(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"broadcasts": func(t *testing.T) {
			n1, n2, p1, p2 := newCluster(t)
			for i, n := range []*bench{n1, n2} {
				check(t, nil, n.Emit("all", i, []byte("x")))
				for _, p := range []*peer{p1, p2} {
					p.want([]string{
						`451-["all",0,{"_placeholder":true,"num":0}]`, `451-["all",1,{"_placeholder":true,"num":0}]`,
					}[i], "binary 78")
				}
			}
			check(t, nil, n1.Local().Emit("local"))
			p1.want(`42["local"]`)
			p2.quiet()
			check(t, nil, n1.Sockets()[0].Broadcast().Emit("others"))
			p2.want(`42["others"]`)
			p1.quiet()
			check(t, nil, n1.To("even").Emit("room"))
			p2.want(`42["room"]`)
			p1.quiet()
		},
		"remote sockets": func(t *testing.T) {
			n1, n2, _, p2 := newCluster(t)
			sockets, err := n1.In("even").FetchSockets(t.Context())
			check(t, nil, err)
			check(t, 1, len(sockets))
			check(t, n2.Sockets()[0].ID(), sockets[0].ID)
			check(t, nil, sockets[0].Join("far"))
			check(t, nil, sockets[0].Emit("hi"))
			p2.want(`42["hi"]`)
			check(t, []string{"even", "far"}, n2.Sockets()[0].Rooms()[1:])
			check(t, nil, sockets[0].Disconnect(true))
			p2.want("41", "closed")
		},
		"acknowledgements": func(t *testing.T) {
			n1, _, p1, p2 := newCluster(t)
			got := make(chan []packet.Args, 1)
			go func() {
				args, err := n1.Call(t.Context(), "q")
				check(t, nil, err)
				got <- args
			}()
			p1.want(`420["q"]`)
			p2.want(`420["q"]`)
			p1.send("430[1]")
			p2.send("430[2]")
			check(t, 2, len(<-got))
			_, err := n1.Timeout(time.Second).Call(t.Context(), "q")
			var e *sioclient.AckTimeoutError
			check(t, true, errors.As(err, &e))
			check(t, 2, e.Expected)
		},
		"events between servers": func(t *testing.T) {
			n1, n2, _, _ := newCluster(t)
			n1.On("x", func(*sioserver.Event) error { t.Error("came back"); return nil })
			heard := make(chan string, 1)
			off := n2.On("x", func(e *sioserver.Event) error {
				heard <- string(e.Args.JSON())
				return e.Ack("yes")
			})
			check(t, nil, n1.ServerSideEmit("x", 1, "a"))
			check(t, `[1,"a"]`, <-heard)
			answers, err := n1.ServerSideCall(t.Context(), "x")
			check(t, nil, err)
			check(t, 1, len(answers))
			check(t, `["yes"]`, string(answers[0].JSON()))
			<-heard
			off()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err = n1.ServerSideCall(ctx, "x")
			check(t, true, errors.Is(err, sioclient.ErrAckTimeout))
			defer n2.OnAny(func(e *sioserver.Event) error { return e.Ack(e.Name) })()
			answers, err = n1.ServerSideCall(t.Context(), "whatever")
			check(t, nil, err)
			check(t, `["whatever"]`, string(answers[0].JSON()))
			for _, name := range []string{"connect", "connection", "new_namespace"} {
				check(t, true, errors.Is(n1.ServerSideEmit(name), sioclient.ErrReserved))
			}
		},
		"rooms are reported": func(t *testing.T) {
			b := &bus{}
			n := newBench(t, &sioserver.Options{Adapter: b.adapter})
			p := n.dial()
			id := p.join("/")
			synctest.Wait()
			a := b.nodes[0]
			n.Sockets()[0].Join("r")
			check(t, map[string]bool{id: true, "r": true}, a.rooms)
			check(t, true, a.host.HasRoom("r") && a.host.HasRoom(id) && !a.host.HasRoom("x"))
			check(t, 2, len(a.host.Rooms()))
			_ = p.conn.Close(1000, "")
			synctest.Wait()
			check(t, map[string]bool{}, a.rooms)
		},
	})
}

// newCluster returns two servers with a client each, of which the second is in the room "even".
func newCluster(t *testing.T) (n1, n2 *bench, p1, p2 *peer) {
	t.Helper()
	b := &bus{}
	n1 = newBench(t, &sioserver.Options{Adapter: b.adapter})
	n2 = newBench(t, &sioserver.Options{Adapter: b.adapter})
	p1, p2 = n1.dial(), n2.dial()
	p1.join("/")
	p2.join("/")
	synctest.Wait()
	n2.Sockets()[0].Join("even")
	return n1, n2, p1, p2
}
