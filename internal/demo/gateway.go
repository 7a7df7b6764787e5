package main

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/store/diskstore"
)

// The pathpoints of the gateway. The first letter is the type of the values.
const (
	powerPath   = "Bpower"   // whether the computer is on; it can be written
	latencyPath = "dlatency" // how long the PiKVM takes to answer, in milliseconds
	versionPath = "ukvmd"    // what runs on the PiKVM
)

// measureEvery is how often the latency is measured.
const measureEvery = 100 * time.Millisecond

// gateway shows a PiKVM to a hub: a SMOK device whose values outlive the program, and the link.
type gateway struct {
	job     *job
	ledger  *ledger
	device  *smok.Device
	power   *smok.Pathpoint
	latency *smok.Pathpoint
	press   sync.Once
	pressed chan struct{} // closed when the power button was pressed for an order

	stop      context.CancelFunc // of measuring
	measuring sync.WaitGroup
	running   sync.WaitGroup
	failed    error // of Run
}

// startGateway makes the device, and lets it run.
func startGateway(ctx context.Context, j *job, h *hub) (*gateway, error) {
	credentials, roots, err := h.credentials()
	if err != nil {
		return nil, err
	}
	disk, err := diskstore.Open(filepath.Join(h.dir, "device"), nil)
	if err != nil {
		return nil, err
	}
	g := &gateway{job: j, ledger: newLedger(), pressed: make(chan struct{})}
	g.device, err = smok.New(credentials, &smok.Options{
		BaseURL:   h.address.URL,
		Auth:      smok.AuthMTLS,
		RootCAs:   roots,
		Store:     disk,
		NGTT:      &ngtt.Options{Addr: h.address.NGTT, Backoff: retry.Backoff{Cap: time.Second}},
		Intervals: smok.Intervals{Values: measureEvery},
		OnError:   func(_ string, err error) { j.line.metAgain("gateway", err) },
	})
	if err != nil {
		return nil, errors.Join(err, disk.Close())
	}
	if err := g.register(ctx); err != nil {
		return nil, errors.Join(err, g.device.Close())
	}
	ctx, g.stop = context.WithCancel(ctx)
	g.running.Go(func() { g.failed = g.device.Run(context.WithoutCancel(ctx)) }) // until close
	g.measuring.Go(func() { g.follow(ctx) })
	g.measuring.Go(func() { g.measure(ctx) })
	return g, nil
}

// register says what there is to see.
func (g *gateway) register(ctx context.Context) (err error) {
	g.power, err = g.device.Register(powerPath, smok.Permanent, &smok.PathpointOptions{
		Write: g.switchPower, Timeout: time.Minute, OnUpdate: g.accepted,
	})
	if err != nil {
		return err
	}
	g.latency, err = g.device.Register(latencyPath, smok.Trend, &smok.PathpointOptions{OnUpdate: g.accepted})
	if err != nil {
		return err
	}
	version, err := g.device.Register(versionPath, smok.Permanent, &smok.PathpointOptions{OnUpdate: g.accepted})
	if err != nil {
		return err
	}
	return version.Set(ctx, time.Time{}, g.job.session.Version().String())
}

// accepted is called for every value that is in the store.
func (g *gateway) accepted(p *smok.Pathpoint, s smok.Sample) {
	g.ledger.accepted(p.Name(), s.Time, s.Value)
}

// follow tells what the power LED shows, whenever that changes.
func (g *gateway) follow(ctx context.Context) {
	last, known := false, false
	for event, err := range g.job.session.Events(ctx, pikvm.EventATX) {
		if err != nil {
			return // the session was closed, or ctx is done
		}
		var atx pikvm.ATXState
		if err := atx.UnmarshalJSON(event.Data); err != nil || known && atx.LEDs.Power == last {
			continue
		}
		last, known = atx.LEDs.Power, true
		if err := g.power.Set(ctx, time.Time{}, last); err != nil {
			g.job.line.met("gateway", err)
		}
	}
}

// measure tells how long the PiKVM takes to answer, again and again.
func (g *gateway) measure(ctx context.Context) {
	next := time.NewTicker(measureEvery)
	defer next.Stop()
	for {
		select {
		case <-next.C:
		case <-ctx.Done():
			return
		}
		took, err := g.job.session.Ping(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			err = g.latency.SetError(ctx, time.Time{}, smok.ReasonTimeout)
		default:
			err = g.latency.Set(ctx, time.Time{}, float64(took)/float64(time.Millisecond))
		}
		if err != nil {
			g.job.line.met("gateway", err)
		}
	}
}

// switchPower carries out an order of the hub.
func (g *gateway) switchPower(ctx context.Context, v any, _ smok.Advise) error {
	on, _ := v.(bool)
	g.job.line.say("gateway", "has the order to switch the computer %s", onOff(on))
	opts := g.job.power()
	step := opts.OnStep
	opts.OnStep = func(s pikvm.PowerStep) {
		step(s)
		if s.Err == nil && s.Name == "wait on" {
			g.press.Do(func() { close(g.pressed) })
		}
	}
	if on {
		return g.job.kvm.ATX.PowerOn(ctx, opts)
	}
	return g.job.kvm.ATX.PowerOff(ctx, opts)
}

// close stops measuring, brings to the hub what it does not have, and ends the device.
func (g *gateway) close() error {
	g.stop()
	g.measuring.Wait()
	err := g.device.Close()
	g.running.Wait()
	return errors.Join(err, g.failed)
}
