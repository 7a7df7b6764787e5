package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// onRooms adds what clients do with rooms.
func onRooms(s *sioserver.Socket) {
	srv := s.Namespace().Server()
	onRoom := func(name string, do func(room string, args packet.Args) error) {
		s.On(name, func(e *sioserver.Event) error {
			var room string
			if err := e.Args.Decode(0, &room); err != nil {
				return err
			}
			if err := do(room, e.Args.Slice(1, e.Args.Len())); err != nil {
				return err
			}
			return e.Ack()
		})
	}
	onRoom("join", func(room string, _ packet.Args) error { s.Join(room); return nil })
	onRoom("leave", func(room string, _ packet.Args) error { s.Leave(room); return nil })
	onRoom("to", func(room string, args packet.Args) error {
		var event string
		if err := args.Decode(0, &event); err != nil {
			return err
		}
		return srv.To(room).Emit(event, args.Slice(1, args.Len()))
	})
	onRoom("disconnect-room", func(room string, _ packet.Args) error { return srv.In(room).DisconnectSockets(false) })
	s.On("to-with-ack", func(e *sioserver.Event) error { return e.Ack(toWithAck(srv, e)) })
	s.On("x-emit", func(e *sioserver.Event) error {
		if err := xEmit(s, e); err != nil {
			return err
		}
		return e.Ack()
	})
}

// toWithAck returns the first arguments of the acknowledgements, or the text that tells what went wrong.
func toWithAck(srv *sioserver.Server, e *sioserver.Event) any {
	var (
		room, event string
		timeoutMS   int64
	)
	if err := e.Args.DecodeAll(&room, &event, &timeoutMS); err != nil {
		return err.Error()
	}
	limit := time.Duration(timeoutMS) * time.Millisecond
	return firstOrText(srv.To(room).Timeout(limit).Call(context.Background(), event))
}

// xEmit is emitted from the server, or from the sender to all others.
func xEmit(s *sioserver.Socket, e *sioserver.Event) error {
	var x struct {
		Event            string
		Args             json.RawMessage
		To, Except       []string
		Local, Broadcast bool
		Volatile         bool
	}
	if err := json.Unmarshal(e.Args.Raw(0), &x); err != nil {
		return err
	}
	args := packet.Args{}
	if x.Args != nil {
		var err error
		if args, err = packet.ParseArgs(x.Args, e.Args.Attachments()); err != nil {
			return err
		}
	}
	// To and Except without rooms change nothing: all sockets are meant.
	op := s.Namespace().To(x.To...)
	if x.Broadcast {
		op = s.To(x.To...)
	}
	op = op.Except(x.Except...)
	if x.Local {
		op = op.Local()
	}
	if x.Volatile {
		op = op.Volatile()
	}
	return op.Emit(x.Event, args)
}
