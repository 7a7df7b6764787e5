package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// powerCycle switches the computer off and on again. Its LED decides whether that worked.
func (j *job) powerCycle(ctx context.Context) error {
	j.line.scene("power-cycle the computer, and see that it happened")
	if err := j.kvm.ATX.PowerCycle(ctx, j.power()); err != nil {
		return err
	}
	state, err := j.kvm.ATX.State(ctx)
	if err != nil {
		return err
	}
	if !state.LEDs.Power {
		return errors.New("the power LED is off after a power cycle that succeeded")
	}
	j.line.say("client", "the computer was power-cycled: its power LED went off and on")
	return nil
}

// power returns options that print what is pressed, and every trouble.
func (j *job) power() *pikvm.PowerOptions {
	return &pikvm.PowerOptions{
		Session: j.session,
		OffTime: time.Second,
		OnStep: func(step pikvm.PowerStep) {
			switch {
			case step.Err != nil && !errors.Is(step.Err, pikvm.ErrWebSocket): // watch tells of those
				j.line.met("power", step.Err)
			case step.Err == nil && strings.HasPrefix(step.Name, "press"):
				j.line.say("power", "%s", step.Name)
			}
			if j.sim != nil {
				j.sim.makeTrouble(step)
			}
		},
	}
}
