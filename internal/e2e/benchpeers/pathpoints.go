package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
	"github.com/fieldlink-go/fieldlink/smok/store/diskstore"
)

// gateway is a whole smok device that archives: as many callers at once as it has pathpoints, each with one value at a time.
type gateway struct {
	device *smok.Device
	points chan *smok.Pathpoint // that nobody sets
	at     atomic.Int64         // milliseconds since began
	began  time.Time
	text   string
}

func openGateway(dir string, callers int) (store, error) {
	hub := smoktest.New(nil)
	if err := hub.Start(); err != nil {
		return nil, err
	}
	cert, key, err := hub.Issue(ngtttest.Device{ID: "pump"})
	if err := errors.Join(err, hub.Close()); err != nil {
		return nil, err
	}
	credentials, err := ngtt.ParseCredentials(cert, key)
	if err != nil {
		return nil, err
	}
	s, err := diskstore.Open(dir, &diskstore.Options{MaxValues: 1 << 40})
	if err != nil {
		return nil, err
	}
	device, err := smok.New(credentials, &smok.Options{Store: s, Offline: true})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	g := &gateway{
		device: device, points: make(chan *smok.Pathpoint, callers),
		began: time.Now().Add(-24 * time.Hour), text: strings.Repeat("x", recordSize-7), // the rest is the path, with its length
	}
	for i := range callers {
		p, err := device.Register(fmt.Sprintf("u%05d", i), smok.Permanent, nil)
		if err != nil {
			return nil, errors.Join(err, device.Close())
		}
		g.points <- p
	}
	return g, nil
}

func (g *gateway) accept(n int) error {
	return atOnce(cap(g.points), n, func() error {
		p := <-g.points
		defer func() { g.points <- p }()
		return p.Set(context.Background(), g.began.Add(time.Duration(g.at.Add(1))*time.Millisecond), g.text)
	})
}

func (g *gateway) close() error { return g.device.Close() }
