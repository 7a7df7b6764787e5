// Command googollee is the server of github.com/googollee/go-socket.io for siobench. Its clients speak Engine.IO 3.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"

	socketio "github.com/googollee/go-socket.io"
	"github.com/googollee/go-socket.io/engineio"
	"github.com/googollee/go-socket.io/engineio/transport"
	"github.com/googollee/go-socket.io/engineio/transport/websocket"
	"github.com/googollee/go-socket.io/parser"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "where to listen")
	flag.Parse()
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	ws := &websocket.Transport{CheckOrigin: func(*http.Request) bool { return true }}
	server := socketio.NewServer(&engineio.Options{Transports: []transport.Transport{ws}})
	const room = "all"
	server.OnConnect("/", func(c socketio.Conn) error {
		c.Join(room)
		return nil
	})
	server.OnEvent("/", "echo", func(c socketio.Conn, text string) { c.Emit("echo", text) })
	server.OnEvent("/", "ack", func(_ socketio.Conn, text string) string { return text })
	server.OnEvent("/", "bin", func(c socketio.Conn, data *parser.Buffer) { c.Emit("bin", data) })
	server.OnEvent("/", "bcast", func(_ socketio.Conn, text string) { server.BroadcastToRoom("/", room, "msg", text) })
	go func() { log.Fatal(server.Serve()) }()
	http.Handle("/socket.io/", server)
	fmt.Println(l.Addr())
	log.Fatal(http.Serve(l, nil))
}
