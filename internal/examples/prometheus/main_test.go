package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// TestRun lets the server send two messages and then looks at the metrics.
func TestRun(t *testing.T) {
	sent := make(chan struct{})
	srv, err := wstest.Start(&wstest.Options{Handler: func(conn *wsconn.Conn) {
		conn.Write(wsconn.Text, []byte("one"))
		conn.Write(wsconn.Text, []byte("four"))
		go func() {
			conn.Ping(context.Background()) // the pong says that both were read
			close(sent)
		}()
		conn.Read(nil)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- run(ctx, srv.URL(), l) }()
	<-sent
	defer http.DefaultClient.CloseIdleConnections()
	text := scrape(t, "http://"+l.Addr().String()+"/metrics")
	for _, want := range []string{
		`wsclient_connects_total{manager="feed"} 1`,
		`wsclient_messages_received_total{manager="feed"} 2`,
		`wsclient_bytes_received_total{manager="feed"} 7`,
		`wsclient_state{manager="feed"} 2`,
		`wsclient_uptime_seconds_count{manager="feed"} 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("the metrics do not have %s", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func scrape(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
