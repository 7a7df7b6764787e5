// Program smok stores a value, brings it to a hub and follows an order, from outside of the repository.
package main

import (
	"context"
	"errors"
	"log"
	"os"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
	"github.com/fieldlink-go/fieldlink/smok/store/diskstore"
)

func main() {
	dir, err := os.MkdirTemp("", "smok")
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(run(dir), os.RemoveAll(dir)); err != nil {
		log.Fatal(err)
	}
}

func run(dir string) error {
	hub := smoktest.New(nil)
	if err := hub.Start(); err != nil {
		return err
	}
	defer hub.Close()
	cert, key, err := hub.Issue(ngtttest.Device{ID: "pump-1"})
	if err != nil {
		return err
	}
	credentials, err := ngtt.ParseCredentials(cert, key)
	if err != nil {
		return err
	}
	store, err := diskstore.Open(dir, nil)
	if err != nil {
		return err
	}
	device, err := smok.New(credentials, &smok.Options{
		BaseURL: hub.URL(), RootCAs: hub.RootCAs(), Auth: smok.AuthMTLS, Store: store,
		NGTT: &ngtt.Options{Addr: hub.NGTTAddr()},
	})
	if err != nil {
		return errors.Join(err, store.Close())
	}
	written := make(chan any, 1)
	point, err := device.Register("W1", smok.Trend, &smok.PathpointOptions{
		Write: func(_ context.Context, v any, _ smok.Advise) error { written <- v; return nil },
	})
	if err != nil {
		return errors.Join(err, device.Close())
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err = point.Set(ctx, time.Time{}, 4)
	pump := hub.Device("pump-1")
	_, queued := pump.Enqueue(smoktest.Section{Orders: []smoktest.Order{smoktest.Write("W1", 5)}})
	ended := make(chan error, 1)
	go func() { ended <- device.Run(ctx) }()
	arrived := hub.Wait(ctx, func() bool { c := pump.Counts(); return c.Samples == 1 && c.Orders.Confirmed == 1 })
	if err := errors.Join(err, queued, arrived, device.Shutdown(ctx), <-ended); err != nil {
		return err
	}
	if v := <-written; v != int64(5) {
		return errors.New("the order wrote something else")
	}
	return nil
}
