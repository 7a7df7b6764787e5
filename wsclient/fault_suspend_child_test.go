package wsclient_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// sleeperURL names the variable that makes the test binary a program that keeps a connection to that address, until it
// is killed or its standard input ends, and says how it goes.
const sleeperURL = "WSCLIENT_TEST_SLEEPER"

// These are short, because the test that uses them takes real time.
const (
	sleeperInterval = 100 * time.Millisecond
	sleeperTimeout  = 600 * time.Millisecond
)

// runSleeper reports whether this process is one.
func runSleeper() bool {
	url := os.Getenv(sleeperURL)
	if url == "" {
		return false
	}
	if err := sleeper(url); err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	return true
}

func sleeper(url string) error {
	m, err := wsclient.New(url, &wsclient.Options{
		Dial:      wsclient.DialOptions{Proxy: noProxy},
		Conn:      wsconn.Options{WriteTimeout: sleeperTimeout},
		Heartbeat: wsclient.HeartbeatOptions{PingInterval: sleeperInterval, PingTimeout: sleeperTimeout},
		Reconnect: wsclient.ReconnectOptions{Backoff: quick},
		Hooks: wsclient.Hooks{
			OnConnect:    func(i wsclient.ConnectInfo) { fmt.Println("connected", i.Gen) },
			OnDisconnect: func(i wsclient.DisconnectInfo) { fmt.Println("lost", i.Reason) },
		},
	})
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.Start(context.Background()); err != nil {
		return err
	}
	_, _ = os.Stdin.Read(make([]byte, 1)) // its end is the news
	return nil
}
