package ngtt_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
)

// serve is the program of the README.
func serve(ctx context.Context, addr string, certPEM, keyPEM []byte, pool *x509.CertPool) error {
	credentials, err := ngtt.ParseCredentials(certPEM, keyPEM)
	if err != nil {
		return err
	}
	client, err := ngtt.New(credentials, &ngtt.Options{
		Addr:    addr, // empty means the hub of the certificate's environment
		RootCAs: pool,
		Handler: func(ctx context.Context, order *ngtt.Order) {
			var sections []struct {
				Orders []struct {
					Type  string `minijson:"type"`
					Path  string `minijson:"path"`
					Value int    `minijson:"value"`
				} `minijson:"orders"`
			}
			if err := order.Decode(&sections); err != nil {
				_ = order.Nack(ctx) // the connection may be gone, then it comes again
				return
			}
			for _, o := range sections[0].Orders {
				fmt.Println(o.Type, o.Path, o.Value)
			}
			_ = order.Ack(ctx) // likewise, and it is not executed again
		},
	})
	if err != nil {
		return err
	}
	return client.Run(ctx)
}

// explain is the table of errors of the README as a program.
func explain(err error) string {
	failed, isConnection := errors.AsType[*ngtt.ConnectionFailedError](err)
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return "ended"
	case errors.Is(err, ngtt.ErrInvalidCredentials):
		return "get a certificate for this device"
	case isConnection && failed.Reason == ngtt.ReasonRejected:
		return "the hub does not accept the certificate: " + failed.Hint
	case isConnection && failed.NoInternet:
		return "no way to the hub"
	case errors.Is(err, errkit.Auth):
		return "the hub is not the one that is trusted"
	}
	return err.Error()
}

func Example() {
	hub := ngtttest.New(nil)
	if err := hub.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer hub.Close()
	cert, key, err := hub.Issue(ngtttest.Device{ID: "pump-1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	body, err := minijson.Marshal([]map[string]any{{
		"orders": []map[string]any{{"type": "write", "path": "W1", "value": 5}},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	hub.Enqueue("pump-1", body)

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	go func() {
		defer cancel()
		_ = hub.Wait(ctx, "pump-1", func(c ngtttest.Counts) bool { return c.Confirmed == 1 })
	}()
	fmt.Println(explain(serve(ctx, hub.Addr(), cert, key, hub.RootCAs())))
	fmt.Println(explain(serve(ctx, hub.Addr(), cert, nil, hub.RootCAs())))
	// Output:
	// write W1 5
	// ended
	// get a certificate for this device
}
