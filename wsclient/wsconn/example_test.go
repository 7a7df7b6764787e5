package wsconn_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// A server that echoes, and a client that says hello.
func Example() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := wsconn.Accept(w, r, nil)
		if err != nil {
			return // answered
		}
		defer conn.CloseNow()
		var buf []byte
		for {
			typ, msg, err := conn.Read(buf)
			if err != nil || conn.Write(typ, msg) != nil {
				return
			}
			buf = msg
		}
	}))
	defer srv.Close()

	conn, err := wsconn.Dial(context.Background(), srv.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close(1000, "")
	if err := conn.Write(wsconn.Text, []byte("hello")); err != nil {
		log.Fatal(err)
	}
	_, msg, err := conn.Read(nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", msg)
	// Output: hello
}

// What a dial can end with, the most particular first.
func ExampleDial() {
	peer, err := wstest.Play(nil, func(s *wstest.Session) error {
		return s.Answer(http.StatusServiceUnavailable, http.Header{"Retry-After": {"30"}}, "")
	})
	if err != nil {
		log.Fatal(err)
	}
	defer peer.Close()

	_, err = wsconn.Dial(context.Background(), peer.URL(), nil)
	if e, ok := errors.AsType[*wsconn.HandshakeError](err); ok {
		fmt.Println("refused with", e.StatusCode, "- again in", e.RetryAfter)
	} else if e, ok := errors.AsType[*wsconn.ConnectionError](err); ok {
		fmt.Println("not reached:", e.Err)
	} else if e, ok := errors.AsType[*wsconn.TimeoutError](err); ok {
		fmt.Println("too slow:", e.Limit)
	} else if errors.Is(err, wsconn.Err) {
		fmt.Println(err)
	}
	// Output: refused with 503 - again in 30s
}

// The owner of a queue sends what has come together as one batch.
func ExampleConn_WriteBatch() {
	srv, err := wstest.Start(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	conn, err := wsconn.Dial(context.Background(), srv.URL(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close(1000, "")

	sent, err := conn.WriteBatch([]wsconn.Message{
		{Type: wsconn.Text, Data: []byte("one")},
		{Type: wsconn.Text, Data: []byte("two")},
	})
	fmt.Println(sent, err)
	// Output: 2 <nil>
}
