package main

import (
	"context"
	"log/slog"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// newSockets makes the Socket.IO server with everything that clients find on it.
func newSockets(set *settings, logger *slog.Logger) (*sioserver.Server, error) {
	o := &sioserver.Options{
		Engine: set.transport(set.path, logger), ConnectTimeout: set.connectTimeout, Parser: set.parser, Logger: logger,
	}
	if set.recovery > 0 {
		o.Recovery = &sioserver.RecoveryOptions{MaxDisconnection: set.recovery}
	}
	srv, err := sioserver.New(o)
	if err != nil {
		return nil, err
	}
	mainNamespace(srv, set.serverID)
	for _, name := range []string{"/timeout_socket", "/valid", "/asd"} {
		srv.Of(name)
	}
	srv.Of("/no").Use(func(context.Context, *sioserver.Socket) error {
		return sioclient.Refuse("Auth failed (custom namespace)", nil)
	})
	srv.Of("/custom").OnConnect(emitAuth)
	srv.Of("/foo").OnConnect(func(s *sioserver.Socket) { sioclient.Reply0(s, "getId", idOf(s)) })
	srv.Of("/abc").OnConnect(func(s *sioserver.Socket) { _ = s.Emit("handshake", s.Handshake()) })
	return srv, nil
}

func mainNamespace(srv *sioserver.Server, serverID string) {
	srv.Use(func(_ context.Context, s *sioserver.Socket) error {
		if s.Handshake().Query.Has("fail") {
			return sioclient.Refuse("Auth failed (main namespace)", nil)
		}
		return nil
	})
	srv.OnAny(func(e *sioserver.Event) error { return e.Ack(serverID) })
	var ended reasons
	srv.Observe(sioserver.Observer{Disconnected: func(s *sioserver.Socket, reason sioclient.Reason) {
		if s.Namespace().Name() == "/" {
			ended.add(s.ID(), reason)
		}
	}})
	srv.OnConnect(func(s *sioserver.Socket) {
		emitAuth(s)
		onTexts(s)
		onBytes(s)
		onRooms(s)
		onCluster(s)
		sioclient.Reply0(s, "whoami", func() (string, error) { return serverID, nil })
		sioclient.Reply1(s, "x-reason", func(id string) (*sioclient.Reason, error) { return ended.of(id), nil })
	})
}

// emitAuth shows a client what it sent to prove itself. If it is gone again, nobody is left to tell.
func emitAuth(s *sioserver.Socket) { _ = s.Emit("auth", s.Handshake().Auth) }

func idOf(s *sioserver.Socket) func() (string, error) {
	return func() (string, error) { return s.ID(), nil }
}
