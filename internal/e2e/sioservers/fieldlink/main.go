// Command fieldlink is the server of sioclient/sioserver for siobench.
//
// Its defaults are kept, but for the transports and the limit of payloads. On SIGTERM it closes and prints how many
// goroutines are left of those that were not there at the beginning.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "where to listen")
	inline := flag.Bool("inline", false, "run handlers on the goroutine that reads")
	flag.Parse()
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	srv, err := sioserver.New(&sioserver.Options{
		Engine:         engineio.ServerOptions{Transports: []string{engineio.WebSocket}, MaxPayload: 4 << 20},
		InlineHandlers: *inline,
	})
	if err != nil {
		log.Fatal(err)
	}
	srv.OnConnect(func(s *sioserver.Socket) {
		sioclient.On1(s, "echo", func(text string) { report(s.Emit("echo", text)) })
		sioclient.Reply1(s, "ack", func(text string) (string, error) { return text, nil })
		sioclient.On1(s, "bin", func(data []byte) { report(s.Emit("bin", data)) })
		sioclient.On1(s, "bcast", func(text string) { report(srv.Emit("msg", text)) })
	})
	http.Handle("/socket.io/", srv)
	http.HandleFunc("/debug/goroutines", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, runtime.NumGoroutine())
	})
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	before := runtime.NumGoroutine()
	front := &http.Server{ReadHeaderTimeout: 10 * time.Second}
	go func() {
		fmt.Println(l.Addr())
		_ = front.Serve(l)
	}()
	<-stop.Done()
	if err := srv.Close(); err != nil {
		log.Print(err)
	}
	if err := front.Close(); err != nil {
		log.Print(err)
	}
	fmt.Println("goroutines left:", left(before))
}

// left returns how many goroutines there are beyond before, once those that were ending have ended.
func left(before int) int {
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return 0
		}
		<-time.After(10 * time.Millisecond)
	}
	return runtime.NumGoroutine() - before
}

// report shows what a server must not hide; a client that has gone is nothing to tell.
func report(err error) {
	if err != nil && !errors.Is(err, sioclient.ErrDisconnected) {
		fmt.Fprintln(os.Stderr, err)
	}
}
