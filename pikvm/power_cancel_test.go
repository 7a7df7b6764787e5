package pikvm_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestPowerInterrupted: the caller's context ends an operation at every step; nothing more is pressed then.
func TestPowerInterrupted(t *testing.T) {
	t.Parallel()
	short := pikvm.PowerOptions{OffTimeout: 5 * time.Second, Escalate: true}
	for _, tc := range []struct {
		do   powerOperation
		opts pikvm.PowerOptions
		step string
		busy pikvmtest.ATXLine // at the start
	}{
		{powerCycle, short, "check", ""},
		{powerCycle, short, "wait idle", pikvmtest.LinePower},
		{powerCycle, short, "press off", ""},
		{powerCycle, short, "wait off", ""},
		{powerCycle, short, "press off_hard", ""},
		{powerCycle, short, "pause", ""},
		{powerCycle, short, "press on", ""},
		{powerCycle, short, "wait on", ""},
		{forceReset, short, "wait idle", pikvmtest.LineReset},
		{forceReset, short, "press reset_hard", ""},
		{forceReset, short, "wait reset", ""},
		{powerOff, pikvm.PowerOptions{Hard: true}, "press off_hard", ""},
		{powerOff, pikvm.PowerOptions{Hard: true}, "wait off", ""},
	} {
		t.Run(tc.step, func(t *testing.T) {
			t.Parallel()
			host := pikvmtest.HostOptions{PoweredOn: true, IgnoreACPI: true}
			inBubble(t, &pikvmtest.Options{Host: host}, nil, func(t *testing.T, f *fake) {
				if tc.busy != "" {
					f.HoldATX(tc.busy, 5*time.Second)
				}
				ctx, cancel := context.WithCancel(t.Context())
				s := story{on: map[string]func(){tc.step: cancel}}
				tc.opts.OnStep = s.tell
				start := time.Now()
				err := tc.do(f.client.ATX, ctx, &tc.opts)
				power, ok := errors.AsType[*pikvm.PowerError](err)
				if !ok || !errors.Is(err, context.Canceled) || errkit.KindOf(err)&^errkit.NotSent != errkit.Canceled || power.Step != tc.step {
					t.Fatalf("error is %v", err)
				}
				presses := f.presses()
				if power.Pressed != (presses > 0) || errors.Is(err, errkit.NotSent) == power.Pressed {
					t.Errorf("pressed %v after %d presses: %v", power.Pressed, presses, err)
				}
				time.Sleep(time.Minute)
				if took := time.Since(start); f.presses() != presses || f.Sockets() != 0 {
					t.Errorf("after %v: %d more presses, %d sockets", took, f.presses()-presses, f.Sockets())
				}
				if presses == 0 && len(f.happened()) > 0 {
					t.Errorf("something happened: %v", f.happened())
				}
			})
		})
	}
	t.Run("deadline", func(t *testing.T) {
		t.Parallel()
		inBubble(t, &pikvmtest.Options{Host: hostOn}, nil, func(t *testing.T, f *fake) {
			err := f.client.ATX.PowerOff(within(t, time.Second), nil)
			if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, pikvm.ErrPower) || !errors.Is(err, errkit.Timeout) {
				t.Errorf("error is %v", err)
			}
		})
	})
}
