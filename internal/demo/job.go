package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// run does the whole job and returns nil if all of it went well.
func run(ctx context.Context, cfg config, out io.Writer) error {
	line := newTimeline(out)
	var sim *simulated
	if cfg.url == "" {
		var err error
		if sim, err = startSimulated(line); err != nil {
			return err
		}
		defer func() { _ = sim.device.Close() }() // returns nil
		cfg = sim.config()
		if err := refusals(ctx, cfg, line); err != nil {
			return err
		}
	}
	if err := automate(ctx, cfg, line, sim); err != nil {
		return err
	}
	if sim != nil {
		if err := sim.verdict(); err != nil {
			return err
		}
	}
	line.summary()
	line.say("demo", "done")
	return nil
}

var errAccepted = errors.New("accepted")

// refusals shows what a wrong certificate and a wrong password look like. It is not for real devices: some count
// wrong passwords.
func refusals(ctx context.Context, cfg config, line *timeline) error {
	unpinned, wrong := cfg, cfg
	unpinned.fingerprint = ""
	wrong.password = "correct donkey"
	for _, attempt := range []struct {
		what string
		cfg  config
		want error
	}{
		{"the certificate is self-signed and not pinned yet", unpinned, pikvm.ErrConnect},
		{"wrong password", wrong, pikvm.ErrAuth},
	} {
		line.say("client", "tries to log in: %s", attempt.what)
		err := check(ctx, attempt.cfg)
		if !errors.Is(err, attempt.want) {
			return fmt.Errorf("%s: unexpected answer: %w", attempt.what, cmp.Or(err, errAccepted))
		}
		line.met("client", err)
	}
	return nil
}

func check(ctx context.Context, cfg config) error {
	kvm, err := cfg.client()
	if err != nil {
		return err
	}
	defer func() { _ = kvm.Close() }() // returns nil
	return kvm.Auth.Check(ctx)
}

// automate is the job itself, the same for both devices.
func automate(ctx context.Context, cfg config, line *timeline, sim *simulated) error {
	kvm, err := cfg.client()
	if err != nil {
		return err
	}
	defer func() { _ = kvm.Close() }() // returns nil
	if err := logIn(ctx, cfg, kvm, line); err != nil {
		return err
	}

	session, err := kvm.Events(ctx, &pikvm.EventOptions{Backoff: retry.Backoff{Base: 500 * time.Millisecond}})
	if err != nil {
		return err
	}
	var watching sync.WaitGroup
	defer watching.Wait()
	defer func() { _ = session.Close() }() // returns nil
	events := session.Subscribe(pikvm.EventATX, pikvm.EventConnected, pikvm.EventDisconnected)
	watching.Go(func() { watch(ctx, events, line) })
	state, err := session.Wait(ctx, func(s *pikvm.State) bool { _, known := s.ATX(); return known })
	if err != nil {
		return err
	}
	line.say("client", "subscribed to the events of version %s", state.Version())

	if cfg.allowPower {
		if err := powerCycle(ctx, kvm, session, line, sim); err != nil {
			return err
		}
	} else {
		line.say("client", "only looks, for %v: PIKVM_ALLOW_POWER is not 1", cfg.look)
		if err := retry.Wait(ctx, cfg.look); err != nil {
			return err
		}
	}
	if err := kvm.Auth.Logout(ctx, ""); err != nil {
		return err
	}
	line.say("client", "logged out")
	return nil
}

// logIn opens the client's session and says who the device is.
func logIn(ctx context.Context, cfg config, kvm *pikvm.Client, line *timeline) error {
	if _, err := kvm.Auth.Login(ctx, nil); err != nil {
		if _, tlsFailed := errors.AsType[*tls.CertificateVerificationError](err); tlsFailed {
			offerPin(ctx, cfg, line)
		}
		return err
	}
	line.say("client", "logged in")
	info, err := kvm.Info.Get(ctx, &pikvm.InfoOptions{Fields: []string{pikvm.InfoSystem}})
	if err != nil {
		return err
	}
	if info.System != nil {
		line.say("client", "the device runs kvmd %s on %s", info.System.KVMD, info.System.Kernel.Machine)
	}
	return nil
}

// offerPin tells how to trust a device whose certificate no authority has signed.
func offerPin(ctx context.Context, cfg config, line *timeline) {
	fingerprint, err := pikvm.Fingerprint(ctx, cfg.url, nil)
	if err != nil {
		line.met("client", err)
		return
	}
	line.say("client", "if this is your device's certificate, set PIKVM_FINGERPRINT=%s", fingerprint)
}

// watch prints events until the session ends. An event may repeat the state; only changes are news.
func watch(ctx context.Context, events *pikvm.Subscription, line *timeline) {
	var last pikvm.ATXLEDs
	known := false
	for {
		event, err := events.Next(ctx)
		if err != nil {
			return // the session was closed, or ctx is done: the job knows
		}
		switch event.Type {
		case pikvm.EventDisconnected:
			line.met("event", event.Err)
		case pikvm.EventConnected:
			line.say("event", "socket connected")
		case pikvm.EventATX:
			var atx pikvm.ATXState
			if err := atx.UnmarshalJSON(event.Data); err != nil {
				continue // the session's own decoding reports it
			}
			if !known || atx.LEDs.Power != last.Power {
				line.say("event", "power LED is %s", onOff(atx.LEDs.Power))
			}
			known, last = true, atx.LEDs
		}
	}
}

func onOff(lit bool) string {
	if lit {
		return "on"
	}
	return "off"
}

// powerCycle switches the host off and on again and prints every step.
func powerCycle(ctx context.Context, kvm *pikvm.Client, session *pikvm.Session, line *timeline, sim *simulated) error {
	err := kvm.ATX.PowerCycle(ctx, &pikvm.PowerOptions{
		Session: session,
		OffTime: time.Second,
		OnStep: func(step pikvm.PowerStep) {
			switch {
			case step.Err == nil:
				line.say("power", "%s", step.Name)
			case !errors.Is(step.Err, pikvm.ErrWebSocket): // watch tells of those
				line.met("power", step.Err)
			}
			if sim != nil {
				sim.makeTrouble(step)
			}
		},
	})
	if err != nil {
		return err
	}
	state, err := kvm.ATX.State(ctx)
	if err != nil {
		return err
	}
	if !state.LEDs.Power {
		return errors.New("the power LED is off after a power cycle that succeeded")
	}
	line.say("client", "the host was power-cycled: the power LED is on")
	return nil
}
