package main

import (
	"context"
	"regexp"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// lookEvery is the pause between two looks at the screen.
const lookEvery = 250 * time.Millisecond

// boot resets the computer, gets into its boot menu, types, and waits for what comes of it.
func (j *job) boot(ctx context.Context) error {
	j.line.scene("boot from it, unattended")
	if err := j.kvm.ATX.ForceReset(ctx, j.power()); err != nil {
		return err
	}
	taps := 0
	err := j.kvm.EnterBIOS(ctx, j.cfg.boot.key, func(ctx context.Context) error {
		return j.read(ctx, j.cfg.boot.menu)
	}, &pikvm.BIOSOptions{Input: j.session, OnTap: func(n int) { taps = n }})
	if err != nil {
		return err
	}
	j.line.say("client", "is in the boot menu, after %d × %s", taps, j.cfg.boot.key)
	if err := j.session.Type(ctx, j.cfg.boot.typed, &pikvm.TypeOptions{Escapes: true}); err != nil {
		return err
	}
	j.line.say("client", "typed %q", j.cfg.boot.typed)
	if j.cfg.boot.result != "" {
		if err := j.read(ctx, j.cfg.boot.result); err != nil {
			return err
		}
	}
	return j.screenshot(ctx)
}

// read waits until a text is on the screen, in large letters or small ones.
func (j *job) read(ctx context.Context, text string) error {
	pattern := regexp.MustCompile("(?i)" + regexp.QuoteMeta(text))
	seen, err := j.kvm.WaitForText(ctx, pattern, &pikvm.WaitTextOptions{Session: j.session, Every: lookEvery})
	if err == nil {
		j.line.say("screen", "shows %q", pattern.FindString(seen.Text))
	}
	return err
}
