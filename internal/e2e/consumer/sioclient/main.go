// Program sioclient lets two Socket.IO clients talk through a server, from outside of the repository: an event, an
// acknowledgement, a broadcast to a room, and a refusal with its typed error.
package main

import (
	"context"
	"errors"
	"log"
	"net/http/httptest"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := sioserver.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	server.OnConnect(func(s *sioserver.Socket) {
		sioclient.Reply1(s, "join", func(room string) (int, error) {
			s.Join(room)
			return len(s.Rooms()), nil
		})
		sioclient.On2(s, "say", func(room, text string) {
			if err := server.To(room).Emit("said", text); err != nil {
				log.Fatal(err)
			}
		})
	})
	server.Of("/admin").Use(func(context.Context, *sioserver.Socket) error { return sioclient.Refuse("not today", nil) })
	front := httptest.NewServer(server)

	var sockets []*sioclient.Socket
	for range 2 {
		socket, err := sioclient.Dial(ctx, front.URL, nil)
		if err != nil {
			log.Fatal(err)
		}
		if rooms, err := sioclient.Call1[int](ctx, socket, "join", "pumps"); err != nil || rooms != 2 {
			log.Fatalf("%d %v", rooms, err)
		}
		sockets = append(sockets, socket)
	}
	if err := sockets[0].Emit("say", "pumps", "running"); err != nil {
		log.Fatal(err)
	}
	for _, socket := range sockets {
		event, err := socket.Receive(ctx)
		if err != nil {
			log.Fatal(err)
		}
		var text string
		if err := event.Decode(&text); err != nil || event.Name != "said" || text != "running" {
			log.Fatalf("%s %q %v", event.Name, text, err)
		}
	}
	_, err = sioclient.Dial(ctx, front.URL+"/admin", nil)
	if refused, ok := errors.AsType[*sioclient.ConnectionRefusedError](err); !ok || refused.Message != "not today" {
		log.Fatal(err)
	}
	for _, socket := range sockets {
		if err := socket.Close(); err != nil {
			log.Fatal(err)
		}
	}
	if err := server.Close(); err != nil {
		log.Fatal(err)
	}
	front.Close()
}
