package main

import (
	"context"
	"io"
)

// run does the whole job and returns nil if all of it went well.
func run(ctx context.Context, cfg config, out io.Writer) error {
	line := newTimeline(out)
	var sim *simulated
	if cfg.url == "" {
		var err error
		if sim, err = startSimulated(line, cfg.haste); err != nil {
			return err
		}
		defer sim.close()
		cfg = sim.config(cfg)
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
