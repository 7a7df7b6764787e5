package wstest_test

import (
	"context"
	"fmt"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// A peer that greets, breaks off in the middle of a message, and refuses the next connection.
func ExamplePlay() {
	peer, err := wstest.Play(nil,
		func(s *wstest.Session) error {
			if err := s.Upgrade(nil); err != nil {
				return err
			}
			frame := wstest.Text("this one is never whole").Bytes()
			s.Send(wstest.Text("hello"))
			s.Raw(frame[:10])
			return s.FIN()
		},
		func(s *wstest.Session) error { return s.Answer(503, nil, "down for maintenance") },
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer peer.Close()

	ctx := context.Background()
	conn, err := wsconn.Dial(ctx, peer.URL(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.CloseNow()
	_, msg, err := conn.Read(nil)
	fmt.Printf("%s %v\n", msg, err)
	_, _, err = conn.Read(nil)
	fmt.Println(err.(*wsconn.ClosedError).Unwrap())

	_, err = wsconn.Dial(ctx, peer.URL(), nil)
	fmt.Println(err.(*wsconn.HandshakeError).StatusCode)
	// Output:
	// hello <nil>
	// unexpected EOF
	// 503
}

// A server that echoes, on a network in memory.
func ExampleStart() {
	mem := wstest.NewMemory()
	srv, err := wstest.Start(&wstest.Options{Listener: mem})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	conn, err := wsconn.Dial(context.Background(), srv.URL(), &wsconn.DialOptions{DialContext: mem.DialContext})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close(1000, "")
	conn.Write(wsconn.Text, []byte("hello"))
	_, msg, err := conn.Read(nil)
	fmt.Printf("%s %v\n", msg, err)
	// Output: hello <nil>
}
