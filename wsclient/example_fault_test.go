package wsclient_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"syscall"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// breakOff is a script for a peer: a greeting, half a message, and a reset.
func breakOff(s *wstest.Session) error {
	if err := s.Upgrade(nil); err != nil {
		return err
	}
	if err := s.Send(wstest.Text("hello")); err != nil {
		return err
	}
	if err := s.Raw(wstest.Text("broken off").Bytes()[:5]); err != nil {
		return err
	}
	return s.RST()
}

// A test of what a program makes of a connection that breaks.
func Example_faults() {
	peer, err := wstest.Play(nil, breakOff)
	if err != nil {
		log.Fatal(err)
	}
	defer peer.Close()
	m, err := wsclient.New(peer.URL(), &wsclient.Options{Reconnect: wsclient.ReconnectOptions{Disabled: true}})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if err := m.Start(context.Background()); err != nil {
		log.Fatal(err)
	}
	for msg, err := range m.Messages(context.Background()) {
		if err != nil {
			fmt.Println("reset:", errors.Is(err, syscall.ECONNRESET))
			break
		}
		fmt.Printf("%s\n", msg.Data)
	}
	// Output:
	// hello
	// reset: true
}
