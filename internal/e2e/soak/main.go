// Command soak lets managers of package wsclient work for a long time against servers that flap, reset, stall and
// refuse: directly, through queues, with acknowledgements and out of spools, in both directions. Ten times in the run it
// prints what the process holds and checks the books of every manager. It ends with status 1 if something grows, if
// something is left behind, or if a message is neither delivered, queued nor reported lost.
//
// Timers have no count of their own in the runtime; those that are left behind show as objects on the heap.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// checks is how many times in a run everything is looked at.
const checks = 10

func main() {
	duration := flag.Duration("duration", 10*time.Minute, "how long to run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := soak(ctx, os.Stdout, *duration); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// soak runs all stations for a time. Its error says what was wrong.
func soak(ctx context.Context, out io.Writer, duration time.Duration) error {
	dir, err := os.MkdirTemp("", "soak-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	if err := warmUp(); err != nil {
		return err
	}
	before := measure()
	fmt.Fprintln(out, "before ", before)
	held, err := runStations(ctx, out, dir, duration)
	if err != nil {
		return err
	}
	if err := growth(held); err != nil {
		return err
	}
	after := settled(before)
	fmt.Fprintln(out, "after  ", after)
	return leftBehind(before, after)
}

func runStations(ctx context.Context, out io.Writer, dir string, duration time.Duration) (held []holding, err error) {
	var stations []*station
	defer func() {
		for _, s := range stations {
			s.end()
		}
	}()
	for _, p := range plans {
		s, err := newStation(p, dir)
		if err != nil {
			return nil, err
		}
		stations = append(stations, s)
	}
	look := time.NewTicker(duration / checks)
	defer look.Stop()
	began := time.Now()
	for range checks {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-look.C:
		}
		h := measure()
		held = append(held, h)
		fmt.Fprintf(out, "%7v %v\n", time.Since(began).Round(time.Second/10), h)
		for _, s := range stations {
			if err := s.balance(ctx); err != nil {
				return nil, err
			}
		}
	}
	for _, s := range stations {
		line, err := s.settle(ctx)
		fmt.Fprintln(out, line)
		if err != nil {
			return nil, err
		}
	}
	return held, nil
}
