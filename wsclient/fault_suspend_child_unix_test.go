//go:build unix

package wsclient_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// sleeperTask names the variable that makes the test binary a program that keeps a connection, suspends itself while a
// ping is under way, and says how it goes, until it is killed or its standard input ends: how it watches the
// connection, and whether the peer answers that ping. The peer is a part of it, so that it does not matter when other
// processes get to run.
const sleeperTask = "WSCLIENT_TEST_SLEEPER"

// These are short, because the test that uses them takes real time.
const (
	sleeperInterval = 100 * time.Millisecond
	sleeperTimeout  = time.Second
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
	watch, answer, _ := strings.Cut(task, " ")
	alive, err := strconv.ParseBool(answer)
	if err != nil {
		return err
	}
	peer, err := wstest.Play(nil, upgraded(suspends(alive)), upgraded(echoes))
	if err != nil {
		return err
	}
	defer peer.Close()
	beat := wsclient.HeartbeatOptions{PingInterval: sleeperInterval, PingTimeout: sleeperTimeout}
	switch watch {
	case "app-ping":
		beat.AppPing = func() (wsclient.MessageType, []byte) { return wsclient.Text, []byte("ping") }
	case "idle":
		beat.PingTimeout, beat.IdleTimeout = time.Minute, sleeperTimeout
	}
	m, err := wsclient.New(peer.URL(), &wsclient.Options{
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

// suspends answers one ping, suspends the process when the second one has come, and answers that, and the others, only
// if it is alive. It tells of the third.
func suspends(alive bool) wstest.Script {
	return func(s *wstest.Session) error {
		for n := 1; ; n++ {
			f, err := s.Next()
			if err != nil {
				return nil // the client has given up
			}
			switch n {
			case 2:
				if err := suspendSelf(); err != nil {
					return err
				}
				if !alive {
					return s.Discard()
				}
			case 3:
				fmt.Println("goes on")
			}
			if err := s.Send(wstest.Pong(string(f.Payload)), wstest.Text("data")); err != nil {
				return nil
			}
		}
	}
}

// suspendSelf stops this process, and returns when somebody lets it go on.
func suspendSelf() error {
	goOn := make(chan os.Signal, 1)
	signal.Notify(goOn, syscall.SIGCONT)
	defer signal.Stop(goOn)
	if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
		return err
	}
	<-goOn
	return nil
}
