package sioclient_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// pair connects a client to a server of this module, on a network in memory.
func pair(b *testing.B) *sioclient.Socket {
	b.Helper()
	srv, err := sioserver.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	srv.OnConnect(func(s *sioserver.Socket) {
		s.On("ask", func(e *sioclient.Event) error { return e.Ack(e.Args) })
	})
	network := netem.New(nil)
	listener, err := network.Listen("peer.test:80")
	if err != nil {
		b.Fatal(err)
	}
	web := &http.Server{Handler: srv}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	s, err := sioclient.Dial(context.Background(), peerURL, &sioclient.Options{
		Engine: engineio.DialOptions{DialContext: network.DialContext, Transports: []string{engineio.WebSocket}},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = s.Close()
		_ = srv.Close()
		_ = web.Close()
		<-served
	})
	return s
}

func BenchmarkEmit(b *testing.B) {
	s := pair(b)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if err := s.Emit("news", "a short text"); err != nil {
			b.Fatal(err)
		}
		if n%1000 == 999 { // what was sent is through
			if _, err := s.Call(context.Background(), "ask"); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkCall(b *testing.B) {
	s := pair(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Call(context.Background(), "ask", "a short text"); err != nil {
			b.Fatal(err)
		}
	}
}
