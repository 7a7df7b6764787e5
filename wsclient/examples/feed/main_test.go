//go:build !js

package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// exchange sends a price every ten minutes and ends connections that are a day old.
type exchange struct {
	mu     sync.Mutex
	seq    int
	subs   []*wsconn.Conn
	tooOld int
}

func (e *exchange) serve(conn *wsconn.Conn) {
	end := time.AfterFunc(24*time.Hour, func() {
		e.mu.Lock()
		e.tooOld++
		e.mu.Unlock()
		conn.Close(1001, "24 hours")
	})
	defer end.Stop()
	if _, msg, err := conn.Read(nil); err != nil || string(msg) != `{"type":"subscribe","channel":"prices"}` {
		return
	}
	e.mu.Lock()
	e.subs = append(e.subs, conn)
	e.mu.Unlock()
	conn.Read(nil) // until the end
}

func (e *exchange) publish() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seq++
	for _, conn := range e.subs {
		conn.Write(wsconn.Text, fmt.Appendf(nil, `{"channel":"prices","seq":%d,"data":%d}`, e.seq, 100+e.seq))
	}
}

// TestThreeDays follows a feed for three days: one price every ten minutes, none missing, none twice.
func TestThreeDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := wstest.NewMemory()
		var e exchange
		srv, err := wstest.Start(&wstest.Options{Listener: mem, Handler: e.serve})
		if err != nil {
			t.Fatal(err)
		}
		defer srv.Close()
		ctx, cancel := context.WithCancel(t.Context())
		var out bytes.Buffer
		done := make(chan error)
		go func() {
			done <- run(ctx, settings{
				url: srv.URL(), age: 24 * time.Hour, channels: []string{"prices"}, dial: mem.DialContext,
			}, &out)
		}()
		synctest.Wait()
		const prices = 3 * 24 * 6
		for range prices {
			e.publish()
			time.Sleep(10 * time.Minute)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != prices {
			t.Errorf("%d lines, want %d", len(lines), prices)
		}
		for i, line := range lines {
			if want := fmt.Sprintf("prices %d %d", i+1, 101+i); line != want {
				t.Fatalf("line %d is %q, want %q", i+1, line, want)
			}
		}
		if srv.Accepted() != 4 || e.tooOld > 0 {
			t.Errorf("%d connections, want 4; %d of them became too old", srv.Accepted(), e.tooOld)
		}
	})
}
