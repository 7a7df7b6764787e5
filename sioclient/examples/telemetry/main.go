// Command telemetry brings the readings of gateways to a collector, through cuts of the connection, each once.
//
//	TOKEN=secret telemetry -listen 127.0.0.1:3000
//	sensor | TOKEN=secret telemetry -url http://127.0.0.1:3000 -device boiler
//
// Each line of the gateway's standard input is a number. A reading is sent until the collector has acknowledged it, and
// the collector recognises one that comes twice by its number. Lines of the collector's standard input, such as
// "boiler 0.5", tell a gateway what to add to its readings; one that has lost its connection gets that when it comes
// back.
package main

import (
	"bufio"
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

	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// settings are the flags and the environment.
type settings struct {
	listen, url, device, token string
	delay                      time.Duration // before a gateway connects again
	dial                       func(ctx context.Context, network, addr string) (net.Conn, error)
}

func main() {
	s := settings{token: os.Getenv("TOKEN")}
	flag.StringVar(&s.listen, "listen", "", "collect at this `address`")
	flag.StringVar(&s.url, "url", "", "be a gateway at this `collector`")
	flag.StringVar(&s.device, "device", "gateway", "`name` of the gateway")
	flag.DurationVar(&s.delay, "delay", time.Second, "before a gateway connects again; it grows")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	var err error
	if s.listen != "" {
		err = serve(ctx, s, lines(ctx, os.Stdin), log)
	} else {
		err = forward(ctx, s, lines(ctx, os.Stdin), log)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "telemetry:", err)
		os.Exit(1)
	}
}

// serve collects until ctx is done.
func serve(ctx context.Context, s settings, orders <-chan string, log *slog.Logger) error {
	srv, err := sioserver.New(collectorOptions(log))
	if err != nil {
		return err
	}
	c := newCollector(srv, s.token, func(r record) {
		log.Info("reading", "device", r.Device, "number", r.Reading.Number, "value", r.Reading.Value)
	})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	web := &http.Server{Addr: s.listen, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- web.ListenAndServe() }()
	for ended := false; !ended; {
		select {
		case order, ok := <-orders:
			if !ok {
				orders = nil // the collector goes on without
			} else if err := c.order(order); err != nil {
				log.Warn("order", "error", err)
			}
		case err = <-failed:
			ended = true
		case <-ctx.Done():
			ended = true
		}
	}
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, srv.Shutdown(rest), web.Shutdown(rest))
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
