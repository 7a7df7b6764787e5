package siotest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
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

// TestCutAllBetweenPolls: a client that polls need not have a connection at the moment, and is cut off all the same.
func TestCutAllBetweenPolls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, err := siotest.NewServer(nil)
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{DialContext: srv.DialContext}
		defer func() {
			transport.CloseIdleConnections()
			if err := srv.Close(); err != nil {
				t.Error(err)
			}
		}()
		client := http.Client{Transport: transport}
		get := func(query string) (string, error) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL()+"/socket.io/?EIO=4&transport=polling"+query, nil)
			if err != nil {
				return "", err
			}
			res, err := client.Do(r)
			if err != nil {
				return "", err
			}
			defer func() { _ = res.Body.Close() }()
			body, err := io.ReadAll(res.Body)
			return string(body), err
		}
		open := func() (sid string) {
			body, err := get("")
			_, rest, ok := strings.Cut(body, `"sid":"`)
			if err != nil || !ok {
				t.Fatalf("got %q, %v", body, err)
			}
			sid, _, _ = strings.Cut(rest, `"`)
			return sid
		}
		sid := open()
		synctest.Wait()
		srv.CutAll()
		if body, err := get("&sid=" + sid); err == nil {
			t.Errorf("got %q, want no answer", body)
		}
		if again := open(); again == sid {
			t.Error("a new session has an old id")
		}
	})
}
