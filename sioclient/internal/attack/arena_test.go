package attack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
	"github.com/fieldlink-go/fieldlink/sioclient/siotest"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// attack is what one hostile peer does.
type attack func(a *arena)

// maxMemory is how much more memory an attack may take, while it goes on and afterwards.
const maxMemory = 1 << 20

// arena is a server with an honest client.
type arena struct {
	*testing.T
	server *siotest.Server
	honest *siotest.Session
	asked  int

	links     *netem.Network // nil on TCP
	attackers map[*attacker]bool
}

// options leave open what can be attacked: the old protocol and compression as well.
func options() *sioserver.Options {
	opts := &sioserver.Options{}
	opts.Engine.AllowEIO3 = true
	opts.Engine.Compression = wsconn.CompressionNoContextTakeover
	return opts
}

// newArena starts a server on a network in memory.
func newArena(t *testing.T, opts *sioserver.Options) *arena {
	t.Helper()
	network := netem.New(nil)
	listener, err := network.Listen("sio.test:80")
	if err != nil {
		t.Fatal(err)
	}
	a := &arena{T: t, links: network, attackers: map[*attacker]bool{}}
	a.open(listener, opts)
	return a
}

// newTCPArena starts a server on 127.0.0.1, whose heartbeat no machine is too slow for.
func newTCPArena(t *testing.T, opts *sioserver.Options) *arena {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	opts.Engine.PingInterval, opts.Engine.PingTimeout = time.Hour, time.Hour
	a := &arena{T: t, attackers: map[*attacker]bool{}}
	a.open(narrowListener{listener}, opts)
	return a
}

func (a *arena) open(listener net.Listener, opts *sioserver.Options) {
	a.Helper()
	server, err := siotest.ServeOn(listener, opts)
	if err != nil {
		a.Fatal(err)
	}
	a.server = server
	a.Cleanup(func() {
		if err := server.Close(); err != nil {
			a.Error(err)
		}
	})
	a.Cleanup(a.dismiss)
	server.OnConnect(echo)
	server.Of("/custom").OnConnect(echo)
	a.honest = a.client()
}

// client connects an honest client, which has joined the main namespace.
func (a *arena) client() *siotest.Session {
	a.Helper()
	opts := &siotest.RawOptions{DialContext: a.dialContext, Pong: true}
	s, err := siotest.DialRaw(context.Background(), a.server.URL(), opts)
	if err != nil {
		a.Fatal(err)
	}
	a.Cleanup(s.Cut)
	a.receiveBy(s, `0{"sid":`)
	if err := s.Send("40"); err != nil {
		a.Fatal(err)
	}
	a.receiveBy(s, `40{"sid":`)
	return s
}

// echo lets a socket answer events, and acknowledge them.
func echo(s *sioserver.Socket) {
	s.On("echo", func(e *sioserver.Event) error {
		args := []any{}
		for i := range e.Args.Len() {
			args = append(args, json.RawMessage(e.Args.Raw(i)))
		}
		return e.Ack(args...)
	})
}

func (a *arena) dialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if a.links != nil {
		return a.links.DialContext(ctx, network, "sio.test:80")
	}
	return a.server.DialContext(ctx, network, address)
}

// ask lets the honest client ask the server, and returns how long the answer took.
func (a *arena) ask() time.Duration {
	a.Helper()
	a.asked++
	begin := time.Now()
	a.send(fmt.Sprintf(`42%d["echo","are you there?"]`, a.asked))
	a.receive(fmt.Sprintf(`43%d["are you there?"]`, a.asked))
	return time.Since(begin)
}

func (a *arena) send(packet string) {
	a.Helper()
	if err := a.honest.Send(packet); err != nil {
		a.Fatalf("the honest client: %v", err)
	}
}

func (a *arena) receive(prefix string) {
	a.Helper()
	a.receiveBy(a.honest, prefix)
}

func (a *arena) receiveBy(s *siotest.Session, prefix string) {
	a.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		got, err := s.Receive(ctx)
		if err != nil {
			a.Fatalf("the honest client: %v", err)
		}
		if got == "2" {
			continue // answered already
		}
		if !strings.HasPrefix(got, prefix) {
			a.Fatalf("the honest client got %q, want %q", got, prefix)
		}
		return
	}
}

// check asks whether the server is well: it answers at once and does not need much more memory than before, neither now
// nor when the attackers are gone. Then nothing of them is left.
func (a *arena) check(before uint64) {
	a.Helper()
	a.well(before)
	a.dismiss()
	time.Sleep(2 * time.Minute) // heartbeats are missed
	a.well(before)
	if n := a.server.Stats().Connections; n != 1 {
		a.Errorf("%d connections are left, want that of the honest client", n)
	}
}

// dismiss lets the attackers hang up.
func (a *arena) dismiss() {
	for p := range a.attackers {
		p.hangUp()
	}
}

func (a *arena) well(before uint64) {
	a.Helper()
	synctest.Wait()
	if took := a.ask(); took != 0 {
		a.Errorf("the honest client waited for %v", took)
	}
	if now := memoryBelow(before + maxMemory); now > before+maxMemory {
		a.Errorf("%d KiB more memory", (now-before)>>10)
	}
}

// memoryBelow is memory for who wants to know whether it is not above a limit, which is mostly plain at once.
func memoryBelow(limit uint64) uint64 {
	runtime.GC()
	if most := inUse(); most <= limit {
		return most
	}
	return memory()
}

// memory is what is in use, without what only waits to be collected.
func memory() uint64 {
	for range 3 { // connections of the WebSocket library have finalizers, and objects in pools live once more
		finalize()
	}
	return inUse()
}

// inUse is what is in use, or was so far. Stacks are counted by a usual size: the runtime keeps some for later.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + uint64(runtime.NumGoroutine())*4<<10
}

// finalize collects what is dead, and waits until the finalizers have run.
func finalize() {
	var done atomic.Bool
	runtime.SetFinalizer(&struct{ last *int }{new(int)}, func(any) { done.Store(true) })
	for {
		runtime.GC()
		for range 1000 {
			if done.Load() {
				return
			}
			runtime.Gosched()
		}
	}
}

// run runs attacks, each on a server of its own, one after the other: they are weighed.
func run(t *testing.T, attacks map[string]attack) {
	t.Helper()
	for name, strike := range attacks {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newArena(t, options())
				a.ask()
				synctest.Wait()
				before := memory()
				strike(a)
				a.check(before)
			})
		})
	}
}
