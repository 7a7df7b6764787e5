// Command sioload puts load on a WebSocket or Socket.IO server and measures what the server spends on it, for siobench.
//
// It has a WebSocket client of its own that does as little as possible: frames are made once, answers are checked by
// their beginning and their length. It prints one JSON object (see package loadreport).
//
//	sioload -addr 127.0.0.1:3000 -pid 4711 -protocol eio4 -work echo -clients 50
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/e2e/sioload/loadreport"
)

// options are the same for all kinds of work.
type options struct {
	addr     string
	pid      int // of the server; 0 if it is not to be watched
	protocol string
	clients  int
	inFlight int
	size     int // of the text or the bytes in an event
	rate     int // per second, of all clients
	total    int // bytes
	warmUp   time.Duration
	duration time.Duration
}

type report = loadreport.Report

var works = map[string]func(*options) (report, error){
	"echo":      func(o *options) (report, error) { return closedLoop(o, echoText) },
	"ack":       func(o *options) (report, error) { return closedLoop(o, acknowledged) },
	"binary":    func(o *options) (report, error) { return closedLoop(o, echoBinary) },
	"open":      openLoop,
	"broadcast": broadcast,
	"connect":   connect,
	"idle":      idle,
	"slow":      slowReader,
}

func main() {
	var o options
	flag.StringVar(&o.addr, "addr", "", "address of the server, host:port")
	flag.IntVar(&o.pid, "pid", 0, "process of the server, whose processor time is measured")
	flag.StringVar(&o.protocol, "protocol", "eio4", "raw, eio4 or eio3")
	flag.IntVar(&o.clients, "clients", 50, "connections")
	flag.IntVar(&o.inFlight, "inflight", 1, "requests of a client, or broadcasts, that wait for their answers at a time")
	flag.IntVar(&o.size, "size", 100, "bytes of text, or of binary, in an event")
	flag.IntVar(&o.rate, "rate", 4000, "events per second of all clients, for open")
	flag.IntVar(&o.total, "total", 24<<20, "bytes to broadcast, for slow")
	flag.DurationVar(&o.warmUp, "warmup", 700*time.Millisecond, "time before the measurement")
	flag.DurationVar(&o.duration, "for", 2*time.Second, "time of the measurement")
	work := flag.String("work", "echo", "echo, ack, binary, open, broadcast, connect, idle or slow")
	flag.Parse()
	do, ok := works[*work]
	if !ok {
		fmt.Fprintln(os.Stderr, "sioload: no such work:", *work)
		os.Exit(2)
	}
	r, err := do(&o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "sioload:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		fmt.Fprintln(os.Stderr, "sioload:", err)
		os.Exit(1)
	}
}
