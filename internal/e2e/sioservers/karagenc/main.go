// Command karagenc is the server of github.com/karagenc/socket.io-go for siobench.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"

	sio "github.com/karagenc/socket.io-go"
	eio "github.com/karagenc/socket.io-go/engine.io"
	"nhooyr.io/websocket"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "where to listen")
	flag.Parse()
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	server := sio.NewServer(&sio.ServerConfig{EIO: eio.ServerConfig{
		MaxBufferSize:          4 << 20,
		WebSocketAcceptOptions: &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled},
	}})
	server.OnConnection(func(s sio.ServerSocket) {
		s.OnEvent("echo", func(text string) { s.Emit("echo", text) })
		s.OnEvent("ack", func(text string, ack func(string)) { ack(text) })
		s.OnEvent("bin", func(data sio.Binary) { s.Emit("bin", data) })
		s.OnEvent("bcast", func(text string) { server.Emit("msg", text) })
	})
	if err := server.Run(); err != nil {
		log.Fatal(err)
	}
	http.Handle("/socket.io/", server)
	fmt.Println(l.Addr())
	log.Fatal(http.Serve(l, nil))
}
