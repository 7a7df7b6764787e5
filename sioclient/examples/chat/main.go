// Command chat is a chat with rooms: one process serves, the others talk.
//
//	chat -listen 127.0.0.1:3000
//	chat -url http://127.0.0.1:3000 -name ann -room kitchen
//
// Each line of the standard input is said in the room, and the answer tells how many of the others have seen it. A client
// that loses its connection comes back to its room by itself. Clients written in JavaScript or Python can take part.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// settings are the flags.
type settings struct{ listen, url, name, room string }

func main() {
	var s settings
	flag.StringVar(&s.listen, "listen", "", "serve at this `address`")
	flag.StringVar(&s.url, "url", "", "talk at this `server`")
	flag.StringVar(&s.name, "name", os.Getenv("USER"), "your `name`")
	flag.StringVar(&s.room, "room", "lobby", "`room` to talk in")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings, in io.Reader, out io.Writer) error {
	screen := log.New(out, "", 0) // which several goroutines may write to
	if s.listen != "" {
		return serve(ctx, s.listen, screen)
	}
	return talk(ctx, s, lines(ctx, in), screen)
}

// serve runs a server until ctx is done.
func serve(ctx context.Context, addr string, screen *log.Logger) error {
	chat, err := newServer()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", chat)
	web := &http.Server{Addr: addr, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- web.ListenAndServe() }()
	screen.Println("listening at", addr)
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, chat.Shutdown(rest), web.Shutdown(rest))
}

// lines reads on a goroutine of its own, which a read that nobody can interrupt may keep until the process ends. The
// channel is closed at the end of the input.
func lines(ctx context.Context, in io.Reader) <-chan string {
	read := make(chan string)
	go func() {
		defer close(read)
		for scan := bufio.NewScanner(in); scan.Scan(); {
			select {
			case read <- scan.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return read
}
