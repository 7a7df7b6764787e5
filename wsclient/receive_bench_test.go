package wsclient_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/coder/websocket"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// BenchmarkReceive compares the ways to receive on the loopback device; raw is the library below on its own, with a
// buffer that is used again. The peer sends as fast as it can.
func BenchmarkReceive(b *testing.B) {
	for _, size := range []int{128, 4 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.Run("raw", func(b *testing.B) { benchReadRaw(b, source(b, size), size) })
			b.Run("inline", func(b *testing.B) {
				turn, n := make(chan struct{}), 0
				benchReceive(b, source(b, size), wsclient.ReceiveOptions{InlineHandler: func(wsclient.Message) {
					if n++; n == b.N {
						close(turn)
					}
				}}, func(*wsclient.Manager) { <-turn })
			})
			b.Run("iterator", func(b *testing.B) {
				benchReceive(b, source(b, size), wsclient.ReceiveOptions{Overflow: wsclient.Block}, func(m *wsclient.Manager) {
					n := 0
					for _, err := range m.Messages(b.Context()) {
						if err != nil {
							b.Fatal(err)
						}
						if n++; n == b.N {
							return
						}
					}
				})
			})
		})
	}
}

// source is a peer that sends messages until the connection ends.
func source(b *testing.B, size int) string {
	frame := wstest.Binary(make([]byte, size)).Bytes()
	var block []byte
	for len(block) < 64<<10 {
		block = append(block, frame...)
	}
	peer, err := wstest.Play(nil, upgraded(func(s *wstest.Session) error {
		for s.Raw(block) == nil {
		}
		return nil
	}))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { peer.Close() })
	return peer.URL()
}

func benchReceive(b *testing.B, url string, o wsclient.ReceiveOptions, receive func(*wsclient.Manager)) {
	m, err := wsclient.New(url, &wsclient.Options{Dial: wsclient.DialOptions{Proxy: noProxy}, Receive: o})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Kill()
	b.ReportAllocs()
	b.ResetTimer()
	if err := m.Connect(b.Context()); err != nil {
		b.Fatal(err)
	}
	receive(m)
	b.StopTimer()
}

func benchReadRaw(b *testing.B, url string, size int) {
	c, _, err := websocket.Dial(b.Context(), url, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer c.CloseNow()
	c.SetReadLimit(1 << 20)
	buf := make([]byte, size)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		_, r, err := c.Reader(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = r.Read(buf)
		}
	}
}
