package wsclient_test

import (
	"context"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// A server that restarts every two seconds for ten minutes, with traffic both ways: in the end everything is as it was
// after the first of them. Not parallel, because it looks at the memory of the whole process.
func TestFI25ServerRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const restarts = 300
		var network atomic.Pointer[wstest.Memory]
		var mu sync.Mutex
		arrived := 0
		start := func() *wstest.Server {
			l := wstest.NewMemory() // it keeps nothing, unlike the network of the other tests
			network.Store(l)
			srv, err := wstest.Start(&wstest.Options{Listener: l, Handler: func(c *wsconn.Conn) {
				for {
					typ, p, err := c.Read(nil)
					if err != nil || c.Write(typ, p) != nil {
						return
					}
					mu.Lock()
					arrived++
					mu.Unlock()
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			return srv
		}
		srv := start()
		tr := newTrial(t, "ws://"+host, wsclient.Options{
			Dial: wsclient.DialOptions{DialContext: func(ctx context.Context, nw, addr string) (net.Conn, error) {
				return network.Load().DialContext(ctx, nw, addr)
			}},
			Reconnect: wsclient.ReconnectOptions{
				MaxAttempts: wsclient.Unlimited,
				Backoff:     retry.Backoff{Base: 50 * time.Millisecond, Cap: 200 * time.Millisecond},
			},
			Send: wsclient.SendOptions{Mode: wsclient.SendQueued},
		}).connect()
		ctx, stop := context.WithCancel(t.Context())
		var sending, receiving sync.WaitGroup
		accepted, received, losses := 0, 0, 0
		sending.Go(func() {
			for ctx.Err() == nil {
				if err := tr.m.Send(context.Background(), wsconn.Text, []byte("a reading")); err != nil {
					t.Error(err)
				}
				accepted++
				time.Sleep(20 * time.Millisecond)
			}
		})
		receiving.Go(func() {
			for _, err := range tr.m.Messages(t.Context()) {
				if err != nil {
					t.Error(err)
				}
				received++
			}
		})
		receiving.Go(func() {
			for range restarts + 1 {
				<-tr.lost
				losses++
			}
		})
		receiving.Go(func() {
			for range restarts {
				<-tr.gained
			}
		})
		var early, late struct {
			heap       uint64
			goroutines int
		}
		for i := range restarts {
			time.Sleep(2 * time.Second)
			switch i {
			case 10:
				early.heap, early.goroutines = footprint()
			case restarts - 1:
				late.heap, late.goroutines = footprint()
			}
			if i%2 == 0 {
				srv.DropConns()
			}
			srv.Close()
			srv = start()
		}
		time.Sleep(2 * time.Second)
		stop()
		sending.Wait()
		synctest.Wait()
		if late.goroutines > early.goroutines || late.heap > early.heap+64<<10 {
			t.Errorf("%d goroutines and %d bytes at first, %d and %d in the end",
				early.goroutines, early.heap, late.goroutines, late.heap)
		}
		s := tr.m.Stats()
		if s.Disconnects != restarts || s.Connects != restarts+1 {
			t.Errorf("%d connects, %d disconnects", s.Connects, s.Disconnects)
		}
		mu.Lock()
		defer mu.Unlock()
		missing := accepted - arrived
		if int(s.MessagesSent) != accepted || s.OutboundDepth != 0 || missing < 0 || missing > int(s.MaybeLost) {
			t.Errorf("%d accepted, %d written, %d arrived, %d maybe lost, %d wait",
				accepted, s.MessagesSent, arrived, s.MaybeLost, s.OutboundDepth)
		}
		tr.m.Close()
		srv.Close()
		receiving.Wait()
		if accepted < 25_000 || received < accepted*9/10 || received != int(s.MessagesReceived) {
			t.Errorf("%d accepted, %d came back, %d of them received", accepted, s.MessagesReceived, received)
		}
		if losses != restarts+1 || len(tr.lost) != 0 {
			t.Errorf("OnDisconnect was called %d times", losses+len(tr.lost))
		}
	})
}

// On real sockets, restarts leave no file behind. Not parallel, because it counts those of the whole process.
func TestFI25Files(t *testing.T) {
	files := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("the files of a process cannot be listed here:", err)
		}
		return len(list)
	}
	restarts := func(t *testing.T) {
		tr := tryReal(t, wsclient.Options{Reconnect: wsclient.ReconnectOptions{MaxAttempts: wsclient.Unlimited}},
			upgraded(func(s *wstest.Session) error { return s.FIN() }),
			upgraded(func(s *wstest.Session) error { return s.RST() }),
			func(s *wstest.Session) error { return s.RST() },
			func(s *wstest.Session) error { return s.Answer(503, nil, "not yet") },
			upgraded(func(s *wstest.Session) error { return s.Send(wstest.CloseFrame(1001, "")) }),
			upgraded(func(s *wstest.Session) error { return s.Raw([]byte{0xFF, 0xFF}) }),
			upgraded(echoes),
		)
		for range 4 {
			<-tr.gained
		}
		tr.works(5)
		for range 20 {
			if err := tr.m.Reconnect(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		tr.works(25)
		tr.m.Close()
		if s := tr.m.Stats(); s.Connects != 25 || s.Disconnects != 25 {
			t.Errorf("%d connects, %d disconnects", s.Connects, s.Disconnects)
		}
	}
	t.Run("first", restarts) // opens what the runtime keeps
	before := files()
	t.Run("again", restarts)
	for limit := time.Now().Add(time.Minute); files() > before; runtime.Gosched() { // package net/http closes some later
		if time.Now().After(limit) {
			t.Fatalf("%d files are open, %d were before", files(), before)
		}
	}
}

// footprint returns what the process takes up when nothing happens.
func footprint() (heap uint64, goroutines int) {
	synctest.Wait()
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc, runtime.NumGoroutine()
}
