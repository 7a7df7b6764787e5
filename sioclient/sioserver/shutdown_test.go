package sioserver_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

func TestShutdown(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"in good order": func(t *testing.T) {
			b := newBench(t, nil)
			var got notes
			b.OnConnect(func(s *sioserver.Socket) {
				s.OnDisconnect(func(r sioclient.Reason, err error) {
					time.Sleep(time.Second)
					got.add("%s %v", r, err)
				})
			})
			p := b.dial()
			p.join("/")
			q, _ := b.poll("EIO=4")
			check(t, "ok", q.post("40"))
			q.get()
			synctest.Wait()
			check(t, nil, b.Emit("last"))
			polled := make(chan string, 9)
			go func() { polled <- q.get() }()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			check(t, nil, b.Shutdown(ctx))
			check(t, []string{"server shutting down <nil>", "server shutting down <nil>"}, got.list())
			p.want(`42["last"]`, "closed")
			check(t, `42["last"]`, (<-polled)[:10])
			check(t, 0, len(b.Sockets()))
			check(t, nil, b.Shutdown(ctx))
			check(t, nil, b.Close())
		},
		"a handler that does not end": func(t *testing.T) {
			b := newBench(t, nil)
			let := make(chan bool)
			b.OnConnect(func(*sioserver.Socket) { <-let })
			p := b.dial()
			p.join("/")
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := b.Shutdown(ctx)
			check(t, true, errors.Is(err, context.DeadlineExceeded) && errors.Is(err, sioclient.Err))
			p.want("closed")
			close(let)
		},
		"a middleware that waits": func(t *testing.T) {
			b := newBench(t, nil)
			b.Use(func(ctx context.Context, _ *sioserver.Socket) error { <-ctx.Done(); return ctx.Err() })
			p := b.dial()
			p.send("40")
			synctest.Wait()
			check(t, nil, b.Close())
			p.want("closed")
		},
		"calls end": func(t *testing.T) {
			b := newBench(t, nil)
			p := b.dial()
			p.join("/")
			synctest.Wait()
			results := call(t.Context(), b.Sockets()[0], "q")
			synctest.Wait()
			check(t, nil, b.Close())
			var e *sioclient.DisconnectedError
			check(t, true, errors.As((<-results).err, &e))
			check(t, sioclient.ServerShuttingDown, e.Reason)
		},
	})
}

// TestReasons: what the program is told about the end of a connection.
func TestReasons(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end  func(b *bench, p *peer)
		want sioclient.Reason
	}{
		"closed by the client": {func(_ *bench, p *peer) { _ = p.conn.Close(1000, "") }, sioclient.TransportClose},
		"cut":                  {func(_ *bench, p *peer) { _ = p.conn.CloseNow() }, sioclient.TransportClose},
		"reset":                {func(b *bench, _ *peer) { b.net.ResetAll() }, sioclient.TransportError},
		"silence":              {func(b *bench, _ *peer) { b.net.Links()[0].HalfOpen() }, sioclient.PingTimeout},
		"CONNECT again":        {func(_ *bench, p *peer) { p.send("40") }, sioclient.ForcedServerClose},
		"left":                 {func(_ *bench, p *peer) { p.send("41") }, sioclient.ClientNamespaceDisconnect},
		"too large":            {func(_ *bench, p *peer) { _ = p.conn.Write(1, make([]byte, 2<<20)) }, sioclient.TransportError},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				reasons := make(chan sioclient.Reason, 1)
				b.OnConnect(func(s *sioserver.Socket) {
					s.OnDisconnect(func(r sioclient.Reason, _ error) { reasons <- r })
				})
				p := b.dial()
				p.join("/")
				synctest.Wait()
				test.end(b, p)
				check(t, test.want, <-reasons)
			})
		})
	}
}

// TestSlowReader: a client that stops reading hurts itself alone.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		opts := &sioserver.Options{}
		opts.Engine.Queue.Bytes = 1 << 20
		b := newBench(t, opts)
		ended := make(chan error, 1)
		b.OnConnect(func(s *sioserver.Socket) {
			s.OnDisconnect(func(r sioclient.Reason, err error) {
				if r == sioclient.TransportError {
					ended <- err
				}
			})
		})
		slow, healthy := b.dial(), b.dial()
		slow.join("/")
		healthy.join("/")
		b.net.Links()[0].Stall(1 << 1) // the server's bytes do not arrive
		const events, size = 1500, 16 << 10
		payload := make([]byte, size)
		for i := range payload {
			payload[i] = 'x'
		}
		received := make(chan int)
		go func() {
			n := 0
			for m := range healthy.got {
				if len(m) != size+10 {
					break
				}
				if n++; n == events {
					break
				}
			}
			received <- n
		}()
		for i := range events {
			check(t, nil, b.Emit("m", string(payload)))
			if i%20 == 0 {
				synctest.Wait()
			}
		}
		check(t, events, <-received)
		err := <-ended
		var full *sioclient.BufferFullError
		check(t, true, errors.As(err, &full))
		check(t, true, full.Bytes <= 1<<20)
		check(t, int64(1), b.Stats().Slow)
		check(t, 1, len(b.Sockets()))
	})
}
