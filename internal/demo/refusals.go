package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

var errAccepted = errors.New("accepted")

// refusals shows what a wrong certificate and a wrong password look like. It is not for real devices: some count
// wrong passwords.
func refusals(ctx context.Context, cfg config, line *timeline) error {
	line.scene("two ways not to get in")
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
