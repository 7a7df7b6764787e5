package wsclient_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// follow is the program of the README.
func follow(ctx context.Context, url string) error {
	opts := wsclient.PresetGateway() // tries for ever
	opts.Subscribe.Initial = []wsclient.Subscription{wsclient.Channel("prices")}
	m, err := wsclient.New(url, &opts)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.Start(ctx); err != nil {
		return err
	}
	for msg, err := range m.Messages(ctx) { // across connections
		if lost, ok := errors.AsType[*wsclient.QueueFullError](err); ok {
			fmt.Println("missing here:", lost.DroppedCount)
			continue
		}
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", msg.Data)
	}
	return nil
}

// A subscriber, and a server that drops the connection after each price, and after the last one lets nobody in.
func Example() {
	var subscribed []string
	srv, err := wstest.Start(&wstest.Options{
		Request: func(w http.ResponseWriter, _ *http.Request) bool {
			if len(subscribed) < 2 {
				return true
			}
			w.WriteHeader(http.StatusForbidden)
			return false
		},
		Handler: func(conn *wsconn.Conn) {
			_, msg, err := conn.Read(nil)
			if err != nil {
				return
			}
			subscribed = append(subscribed, string(msg))
			_ = conn.Write(wsconn.Text, fmt.Appendf(nil, "price %d", 100+len(subscribed)))
		},
	})
	if err != nil {
		log.Fatal(err)
	}

	err = follow(context.Background(), srv.URL())
	fmt.Println("the end:", errors.Is(err, wsclient.ErrForbidden))
	srv.Close()
	for _, msg := range subscribed {
		fmt.Printf("server got %s\n", msg)
	}
	// Output:
	// price 101
	// price 102
	// the end: true
	// server got {"type":"subscribe","channel":"prices"}
	// server got {"type":"subscribe","channel":"prices"}
}

// explain tells errors apart, whatever call they came from. ReconnectError comes first: what failed last is inside it,
// and would be found as well.
func explain(err error) string {
	var (
		gaveUp  *wsclient.ReconnectError
		connect *wsclient.ConnectionError
		closed  *wsclient.ClosedError
		timeout *wsclient.TimeoutError
	)
	switch {
	case errors.As(err, &gaveUp):
		return fmt.Sprintf("not regained after %d attempts", gaveUp.Attempts)
	case errors.As(err, &connect):
		return fmt.Sprintf("no connection after %d attempts", connect.Attempts)
	case errors.As(err, &closed):
		return fmt.Sprintf("closed with %d %q", closed.Code, closed.Reason)
	case errors.As(err, &timeout):
		return fmt.Sprintf("%s took longer than %v", timeout.Op, timeout.Limit)
	case errors.Is(err, wsclient.Err):
		return "another error of this package: " + err.Error()
	}
	return "not of this package"
}

// What each error is about. The order of the cases matters: an error may have another one inside.
func Example_errors() {
	ctx := context.Background()
	srv := startServer(func(conn *wsconn.Conn) { _, _, _ = conn.Read(nil) }) // the first message ends the connection
	opts := &wsclient.Options{Reconnect: wsclient.ReconnectOptions{
		Strategy: wsclient.Immediate, MaxAttempts: 3, MaxInitialAttempts: 2,
	}}
	m, err := wsclient.New(srv.URL(), opts)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()

	fmt.Println("before:", explain(m.Send(ctx, wsclient.Text, []byte("too early"))))
	if err := m.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	soon, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	_, err = m.Receive(soon)
	fmt.Println("receive in time:", !errors.Is(err, wsclient.ErrTimeout))

	srv.Close()
	_, err = m.Receive(ctx)
	fmt.Println("receive:", explain(err))
	fmt.Println("connect:", explain(m.Connect(ctx)))

	m.Close()
	fmt.Println("afterwards:", explain(m.Connect(ctx)))
	// Output:
	// before: closed with 1006 "Not connected"
	// receive in time: false
	// receive: not regained after 3 attempts
	// connect: no connection after 2 attempts
	// afterwards: closed with 1000 ""
}

// startServer starts a server on this machine.
func startServer(handler func(*wsconn.Conn)) *wstest.Server {
	srv, err := wstest.Start(&wstest.Options{Handler: handler})
	if err != nil {
		log.Fatal(err)
	}
	return srv
}
