package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// atOnce is how many clients connect at a time.
const atOnce = 32

// runClients connects clients that join the main namespace and then answer heartbeats only. It says how many there are,
// and when a line comes in, how many heartbeats there were. It ends when the server has closed all connections.
func runClients(ctx context.Context, in io.Reader, out io.Writer, address string, n int) error {
	if err := raiseFileLimit(n); err != nil {
		return err
	}
	var reading, dialling sync.WaitGroup
	var pings, lost atomic.Int64
	room := make(chan struct{}, atOnce)
	failed := make(chan error, n)
	for range n {
		room <- struct{}{}
		dialling.Go(func() {
			defer func() { <-room }()
			conn, err := connect(ctx, address)
			if err != nil {
				failed <- err
				return
			}
			reading.Go(func() {
				idle(conn, &pings)
				lost.Add(1)
			})
		})
	}
	dialling.Wait()
	select {
	case err := <-failed:
		return fmt.Errorf("%d connections failed, the first: %w", len(failed)+1, err)
	default:
	}
	fmt.Fprintln(out, "connected", n)
	lines := bufio.NewScanner(in)
	lines.Scan()
	fmt.Fprintln(out, pings.Load(), lost.Load())
	reading.Wait()
	fmt.Fprintln(out, "closed", lost.Load())
	return lines.Err()
}

func connect(ctx context.Context, address string) (*wsconn.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, err := wsconn.Dial(ctx, "ws://"+address+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		return nil, err
	}
	if err := conn.Write(wsconn.Text, []byte("40")); err != nil {
		return nil, err
	}
	for _, want := range []string{`0{"sid":`, `40{"sid":`} {
		if _, got, err := conn.Read(nil); err != nil || !strings.HasPrefix(string(got), want) {
			_ = conn.CloseNow()
			return nil, fmt.Errorf("got %q, %w, want %s", got, err, want)
		}
	}
	return conn, nil
}

// idle answers heartbeats until the connection ends.
func idle(conn *wsconn.Conn, pings *atomic.Int64) {
	defer func() { _ = conn.CloseNow() }()
	buf := make([]byte, 0, 16)
	for {
		_, msg, err := conn.Read(buf)
		if err != nil {
			return
		}
		if string(msg) == "2" {
			pings.Add(1)
			if conn.Write(wsconn.Text, []byte("3")) != nil {
				return
			}
		}
	}
}
