package main

import (
	"context"
	"errors"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// onCluster adds what concerns sockets and servers wherever they are.
func onCluster(s *sioserver.Socket) {
	srv := s.Namespace().Server()
	s.On("fetch", func(e *sioserver.Event) error {
		var room string
		if err := e.Decode(&room); err != nil {
			return err
		}
		found, err := srv.In(room).FetchSockets(context.Background())
		if err != nil {
			return e.Ack(err.Error())
		}
		ids := make([]string, len(found))
		for i, one := range found {
			ids[i] = one.ID
		}
		return e.Ack(ids)
	})
	s.On("sockets-join", func(e *sioserver.Event) error {
		var from, to string
		if err := e.Decode(&from, &to); err != nil {
			return err
		}
		if err := srv.In(from).SocketsJoin(to); err != nil {
			return err
		}
		return e.Ack()
	})
	s.On("side", func(e *sioserver.Event) error {
		var event string
		if err := e.Args.Decode(0, &event); err != nil {
			return err
		}
		args := e.Args.Slice(1, e.Args.Len())
		return e.Ack(firstOrText(srv.ServerSideCall(context.Background(), event, args)))
	})
}

// firstOrText returns the first arguments of acknowledgements, as they came, or the text that tells what went wrong.
func firstOrText(acks []packet.Args, err error) any {
	switch {
	case errors.Is(err, sioclient.ErrTimeout):
		return "operation has timed out" // the words of the official implementation
	case err != nil:
		return err.Error()
	}
	first := make([]any, len(acks))
	for i, args := range acks {
		if args.Len() == 0 {
			continue
		}
		if err := args.UseNumber().Decode(0, &first[i]); err != nil {
			return err.Error()
		}
	}
	return first
}
