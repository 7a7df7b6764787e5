package netem_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
)

// dial dials and closes again, and returns the outcome.
func dial(ctx context.Context, network *netem.Network, addr string) string {
	c, err := network.DialContext(ctx, "tcp", addr)
	if err != nil {
		return outcome(err)
	}
	_ = c.Close()
	return "ok"
}

func listen(t *testing.T, network *netem.Network, addr string) net.Listener {
	t.Helper()
	l, err := network.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestDial(t *testing.T) {
	t.Parallel()
	const addr = "kvm.test:443"
	within := func(d time.Duration) (context.Context, context.CancelFunc) {
		return context.WithTimeout(context.Background(), d)
	}
	inBubbles(t, map[string]func(t *testing.T){
		"nobody listens": func(t *testing.T) {
			_, err := netem.New(nil).DialContext(t.Context(), "tcp", addr)
			check(t, "ECONNREFUSED", outcome(err))
			check(t, "dial tcp kvm.test:443: connect: connection refused", err.Error())
		},
		"no longer": func(t *testing.T) {
			network := netem.New(nil)
			l := listen(t, network, addr)
			check(t, "ok", outcome(l.Close()))
			check(t, "ECONNREFUSED", dial(t.Context(), network, addr))
			listen(t, network, addr)
			check(t, "ok", dial(t.Context(), network, addr))
		},
		"another address": func(t *testing.T) {
			network := netem.New(nil)
			listen(t, network, addr)
			check(t, "ECONNREFUSED", dial(t.Context(), network, "kvm.test:80"))
			check(t, "ECONNREFUSED", dial(t.Context(), network, "other.test:443"))
		},
		"case and form do not matter": func(t *testing.T) {
			network := netem.New(nil)
			listen(t, network, "KVM.test:0443")
			listen(t, network, "[::1]:80")
			check(t, "ok", dial(t.Context(), network, "kvm.TEST:443"))
			check(t, "ok", dial(t.Context(), network, "[::1]:80"))
		},
		"any host on a port": func(t *testing.T) {
			network := netem.New(nil)
			anyHost, exact := listen(t, network, ":443"), listen(t, network, "b.test:443")
			check(t, []string{"ok", "ok"}, []string{dial(t.Context(), network, "a.test:443"), dial(t.Context(), network, "b.test:443")})
			for l, want := range map[net.Listener]string{anyHost: "a.test:443", exact: "b.test:443"} {
				c, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				check(t, want, c.LocalAddr().String())
				_ = c.Close()
			}
		},
		"bad arguments": func(t *testing.T) {
			network := netem.New(nil)
			var unknown net.UnknownNetworkError
			if _, err := network.DialContext(t.Context(), "udp", addr); !errors.As(err, &unknown) {
				t.Errorf("network udp: %v", err)
			}
			var bad *net.AddrError
			for _, addr := range []string{"", "kvm.test", "kvm.test:https", "kvm.test:65536", "::1:80"} {
				_, err := network.DialContext(t.Context(), "tcp", addr)
				var op *net.OpError
				if !errors.As(err, &bad) || !errors.As(err, &op) {
					t.Errorf("dial %q: %v", addr, err)
				}
				if _, err := network.Listen(addr); !errors.As(err, &bad) {
					t.Errorf("listen %q: %v", addr, err)
				}
			}
			check(t, 0, network.Count())
		},
		"the context has ended before": func(t *testing.T) {
			network := netem.New(nil)
			listen(t, network, addr)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			check(t, "canceled", dial(ctx, network, addr))
			check(t, 0, network.Count())
		},
		"black hole": func(t *testing.T) {
			network := netem.New(nil)
			listen(t, network, addr)
			network.Blackhole(addr)
			ctx, cancel := within(time.Minute)
			defer cancel()
			start := time.Now()
			_, err := network.DialContext(ctx, "tcp", addr)
			check(t, "deadline", outcome(err))
			check(t, time.Minute, time.Since(start))
			var netErr net.Error
			check(t, true, errors.As(err, &netErr) && netErr.Timeout())

			ctx, cancel = context.WithCancel(t.Context())
			done := begin(func() string { return dial(ctx, network, addr) })
			check(t, "waits", idle(done))
			cancel()
			check(t, "canceled", idle(done))

			network.Allow(addr)
			check(t, "ok", dial(t.Context(), network, addr))
		},
		"refused for a while": func(t *testing.T) {
			network := netem.New(nil)
			listen(t, network, addr)
			network.Refuse("KVM.test:443")
			check(t, "ECONNREFUSED", dial(t.Context(), network, addr))
			network.Allow(addr)
			check(t, "ok", dial(t.Context(), network, addr))
		},
		"the whole network": func(t *testing.T) {
			network := netem.New(nil)
			listen(t, network, addr)
			listen(t, network, "other.test:1")
			unreachable := errors.Join(syscall.ENETUNREACH)
			network.FailDial("", unreachable)
			network.Refuse("other.test:1")
			_, err := network.DialContext(t.Context(), "tcp", addr)
			if !errors.Is(err, syscall.ENETUNREACH) {
				t.Errorf("got %v, want ENETUNREACH", err)
			}
			check(t, "ECONNREFUSED", dial(t.Context(), network, "other.test:1"))
			network.FailDial("", nil)
			check(t, "ok", dial(t.Context(), network, addr))
			check(t, "ECONNREFUSED", dial(t.Context(), network, "other.test:1"))
		},
		"the context ends on the way": func(t *testing.T) {
			network := netem.New(&netem.Options{Latency: time.Second})
			l := listen(t, network, addr)
			ctx, cancel := within(time.Second / 2) // before the listener knows
			defer cancel()
			check(t, "deadline", dial(ctx, network, addr))
			ctx, cancel = within(3 * time.Second / 2) // after
			defer cancel()
			check(t, "deadline", dial(ctx, network, addr))
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			check(t, "ECONNRESET", read(c))
			_ = c.Close()
			check(t, 0, len(network.Links()))
			check(t, 2, network.Count())
		},
		"the listener closes on the way": func(t *testing.T) {
			network := netem.New(&netem.Options{Latency: time.Second})
			l := listen(t, network, addr)
			time.AfterFunc(time.Second/2, func() { _ = l.Close() })
			check(t, "ECONNREFUSED", dial(t.Context(), network, addr))
			check(t, 0, len(network.Links()))
		},
	})
}

func TestListener(t *testing.T) {
	t.Parallel()
	const addr = "kvm.test:443"
	inBubbles(t, map[string]func(t *testing.T){
		"address in use": func(t *testing.T) {
			network := netem.New(nil)
			l := listen(t, network, addr)
			_, err := network.Listen(addr)
			check(t, "EADDRINUSE", outcome(err))
			check(t, []string{"ok", "closed"}, []string{outcome(l.Close()), outcome(l.Close())})
			again := listen(t, network, addr)
			check(t, "closed", outcome(l.Close())) // which leaves the new one alone
			check(t, "ok", dial(t.Context(), network, addr))
			_ = again.Close()
		},
		"close ends Accept": func(t *testing.T) {
			l := listen(t, netem.New(nil), addr)
			accept := func() string { _, err := l.Accept(); return outcome(err) }
			first, second := begin(accept), begin(accept)
			check(t, "waits", idle(first))
			_ = l.Close()
			check(t, []string{"closed", "closed", "closed"}, []string{idle(first), idle(second), accept()})
		},
		"close resets what was not accepted, and nothing else": func(t *testing.T) {
			network := netem.New(nil)
			l := listen(t, network, addr)
			var dialled [2]net.Conn
			for i := range dialled {
				c, err := network.DialContext(t.Context(), "tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				dialled[i] = c
			}
			accepted, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			_ = l.Close()
			check(t, []string{"ok", "x"}, []string{write(dialled[0], "x"), read(accepted)})
			check(t, "ECONNRESET", read(dialled[1]))
		},
		"a full backlog lets dials wait": func(t *testing.T) {
			network := netem.New(&netem.Options{Backlog: 2})
			l := listen(t, network, addr)
			for range 2 {
				check(t, "ok", dial(t.Context(), network, addr))
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			check(t, "deadline", dial(ctx, network, addr))
			third := begin(func() string { return dial(t.Context(), network, addr) })
			check(t, "waits", idle(third))
			if _, err := l.Accept(); err != nil {
				t.Fatal(err)
			}
			check(t, "ok", idle(third))
			fourth := begin(func() string { return dial(t.Context(), network, addr) })
			check(t, "waits", idle(fourth))
			_ = l.Close()
			check(t, "ECONNREFUSED", idle(fourth))
		},
		"bytes may be sent before Accept": func(t *testing.T) {
			network := netem.New(nil)
			l := listen(t, network, addr)
			c, err := network.DialContext(t.Context(), "tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			check(t, []string{"ok", "ok"}, []string{write(c, "early"), outcome(c.Close())})
			accepted, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			check(t, "early|EOF", readAll(accepted))
		},
	})
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	network := netem.New(nil)
	for _, tc := range []struct{ listen, want string }{
		{":0", "127.0.0.1:49152"},
		{"[::1]:0", "[::1]:49153"},
		{"kvm.test:0", "kvm.test:49154"},
		{"kvm.test:49155", "kvm.test:49155"},
		{"kvm.test:0", "kvm.test:49156"},
		{"10.1.2.3:80", "10.1.2.3:80"},
	} {
		l := listen(t, network, tc.listen)
		check(t, tc.want, l.Addr().String())
		check(t, "tcp", l.Addr().Network())
		if _, err := network.DialContext(t.Context(), "tcp4", tc.want); err != nil {
			t.Fatal(err)
		}
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		check(t, tc.want, c.LocalAddr().String())
	}
	links := network.Links()
	check(t, 6, len(links))
	check(t, []any{1, "127.0.0.1:49152", 6, "10.1.2.3:80"}, []any{links[0].ID(), links[0].Target(), links[5].ID(), links[5].Target()})
	c, err := network.DialContext(t.Context(), "tcp", "10.1.2.3:80")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.LocalAddr().(*net.TCPAddr); !ok {
		t.Errorf("the dialler's address is a %T, want a *net.TCPAddr", c.LocalAddr())
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"open ones, in order": func(t *testing.T) {
			network := netem.New(nil)
			a1, b1 := memoryPair(t, network)
			memoryPair(t, network)
			ids := func() (ids []int) {
				for _, l := range network.Links() {
					ids = append(ids, l.ID())
				}
				return ids
			}
			check(t, []int{1, 2}, ids())
			_ = a1.Close()
			check(t, []int{1, 2}, ids()) // half of it is open
			_ = b1.Close()
			check(t, []int{2}, ids())
			check(t, 2, network.Count())
		},
		"wait for one": func(t *testing.T) {
			network := netem.New(nil)
			got := begin(func() string {
				l, err := network.WaitLink(t.Context(), 2)
				if err != nil {
					return err.Error()
				}
				return l.Target()
			})
			memoryPair(t, network)
			check(t, "waits", idle(got))
			memoryPair(t, network)
			check(t, "device.test:49153", idle(got))
			for _, id := range []int{-1, 0, 1} {
				l, err := network.WaitLink(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				check(t, 1, l.ID())
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			if _, err := network.WaitLink(ctx, 3); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want the error of the context", err)
			}
		},
		"the hook comes before the first byte": func(t *testing.T) {
			network := netem.New(nil)
			network.OnLink(func(l *netem.Link) {
				if l.ID() == 2 {
					l.CutAfter(netem.Down, 3, netem.RST)
				}
			})
			for _, want := range []string{"hello", "hel|ECONNRESET", "hello"} {
				l := listen(t, network, "kvm.test:1")
				served := begin(func() string {
					c, err := l.Accept()
					if err != nil {
						return err.Error()
					}
					return write(c, "hello")
				})
				c, err := network.DialContext(t.Context(), "tcp", "kvm.test:1")
				if err != nil {
					t.Fatal(err)
				}
				check(t, "ok", idle(served))
				if len(want) > 5 {
					check(t, want, readAll(c))
				} else {
					check(t, want, read(c))
				}
				_ = l.Close()
			}
			network.OnLink(nil)
			memoryPair(t, network)
			check(t, 4, network.Count())
		},
		"the hook may use the network, and holds up WaitLink": func(t *testing.T) {
			network := netem.New(nil)
			network.OnLink(func(*netem.Link) {
				check(t, 1, network.Count())
				network.Stall(netem.Up)
			})
			a, b := memoryPair(t, network)
			link, err := network.WaitLink(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			check(t, "ok", write(a, "x"))
			check(t, int64(0), link.State().Up.Passed)
			check(t, "ok", write(b, "y"))
			check(t, "y", read(a))
		},
		"faults for all, open and to come": func(t *testing.T) {
			network := netem.New(nil)
			a1, b1 := memoryPair(t, network)
			network.Stall(netem.Up)
			network.Latency(netem.Down, time.Second)
			network.Chunk(netem.Down, 1)
			network.Window(netem.Down, 3)
			a2, b2 := memoryPair(t, network)
			for _, pair := range [][2]*netem.Conn{{a1, b1}, {a2, b2}} {
				check(t, "ok", write(pair[0], "up"))
				start := time.Now()
				writing := begin(func() string { return write(pair[1], "down") })
				check(t, "waits", idle(writing))
				check(t, "d", read(pair[0]))
				check(t, time.Second, time.Since(start))
				check(t, "ok", idle(writing))
			}
			check(t, int64(0), network.Bytes(netem.Up))
			check(t, int64(4+3), network.Bytes(netem.Down)) // the last byte is still on the wire
			network.Resume(netem.Up)
			check(t, []string{"up", "up"}, []string{read(b1), read(b2)})
			time.Sleep(time.Second)
			synctest.Wait()
			check(t, int64(4+8), network.Bytes(netem.Both))
		},
		"cuts after n bytes for all, open and to come": func(t *testing.T) {
			network := netem.New(nil)
			a1, b1 := memoryPair(t, network)
			check(t, "ok", write(a1, "before"))
			network.CutAfter(netem.Up, 1, netem.FIN)
			a2, b2 := memoryPair(t, network)
			check(t, []string{"ok", "ok"}, []string{write(a1, "xy"), write(a2, "xy")})
			check(t, []string{"beforex|EOF", "x|EOF"}, []string{readAll(b1), readAll(b2)})
			network.CutAfter(netem.Up, -1, netem.FIN)
			a3, b3 := memoryPair(t, network)
			check(t, []string{"ok", "xy"}, []string{write(a3, "xy"), read(b3)})
		},
		"cuts now for open ones": func(t *testing.T) {
			network := netem.New(nil)
			for _, tc := range []struct {
				cut  func()
				want string
			}{
				{network.ResetAll, "ECONNRESET"},
				{network.DropAll, "EOF"},
				{func() { network.Cut(netem.RST) }, "ECONNRESET"},
			} {
				a1, b1 := memoryPair(t, network)
				a2, b2 := memoryPair(t, network)
				tc.cut()
				check(t, []string{tc.want, tc.want, tc.want, tc.want}, []string{read(a1), read(b1), read(a2), read(b2)})
				a3, b3 := memoryPair(t, network)
				check(t, []string{"ok", "x"}, []string{write(a3, "x"), read(b3)})
			}
		},
		"a closed link is not cut": func(t *testing.T) {
			network := netem.New(nil)
			a, b := memoryPair(t, network)
			link := network.Links()[0]
			_, _ = a.Close(), b.Close()
			network.ResetAll()
			check(t, netem.State{DialerClosed: true, AcceptorClosed: true}, link.State())
		},
	})
}

// TestReconnectStorm dials from many goroutines while the network is cut again and again.
func TestReconnectStorm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(&netem.Options{Backlog: 4, Latency: time.Millisecond})
		l := listen(t, network, "hub.test:1")
		var servers, clients sync.WaitGroup
		servers.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				servers.Go(func() {
					defer func() { _ = c.Close() }()
					for read(c) == "ping" && write(c, "pong") == "ok" {
					}
				})
			}
		})
		var answers int64
		var mu sync.Mutex
		for range 50 {
			clients.Go(func() {
				for range 20 {
					c, err := network.DialContext(t.Context(), "tcp", "hub.test:1")
					if err != nil {
						t.Error(err)
						return
					}
					for write(c, "ping") == "ok" && read(c) == "pong" {
						mu.Lock()
						answers++
						mu.Unlock()
					}
					_ = c.Close()
				}
			})
		}
		stop := make(chan struct{})
		var cutter sync.WaitGroup
		cutter.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(7 * time.Millisecond):
					network.Cut([]netem.CutMode{netem.RST, netem.FIN}[i%2])
				}
			}
		})
		clients.Wait()
		close(stop)
		cutter.Wait()
		_ = l.Close()
		servers.Wait()
		check(t, 1000, network.Count())
		check(t, 0, len(network.Links()))
		if answers == 0 {
			t.Error("nobody was answered")
		}
	})
}

func TestNames(t *testing.T) {
	t.Parallel()
	got := []string{
		netem.Up.String(), netem.Down.String(), netem.Both.String(), netem.Direction(0).String(),
		netem.FIN.String(), netem.RST.String(), netem.Silence.String(), netem.Swallow.String(), netem.CutMode(9).String(),
	}
	want := []string{"up", "down", "both", "Direction(0)", "FIN", "RST", "Silence", "Swallow", "CutMode(9)"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	check(t, netem.Count{}, netem.State{Up: netem.Count{Read: 1}}.Count(0))
	check(t, netem.Count{Read: 1}, netem.State{Up: netem.Count{Read: 1}}.Count(netem.Up))
	check(t, netem.Count{Read: 1}, netem.State{Down: netem.Count{Read: 1}}.Count(netem.Down))
}
