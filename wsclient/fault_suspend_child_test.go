package wsclient_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// sleeperTask names the variable that makes the test binary a program that keeps a connection, until it is killed or its
// standard input ends, and says how it goes: how it watches the connection, and the address.
const sleeperTask = "WSCLIENT_TEST_SLEEPER"

// These are short, because the test that uses them takes real time.
const (
	sleeperInterval = 100 * time.Millisecond
	sleeperTimeout  = 400 * time.Millisecond
)

// runSleeper reports whether this process is one.
func runSleeper() bool {
	task := os.Getenv(sleeperTask)
	if task == "" {
		return false
	}
	if err := sleeper(task); err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	return true
}

func sleeper(task string) error {
	watch, url, _ := strings.Cut(task, " ")
	beat := wsclient.HeartbeatOptions{PingInterval: sleeperInterval, PingTimeout: sleeperTimeout}
	switch watch {
	case "app-ping":
		beat.AppPing = func() (wsclient.MessageType, []byte) { return wsclient.Text, []byte("ping") }
	case "idle":
		beat.PingTimeout, beat.IdleTimeout = time.Minute, sleeperTimeout
	}
	m, err := wsclient.New(url, &wsclient.Options{
		Dial:      wsclient.DialOptions{Proxy: noProxy},
		Conn:      wsconn.Options{WriteTimeout: sleeperTimeout},
		Heartbeat: beat,
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
