// Command bare is what the servers of siobench are compared with: WebSocket alone, by coder/websocket, without Socket.IO
// and without JSON. It sends text and binary messages back on /echo, and to everybody on /bcast.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"runtime"

	"github.com/coder/websocket"
)

// maxMessage is the largest message that is taken.
const maxMessage = 4 << 20

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "where to listen")
	flag.Parse()
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	h := &hub{clients: make(map[chan []byte]struct{})}
	http.HandleFunc("/echo", echo)
	http.HandleFunc("/bcast", h.serve)
	http.HandleFunc("/debug/goroutines", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, runtime.NumGoroutine())
	})
	fmt.Println(l.Addr())
	log.Fatal(http.Serve(l, nil))
}

func accept(w http.ResponseWriter, r *http.Request) (*websocket.Conn, error) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err == nil {
		c.SetReadLimit(maxMessage)
	}
	return c, err
}

func echo(w http.ResponseWriter, r *http.Request) {
	c, err := accept(w, r)
	if err != nil {
		return
	}
	defer func() { _ = c.CloseNow() }()
	ctx := context.Background() // one that can end costs time with each message
	for {
		typ, msg, err := c.Read(ctx)
		if err != nil {
			return
		}
		if err := c.Write(ctx, typ, msg); err != nil {
			return
		}
	}
}
