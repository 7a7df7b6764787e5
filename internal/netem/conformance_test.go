package netem_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
)

// TestConformance asks of a link what every net.Conn must do, after the rows of golang.org/x/net/nettest. The rows run
// on real sockets as well, to know that they ask for the right things.
func TestConformance(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		test func(t *testing.T, a, b conn)
	}{
		{"basic transfer", testTransfer},
		{"ping-pong", testPingPong},
		{"racy read", testRacyRead},
		{"racy write", testRacyWrite},
		{"read deadline", testReadDeadline},
		{"write deadline", testWriteDeadline},
		{"past deadline ends a blocked call", testPresentDeadline},
		{"deadline moved later", testMovedDeadline},
		{"close ends blocked calls", testCloseUnblocks},
		{"writes do not mix", testWholeWrites},
		{"concurrent methods", testConcurrentMethods},
	}
	network := func(opts *netem.Options, setup func(*netem.Network)) func(*testing.T) (conn, conn) {
		return func(t *testing.T) (conn, conn) {
			network := netem.New(opts)
			if setup != nil {
				setup(network)
			}
			a, b := memoryPair(t, network)
			return a, b
		}
	}
	links := []struct {
		name string
		make func(t *testing.T) (a, b conn)
	}{
		{"plain", network(nil, nil)},
		{"window of 10", network(&netem.Options{Window: 10}, nil)},
		{"window of 1000", network(&netem.Options{Window: 1000}, nil)},
		{"latency", network(&netem.Options{Latency: 10 * time.Millisecond}, nil)},
		{"chunks of 7", network(nil, func(n *netem.Network) { n.Chunk(netem.Both, 7) })},
		{"1 MB/s", network(nil, func(n *netem.Network) { n.Bandwidth(netem.Both, 1_000_000) })},
		{"backwards", func(t *testing.T) (conn, conn) { _, a, b := linkPair(t, nil); return b, a }},
	}
	for _, tc := range rows {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, link := range links {
				t.Run(link.name, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						a, b := link.make(t)
						tc.test(t, a, b)
					})
				})
			}
			t.Run("outside a bubble", func(t *testing.T) {
				t.Parallel()
				_, a, b := linkPair(t, nil)
				tc.test(t, a, b)
			})
			t.Run("sockets", func(t *testing.T) {
				t.Parallel()
				a, b := tcpPair(t)
				tc.test(t, a, b)
			})
			t.Run("proxy", func(t *testing.T) {
				t.Parallel()
				_, a, b := proxyPair(t)
				tc.test(t, a, b)
			})
		})
	}
}

// mustTimeout checks the form of a deadline's error.
func mustTimeout(t *testing.T, err error) {
	t.Helper()
	var netErr net.Error
	if !errors.As(err, &netErr) || !netErr.Timeout() {
		t.Errorf("got %v, want a net.Error with Timeout", err)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want os.ErrDeadlineExceeded in it", err)
	}
}

func testTransfer(t *testing.T, a, b conn) {
	data := make([]byte, 200_000)
	for i := range data {
		data[i] = byte(i * i >> 3)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if n, err := io.Copy(a, bytes.NewReader(data)); n != int64(len(data)) || err != nil {
			t.Errorf("wrote %d: %v", n, err)
		}
		if err := a.CloseWrite(); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() { // b echoes
		got, err := io.ReadAll(b)
		if err != nil {
			t.Error(err)
		}
		if _, err := b.Write(got); err != nil {
			t.Error(err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	got, err := io.ReadAll(a)
	if err != nil || sha256.Sum256(got) != sha256.Sum256(data) {
		t.Errorf("%d bytes came back, %d or others were sent: %v", len(got), len(data), err)
	}
	wg.Wait()
}

func testPingPong(t *testing.T, a, b conn) {
	const rounds = 200
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 1)
		for range rounds {
			if _, err := io.ReadFull(b, buf); err != nil {
				t.Error(err)
				return
			}
			buf[0]++
			if _, err := b.Write(buf); err != nil {
				t.Error(err)
				return
			}
		}
	})
	buf := make([]byte, 1)
	for i := range rounds {
		sent := byte(i)
		if _, err := a.Write([]byte{sent}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(a, buf); err != nil || buf[0] != sent+1 {
			t.Fatalf("round %d: got %d, %v", i, buf[0], err)
		}
	}
	wg.Wait()
}

func testRacyRead(t *testing.T, a, b conn) {
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(b, rand.NewChaCha8([32]byte{})) }) // until a is closed
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			buf := make([]byte, 512)
			for range 10 {
				if _, err := a.Read(buf); err != nil {
					mustTimeout(t, err)
				}
				if err := a.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	readers.Wait()
	_ = a.Close()
	wg.Wait()
}

func testRacyWrite(t *testing.T, a, b conn) {
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(io.Discard, b) })
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			buf := make([]byte, 512)
			for range 10 {
				if _, err := a.Write(buf); err != nil {
					mustTimeout(t, err)
				}
				if err := a.SetWriteDeadline(time.Now().Add(time.Millisecond)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	_ = a.Close()
	wg.Wait()
}

func testReadDeadline(t *testing.T, a, b conn) {
	for range 3 { // each must be as good as the first
		if err := a.SetReadDeadline(time.Now().Add(5 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		_, err := a.Read(make([]byte, 1))
		mustTimeout(t, err)
		_, err = a.Read(make([]byte, 1)) // it stays over
		mustTimeout(t, err)
	}
	if got := write(a, "x") + read(b); got != "okx" {
		t.Errorf("a read deadline changed writing: %s", got)
	}
	if err := a.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got := write(b, "y") + read(a); got != "oky" {
		t.Errorf("after the deadline was removed: %s", got)
	}
}

func testWriteDeadline(t *testing.T, a, b conn) {
	if err := a.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var sent int
	for {
		n, err := a.Write(make([]byte, 100_000)) // nobody reads
		sent += n
		if err != nil {
			mustTimeout(t, err)
			break
		}
	}
	if err := a.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	// Exactly what was said to be written has been written.
	var wg sync.WaitGroup
	wg.Go(func() {
		if got := write(a, "end"); got != "ok" {
			t.Error(got)
		}
		_ = a.CloseWrite()
	})
	got, err := io.ReadAll(b)
	if err != nil || len(got) != sent+len("end") {
		t.Errorf("read %d bytes, want %d: %v", len(got), sent+len("end"), err)
	}
	wg.Wait()
}

func testPresentDeadline(t *testing.T, a, _ conn) {
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := a.Read(make([]byte, 1))
		mustTimeout(t, err)
	})
	wg.Go(func() {
		for {
			if _, err := a.Write(make([]byte, 100_000)); err != nil {
				mustTimeout(t, err)
				return
			}
		}
	})
	wg.Go(func() { _ = a.SetDeadline(time.Unix(1, 0)) }) // before, while or after they block
	wg.Wait()
}

func testMovedDeadline(t *testing.T, a, b conn) {
	if err := a.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	moved := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		close(moved)
		_, err := a.Read(make([]byte, 1))
		mustTimeout(t, err)
	})
	<-moved
	if err := a.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	for range 100 { // moving a deadline ahead of itself never lets it pass
		if err := a.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if got := write(b, "z") + read(a); got != "okz" {
		t.Errorf("after the deadline was moved: %s", got)
	}
}

func testCloseUnblocks(t *testing.T, a, _ conn) {
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if got := read(a); got != "closed" {
				t.Errorf("read: %s", got)
			}
		})
		wg.Go(func() {
			for {
				if _, err := a.Write(make([]byte, 100_000)); err != nil {
					if got := outcome(err); got != "closed" {
						t.Errorf("write: %s", got)
					}
					return
				}
			}
		})
	}
	wg.Go(func() { _ = a.Close() })
	wg.Wait()
}

func testWholeWrites(t *testing.T, a, b conn) {
	const size, each = 3000, 20 // larger than some of the windows
	var wg sync.WaitGroup
	for letter := byte('a'); letter < 'e'; letter++ {
		wg.Go(func() {
			for range each {
				if _, err := a.Write(bytes.Repeat([]byte{letter}, size)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 4 * each {
		block := make([]byte, size)
		if _, err := io.ReadFull(b, block); err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(block, block[:1]); n != size {
			t.Fatalf("a block of %q holds %d other bytes", block[0], size-n)
		}
	}
	wg.Wait()
}

func testConcurrentMethods(_ *testing.T, a, b conn) {
	var wg sync.WaitGroup
	for _, c := range []conn{a, b} {
		for range 20 {
			wg.Go(func() { _, _ = c.Read(make([]byte, 1024)) })
			wg.Go(func() { _, _ = c.Write(make([]byte, 1024)) })
			wg.Go(func() { _ = c.SetDeadline(time.Now().Add(10 * time.Millisecond)) })
			wg.Go(func() { _ = c.SetReadDeadline(time.Now().Add(5 * time.Millisecond)) })
			wg.Go(func() { _ = c.SetWriteDeadline(time.Now().Add(5 * time.Millisecond)) })
			wg.Go(func() { _ = c.LocalAddr().String() + c.RemoteAddr().Network() })
		}
		wg.Go(func() { _ = c.CloseWrite() })
	}
	_ = a.SetDeadline(time.Now().Add(20 * time.Millisecond))
	_ = b.SetDeadline(time.Now().Add(20 * time.Millisecond))
	wg.Wait()
}
