// Program wsclient sends a message over a WebSocket and gets it back, from outside of the repository.
package main

import (
	"context"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

func main() {
	server := httptest.NewServer(http.HandlerFunc(echo))
	defer server.Close()
	conn, err := wsconn.Dial(context.Background(), "ws"+server.URL[len("http"):], nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := conn.Write(wsconn.Text, []byte("hello")); err != nil {
		log.Fatal(err)
	}
	if typ, message, err := conn.Read(nil); err != nil || typ != wsconn.Text || string(message) != "hello" {
		log.Fatalf("%v %q %v", typ, message, err)
	}
	if err := conn.Close(1000, "done"); err != nil {
		log.Fatal(err)
	}
}

func echo(w http.ResponseWriter, r *http.Request) {
	conn, err := wsconn.Accept(w, r, nil)
	for err == nil {
		var typ wsconn.MessageType
		var message []byte
		if typ, message, err = conn.Read(nil); err == nil {
			err = conn.Write(typ, message)
		}
	}
}
