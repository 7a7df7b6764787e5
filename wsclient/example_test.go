package wsclient_test

import (
	"context"
	"fmt"
	"log"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func Example() {
	srv, err := wstest.Start(&wstest.Options{Handler: func(c *wsconn.Conn) {
		for _, price := range []string{"101.5", "101.7", "end"} {
			if c.Write(wsconn.Text, []byte(price)) != nil {
				return
			}
		}
		wstest.Echo(c)
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	m, err := wsclient.New(srv.URL(), &wsclient.Options{
		Reconnect: wsclient.ReconnectOptions{MaxAttempts: wsclient.Unlimited},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	ctx := context.Background()
	if err := m.Start(ctx); err != nil {
		log.Fatal(err)
	}
	for msg, err := range m.Messages(ctx) {
		if err != nil {
			log.Print(err) // messages are missing here, or this is the end
			continue
		}
		if string(msg.Data) == "end" {
			break
		}
		fmt.Printf("%s\n", msg.Data)
	}
	// Output:
	// 101.5
	// 101.7
}
