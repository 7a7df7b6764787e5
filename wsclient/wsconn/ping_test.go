package wsconn_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestPing(t *testing.T) {
	t.Parallel()
	t.Run("round trip time", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			p := connect(t, n, wsconn.DialOptions{}, wsconn.AcceptOptions{})
			p.link.Latency(netem.Both, 40*time.Millisecond)
			read(p.client)
			read(p.server)
			for _, c := range []*wsconn.Conn{p.client, p.server} {
				var pinging sync.WaitGroup
				for range 5 {
					pinging.Go(func() {
						if rtt, err := c.Ping(t.Context()); rtt != 80*time.Millisecond || err != nil {
							t.Errorf("got %v, %v", rtt, err)
						}
					})
				}
				pinging.Wait()
			}
		})
	})
	t.Run("silent peer", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			p := connect(t, n, wsconn.DialOptions{}, wsconn.AcceptOptions{})
			read(p.client)
			p.link.HalfOpen()
			start := time.Now()
			_, err := p.client.Ping(t.Context())
			e := want[*wsconn.TimeoutError](t, err)
			if e.Op != "ping" || e.Limit != 10*time.Second || time.Since(start) != 10*time.Second {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			if p.client.Err() != nil {
				t.Error("the connection is closed, which is up to the caller")
			}
		})
	})
	t.Run("behind a long message", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			p := connect(t, n, wsconn.DialOptions{}, wsconn.AcceptOptions{})
			p.link.Bandwidth(netem.Down, 10_000)
			read(p.client)
			read(p.server)
			go p.server.Write(wsconn.Binary, make([]byte, 400_000))
			time.Sleep(time.Second)
			if rtt, err := p.client.Ping(t.Context()); err != nil || rtt < 30*time.Second {
				t.Errorf("got %v, %v", rtt, err)
			}
		})
	})
	t.Run("connection ends", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			p := connect(t, n, wsconn.DialOptions{}, wsconn.AcceptOptions{})
			done := read(p.client)
			time.AfterFunc(time.Second, func() { p.link.Cut(netem.RST) })
			_, err := p.client.Ping(t.Context())
			if cause := <-done; err != cause {
				t.Errorf("got %v, want %v", err, cause)
			}
			want[*wsconn.ClosedError](t, err)
		})
	})
	t.Run("wrong pongs", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			c, _ := connectScript(t, n, wsconn.DialOptions{}, upgraded(func(s *wstest.Session) error {
				s.Send(wstest.Pong("1"), wstest.Pong(""), wstest.Pong("unasked"))
				f, err := s.Next()
				if err != nil {
					return err
				}
				time.Sleep(time.Second)
				return errors.Join(s.Send(wstest.Pong("x"), wstest.Pong(string(f.Payload))), s.Discard())
			}))
			read(c)
			if rtt, err := c.Ping(t.Context()); rtt != time.Second || err != nil {
				t.Errorf("got %v, %v", rtt, err)
			}
		})
	})
	t.Run("answers", func(t *testing.T) {
		t.Parallel()
		pong := make(chan wstest.Frame, 2)
		c := dialScript(t, nil, upgraded(func(s *wstest.Session) error {
			for _, payload := range []string{"", "payload"} {
				if err := s.Send(wstest.Ping(payload)); err != nil {
					return err
				}
				f, err := s.Next()
				if err != nil {
					return err
				}
				pong <- f
			}
			return s.Discard()
		}))
		read(c)
		for _, payload := range []string{"", "payload"} {
			if f := <-pong; f.Opcode != wstest.OpPong || string(f.Payload) != payload || !f.Masked {
				t.Errorf("got %v with %q", f, f.Payload)
			}
		}
	})
}

// Every byte is a sign of life, those inside a message too.
func TestLastRead(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, n *netem.Network) {
		next := make(chan struct{})
		c, _ := connectScript(t, n, wsconn.DialOptions{}, upgraded(func(s *wstest.Session) error {
			return errors.Join(s.Trickle(wstest.Text("abc").Bytes(), 1, func() { <-next }), s.Discard())
		}))
		read(c)
		for range 4 { // between the five bytes
			time.Sleep(time.Minute)
			now := time.Now()
			next <- struct{}{}
			time.Sleep(time.Second)
			if got := c.LastRead(); !got.Equal(now) {
				t.Errorf("last read %v ago", time.Since(got))
			}
		}
	})
}
