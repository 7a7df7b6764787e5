// Program wsclient keeps a WebSocket through the loss of its connection and loses no message, from outside of the
// repository.
package main

import (
	"context"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

func main() {
	server := httptest.NewServer(http.HandlerFunc(echo))
	defer server.Close()
	ctx := context.Background()
	opts := wsclient.PresetGateway()
	opts.Reconnect.Strategy = wsclient.Immediate
	m, err := wsclient.New("ws"+strings.TrimPrefix(server.URL, "http"), &opts)
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	for gen, text := range []string{"hello", "again"} {
		if err := m.Send(ctx, wsclient.Text, []byte(text)); err != nil {
			log.Fatal(err)
		}
		if msg, err := m.Receive(ctx); err != nil || string(msg.Data) != text || msg.Gen != uint64(gen+1) {
			log.Fatalf("%q %d %v", msg.Data, msg.Gen, err)
		}
		m.KillAndReconnect()
	}
	if err := m.Shutdown(ctx); err != nil {
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
