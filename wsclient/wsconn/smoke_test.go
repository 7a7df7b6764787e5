package wsconn_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

func TestSmoke(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := wsconn.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.CloseNow()
		var buf []byte
		for {
			typ, msg, err := c.Read(buf)
			if err != nil {
				t.Log("server:", err)
				return
			}
			buf = msg
			if err := c.Write(typ, msg); err != nil {
				t.Error(err)
				return
			}
		}
	}))
	defer srv.Close()
	c, err := wsconn.Dial(context.Background(), srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		if err := c.Write(wsconn.Text, make([]byte, i*100)); err != nil {
			t.Fatal(err)
		}
		_, msg, err := c.Read(nil)
		if err != nil || len(msg) != i*100 {
			t.Fatal(i, err, len(msg))
		}
	}
	go func() {
		_, _, err := c.Read(nil)
		t.Log("client:", err)
	}()
	rtt, err := c.Ping(t.Context())
	t.Log(rtt, err)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(c.Close(1000, "bye"))
	t.Log(c.Err(), c.Stats())
	time.Sleep(10 * time.Millisecond)
	if !errors.Is(c.Write(1, nil), wsconn.ErrClosed) {
		t.Error("open")
	}
}
