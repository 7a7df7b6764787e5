package ngtt_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// BenchmarkOrderRoundTrip measures the time from an order to its confirmation on loopback TLS, beside an echo of the
// same bytes on the same sort of connection without any client. The two take turns, so that what else the machine does
// hits both. It reports the medians and their ratio.
func BenchmarkOrderRoundTrip(b *testing.B) {
	order, err := wire.AppendFrame(nil, wire.Frame{Type: wire.TypeOrder, TID: 7, Body: body("W00000000")})
	if err != nil {
		b.Fatal(err)
	}
	n, path := 0, bytes.Index(order, []byte("00000000"))
	linked, echoed := linkedPeer(b), echoPeer(b)
	confirm := make([]byte, wire.HeaderSize)
	echo := make([]byte, len(order))
	trip := func(peer net.Conn, answer []byte) time.Duration {
		began := time.Now()
		if _, err := peer.Write(order); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(peer, answer); err != nil {
			b.Fatal(err)
		}
		took := time.Since(began)
		for len(answer) == wire.HeaderSize && wire.Type(answer[7]) == wire.TypePing { // before the confirmation
			if _, err := peer.Write(answer); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(peer, answer); err != nil {
				b.Fatal(err)
			}
		}
		return took
	}
	var links, echoes []time.Duration
	for b.Loop() {
		n++
		order[5] = byte(n)
		copy(order[path:], fmt.Sprintf("%08d", n)) // orders differ
		links = append(links, trip(linked, confirm))
		echoes = append(echoes, trip(echoed, echo))
	}
	slices.Sort(links)
	slices.Sort(echoes)
	order50, echo50 := links[len(links)/2], echoes[len(echoes)/2]
	b.ReportMetric(float64(order50.Nanoseconds()), "order-p50-ns")
	b.ReportMetric(float64(echo50.Nanoseconds()), "echo-p50-ns")
	b.ReportMetric(float64(order50)/float64(echo50), "ratio")
}

// linkedPeer returns the hub's end of a connection whose other end is a client that confirms every order.
func linkedPeer(b *testing.B) net.Conn {
	b.Helper()
	listener, authority := listenTLS(b)
	client, err := ngtt.New(deviceOf(b, authority), &ngtt.Options{
		Addr: listener.Addr().String(), RootCAs: authority.Pool(),
		Handler: func(ctx context.Context, o *ngtt.Order) { _ = o.Ack(ctx) },
	})
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = client.Run(context.Background()) }()
	b.Cleanup(func() { _ = client.Close() })
	peer, err := listener.Accept()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = peer.Close() })
	if _, err := io.ReadFull(peer, make([]byte, wire.HeaderSize)); err != nil { // FETCH_ORDERS
		b.Fatal(err)
	}
	return peer
}

// echoPeer returns one end of a connection whose other end sends back what it reads.
func echoPeer(b *testing.B) net.Conn {
	b.Helper()
	listener, authority := listenTLS(b)
	cert, err := authority.Client(device)
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{
			RootCAs: authority.Pool(), Certificates: []tls.Certificate{cert},
		})
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			if _, err := conn.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	peer, err := listener.Accept()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = peer.Close() })
	return peer
}

func listenTLS(b *testing.B) (net.Listener, *certs.CA) {
	b.Helper()
	authority, err := certs.NewCA("bench")
	if err != nil {
		b.Fatal(err)
	}
	cert, err := authority.Server("127.0.0.1")
	if err != nil {
		b.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Pool(),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = listener.Close() })
	return listener, authority
}
