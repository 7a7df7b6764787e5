package wsclient_test

import (
	"context"
	"fmt"
	"log"
	"strconv"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// A feed that ends connections after 24 hours (here after 60 ms) never gets to it: the next connection is made and
// subscribed before the old one is closed. Ticks that come on both are recognised by their numbers.
func Example_rollover() {
	var feed ticker
	srv := startServer(feed.serve)
	defer srv.Close()

	renewed := make(chan struct{})
	m, err := wsclient.New(srv.URL(), &wsclient.Options{
		Control: wsclient.ControlOptions{
			MaxConnectionAge: 60 * time.Millisecond, // 24 * time.Hour
			DisconnectMargin: 20 * time.Millisecond, // zero means 5 min
			Seamless:         true,
		},
		Receive: wsclient.ReceiveOptions{
			MaxMessages: wsclient.Unlimited, // they are received in the end only
			Dedup: &wsclient.DedupOptions{
				Key: func(m wsclient.Message) (string, bool) { return string(m.Data), true },
			},
		},
		Subscribe: wsclient.SubscribeOptions{Initial: []wsclient.Subscription{wsclient.Channel("ticks")}},
		Hooks: wsclient.Hooks{OnDisconnect: func(i wsclient.DisconnectInfo) {
			if i.Seamless && i.Close.Gen == 3 {
				close(renewed)
			}
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Connect(context.Background()); err != nil {
		log.Fatal(err)
	}
	for done := false; !done; {
		feed.tick()
		select {
		case <-renewed:
			done = true
		case <-time.After(time.Millisecond):
		}
	}
	fmt.Println("time without a connection:", m.Stats().TotalDowntime)
	m.Close()

	seen := make(map[int]bool)
	first, last := 0, 0
	for msg, err := range m.Messages(context.Background()) { // what had arrived is there after Close
		if err != nil {
			log.Fatal(err)
		}
		n, err := strconv.Atoi(string(msg.Data))
		if err != nil || seen[n] {
			log.Fatalf("%q", msg.Data)
		}
		if len(seen) == 0 {
			first = n
		}
		seen[n], last = true, max(last, n)
	}
	fmt.Println("missing ticks:", last-first+1-len(seen))
	// Output:
	// time without a connection: 0s
	// missing ticks: 0
}

// ticker sends every tick to all who subscribed.
type ticker struct {
	mu          sync.Mutex
	n           int
	subscribers []*wsconn.Conn
}

func (t *ticker) tick() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
	for _, conn := range t.subscribers {
		_ = conn.Write(wsconn.Text, strconv.AppendInt(nil, int64(t.n), 10)) // some have left
	}
}

func (t *ticker) serve(conn *wsconn.Conn) {
	if _, _, err := conn.Read(nil); err != nil { // the subscription
		return
	}
	t.mu.Lock()
	t.subscribers = append(t.subscribers, conn)
	t.mu.Unlock()
	_, _, _ = conn.Read(nil) // until the client closes it
}
