package main

import (
	"context"
	"errors"
	"io"
)

// run does the whole job and returns nil if all of it went well.
func run(ctx context.Context, cfg config, out io.Writer) (err error) {
	line := newTimeline(out)
	var sim *simulated
	if cfg.url == "" {
		if sim, err = startSimulated(line, cfg.haste); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, sim.close()) }()
		cfg = sim.config(cfg)
		if err := refusals(ctx, cfg, line); err != nil {
			return err
		}
	}
	if err := automate(ctx, cfg, line, sim); err != nil {
		return err
	}
	line.summary()
	line.say("demo", "done")
	return nil
}
