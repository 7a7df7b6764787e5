package siotest_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
	"github.com/fieldlink-go/fieldlink/sioclient/siotest"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// TestServer: clients reach it, are cut off and refused.
func TestServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, err := siotest.NewServer(nil)
		if err != nil {
			t.Fatal(err)
		}
		testServer(t, srv)
	})
}

// TestServerOnListener is the same over TCP.
func TestServerOnListener(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv, err := siotest.ServeOn(l, nil)
	if err != nil {
		t.Fatal(err)
	}
	testServer(t, srv)
}

func testServer(t *testing.T, srv *siotest.Server) {
	t.Helper()
	srv.OnConnect(func(s *sioserver.Socket) { _ = s.Emit("hello") })
	conn, err := wsconn.Dial(context.Background(), srv.URL()+"/socket.io/?EIO=4&transport=websocket",
		&wsconn.DialOptions{DialContext: srv.DialContext})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Write(wsconn.Text, []byte("40")); err != nil {
		t.Fatal(err)
	}
	var last []byte
	for range 3 { // open, confirmation, event
		if _, last, err = conn.Read(nil); err != nil {
			t.Fatal(err)
		}
	}
	if want := `42["hello"]`; string(last) != want {
		t.Errorf("got %q, want %q", last, want)
	}
	srv.CutAll()
	if _, _, err = conn.Read(nil); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
	_ = conn.CloseNow()
	srv.Refuse(true)
	if _, err := srv.DialContext(context.Background(), "tcp", ""); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want a refusal", err)
	}
	srv.Refuse(false)
	c, err := srv.DialContext(context.Background(), "tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if n := srv.Accepted(); n < 1 || n > 2 {
		t.Errorf("%d connections accepted", n)
	}
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
}
