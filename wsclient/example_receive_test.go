package wsclient_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// A consumer that is too slow is told where messages are missing, and how many.
func ExampleManager_Messages() {
	ctx := context.Background()
	srv := startServer(func(conn *wsconn.Conn) {
		for i := 1; i <= 5; i++ {
			_ = conn.Write(wsconn.Text, fmt.Appendf(nil, "message %d", i))
		}
	})
	defer srv.Close()
	m, err := wsclient.New(srv.URL(), &wsclient.Options{
		Reconnect: wsclient.ReconnectOptions{Disabled: true},
		Receive:   wsclient.ReceiveOptions{MaxMessages: 2}, // and drop the newest, unless told otherwise
	})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if err := m.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	<-m.Done() // nobody receives until the connection has ended

	for msg, err := range m.Messages(ctx) {
		if lost, ok := errors.AsType[*wsclient.QueueFullError](err); ok {
			fmt.Println(lost.DroppedCount, "messages are missing here")
			continue // the loop goes on
		}
		if err != nil {
			fmt.Println("the end:", errors.Is(err, wsclient.ErrReconnectDisabled))
			break
		}
		fmt.Printf("%s\n", msg.Data)
	}
	// Output:
	// message 1
	// message 2
	// 3 messages are missing here
	// the end: true
}

// A consumer that must know where a connection ended and another one began.
func ExampleManager_Events() {
	connections := 0
	srv := startServer(func(conn *wsconn.Conn) {
		connections++
		_ = conn.Write(wsconn.Text, fmt.Appendf(nil, "hello %d", connections))
		if connections == 2 {
			_ = conn.Close(1000, "that is all")
		}
	})
	defer srv.Close()
	m, err := wsclient.New(srv.URL(), &wsclient.Options{Reconnect: wsclient.ReconnectOptions{
		Strategy: wsclient.Immediate, StopOnNormalClosure: true,
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if err := m.Start(context.Background()); err != nil {
		log.Fatal(err)
	}
	for event, err := range m.Events(context.Background()) {
		if err != nil {
			break
		}
		switch event.Kind {
		case wsclient.EventConnected:
			fmt.Println("connection", event.Gen, "begins")
		case wsclient.EventMessage:
			fmt.Printf("%s\n", event.Message.Data)
		case wsclient.EventDisconnected:
			fmt.Println("connection", event.Gen, "has ended with", event.Close.Code)
		}
	}
	// Output:
	// connection 1 begins
	// hello 1
	// connection 1 has ended with 1006
	// connection 2 begins
	// hello 2
	// connection 2 has ended with 1000
}

// Values instead of bytes. What cannot be decoded does not end the loop.
func ExampleStream() {
	type trade struct {
		Symbol string
		Price  float64
	}
	srv := startServer(func(conn *wsconn.Conn) {
		_ = conn.Write(wsconn.Text, []byte(`{"symbol":"a","price":1.5}`))
		_ = conn.Write(wsconn.Text, []byte(`no JSON`))
		_ = conn.Write(wsconn.Text, []byte(`{"symbol":"b","price":2.5}`))
		_ = conn.Close(1000, "")
	})
	defer srv.Close()
	m, err := wsclient.New(srv.URL(), &wsclient.Options{Reconnect: wsclient.ReconnectOptions{Disabled: true}})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if err := m.Start(context.Background()); err != nil {
		log.Fatal(err)
	}
	for t, err := range wsclient.Stream[trade](context.Background(), m, nil) {
		switch {
		case err == nil:
			fmt.Println(t.Symbol, t.Price)
		case errors.Is(err, wsclient.ErrDecode):
			fmt.Println("left out")
		default:
			fmt.Println("the end:", errors.Is(err, wsclient.ErrReconnect))
		}
	}
	// Output:
	// a 1.5
	// left out
	// b 2.5
	// the end: true
}

// Subscriptions are written on every connection, in the order in which they were added.
func ExampleManager_Subscribe() {
	ctx := context.Background()
	first, second := make(chan struct{}, 1), make(chan struct{})
	first <- struct{}{}
	srv := startServer(func(conn *wsconn.Conn) {
		for range 2 {
			if _, msg, err := conn.Read(nil); err == nil {
				fmt.Printf("server got %s\n", msg)
			}
		}
		select {
		case <-first: // the server ends the first connection here
		default:
			close(second)
			_, _, _ = conn.Read(nil) // and the client ends the second one
		}
	})
	defer srv.Close()
	m, err := wsclient.New(srv.URL(), &wsclient.Options{
		Reconnect: wsclient.ReconnectOptions{Strategy: wsclient.Immediate},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if err := m.Subscribe(ctx,
		wsclient.Channel("prices"),
		wsclient.Subscription{Key: "book", Payload: map[string]any{"op": "book", "depth": 5}},
	); err != nil {
		log.Fatal(err)
	}
	if err := m.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	<-second
	// Output:
	// server got {"type":"subscribe","channel":"prices"}
	// server got {"depth":5,"op":"book"}
	// server got {"type":"subscribe","channel":"prices"}
	// server got {"depth":5,"op":"book"}
}

// A question, and the answer that belongs to it. The first question is not answered in time.
func ExampleRequest() {
	type question struct {
		ID   int    `json:"id"`
		Text string `json:"text"`
	}
	type answer struct {
		ID   int    `json:"id"`
		Text string `json:"text"`
	}
	srv, err := wstest.Play(nil, func(s *wstest.Session) error {
		if err := s.Upgrade(nil); err != nil {
			return err
		}
		for {
			f, err := s.Next()
			if err != nil {
				return err
			}
			if strings.Contains(string(f.Payload), "and now?") {
				break
			}
		}
		if err := s.Send(wstest.Text(`{"news":"rain"}`), wstest.Text(`{"id":2,"text":"fine"}`)); err != nil {
			return err
		}
		return s.Discard()
	})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	m, err := wsclient.New(srv.URL(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if err := m.Connect(context.Background()); err != nil {
		log.Fatal(err)
	}

	ask := func(q question, limit time.Duration) {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		a, err := wsclient.Request(ctx, m, q, func(a answer) bool { return a.ID == q.ID }, nil)
		switch {
		case errors.Is(err, context.DeadlineExceeded): // be it before the question was sent, meanwhile or afterwards
			fmt.Println("no answer in time")
		case errors.Is(err, wsclient.ErrClosed):
			fmt.Println("the connection was lost before the answer")
		case err != nil:
			fmt.Println(err)
		default:
			fmt.Println(a.Text)
		}
	}
	ask(question{ID: 1, Text: "how are you?"}, 20*time.Millisecond)
	ask(question{ID: 2, Text: "and now?"}, time.Minute)
	msg, err := m.Receive(context.Background()) // all other messages are received as always
	fmt.Printf("%s %v\n", msg.Data, err)
	// Output:
	// no answer in time
	// fine
	// {"news":"rain"} <nil>
}
