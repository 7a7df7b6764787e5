package main

import (
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/e2e/sioload/loadreport"
)

// measurement is one kind of work, done by every server.
type measurement struct {
	name string
	args []string
	// figures are what is shown of it.
	figures []figure
	only    []string // servers; all if there are none
	once    bool     // in one round only
	fixed   bool     // whether it takes its own time
}

// figure is one number of a measurement, smaller is better.
type figure struct {
	name  string
	unit  string
	value func(*loadreport.Report) float64
	must  float64 // at most so many times that of the reference; 0: no limit
	goal  float64
	node  bool // the limits are ratios to the official server instead
}

func perOp(r *loadreport.Report) float64 {
	return float64(r.ServerCPU) / float64(time.Microsecond) / float64(max(r.Ops, 1))
}

func cpu(unit string, must, goal float64) []figure {
	return []figure{{"processor time per " + unit, "µs", perOp, must, goal, false}}
}

func p99(r *loadreport.Report) float64 { return float64(r.P99) / float64(time.Millisecond) }

func memoryEach(r *loadreport.Report) float64 {
	return float64(r.Memory) / 1024 / float64(max(r.Ops, 1))
}

func work(name string, clients, inFlight int, more ...string) []string {
	return append([]string{"-work", name, "-clients", strconv.Itoa(clients), "-inflight", strconv.Itoa(inFlight)}, more...)
}

var measurements = []measurement{
	{name: "echo 100 B, 50 clients", args: work("echo", 50, 1), figures: cpu("event", 1.6, 1.35)},
	{name: "echo 100 B, 500 clients", args: work("echo", 500, 1), figures: cpu("event", 0, 0)},
	{name: "echo 100 B, 50 clients, 16 in flight", args: work("echo", 50, 16), figures: cpu("event", 1.1, 0.8)},
	{
		name: "echo 100 B, 500 clients, 4,000/s in total", args: work("open", 500, 1),
		figures: append(cpu("event", 0, 0), figure{"latency p99", "ms", p99, 1.5, 1, true}),
	},
	{name: "acknowledgement, 50 clients", args: work("ack", 50, 1), figures: cpu("event", 1.6, 1.4)},
	{name: "broadcast 1→1000, 4 outstanding", args: work("broadcast", 1000, 4), figures: cpu("delivery", 0.7, 0.45)},
	{name: "broadcast 1→1000, 1 outstanding", args: work("broadcast", 1000, 1), figures: cpu("delivery", 1.2, 1.05)},
	{
		name: "broadcast 1→1000, 1 KiB, 4 outstanding", args: work("broadcast", 1000, 4, "-size", "1024"),
		figures: cpu("delivery", 0, 0),
	},
	{name: "binary 1 MiB, 4 clients", args: work("binary", 4, 1, "-size", "1048576"), figures: cpu("event", 1.5, 1.3)},
	{name: "connect, 16 at a time", args: work("connect", 500, 16), figures: cpu("connection", 1.7, 1.4), fixed: true},
	{
		name: "1,000 idle connections", args: work("idle", 1000, 16, "-for", "2s"), fixed: true,
		figures: []figure{{"resident memory per connection", "KiB", memoryEach, 1.0, 0.75, false}},
	},
	{
		name: "10,000 idle connections", args: work("idle", 10_000, 16, "-for", "55s"), fixed: true, once: true,
		only:    []string{reference, own},
		figures: []figure{{"resident memory per connection", "KiB", memoryEach, 1.0, 0.75, false}},
	},
	{name: slow, args: work("slow", 10, 4, "-size", "16384"), only: []string{own, official, "zishang520", "karagenc", "googollee"}, once: true, fixed: true},
	{name: order, only: []string{own, official, "zishang520", "karagenc"}, once: true, fixed: true},
}

// Measurements that have tables of their own.
const (
	slow  = "24 MiB of broadcasts past a client that does not read"
	order = "2,000 numbered events of the official client"
)
