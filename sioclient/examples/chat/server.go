package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// seenWithin is how long the server waits for those in a room to say that they have seen something.
var seenWithin = 5 * time.Second

// guest is what a client says when it connects.
type guest struct {
	Name string `json:"name"`
	Room string `json:"room"`
}

// message is something that was said.
type message struct {
	From string `json:"from"`
	Text string `json:"text"`
}

// receipt tells who said something how many have seen it.
type receipt struct {
	Seen int `json:"seen"`
	Of   int `json:"of"`
}

func newServer() (*sioserver.Server, error) {
	srv, err := sioserver.New(nil)
	if err != nil {
		return nil, err
	}
	// Here, a client is in its room before it hears anything, also after a reconnection.
	srv.Use(func(_ context.Context, s *sioserver.Socket) error {
		var g guest
		if err := json.Unmarshal(s.Handshake().Auth, &g); err != nil || g.Name == "" || g.Room == "" {
			return sioclient.Refuse("say your name and the room", nil)
		}
		s.SetData(g)
		s.Join("room " + g.Room)
		return nil
	})
	srv.OnConnect(func(s *sioserver.Socket) { welcome(srv, s) })
	return srv, nil
}

// welcome adds the handlers of a client that was let in.
func welcome(srv *sioserver.Server, s *sioserver.Socket) {
	g := s.Data().(guest)
	others := s.To("room " + g.Room)
	_ = others.Emit("joined", g.Name) // nothing here can fail to be encoded
	s.OnDisconnect(func(sioclient.Reason, error) {
		_ = srv.To("room "+g.Room).Emit("left", g.Name)
	})
	sioclient.Reply1(s, "say", func(text string) (receipt, error) {
		answers, err := others.Timeout(seenWithin).Call(context.Background(), "said", message{g.Name, text})
		r := receipt{Seen: len(answers), Of: len(answers)}
		if late, ok := errors.AsType[*sioclient.AckTimeoutError](err); ok { // some are slow, or have gone
			r.Of, err = late.Expected, nil
		}
		return r, err
	})
}
