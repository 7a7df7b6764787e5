// Command siotestserver is a Socket.IO server that lets clients of any make judge the one of this repository. What it
// does with which event is the same as in the test servers of the official implementations; beside that an Engine.IO
// server at /engine.io/ gives every message back.
//
// It prints one line, "listening" and its URL, when it is ready, and ends in good order at SIGINT and SIGTERM. Every
// flag can be given as a variable of the environment as well: -ping-interval as SIO_PING_INTERVAL. The flag wins.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// shutdownLimit is how long the end may take.
const shutdownLimit = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	set, err := parse(os.Args[1:], os.LookupEnv, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(ctx, set, os.Stdout, os.Stderr)
	}
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "siotestserver:", err)
	if errors.As(err, new(*usageError)) {
		os.Exit(2)
	}
	os.Exit(1)
}

// run serves until ctx is done.
func run(ctx context.Context, set *settings, stdout, stderr io.Writer) error {
	logger := slog.New(slog.DiscardHandler)
	if set.log {
		logger = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	sockets, err := newSockets(set, logger)
	if err != nil {
		return &usageError{err}
	}
	echo, err := newEcho(set, logger)
	if err != nil {
		return &usageError{err}
	}
	mux := http.NewServeMux()
	mux.Handle(echoPath, echo)
	mux.Handle(set.path, sockets)
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", set.addr)
	if err != nil {
		return err
	}
	front := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- front.Serve(listener) }()
	fmt.Fprintf(stdout, "listening http://%s\n", listener.Addr())

	select {
	case <-ctx.Done():
	case err := <-served:
		return errors.Join(err, sockets.Close(), echo.Close())
	}
	end, cancel := context.WithTimeout(context.Background(), shutdownLimit)
	defer cancel()
	err = errors.Join(sockets.Shutdown(end), echo.Shutdown(end), front.Shutdown(end))
	<-served // always http.ErrServerClosed now
	return err
}
