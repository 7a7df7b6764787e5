package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/leak"
)

func TestMain(m *testing.M) {
	seenWithin = time.Minute // on no machine are the clients slower
	leak.Main(m)
}

// client is a chat program with its keyboard and its screen.
type client struct {
	t        *testing.T
	keyboard *io.PipeWriter
	screen   *bufio.Scanner
	done     chan error
}

// start runs a client against a server; it ends with the test.
func start(t *testing.T, url, name, room string) *client {
	t.Helper()
	in, keyboard := io.Pipe()
	shown, out := io.Pipe()
	c := &client{t, keyboard, bufio.NewScanner(shown), make(chan error, 1)}
	go func() {
		c.done <- run(t.Context(), settings{url: url, name: name, room: room}, in, out)
		_ = out.Close()
	}()
	return c
}

// sees compares the next lines on the screen.
func (c *client) sees(want ...string) {
	c.t.Helper()
	for _, w := range want {
		if !c.screen.Scan() {
			c.t.Fatalf("the screen ends before %q", w)
		}
		if d := cmp.Diff(w, c.screen.Text()); d != "" {
			c.t.Fatalf("screen (-want +got):\n%s", d)
		}
	}
}

func (c *client) types(line string) {
	c.t.Helper()
	if _, err := fmt.Fprintln(c.keyboard, line); err != nil {
		c.t.Fatal(err)
	}
}

// leaves ends the input, and waits for the end of the program.
func (c *client) leaves() {
	c.t.Helper()
	_ = c.keyboard.Close()
	go func() { _, _ = io.Copy(io.Discard, rest{c.screen}) }()
	if err := <-c.done; err != nil {
		c.t.Error(err)
	}
}

// rest reads what is left of a screen.
type rest struct{ *bufio.Scanner }

func (r rest) Read([]byte) (int, error) {
	if !r.Scan() {
		return 0, io.EOF
	}
	return 0, nil
}

func TestChat(t *testing.T) {
	t.Parallel()
	chat, err := newServer()
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(chat)
	defer web.Close()
	defer chat.Close()

	ann := start(t, web.URL, "ann", "kitchen")
	ann.sees("you are in kitchen")
	cat := start(t, web.URL, "cat", "cellar")
	cat.sees("you are in cellar")
	bob := start(t, web.URL, "bob", "kitchen")
	bob.sees("you are in kitchen")
	ann.sees("bob came")

	ann.types("dinner is ready")
	bob.sees("ann: dinner is ready")
	ann.sees("seen by 1 of 1")
	cat.types("anybody here?")
	cat.sees("seen by 0 of 0")
	bob.leaves()
	ann.sees("bob left")
	ann.leaves()
	cat.leaves()
}

// TestRefused: a client without a name is told so.
func TestRefused(t *testing.T) {
	t.Parallel()
	chat, err := newServer()
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(chat)
	defer web.Close()
	defer chat.Close()
	err = run(t.Context(), settings{url: web.URL, room: "kitchen"}, strings.NewReader(""), io.Discard)
	if err == nil || err.Error() != "say your name and the room" {
		t.Errorf("error = %v", err)
	}
}

// TestServe: the server ends with its context, and says why it cannot begin.
func TestServe(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	shown, out := io.Pipe()
	done := make(chan error)
	go func() { done <- run(ctx, settings{listen: "127.0.0.1:0"}, strings.NewReader(""), out) }()
	if line, err := bufio.NewReader(shown).ReadString('\n'); err != nil || line != "listening at 127.0.0.1:0\n" {
		t.Errorf("%q %v", line, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := run(t.Context(), settings{listen: "nowhere:here"}, strings.NewReader(""), io.Discard); err == nil {
		t.Error("no error for an address that is none")
	}
}
