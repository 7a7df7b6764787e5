package sioserver_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// socket is the module's own client of a namespace of the server.
func (b *bench) socket(nsp string, opts sioclient.Options) *sioclient.Socket {
	b.t.Helper()
	opts.Engine.DialContext = b.net.DialContext
	m, err := sioclient.NewManager("http://"+address, &opts)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = m.Close() })
	s, err := m.Socket(nsp, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// TestOwnClient: what the module's client and server make of each other.
func TestOwnClient(t *testing.T) {
	t.Parallel()
	transports := map[string][]string{
		"websocket": {engineio.WebSocket}, "polling": {engineio.Polling}, "upgrade": nil,
	}
	for name, list := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { ownClient(t, list) })
		})
	}
}

func ownClient(t *testing.T, transports []string) {
	t.Helper()
	b := newBench(t, nil)
	custom := b.Of("/custom")
	custom.Use(func(context.Context, *sioserver.Socket) error { return nil })
	b.Of("/closed").Use(func(context.Context, *sioserver.Socket) error { return sioclient.Refuse("members only", 7) })
	custom.OnConnect(func(s *sioserver.Socket) {
		echo(s)
		s.On("ask back", func(*sioserver.Event) error {
			args, err := s.Call(context.Background(), "question", []byte("bin"))
			if err != nil {
				return err
			}
			return s.Emit("thanks", args)
		})
	})
	opts := sioclient.Options{}
	opts.Engine.Transports = transports
	ctx := t.Context()

	refused := b.socket("/closed", opts)
	var e *sioclient.ConnectionRefusedError
	check(t, true, errors.As(refused.Connect(ctx), &e))
	check(t, []string{"members only", "7"}, []string{e.Message, string(e.Data)})

	s := b.socket("/custom", opts)
	echoed := make(chan int, 2000)
	s.On("n", func(e *sioclient.Event) error {
		var n int
		err := e.Decode(&n)
		echoed <- n
		return err
	})
	thanks := make(chan string, 1)
	sioclient.On1(s, "thanks", func(text string) { thanks <- text })
	s.On("question", func(e *sioclient.Event) error {
		data, _ := e.Args.Bytes(0)
		return e.Ack(string(data) + "!")
	})
	check(t, nil, s.Connect(ctx))
	for i := range 1000 {
		check(t, nil, s.Emit("n", i))
	}
	for i := range 1000 {
		check(t, i, <-echoed)
	}
	args, err := s.Call(ctx, "ack", "a", []byte("b"))
	check(t, nil, err)
	data, _ := args.Bytes(1)
	check(t, "b", string(data))
	check(t, nil, s.Emit("ask back"))
	select {
	case text := <-thanks:
		check(t, "bin!", text)
	case <-time.After(time.Minute):
		t.Fatal("no thanks")
	}
}

// TestOwnClientRecovers: a client whose connection is cut again and again gets everything once and in order, and knows
// that it was recovered; also when nothing had been sent before the cut.
func TestOwnClientRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, recoverable())
		opts := sioclient.Options{Backoff: func(int) time.Duration { return time.Millisecond }}
		opts.Engine.Transports = []string{engineio.WebSocket} // a session that polls outlives a cut between two requests
		s := b.socket("/", opts)
		var got notes
		connected := make(chan bool, 1)
		s.OnConnect(func() { connected <- s.Recovered() })
		s.On("n", func(e *sioclient.Event) error { got.add("%s", e.Args.Raw(0)); return nil })
		check(t, nil, s.Connect(t.Context()))
		check(t, false, <-connected)
		id := s.ID()
		var want []string
		for i := range 200 {
			for _, mode := range []netem.CutMode{netem.RST, netem.FIN}[i%2 : i%2+1] {
				for _, link := range b.net.Links() {
					link.Cut(mode)
				}
			}
			if i > 2 {
				check(t, nil, b.Emit("n", i))
				want = append(want, fmt.Sprint(i))
			}
			check(t, true, <-connected)
			check(t, id, s.ID())
		}
		synctest.Wait()
		if !slices.Equal(want, got.list()) {
			t.Errorf("got %v", got.list())
		}
	})
}
