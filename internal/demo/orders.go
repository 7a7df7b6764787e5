package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// hubGone is how long the hub is off the network when it restarts. Its connections are reset, and it comes back with its
// data, as one with a database does.
const hubGone = 1500 * time.Millisecond

// obey makes the PiKVM a device of a hub. The computer fails, the hub orders it on, and restarts while that is being done.
func (j *job) obey(ctx context.Context, h *hub) (err error) {
	j.line.scene("be a SMOK device, and lose nothing when the hub restarts")
	if err := h.ready(ctx); err != nil {
		return err
	}
	j.line.say("hub", "a process of its own, on %s, orders on %s", h.address.URL, h.address.NGTT)
	g, err := startGateway(ctx, j, h)
	if err != nil {
		return err
	}
	closed := false
	defer func() {
		if !closed {
			err = errors.Join(err, g.close())
		}
	}()
	if err := g.device.WaitSynced(ctx); err != nil {
		return err
	}
	j.line.say("gateway", "registered %d pathpoints", len(g.device.Pathpoints()))

	j.line.say("hub", "takes the next values, and its answer is lost")
	if _, err := h.ask(ctx, "lose 1 /v1/device/pathpoints"); err != nil {
		return err
	}
	before := len(j.sim.device.PowerLog())
	j.line.say("device", "the computer loses its power")
	j.sim.device.SetHostPower(false)
	if err := h.sees(ctx, powerPath, false); err != nil {
		return err
	}
	j.line.say("hub", "sees %s off", powerPath)
	if err := j.orderOn(ctx, g, h); err != nil {
		return err
	}
	if err := h.sees(ctx, powerPath, true); err != nil {
		return err
	}
	j.line.say("hub", "sees %s on", powerPath)

	closed = true
	if err := g.close(); err != nil {
		return err
	}
	return j.reckon(ctx, g, h, j.sim.device.PowerLog()[before:])
}

// orderOn lets the hub order the power on, makes it restart when the button is pressed, and waits for the confirmation.
func (j *job) orderOn(ctx context.Context, g *gateway, h *hub) error {
	j.line.say("hub", "orders %s on", powerPath)
	order := fmt.Sprintf(`order %s [{"orders":[{"type":"write","path":%q,"value":true}]}]`, gatewayID, powerPath)
	if _, err := h.ask(ctx, order); err != nil {
		return err
	}
	select {
	case <-g.pressed:
	case <-ctx.Done():
		return ctx.Err()
	}
	measured := g.ledger.count()
	j.line.say("hub", "restarts: gone for %v", hubGone)
	if _, err := h.ask(ctx, fmt.Sprintf("restart %v", hubGone)); err != nil {
		return err
	}
	j.line.say("hub", "is back; the gateway has measured %d values meanwhile", g.ledger.count()-measured)
	err := h.until(ctx, "counts "+gatewayID, func(a hubAnswer) bool { return a.Counts.Orders.Confirmed > 0 })
	if err == nil {
		j.line.say("hub", "has the confirmation of the order")
	}
	return err
}

// reckon compares what the hub has with what the gateway measured, and what the order did.
func (j *job) reckon(ctx context.Context, g *gateway, h *hub, log []pikvmtest.PowerEvent) error {
	all, err := h.ask(ctx, "samples "+gatewayID)
	if err != nil {
		return err
	}
	if err := g.ledger.compare(all.Samples); err != nil {
		return err
	}
	a, err := h.ask(ctx, "counts "+gatewayID)
	if err != nil {
		return err
	}
	c := a.Counts
	if c.Repeated == 0 || c.Conflicting > 0 {
		return fmt.Errorf("%d values came again, %d with another value", c.Repeated, c.Conflicting)
	}
	presses, starts := 0, 0
	for _, event := range log {
		switch event.Kind {
		case pikvmtest.PowerPressed:
			presses++
		case pikvmtest.HostOn:
			starts++
		}
	}
	if c.Orders.Confirmed != 1 || presses != 1 || starts != 1 {
		return fmt.Errorf("%d orders confirmed, %d presses, %d starts", c.Orders.Confirmed, presses, starts)
	}
	j.line.say("hub", "has all %d values, each once (%d came again after the lost answer)", len(all.Samples), c.Repeated)
	j.line.say("hub", "sent the order %d times; the button was pressed once, and the order confirmed once", c.Orders.Delivered)
	return nil
}

// sees waits until the newest value of a pathpoint is the given one.
func (h *hub) sees(ctx context.Context, path string, v any) error {
	return h.until(ctx, "samples "+gatewayID+" "+path, func(a hubAnswer) bool {
		n := len(a.Samples)
		return n > 0 && a.Samples[n-1].Value == v
	})
}

// until asks again and again until the answer is as it should be.
func (h *hub) until(ctx context.Context, command string, good func(hubAnswer) bool) error {
	for {
		a, err := h.ask(ctx, command)
		if err != nil || good(a) {
			return err
		}
		if err := retry.Wait(ctx, 50*time.Millisecond); err != nil {
			return fmt.Errorf("waiting for the hub: %w", err)
		}
	}
}
