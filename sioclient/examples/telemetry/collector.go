package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// identity is what a gateway proves itself with.
type identity struct {
	Device string `json:"device"`
	Run    string `json:"run"` // of its process: numbers begin anew with it
	Token  string `json:"token"`
}

// reading is one value of a gateway.
type reading struct {
	Number int     `json:"number"` // counts from 1
	Value  float64 `json:"value"`
}

// record is a reading and whose it is.
type record struct {
	Device  string
	Reading reading
}

// collector takes each reading once.
type collector struct {
	srv   *sioserver.Server
	token string
	store func(record)

	mu   sync.Mutex     // guards what follows, and is held while a reading is stored
	last map[string]int // number of the last reading of each run of a device
}

// collectorOptions keep what is sent to a gateway for two minutes while it has no connection.
func collectorOptions(log *slog.Logger) *sioserver.Options {
	return &sioserver.Options{Recovery: &sioserver.RecoveryOptions{}, Logger: log}
}

// newCollector lets a server collect. What store has taken is acknowledged.
func newCollector(srv *sioserver.Server, token string, store func(record)) *collector {
	c := &collector{srv: srv, token: token, store: store, last: make(map[string]int)}
	srv.Use(c.admit)
	srv.OnConnect(func(s *sioserver.Socket) {
		who := identityOf(s)
		sioclient.Reply1(s, "reading", func(r reading) (int, error) { return c.take(who, r), nil })
	})
	return c
}

func identityOf(s *sioserver.Socket) identity {
	var who identity
	_ = json.Unmarshal(s.Handshake().Auth, &who) // which admit has looked at
	return who
}

func (c *collector) admit(_ context.Context, s *sioserver.Socket) error {
	who := identityOf(s)
	if who.Device == "" || subtle.ConstantTimeCompare([]byte(who.Token), []byte(c.token)) != 1 {
		return sioclient.Refuse("unknown device or wrong token", nil)
	}
	s.Join("device " + who.Device)
	return nil
}

// take stores a reading unless it is there already. Its number is the acknowledgement.
func (c *collector) take(who identity, r reading) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	run := who.Device + "/" + who.Run
	if r.Number > c.last[run] {
		c.store(record{who.Device, r})
		c.last[run] = r.Number
	}
	return r.Number
}

// order reads "boiler 0.5" and sends it to the gateway.
func (c *collector) order(line string) error {
	var device string
	var offset float64
	if _, err := fmt.Sscan(line, &device, &offset); err != nil {
		return fmt.Errorf("want a device and a number: %w", err)
	}
	return c.srv.To("device "+device).Emit("calibrate", offset)
}
