// Command zishang520 is the server of github.com/zishang520/socket.io for siobench.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"

	"github.com/zishang520/socket.io/servers/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "where to listen")
	flag.Parse()
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	opts := socket.DefaultServerOptions()
	opts.SetTransports(types.NewSet(socket.WebSocket))
	opts.SetMaxHttpBufferSize(4 << 20)
	opts.SetServeClient(false)
	server := socket.NewServer(nil, opts)
	check(server.On("connection", func(args ...any) {
		s := args[0].(*socket.Socket)
		check(s.On("echo", func(args ...any) { check(s.Emit("echo", args...)) }))
		check(s.On("ack", func(args ...any) { args[len(args)-1].(socket.Ack)(args[:len(args)-1], nil) }))
		check(s.On("bin", func(args ...any) { check(s.Emit("bin", args...)) }))
		check(s.On("bcast", func(args ...any) { server.Emit("msg", args...) }))
	}))
	http.Handle("/socket.io/", server.ServeHandler(nil))
	fmt.Println(l.Addr())
	log.Fatal(http.Serve(l, nil))
}

func check(err error) {
	if err != nil {
		log.Print(err)
	}
}
