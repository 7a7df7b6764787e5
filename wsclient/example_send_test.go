package wsclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// A queue takes messages without a connection, and a receipt tells what became of each.
func ExampleManager_Enqueue() {
	ctx := context.Background()
	srv := startServer(wstest.Echo)
	defer srv.Close()
	m, err := wsclient.New(srv.URL(), &wsclient.Options{Send: wsclient.SendOptions{
		Mode: wsclient.SendQueued, MaxMessages: 2,
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()

	first, err := m.Enqueue(ctx, wsclient.Outgoing{Type: wsclient.Text, Data: []byte("one")})
	if err != nil {
		log.Fatal(err)
	}
	second, err := m.Enqueue(ctx, wsclient.Outgoing{Type: wsclient.Text, Data: []byte("two")})
	if err != nil {
		log.Fatal(err)
	}
	_, err = m.Enqueue(ctx, wsclient.Outgoing{Type: wsclient.Text, Data: []byte("three")})
	fmt.Println("third: no room:", errors.Is(err, wsclient.ErrQueueFull))
	fmt.Println("taken back:", second.Cancel())

	if err := m.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	<-first.Done()
	fmt.Println("first:", first.State())
	fmt.Println("second:", second.State(), "- canceled:", errors.Is(second.Err(), wsclient.ErrCanceled))
	// Output:
	// third: no room: true
	// taken back: true
	// first: written
	// second: dropped - canceled: true
}

// ackedByID holds acknowledgements for messages that have no id of their own: each message goes out with its number, and
// the peer answers with the number up to which it has everything.
var ackedByID = &wsclient.AckOptions{
	Wrap: func(dst []byte, number uint64, o wsclient.Outgoing) []byte {
		return fmt.Appendf(dst, `{"id":%d,"reading":%s}`, number, o.Data)
	},
	Extract: func(m wsclient.Message) (wsclient.Ack, bool) {
		var answer struct{ Ack uint64 }
		if json.Unmarshal(m.Data, &answer) != nil || answer.Ack == 0 {
			return wsclient.Ack{}, false
		}
		return wsclient.Ack{IDs: []string{strconv.FormatUint(answer.Ack, 10)}}, true
	},
	Cumulative: true,
}

// At least once: what the peer did not acknowledge before the connection was lost is sent again on the next one.
func Example_acknowledgements() {
	ctx := context.Background()
	connections := 0
	srv := startServer(func(conn *wsconn.Conn) {
		connections++
		for {
			_, msg, err := conn.Read(nil)
			if err != nil {
				return
			}
			fmt.Printf("connection %d: %s\n", connections, msg)
			if connections == 1 {
				return // it has the message, and says nothing
			}
			var reading struct{ ID uint64 }
			if json.Unmarshal(msg, &reading) != nil {
				return
			}
			_ = conn.Write(wsconn.Text, fmt.Appendf(nil, `{"ack":%d}`, reading.ID))
		}
	})
	defer srv.Close()
	m, err := wsclient.New(srv.URL(), &wsclient.Options{
		Reconnect: wsclient.ReconnectOptions{Strategy: wsclient.Immediate},
		Send:      wsclient.SendOptions{Mode: wsclient.SendAtLeastOnce, Ack: ackedByID},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if err := m.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	receipt, err := m.Enqueue(ctx, wsclient.Outgoing{Type: wsclient.Text, Data: []byte("20.5")})
	if err != nil {
		log.Fatal(err)
	}
	<-receipt.Done()
	fmt.Println(receipt.State())
	// Output:
	// connection 1: {"id":1,"reading":20.5}
	// connection 2: {"id":1,"reading":20.5}
	// acked
}

// forward keeps readings on the disk until the server has acknowledged them. Those that it has not acknowledged within
// the time for the rest stay there for the next run.
func forward(ctx context.Context, url, dir string, readings []string, rest time.Duration) error {
	store, err := spool.Open(dir, nil) // an accepted reading survives the loss of power
	if err != nil {
		return err
	}
	defer store.Close()

	opts := wsclient.PresetGateway()
	opts.Send.Mode = wsclient.SendAtLeastOnce
	opts.Send.Ack = ackedByID
	opts.Send.Spool = store
	m, err := wsclient.New(url, &opts)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.Start(ctx); err != nil {
		return err
	}
	for _, reading := range readings {
		if err := m.Send(ctx, wsclient.Text, []byte(reading)); err != nil {
			return err // this one is not stored
		}
	}
	ctx, cancel := context.WithTimeout(ctx, rest)
	defer cancel()
	return m.Shutdown(ctx)
}

// A gateway that stores and forwards: what could not be delivered before a restart comes first after it.
func Example_storeAndForward() {
	dir, err := os.MkdirTemp("", "spool-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	ctx, nobody := context.Background(), "ws://127.0.0.1:1"
	if err := forward(ctx, nobody, dir, []string{"20.5", "20.7"}, 10*time.Millisecond); err != nil {
		log.Fatal(err)
	}

	srv := startServer(func(conn *wsconn.Conn) {
		for {
			_, msg, err := conn.Read(nil)
			if err != nil {
				return
			}
			fmt.Printf("server got %s\n", msg)
			var reading struct{ ID uint64 }
			if json.Unmarshal(msg, &reading) != nil {
				return
			}
			_ = conn.Write(wsconn.Text, fmt.Appendf(nil, `{"ack":%d}`, reading.ID))
		}
	})
	defer srv.Close()
	if err := forward(ctx, srv.URL(), dir, []string{"20.9"}, time.Minute); err != nil {
		log.Fatal(err)
	}
	// Output:
	// server got {"id":1,"reading":20.5}
	// server got {"id":2,"reading":20.7}
	// server got {"id":3,"reading":20.9}
}
