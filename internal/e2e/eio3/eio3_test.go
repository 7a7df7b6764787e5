// Package eio3_test lets wsconn talk to an independent server of the old Socket.IO protocol (Engine.IO 3 over
// WebSocket): github.com/googollee/go-socket.io.
package eio3_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	socketio "github.com/googollee/go-socket.io"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestSession(t *testing.T) {
	server := socketio.NewServer(nil)
	server.OnConnect("/", func(socketio.Conn) error { return nil })
	server.OnEvent("/", "echo", func(s socketio.Conn, msg string) { s.Emit("echoed", strings.ToUpper(msg)) })
	server.OnEvent("/", "bye", func(s socketio.Conn) string {
		s.Emit("last", "words")
		return "acknowledged"
	})
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

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	url := "ws" + strings.TrimPrefix(front.URL, "http") + "/socket.io/?EIO=3&transport=websocket"
	conn, err := wsconn.Dial(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Minute)); err != nil {
		t.Fatal(err)
	}

	// Engine.IO 3: "0" opens with the session's parameters; Socket.IO then connects the default namespace.
	var open struct {
		SID          string `json:"sid"`
		PingInterval int    `json:"pingInterval"`
	}
	first := read(t, conn)
	if err := json.Unmarshal([]byte(strings.TrimPrefix(first, "0")), &open); err != nil || open.SID == "" || open.PingInterval <= 0 {
		t.Fatalf("open packet %q: %v", first, err)
	}
	got := []string{read(t, conn)}
	for _, exchange := range []struct {
		send    string
		answers int
	}{
		{send: "2probe", answers: 1},
		{send: `42["echo","äöü"]`, answers: 1},
		{send: `427["bye"]`, answers: 2},
	} {
		if err := conn.Write(wsconn.Text, []byte(exchange.send)); err != nil {
			t.Fatal(err)
		}
		for range exchange.answers {
			got = append(got, read(t, conn))
		}
	}
	want := []string{"40", "3probe", `42["echoed","ÄÖÜ"]`, `42["last","words"]`, `437["acknowledged"]`}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("packets (-want +got):\n%s", d)
	}
	if err := conn.Close(1000, ""); err != nil && !errors.Is(err, errkit.Timeout) { // a busy machine may be late to answer
		t.Error(err)
	}
}

func read(t *testing.T, conn *wsconn.Conn) string {
	t.Helper()
	typ, msg, err := conn.Read(nil)
	if err != nil {
		t.Fatal(err)
	}
	if typ != wsconn.Text {
		t.Fatalf("message type %v, want text", typ)
	}
	return strings.TrimSuffix(string(msg), "\n")
}
