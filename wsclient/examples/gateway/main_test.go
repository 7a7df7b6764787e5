//go:build !js

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// collector is the server. It drops its first connection in the middle.
type collector struct {
	mu    sync.Mutex
	conns int
	lines []string // by number, from 1
}

func (c *collector) serve(conn *wsconn.Conn) {
	c.mu.Lock()
	c.conns++
	first := c.conns == 1
	c.mu.Unlock()
	for {
		_, msg, err := conn.Read(nil)
		if err != nil {
			return
		}
		var in struct {
			ID   int
			Line string
		}
		if json.Unmarshal(msg, &in) != nil {
			return
		}
		c.mu.Lock()
		if in.ID == len(c.lines)+1 {
			c.lines = append(c.lines, in.Line)
		}
		c.mu.Unlock()
		if first && in.ID == 3 {
			return // without a word
		}
		if conn.Write(wsconn.Text, fmt.Appendf(nil, `{"ack":%d}`, in.ID)) != nil {
			return
		}
	}
}

// TestGateway starts the gateway without a server, then with one, then ends it by its context.
func TestGateway(t *testing.T) {
	t.Parallel()
	s := settings{url: "ws://127.0.0.1:1", dir: t.TempDir(), rest: time.Millisecond}
	log := slog.New(slog.DiscardHandler)
	if err := run(t.Context(), s, strings.NewReader("20.5\n\"20.6\"\n"), log); err != nil {
		t.Fatal(err)
	}

	var c collector
	srv, err := wstest.Start(&wstest.Options{Handler: c.serve})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	s.url, s.rest = srv.URL(), time.Minute
	if err := run(t.Context(), s, strings.NewReader("20.7\n20.8\n"), log); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	sensor, input := io.Pipe()
	done := make(chan error)
	go func() { done <- run(ctx, s, sensor, log) }()
	if _, err := io.WriteString(input, "20.9\n\n"); err != nil { // the second line is begun when the first was taken
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	input.Close()

	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.lines
	if len(got) > 4 {
		got = got[:4] // a line that came with the signal may be in or not
	}
	if d := cmp.Diff([]string{"20.5", `"20.6"`, "20.7", "20.8"}, got); d != "" {
		t.Errorf("lines (-want +got):\n%s", d)
	}
}
