package cli

import (
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

// each does the work with every device that was asked for.
func (a *app) each(ctx context.Context, do work) error {
	devices, err := a.selected()
	if err != nil {
		return err
	}
	targets := make([]*target, 0, len(devices))
	defer func() {
		for _, t := range targets {
			_ = t.kvm.Close() // returns nil
		}
	}()
	for _, device := range devices {
		kvm, noPassword, err := a.open(device)
		if err != nil {
			return err
		}
		targets = append(targets, &target{
			Device: device, kvm: kvm, one: len(devices) == 1,
			out: a.printer(), noPassword: noPassword,
		})
	}
	for _, t := range targets {
		if err := t.hint(do(ctx, t)); err != nil {
			return err
		}
	}
	return nil
}

// hint adds to an error what may be wrong.
func (t *target) hint(err error) error {
	if t.noPassword && errors.Is(err, pikvm.ErrAuth) {
		return fmt.Errorf("%w (no password: set PIKVM_PASSWORD, or give --password-file)", err)
	}
	return err
}

// stream is each for what goes on and on: every result is printed as it comes, and an interruption is its normal end.
func (a *app) stream(ctx context.Context, do work) error {
	err := a.each(ctx, do)
	if ctx.Err() != nil && exit.Code(err) == exit.Interrupted {
		return exit.StatusError(exit.Interrupted)
	}
	return err
}

// open makes the client of a device and tells whether there is no password for it. It asks for its password if nothing tells it and somebody is there.
func (a *app) open(device config.Device) (kvm *pikvm.Client, noPassword bool, err error) {
	opts, noPassword, err := device.Options()
	if err != nil {
		return nil, false, exit.Usagef("%s: %w", device.Name, err)
	}
	if noPassword && a.sys.StdinTerminal {
		if opts.Password, err = a.ask(fmt.Sprintf("Password for %s (empty for none): ", device.Name)); err != nil {
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
func (a *app) ask(prompt string) (string, error) {
	_, _ = io.WriteString(a.sys.Stderr, prompt) // if it cannot be shown, the answer decides
	line, err := a.sys.ReadPassword()
	_, _ = io.WriteString(a.sys.Stderr, "\n")
	return line, err
}
