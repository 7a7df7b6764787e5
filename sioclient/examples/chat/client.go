package main

import (
	"context"
	"errors"
	"log"

	"github.com/fieldlink-go/fieldlink/sioclient"
)

// talk says each line in the room, and shows what others say, until there are no more lines or ctx is done.
func talk(ctx context.Context, s settings, lines <-chan string, screen *log.Logger) error {
	manager, err := sioclient.NewManager(s.url, nil)
	if err != nil {
		return err
	}
	defer manager.Close()
	socket, err := manager.Socket("/", &sioclient.SocketOptions{Auth: guest{s.name, s.room}})
	if err != nil {
		return err
	}
	sioclient.Reply1(socket, "said", func(m message) (bool, error) { // the acknowledgement: it was seen
		screen.Printf("%s: %s", m.From, m.Text)
		return true, nil
	})
	sioclient.On1(socket, "joined", func(name string) { screen.Println(name, "came") })
	sioclient.On1(socket, "left", func(name string) { screen.Println(name, "left") })
	socket.OnConnect(func() { screen.Println("you are in", s.room) })
	socket.OnDisconnect(func(reason sioclient.Reason, _ error) { screen.Println("disconnected:", reason) })

	if err := socket.Connect(ctx); err != nil {
		if refused, ok := errors.AsType[*sioclient.ConnectionRefusedError](err); ok {
			return errors.New(refused.Message)
		}
		return err
	}
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				return nil
			}
			r, err := sioclient.Call1[receipt](ctx, socket, "say", line)
			switch {
			case errors.Is(err, sioclient.ErrDisconnected):
				screen.Println("that may have been lost") // the socket comes back by itself
			case err != nil:
				return err
			default:
				screen.Printf("seen by %d of %d", r.Seen, r.Of)
			}
		case <-ctx.Done():
			return nil
		}
	}
}
