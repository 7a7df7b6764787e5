package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/config"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

// target is a device to work with.
type target struct {
	config.Device
	kvm        *pikvm.Client
	out        *printer
	noPassword bool // nothing told one
	one        bool // it is the only one: progress may be shown, and stdout may be written to directly
}

// work is what a command does with one device.
type work func(ctx context.Context, t *target) error

// each does the work with every device that was asked for, and prints what came of it in the order of the devices.
func (a *app) each(ctx context.Context, do work) error {
	targets, err := a.targets(ctx)
	defer closeAll(targets)
	if err != nil {
		return err
	}
	if targets[0].one {
		return targets[0].hint(do(ctx, targets[0]))
	}
	results := make([]bytes.Buffer, len(targets))
	for i, t := range targets {
		t.out.to = &results[i]
	}
	err = a.fleet(ctx, targets, do)
	for i := range results {
		if _, failed := a.sys.Stdout.Write(results[i].Bytes()); failed != nil {
			return errors.Join(err, failed)
		}
	}
	return err
}

// stream is each for what goes on and on: every result is printed as it comes, and an interruption is its normal end.
func (a *app) stream(ctx context.Context, do work) error {
	targets, err := a.targets(ctx)
	defer closeAll(targets)
	if err != nil {
		return err
	}
	if targets[0].one {
		err = targets[0].hint(do(ctx, targets[0]))
	} else {
		to := &lines{to: a.sys.Stdout}
		for _, t := range targets {
			t.out.to = to
		}
		err = a.fleet(ctx, targets, do)
	}
	if ctx.Err() != nil && exit.Code(err) == exit.Interrupted {
		return exit.StatusError(exit.Interrupted)
	}
	return err
}

// fleet does the work with several devices at once. What failed is printed as a result, too, for programs.
func (a *app) fleet(ctx context.Context, targets []*target, do work) error {
	byName := make(map[string]*target, len(targets))
	devices := make([]pikvm.FleetDevice, 0, len(targets))
	for _, t := range targets {
		byName[t.Name] = t
		devices = append(devices, pikvm.FleetDevice{Name: t.Name, Client: t.kvm})
	}
	fleet, err := pikvm.NewFleet(devices, &pikvm.FleetOptions{Parallel: a.globals.jobs})
	if err != nil {
		return err
	}
	return fleet.Each(ctx, func(ctx context.Context, d pikvm.FleetDevice) error {
		t := byName[d.Name]
		err := t.hint(do(ctx, t))
		if err != nil {
			return errors.Join(err, t.out.failed(err))
		}
		return nil
	})
}

// targets opens every device that was asked for. Those that are open have to be closed also with an error.
func (a *app) targets(ctx context.Context) ([]*target, error) {
	devices, err := a.selected()
	if err != nil {
		return nil, err
	}
	targets := make([]*target, 0, len(devices))
	for _, device := range devices {
		kvm, noPassword, err := a.open(ctx, device)
		if err != nil {
			return targets, err
		}
		t := &target{Device: device, kvm: kvm, noPassword: noPassword, one: !a.globals.all, out: a.printer()}
		if !t.one {
			t.out.device = t.Name
		}
		targets = append(targets, t)
	}
	return targets, nil
}

func closeAll(targets []*target) {
	for _, t := range targets {
		_ = t.kvm.Close() // returns nil
	}
}

// hint adds to an error what may be wrong.
func (t *target) hint(err error) error {
	if t.noPassword && errors.Is(err, pikvm.ErrAuth) {
		return fmt.Errorf("%w (no password: set PIKVM_PASSWORD, or give --password-file)", err)
	}
	return err
}

// open makes the client of a device and tells whether there is no password for it. It asks for the password if nothing
// tells it and somebody is there.
func (a *app) open(ctx context.Context, device config.Device) (kvm *pikvm.Client, noPassword bool, err error) {
	opts, noPassword, err := device.Options()
	if err != nil {
		return nil, false, exit.Usagef("%s: %w", device.Name, err)
	}
	if noPassword && a.sys.StdinTerminal {
		if opts.Password, err = a.ask(ctx, fmt.Sprintf("Password for %s (empty for none): ", device.Name)); err != nil {
			return nil, false, err
		}
		noPassword = false
	}
	opts.UserAgent = "pikvmctl/" + version()
	opts.Logger = a.logger()
	kvm, err = pikvm.New(device.URL, opts)
	return kvm, noPassword, err
}

// ask reads a secret from the terminal.
func (a *app) ask(ctx context.Context, prompt string) (string, error) {
	_, _ = io.WriteString(a.sys.Stderr, prompt) // if it cannot be shown, the answer decides
	line, err := a.sys.ReadPassword(ctx)
	_, _ = io.WriteString(a.sys.Stderr, "\n")
	return line, err
}
