package sioclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
	"github.com/fieldlink-go/fieldlink/sioclient/siotest"
)

// The programs of the README.

type reading struct {
	Boiler  int     `json:"boiler"`
	Celsius float64 `json:"celsius"`
}

func watch(ctx context.Context, url, token string) error {
	socket, err := sioclient.Dial(ctx, url, &sioclient.Options{
		Socket: sioclient.SocketOptions{Auth: map[string]string{"token": token, "room": "boilers"}},
	})
	if err != nil {
		return err
	}
	defer socket.Close()
	for event, err := range socket.Events(ctx) { // across connections
		if lost, ok := errors.AsType[*sioclient.BufferFullError](err); ok {
			fmt.Println("missing here:", lost.Messages)
			continue
		}
		if err != nil {
			return err
		}
		var r reading
		if err := event.Decode(&r); err != nil {
			return err
		}
		fmt.Printf("boiler %d: %.1f °C\n", r.Boiler, r.Celsius)
	}
	return nil
}

func station(token string) (*sioserver.Server, error) {
	srv, err := sioserver.New(&sioserver.Options{Recovery: &sioserver.RecoveryOptions{}})
	if err != nil {
		return nil, err
	}
	srv.Use(func(_ context.Context, s *sioserver.Socket) error {
		var auth struct{ Token, Room string }
		if err := json.Unmarshal(s.Handshake().Auth, &auth); err != nil || auth.Token != token {
			return sioclient.Refuse("wrong token", nil)
		}
		s.Join(auth.Room)
		return nil
	})
	srv.OnConnect(func(s *sioserver.Socket) {
		sioclient.Reply1(s, "measured", func(r reading) (string, error) {
			return "noted", s.To("boilers").Emit("reading", r)
		})
	})
	return srv, nil // serve it: http.Handle("/socket.io/", srv)
}

func report(ctx context.Context, url, token string, readings []reading) error {
	socket, err := sioclient.Dial(ctx, url, &sioclient.Options{
		RetryFirst:           true, // the server may be down when the gateway starts
		ReconnectionDelayMax: time.Minute,
		Socket: sioclient.SocketOptions{
			Auth:       map[string]string{"token": token},
			Retries:    10, // until the server has acknowledged it
			AckTimeout: 10 * time.Second,
		},
	})
	if err != nil {
		return err
	}
	defer socket.Close()
	for _, r := range readings {
		answer, err := sioclient.Call1[string](ctx, socket, "measured", r)
		if err != nil {
			return err // this one may have arrived or not
		}
		fmt.Println(answer)
	}
	return nil
}

func explain(err error) string {
	var (
		refused *sioclient.ConnectionRefusedError
		connect *sioclient.ConnectionError
		late    *sioclient.TimeoutError
		lost    *sioclient.DisconnectedError
		engine  *sioclient.EngineError
	)
	switch {
	case errors.As(err, &refused):
		return fmt.Sprintf("the server does not want us: %s", refused.Message)
	case errors.As(err, &connect):
		return fmt.Sprintf("no connection to %v", connect.Namespaces)
	case errors.As(err, &late):
		return fmt.Sprintf("no acknowledgement of %q in %v", late.Event, late.Limit)
	case errors.As(err, &lost):
		return fmt.Sprintf("the link ended: %s", lost.Reason)
	case errors.As(err, &engine):
		return fmt.Sprintf("%s failed with status %d", engine.Transport, engine.Status)
	case errors.Is(err, sioclient.Err):
		return "another error of this package: " + err.Error()
	}
	return "not of this package"
}

// Example is a server with a client that watches and one that reports.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	srv, err := station("123")
	if err != nil {
		fmt.Println(err)
		return
	}
	front := httptest.NewServer(srv)
	defer front.Close()
	defer srv.Close()
	joined := make(chan struct{})
	first := sync.OnceFunc(func() { close(joined) })
	srv.OnConnect(func(*sioserver.Socket) { first() })

	watched := make(chan error, 1)
	go func() { watched <- watch(ctx, front.URL, "123") }()
	<-joined
	if err := report(ctx, front.URL, "123", []reading{{1, 71.5}, {2, 69}}); err != nil {
		fmt.Println(err)
	}
	if err := srv.DisconnectSockets(false); err != nil {
		fmt.Println(err)
	}
	err = <-watched
	fmt.Println(explain(err), errors.Is(err, errkit.Disconnected))
	fmt.Println(explain(report(ctx, front.URL, "guessed", nil)))
	// Unordered output:
	// noted
	// boiler 1: 71.5 °C
	// noted
	// boiler 2: 69.0 °C
	// the link ended: io server disconnect true
	// the server does not want us: wrong token
}

// Example_testing cuts the connection between a program and its server.
func Example_testing() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	srv, err := siotest.NewServer(&sioserver.Options{Recovery: &sioserver.RecoveryOptions{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	opts := sioclient.Options{ReconnectionDelay: time.Millisecond}
	opts.Engine.DialContext = srv.DialContext // in memory
	socket, err := sioclient.Dial(ctx, srv.URL(), &opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer socket.Close()
	id, back := socket.ID(), make(chan struct{})
	socket.OnConnect(func() { close(back) })

	srv.CutAll()
	<-back
	fmt.Println(socket.Recovered(), socket.ID() == id)
	// Output: true true
}
