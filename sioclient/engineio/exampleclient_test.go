package engineio_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// printer prints what a connection tells it.
type printer struct{ conn chan *engineio.Conn }

func (p *printer) HandleMessage(binary bool, data []byte) {
	fmt.Printf("%s, binary %v\n", data, binary)
	(<-p.conn).Close(false)
}

func (p *printer) HandleClose(reason engineio.Reason, err error) {
	fmt.Println(reason, err)
}

func ExampleDial() {
	server, err := engineio.NewServer(&engineio.ServerOptions{
		OnSession: func(s *engineio.Session) engineio.Handler {
			return &owner{session: s, echo: true, closed: make(chan closing, 1)}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	web := httptest.NewServer(server)
	defer web.Close()
	defer func() { _ = server.Close() }()

	conns := make(chan *engineio.Conn, 1)
	conn, err := engineio.Dial(context.Background(), web.URL, &engineio.DialOptions{
		OnOpen: func(c *engineio.Conn) { conns <- c },
	}, &printer{conns})
	if err != nil {
		log.Fatal(err)
	}
	if err := conn.Send(engineio.Text("hello")); err != nil {
		log.Fatal(err)
	}
	conn.Wait()
	// Output:
	// hello, binary false
	// forced close <nil>
}
