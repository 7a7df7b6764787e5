package wsclient_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// BenchmarkSend compares the ways to send on the loopback device; raw is the library below on its own. The peer reads
// everything. Each number is the time until the last message was written or, where that is asked for, acknowledged.
func BenchmarkSend(b *testing.B) {
	for _, size := range []int{128, 4 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.Run("raw", func(b *testing.B) { benchRaw(b, size) })
			b.Run("direct", func(b *testing.B) { benchSend(b, size, wsclient.SendOptions{}) })
			queued := wsclient.SendOptions{Mode: wsclient.SendQueued, Overflow: wsclient.Block}
			b.Run("queued", func(b *testing.B) { benchSend(b, size, queued) })
			b.Run("enqueue", func(b *testing.B) { benchEnqueue(b, size, queued) })
			acked := queued
			acked.Mode, acked.Ack = wsclient.SendAtLeastOnce, &wsclient.AckOptions{
				Cumulative: true,
				Wrap: func(dst []byte, number uint64, o wsclient.Outgoing) []byte {
					return append(binary.BigEndian.AppendUint64(dst, number), o.Data...)
				},
				Extract: func(m wsclient.Message) (wsclient.Ack, bool) {
					return wsclient.Ack{IDs: []string{string(m.Data)}}, true
				},
			}
			b.Run("at least once", func(b *testing.B) { benchSend(b, size, acked) })
			b.Run("spool", func(b *testing.B) {
				s, err := spool.Open(b.TempDir(), &spool.Options{Sync: spool.SyncEvery, MaxBytes: 1 << 30})
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() { s.Close() })
				spooled := queued
				spooled.Spool = s
				benchSend(b, size, spooled)
			})
		})
	}
}

// ackEvery is how many messages the peer acknowledges at a time.
const ackEvery = 64

// sink is a peer that reads messages fast, and acknowledges those that begin with a number.
func sink(b *testing.B, acks bool) string {
	b.Helper()
	if !acks {
		peer, err := wstest.Play(nil, upgraded(func(s *wstest.Session) error {
			_, err := io.Copy(io.Discard, s.Conn())
			return err
		}))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { peer.Close() })
		return peer.URL()
	}
	srv, err := wstest.Start(&wstest.Options{Handler: func(c *wsconn.Conn) {
		var buf []byte
		for n := 1; ; n++ {
			_, msg, err := c.Read(buf)
			if err != nil {
				return
			}
			buf = msg
			if number := binary.BigEndian.Uint64(msg); n%ackEvery == 0 || number == last.Load() {
				if c.Write(wsconn.Text, strconv.AppendUint(nil, number, 10)) != nil {
					return
				}
			}
		}
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { srv.Close() })
	return srv.URL()
}

// last is the number of the last message of a benchmark, which is acknowledged at once.
var last atomic.Uint64

func benchRaw(b *testing.B, size int) {
	c, _, err := websocket.Dial(context.Background(), sink(b, false), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer c.CloseNow()
	data := bytes.Repeat([]byte("x"), size)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Write(context.Background(), websocket.MessageBinary, data); err != nil {
			b.Fatal(err)
		}
	}
}

func benchManager(b *testing.B, o wsclient.SendOptions) *wsclient.Manager {
	b.Helper()
	m, err := wsclient.New(sink(b, o.Ack != nil), &wsclient.Options{Send: o})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close() })
	if err := m.Connect(b.Context()); err != nil {
		b.Fatal(err)
	}
	return m
}

func benchSend(b *testing.B, size int, o wsclient.SendOptions) {
	m := benchManager(b, o)
	data := bytes.Repeat([]byte("x"), size)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	last.Store(uint64(b.N))
	b.ResetTimer()
	for range b.N - 1 {
		if err := m.Send(context.Background(), wsconn.Binary, data); err != nil {
			b.Fatal(err)
		}
	}
	if o.Mode != wsclient.SendDirect {
		finish(b, m, data)
	}
}

// finish sends the last message and waits until it is done.
func finish(b *testing.B, m *wsclient.Manager, data []byte) {
	r, err := m.Enqueue(context.Background(), wsclient.Outgoing{Type: wsconn.Binary, Data: data})
	if err != nil {
		b.Fatal(err)
	}
	<-r.Done()
	if r.Err() != nil {
		b.Fatal(r.Err())
	}
}

func benchEnqueue(b *testing.B, size int, o wsclient.SendOptions) {
	m := benchManager(b, o)
	msg := wsclient.Outgoing{Type: wsconn.Binary, Data: bytes.Repeat([]byte("x"), size)}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N - 1 {
		if _, err := m.Enqueue(context.Background(), msg); err != nil {
			b.Fatal(err)
		}
	}
	finish(b, m, msg.Data)
}
