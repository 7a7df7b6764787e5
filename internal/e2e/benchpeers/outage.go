package main

import (
	"context"
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// resetToConnected measures how long it takes from a reset to the hook that tells of the next connection, in
// milliseconds.
func resetToConnected() (float64, error) {
	cut := make(chan struct{})
	peer, err := wstest.Play(nil, func(s *wstest.Session) error {
		if err := s.Upgrade(nil); err != nil {
			return err
		}
		<-cut
		return s.RST()
	})
	if err != nil {
		return 0, err
	}
	defer peer.Close()
	defer close(cut)
	connected := make(chan struct{}, 16)
	c, err := direct.connect(peer.URL(), &wsclient.Options{
		Reconnect: wsclient.ReconnectOptions{Strategy: wsclient.Immediate, MaxAttempts: wsclient.Unlimited},
		Hooks:     wsclient.Hooks{OnConnect: func(wsclient.ConnectInfo) { connected <- struct{}{} }},
	})
	if err != nil {
		return 0, err
	}
	defer c.close()
	<-connected
	times := make([]time.Duration, 500)
	for i := range times {
		start := time.Now()
		cut <- struct{}{}
		select {
		case <-connected:
		case <-c.m.Done():
			return 0, errors.Join(errors.New("gave up"), c.m.Err())
		}
		times[i] = time.Since(start)
	}
	return float64(quantile(times, 0.99)) / float64(time.Millisecond), nil
}

// downTime returns how much of a processor a manager takes that has no connection and waits longest between attempts,
// in percent.
func downTime() (float64, error) {
	closeAll, err := downManagers()
	if err != nil {
		return 0, err
	}
	defer closeAll()
	const watched = 3 * time.Second
	before, err := processorTime()
	if err != nil {
		return 0, err
	}
	wait, cancel := context.WithTimeout(context.Background(), watched)
	defer cancel()
	<-wait.Done()
	after, err := processorTime()
	return 100 * float64(after-before) / float64(watched) / crowd, err
}
