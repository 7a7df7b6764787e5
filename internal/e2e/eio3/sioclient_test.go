package eio3_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	socketio "github.com/googollee/go-socket.io"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// TestClient lets sioclient use that server: events, acknowledgements both ways, a namespace, and a new connection.
func TestClient(t *testing.T) {
	server := socketio.NewServer(nil)
	for _, name := range []string{"/", "/chat"} {
		server.OnConnect(name, func(socketio.Conn) error { return nil })
		server.OnEvent(name, "echo", func(s socketio.Conn, text string) { s.Emit("echoed", name+text) })
		server.OnEvent(name, "sum", func(_ socketio.Conn, a, b int) int { return a + b })
	}
	server.OnEvent("/", "ask", func(s socketio.Conn) {
		s.Emit("question", "life", func(answer int) { s.Emit("thanks", answer) })
	})
	server.OnEvent("/", "go", func(s socketio.Conn) { _ = s.Close() })
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	front := httptest.NewServer(server)
	t.Cleanup(func() {
		front.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != io.EOF { // its way to say that it was closed
			t.Error(err)
		}
	})

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	m, err := sioclient.NewManager(front.URL, &sioclient.Options{
		Version: sioclient.Version3, Engine: engineio.DialOptions{Transports: []string{engineio.WebSocket}},
		ReconnectionDelay: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	root, err := m.Socket("/", nil)
	if err != nil {
		t.Fatal(err)
	}
	chat, err := m.Socket("/chat", nil)
	if err != nil {
		t.Fatal(err)
	}
	lost := make(chan sioclient.Reason, 10)
	root.OnDisconnect(func(reason sioclient.Reason, _ error) { lost <- reason })
	sioclient.Reply1(root, "question", func(string) (int, error) { return 42, nil })
	if err := m.Connect(ctx, root, chat); err != nil {
		t.Fatal(err)
	}

	for round := range 2 {
		var got []string
		for _, s := range []*sioclient.Socket{root, chat} {
			if err := s.Emit("echo", "äöü"); err != nil {
				t.Fatal(err)
			}
			got = append(got, receive(ctx, t, s))
			sum, err := sioclient.Call1[json.Number](ctx, s, "sum", 20, 22)
			got = append(got, fmt.Sprintf("%v %v", sum, err))
		}
		if err := root.Emit("ask"); err != nil {
			t.Fatal(err)
		}
		got = append(got, receive(ctx, t, root))
		want := []string{`echoed["/äöü"]`, "42 <nil>", `echoed["/chatäöü"]`, "42 <nil>", "thanks[42]"}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("round %d (-want +got):\n%s", round, d)
		}
		if round == 0 {
			if err := root.Emit("go"); err != nil {
				t.Fatal(err)
			}
			if reason := <-lost; !reason.WillReconnect() {
				t.Fatalf("lost for good: %s", reason)
			}
		}
	}
}

func receive(ctx context.Context, t *testing.T, s *sioclient.Socket) string {
	t.Helper()
	e, err := s.Receive(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return e.Name + string(e.Args.JSON())
}
