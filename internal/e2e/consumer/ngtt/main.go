// Program ngtt executes an order of a hub, from outside of the repository.
package main

import (
	"context"
	"errors"
	"log"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
)

func main() {
	hub := ngtttest.New(nil)
	if err := hub.Start(); err != nil {
		log.Fatal(err)
	}
	defer hub.Close()
	cert, key, err := hub.Issue(ngtttest.Device{ID: "pump-1"})
	if err != nil {
		log.Fatal(err)
	}
	credentials, err := ngtt.ParseCredentials(cert, key)
	if err != nil {
		log.Fatal(err)
	}
	var paths []string
	client, err := ngtt.New(credentials, &ngtt.Options{
		Addr: hub.Addr(), RootCAs: hub.RootCAs(),
		Handler: func(ctx context.Context, order *ngtt.Order) {
			if err := errors.Join(order.Decode(&paths), order.Ack(ctx)); err != nil {
				log.Print(err)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	body, err := minijson.Marshal([]string{"W1"})
	if err != nil {
		log.Fatal(err)
	}
	hub.Enqueue("pump-1", body)

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	err = hub.Wait(ctx, "pump-1", func(c ngtttest.Counts) bool { return c.Confirmed == 1 })
	if err := errors.Join(err, client.Shutdown(ctx), <-ended); err != nil {
		log.Fatal(err)
	}
	if len(paths) != 1 || paths[0] != "W1" {
		log.Fatalf("executed %q", paths)
	}
}
