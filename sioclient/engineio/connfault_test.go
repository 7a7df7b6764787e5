package engineio_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// cutMessages is how many messages each side sends in the tests that cut.
const cutMessages = 20

// cutBytes is beyond the last byte of interest: with so many bytes on each link, all messages get through.
const cutBytes = 700

// TestClientCut cuts every connection of a client within handshake, payloads and upgrade; with upgrade, each byte of each
// direction is the last one in one of the ways to cut. Nothing hangs, nothing comes twice or out of order, and the end is
// told once.
func TestClientCut(t *testing.T) {
	t.Parallel()
	modes := []netem.CutMode{netem.FIN, netem.RST, netem.Swallow}
	for name, row := range map[string]struct {
		opts engineio.DialOptions
		step int
	}{
		"polling":            {engineio.DialOptions{DisableUpgrade: true}, 12},
		"websocket":          {engineio.DialOptions{Transports: webSocketOnly}, 12},
		"upgrade":            {engineio.DialOptions{}, len(modes)},
		"upgrade revision 3": {engineio.DialOptions{EngineVersion: 3}, 12},
	} {
		if raceEnabled || testing.Short() {
			row.step *= 10
		}
		for i, mode := range modes {
			for _, dir := range []netem.Direction{netem.Up, netem.Down} {
				t.Run(fmt.Sprintf("%s %v %v", name, mode, dir), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { cutEverywhere(t, row.opts, mode, dir, i, row.step) })
				})
			}
		}
	}
}

// cutEverywhere cuts after first bytes, and after every step more.
func cutEverywhere(t *testing.T, opts engineio.DialOptions, mode netem.CutMode, dir netem.Direction, first, step int) {
	t.Helper()
	c := &cutting{opts: opts, remotes: map[string]*numbered{}}
	c.opts.HandshakeTimeout = 10 * time.Second
	c.pair = newPair(t, engineio.ServerOptions{AllowEIO3: true, OnSession: c.begin})
	defer c.pair.close()
	for n := first; n < cutBytes && !t.Failed(); n += step {
		c.pair.network.CutAfter(dir, int64(n), mode)
		c.once(t, n)
	}
	c.pair.network.CutAfter(dir, -1, mode)
	if !c.once(t, -1) {
		t.Error("the connection without a fault failed")
	}
}

// cutting is a server whose clients are cut.
type cutting struct {
	pair *pair
	opts engineio.DialOptions

	mu      sync.Mutex
	remotes map[string]*numbered // ends of the server by session id
}

// begin sends what the server has to send at the beginning of a session.
func (c *cutting) begin(s *engineio.Session) engineio.Handler {
	r := newNumbered()
	for i := range cutMessages {
		_ = s.Send(r.message(i)) // it may have ended
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remotes[s.ID()] = r
	return r
}

// once makes one connection whose links are cut after n bytes. It reports whether all messages came through.
func (c *cutting) once(t *testing.T, n int) bool {
	t.Helper()
	clear(c.remotes)
	start := time.Now()
	client, conn := newNumbered(), (*engineio.Conn)(nil)
	err := c.pair.dial(t, c.opts)
	if err == nil {
		client, conn = c.pair.client, c.pair.conn
		for i := range cutMessages {
			_ = conn.Send(client.message(i)) // it may have ended
		}
		c.mu.Lock()
		remote := c.remotes[conn.ID()]
		c.mu.Unlock()
		go func() { // a good connection ends in good order
			client.wait(cutMessages, 0)
			remote.wait(cutMessages, 0)
			conn.Close(false)
		}()
		conn.Wait()
		check(t, 1, client.closed)
	}
	whole := err == nil && client.next == cutMessages
	if client.fault != "" {
		t.Errorf("cut after %d bytes, client: %s", n, client.fault)
	}
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, remote := range c.remotes {
		remote.waitClosed()
		check(t, 1, remote.closed)
		if remote.fault != "" {
			t.Errorf("cut after %d bytes, server: %s", n, remote.fault)
		}
		whole = whole && remote.next == cutMessages
	}
	if took := time.Since(start); took > 2*time.Minute {
		t.Errorf("cut after %d bytes: it took %v", n, took)
	}
	return whole
}
