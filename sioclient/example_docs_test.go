package sioclient_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

func serveOldClients(mux *http.ServeMux) (*sioserver.Server, error) {
	srv, err := sioserver.New(&sioserver.Options{
		Engine: engineio.ServerOptions{AllowEIO3: true}, // the clients you have
	})
	if err != nil {
		return nil, err
	}
	srv.OnConnect(func(s *sioserver.Socket) {
		sioclient.On1(s, "notice", func(msg string) {
			_ = s.Emit("reply", "have "+msg)
		})
		sioclient.Reply0(s, "bye", func() (string, error) { return "goodbye", nil })
		s.OnDisconnect(func(reason sioclient.Reason, _ error) { fmt.Println("closed:", reason) })
	})
	mux.Handle("/socket.io/", srv)
	return srv, nil
}

// Example_oldClients is a server for clients of Socket.IO 2, and such a client.
func Example_oldClients() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	mux := http.NewServeMux()
	srv, err := serveOldClients(mux)
	if err != nil {
		fmt.Println(err)
		return
	}
	front := httptest.NewServer(mux)
	defer front.Close()
	defer srv.Close()

	socket, err := sioclient.Dial(ctx, front.URL, &sioclient.Options{Version: sioclient.Version3})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := socket.Emit("notice", "a letter"); err != nil {
		fmt.Println(err)
	}
	if event, err := socket.Receive(ctx); err == nil {
		fmt.Println(event.Name, string(event.Args.JSON()))
	}
	answer, err := sioclient.Call1[string](ctx, socket, "bye")
	fmt.Println(answer, err)
	srv.Sockets()[0].OnDisconnect(func(sioclient.Reason, error) { cancel() })
	_ = socket.Close()
	<-ctx.Done()
	// Output:
	// reply ["have a letter"]
	// goodbye <nil>
	// closed: client namespace disconnect
}
