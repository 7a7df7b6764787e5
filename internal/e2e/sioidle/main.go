// Command sioidle lets a Socket.IO server hold many idle connections, from a process of its own, and prints what each of
// them costs: memory, goroutines, the time that the end takes. It ends with status 1 if a connection or a heartbeat is
// lost, or if something is left when the server is closed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// Variables that make this program the clients of a server at that address.
const (
	clientsOf   = "FIELDLINK_SIOIDLE_SERVER"
	clientCount = "FIELDLINK_SIOIDLE_CONNECTIONS"
)

func main() {
	p := plan{settle: 2 * time.Second}
	flag.IntVar(&p.connections, "connections", 10_000, "how many")
	flag.DurationVar(&p.interval, "interval", 10*time.Second, "time between heartbeats")
	flag.DurationVar(&p.hold, "hold", 35*time.Second, "how long to hold them")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if address := os.Getenv(clientsOf); address != "" {
		n, err := strconv.Atoi(os.Getenv(clientCount))
		if err == nil {
			err = runClients(ctx, os.Stdin, os.Stdout, address, n)
		}
		exit(err)
		return
	}
	exit(runServer(ctx, os.Stdout, p))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "sioidle:", err)
		os.Exit(1)
	}
}

// plan is what to do.
type plan struct {
	connections    int
	interval, hold time.Duration
	settle         time.Duration // before the first look at the server
}
