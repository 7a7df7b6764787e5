//go:build !js

// Command feed follows channels of a server that ends every connection after a day, and misses nothing: each connection is
// renewed before its time, the new one is subscribed before the old one is closed, and messages that come on both are
// printed once. If messages are missing all the same, because of a failure of the network for instance, it says how many.
//
//	feed -url wss://feed.example/ws -age 24h prices trades
//
// Messages are {"channel":"prices","seq":17,"data":…}, numbered per channel.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
)

// settings are the flags.
type settings struct {
	url      string
	age      time.Duration // at which the server ends connections
	channels []string
	log      *slog.Logger
	dial     func(ctx context.Context, network, addr string) (net.Conn, error) // nil means the network of the system
}

// item is a message.
type item struct {
	Channel string          `json:"channel"`
	Seq     uint64          `json:"seq"`
	Data    json.RawMessage `json:"data"`
}

func main() {
	var s settings
	flag.StringVar(&s.url, "url", "", "WebSocket `address` of the feed")
	flag.DurationVar(&s.age, "age", 24*time.Hour, "age at which the feed ends connections")
	flag.Parse()
	s.channels = flag.Args()
	s.log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "feed:", err)
		os.Exit(1)
	}
}

// run prints what arrives until ctx is done.
func run(ctx context.Context, s settings, out io.Writer) error {
	m, err := wsclient.New(s.url, options(s))
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	newest := make(map[string]uint64) // number, by channel
	for it, err := range wsclient.Stream[item](ctx, m, nil) {
		switch {
		case errors.Is(err, context.Canceled):
			return nil
		case errors.Is(err, wsclient.ErrDecode), errors.Is(err, wsclient.ErrQueueFull):
			fmt.Fprintln(out, err) // the numbers show what is missing
			continue
		case err != nil:
			return err
		}
		if last, known := newest[it.Channel]; known && it.Seq > last+1 {
			fmt.Fprintf(out, "%s: %d messages are missing\n", it.Channel, it.Seq-last-1)
		}
		newest[it.Channel] = max(newest[it.Channel], it.Seq)
		fmt.Fprintf(out, "%s %d %s\n", it.Channel, it.Seq, it.Data)
	}
	return nil
}

func options(s settings) *wsclient.Options {
	o := wsclient.PresetTrading()
	o.Reconnect.MaxAttempts = wsclient.Unlimited
	o.Dial.DialContext = s.dial
	o.Logger = s.log
	o.Control.MaxConnectionAge = s.age // less the margin: 5 min to 10 min before its time, at random
	o.Control.Seamless = true
	o.Receive.Dedup = &wsclient.DedupOptions{Key: key}
	for _, channel := range s.channels {
		o.Subscribe.Initial = append(o.Subscribe.Initial, wsclient.Channel(channel))
	}
	return &o
}

// key tells messages apart.
func key(m wsclient.Message) (string, bool) {
	var it item
	if json.Unmarshal(m.Data, &it) != nil {
		return "", false
	}
	return fmt.Sprintf("%s/%d", it.Channel, it.Seq), true
}
