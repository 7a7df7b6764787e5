package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// runServer serves the clients of another process, and tells what they cost.
func runServer(ctx context.Context, out io.Writer, p plan) (err error) {
	if err := raiseFileLimit(p.connections); err != nil {
		return err
	}
	opts := &sioserver.Options{}
	opts.Engine.PingInterval, opts.Engine.PingTimeout = p.interval, p.interval
	server, err := sioserver.New(opts)
	if err != nil {
		return err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, server.Close())
	}
	web := &http.Server{Handler: server, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	before := measure()
	c, err := startClients(ctx, listener.Addr().String(), p.connections)
	if err == nil {
		err = hold(ctx, out, server, c, before, p)
	}
	began := time.Now()
	err = errors.Join(err, server.Close(), web.Close())
	<-served
	took := time.Since(began)
	if c == nil {
		return err
	}
	closed, readErr := c.line()
	err = errors.Join(err, readErr, c.cmd.Wait())
	if err != nil {
		return err
	}
	after := settled(before)
	fmt.Fprintf(out, "closed in %v; clients: %s; left: %d connections, %d goroutines, %d KiB heap\n", took.Round(time.Millisecond),
		closed, server.Stats().Connections, after.goroutines-before.goroutines, (after.heap-before.heap)>>10)
	if after.goroutines > before.goroutines || server.Stats().Connections > 0 {
		return errors.New("something is left")
	}
	return nil
}

// hold looks at the server while all clients are there.
func hold(ctx context.Context, out io.Writer, server *sioserver.Server, c *clients, before holding, p plan) error {
	if _, err := c.line(); err != nil { // all are connected
		return err
	}
	if err := pause(ctx, p.settle); err != nil {
		return err
	}
	now, n := measure(), p.connections
	fmt.Fprintf(out, "%d connections: each %.1f KiB resident, %.1f KiB heap, %.1f KiB stacks, %.3f goroutines\n", n,
		each(now.resident-before.resident, n), each(now.heap-before.heap, n), each(now.stacks-before.stacks, n),
		float64(now.goroutines-before.goroutines)/float64(n))
	if err := pause(ctx, p.hold); err != nil {
		return err
	}
	later := measure()
	if _, err := io.WriteString(c.in, "how many?\n"); err != nil {
		return err
	}
	var pings, lost int
	line, err := c.line()
	if err == nil {
		_, err = fmt.Sscan(line, &pings, &lost)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "after %v: %.1f KiB resident each, %d heartbeats, %d connections of %d, %d lost\n", p.hold,
		each(later.resident-before.resident, n), pings, server.Stats().Connections, n, lost)
	if want := int(p.hold/p.interval) * n; lost > 0 || server.Stats().Connections != n || pings < want {
		return fmt.Errorf("want %d connections and at least %d heartbeats", n, want)
	}
	return nil
}

func each(total int64, n int) float64 { return float64(total) / 1024 / float64(n) }

// clients is the other process.
type clients struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startClients(ctx context.Context, address string, n int) (*clients, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), clientsOf+"="+address, clientCount+"="+strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &clients{cmd, in, bufio.NewScanner(out)}, cmd.Start()
}

// line returns the next line that the clients say.
func (c *clients) line() (string, error) {
	if !c.out.Scan() {
		return "", errors.Join(errors.New("the clients say no more"), c.out.Err())
	}
	return c.out.Text(), nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
