package engineio

import (
	"context"
	"slices"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// upgradeState says how far the change from polling to WebSocket is.
type upgradeState int

const (
	upgradeNone    upgradeState = iota // not begun, or failed
	upgradeProbing                     // the WebSocket connection is opened and tried; polling goes on
	upgradeReady                       // the probe was answered; requests under way are waited for, no new ones made
	upgradeSwitch                      // polling is over; the upgrade packet is being written
	upgradeDone
)

// underWay reports whether the upgrade will still come to some end.
func (u upgradeState) underWay() bool { return u != upgradeNone && u != upgradeDone }

const opUpgrade = "engine.upgrade"

// probeData is what the ping and the pong of a probe carry.
const probeData = "probe"

// wantsUpgrade reports whether server and options want it.
func (c *Conn) wantsUpgrade() bool {
	return !c.target.opts.DisableUpgrade && slices.Contains(c.target.opts.Transports, WebSocket) &&
		slices.Contains(c.handshake.Upgrades, WebSocket)
}

// paused reports whether nothing may be written. It runs with mu held.
func (c *Conn) paused() bool {
	return c.upgrade == upgradeReady || c.upgrade == upgradeSwitch || c.finishing
}

// tryUpgrade opens a WebSocket connection beside polling and tries it. Then it reads the first message there, so that
// the end of the connection is noticed at any time.
func (c *Conn) tryUpgrade() {
	ws, err := c.openProbe()
	if err != nil {
		c.upgradeFailed(nil, err)
		return
	}
	c.mu.Lock()
	c.upgrade = upgradeReady
	c.changed.Broadcast()
	c.mu.Unlock()

	var read webSocketRead
	read.typ, read.data, read.err = ws.Read(nil)
	c.mu.Lock()
	early := c.upgrade == upgradeReady
	if early {
		c.upgrade, c.probe = upgradeNone, nil
	}
	c.mu.Unlock()
	if !early {
		c.first <- read
		return
	}
	if read.err == nil {
		read.err = sioerr.Packet(opUpgrade, "packet before the upgrade", nil)
	}
	c.upgradeFailed(ws, c.target.webSocketError(opUpgrade, c.handshake.SID, read.err))
}

// openProbe opens the connection and exchanges the probe on it.
func (c *Conn) openProbe() (*wsconn.Conn, error) {
	ctx, cancel := c.target.bounded(c.requests)
	defer cancel()
	ws, err := c.target.dialWebSocket(ctx, opUpgrade, c.framing.revision, c.handshake.SID)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.probe = ws
	ended := c.ended
	c.mu.Unlock()
	if ended {
		_ = ws.CloseNow() // always nil
		return nil, c.target.contextError(c.requests, opUpgrade, WebSocket)
	}
	if err = c.exchangeProbe(ctx, ws); err != nil {
		_ = ws.CloseNow() // always nil
		return nil, err
	}
	return ws, nil
}

func (c *Conn) exchangeProbe(ctx context.Context, ws *wsconn.Conn) error {
	probe := wire.Packet{Type: wire.Ping, Data: []byte(probeData)}
	if err := ws.Write(wsconn.Text, c.framing.revision.AppendText(nil, probe)); err != nil {
		return c.target.webSocketError(opUpgrade, c.handshake.SID, err)
	}
	p, err := c.target.readFirst(ctx, opUpgrade, ws, c.framing.revision, c.handshake.SID)
	if err == nil && (p.Type != wire.Pong || string(p.Data) != probeData) {
		err = c.target.engineError(sioerr.ErrEngine, opUpgrade, WebSocket, c.handshake.SID, errNoProbeAnswer)
	}
	return err
}

// upgradeFailed leaves the connection with polling, as if nothing had happened.
func (c *Conn) upgradeFailed(ws *wsconn.Conn, err error) {
	if ws != nil {
		_ = ws.CloseNow() // always nil
	}
	c.mu.Lock()
	c.upgrade, c.probe = upgradeNone, nil
	ended := c.ended
	c.changed.Broadcast()
	c.flush()
	c.mu.Unlock()
	if ended {
		return
	}
	c.target.opts.Logger.Debug("upgrade failed", "module", "sioclient", "target", c.target.shown, errkit.Attr(err))
	if c.target.opts.OnUpgradeError != nil {
		c.target.opts.OnUpgradeError(err)
	}
}

// polls reports whether another polling request is to be made. If the new transport is ready, it waits for the request
// that sends to end, and goes over to it: all that the server sent over the old one was delivered, all that was sent to
// it has arrived.
func (c *Conn) polls() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.ended || c.finishing:
			return false
		case c.upgrade != upgradeReady:
			return true
		case !c.writing:
			c.switchOver()
			return false
		}
		c.changed.Wait()
	}
}

// switchOver writes the upgrade packet. It runs with mu held, and gives it up meanwhile.
func (c *Conn) switchOver() {
	c.upgrade = upgradeSwitch
	ws := c.probe
	c.mu.Unlock()
	err := ws.Write(wsconn.Text, c.framing.revision.AppendText(nil, wire.Packet{Type: wire.Upgrade}))
	c.mu.Lock()
	c.upgrade, c.ws, c.probe = upgradeDone, ws, nil
	if err != nil { // the server may have got it, so there is no way back
		c.fail(webSocketReason(err), c.target.webSocketError(opUpgrade, c.handshake.SID, err))
	}
	c.changed.Broadcast()
	c.flush()
}

// reading returns the WebSocket connection to read from, nil if there is none, and after an upgrade what was read from
// it first.
func (c *Conn) reading() (*wsconn.Conn, *webSocketRead) {
	c.mu.Lock()
	ws, ended := c.ws, c.ended
	c.mu.Unlock()
	if ws == nil || ended {
		return nil, nil
	}
	if c.poller == nil {
		return ws, nil
	}
	c.poller.close()
	c.target.opts.Logger.Debug("upgraded", "module", "sioclient", "target", c.target.shown)
	c.target.opts.Remember.set(true)
	if h, ok := c.handler.(UpgradeHandler); ok {
		h.HandleUpgrade()
	}
	read := <-c.first
	return ws, &read
}
