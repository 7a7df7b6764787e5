// Command siobench runs the server of sioclient/sioserver beside a bare WebSocket server (R), the official Socket.IO
// server and three in Go, and prints Markdown tables. The figure that counts is the processor time that a server spends
// on one operation, as a ratio to that of R in the same round: it depends neither on the machine nor on how fast the
// load generator is.
//
// Each measurement has a fresh server, on the first processor; the generator has the second one. The order of the servers
// changes from round to round. What is printed are medians.
//
//	go run ./internal/e2e/siobench [-quick] [-rounds 4] [-only text] [-servers fieldlink,node] [-strict]
//
// It needs Linux with taskset, and Node.js with npm, whose packages it installs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// settings are the flags.
type settings struct {
	rounds   int
	warmUp   time.Duration
	duration time.Duration
	only     string
	servers  string
	quick    bool
}

func main() {
	var s settings
	flag.IntVar(&s.rounds, "rounds", 4, "rounds; the medians count")
	flag.DurationVar(&s.duration, "for", 2*time.Second, "time of a measurement")
	flag.DurationVar(&s.warmUp, "warmup", 700*time.Millisecond, "time before a measurement")
	flag.StringVar(&s.only, "only", "", "do the measurements whose name contains this")
	flag.StringVar(&s.servers, "servers", "", "measure these servers only, and R")
	flag.BoolVar(&s.quick, "quick", false, "one round of one second: for development")
	strict := flag.Bool("strict", false, "exit with 1 if a limit is missed")
	flag.Parse()
	if s.quick {
		s.rounds, s.duration = 1, time.Second
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	met, err := run(ctx, os.Stdout, &s)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "siobench:", err)
		os.Exit(2)
	case !met && *strict:
		os.Exit(1)
	}
}

// run measures and prints everything, and reports whether all limits were met. When ctx ends, so do all processes.
func run(ctx context.Context, out *os.File, s *settings) (met bool, err error) {
	if s.rounds < 1 {
		return false, errors.New("no rounds")
	}
	dir, err := os.MkdirTemp("", "siobench")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b := &bench{settings: s, dir: dir}
	if err := b.build(ctx); err != nil {
		return false, err
	}
	fmt.Fprintf(out, "## Socket.IO servers\n\n%s\n", b.describe())
	met = true
	if strings.Contains("codec", s.only) {
		ok, err := b.codec(ctx, out)
		if err != nil {
			return false, err
		}
		met = met && ok
	}
	results, err := b.measureAll(ctx)
	if err != nil {
		return false, err
	}
	met = printLimits(out, results) && met
	printPeers(out, results)
	printOthers(out, results)
	printMissing(out, results)
	return met, nil
}
