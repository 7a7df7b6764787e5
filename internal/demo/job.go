package main

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// job is what the scenes share: a client that is logged in, and a session.
type job struct {
	cfg     config
	line    *timeline
	sim     *simulated // nil with a real device
	kvm     *pikvm.Client
	session *pikvm.Session
}

// automate is the job itself, the same for both devices.
func automate(ctx context.Context, cfg config, line *timeline, sim *simulated) error {
	kvm, err := cfg.client()
	if err != nil {
		return err
	}
	defer func() { _ = kvm.Close() }() // returns nil
	line.scene("log in")
	if err := logIn(ctx, cfg, kvm, line); err != nil {
		return err
	}
	session, err := kvm.Events(ctx, &pikvm.EventOptions{Stream: true, Backoff: retry.Backoff{Base: 500 * time.Millisecond}})
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
	line.say("client", "follows the events of kvmd %s", state.Version())

	j := &job{cfg: cfg, line: line, sim: sim, kvm: kvm, session: session}
	if err := j.scenes(ctx); err != nil {
		return err
	}
	if sim != nil {
		if err := sim.verdict(); err != nil {
			return err
		}
		if err := j.obey(ctx, sim.hub); err != nil {
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
	with := "a password"
	if cfg.totpSecret != "" {
		with = "a password and the code of the moment"
	}
	line.say("client", "logged in with %s", with)
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

// scenes does what is allowed.
func (j *job) scenes(ctx context.Context) error {
	if j.cfg.allowPower {
		if err := j.powerCycle(ctx); err != nil {
			return err
		}
	}
	host := j.look
	if j.cfg.allowPower && j.cfg.boot.key != "" {
		host = j.boot
	}
	if !j.cfg.allowDrive {
		return host(ctx)
	}
	return j.withDrive(ctx, host)
}

// look follows the events for a while.
func (j *job) look(ctx context.Context) error {
	j.line.say("client", "only looks, for %v: PIKVM_ALLOW_POWER is not 1, or PIKVM_BOOT_KEY is not set", j.cfg.look)
	if err := retry.Wait(ctx, j.cfg.look); err != nil {
		return err
	}
	return j.screenshot(ctx)
}
