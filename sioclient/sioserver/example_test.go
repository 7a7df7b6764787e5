package sioserver_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

func Example() {
	srv, err := sioserver.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	srv.OnConnect(func(s *sioserver.Socket) {
		s.Join("lobby")
		s.On("say", func(e *sioserver.Event) error {
			var text string
			if err := e.Decode(&text); err != nil {
				return err
			}
			return s.To("lobby").Emit("said", s.ID(), text)
		})
	})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	// log.Fatal(http.ListenAndServe(":3000", mux))
}

func ExampleNamespace_Use() {
	srv, err := sioserver.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	srv.Of("/admin").Use(func(_ context.Context, s *sioserver.Socket) error {
		if string(s.Handshake().Auth) != `{"token":"secret"}` {
			return sioclient.Refuse("not authorized", map[string]int{"code": 401})
		}
		return nil
	})
}

func ExampleBroadcast_Call() {
	srv, err := sioserver.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	answers, err := srv.To("sensors").Timeout(5*time.Second).Call(context.Background(), "measure")
	fmt.Println(len(answers), err)
	// Output: 0 <nil>
}
