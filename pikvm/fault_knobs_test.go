package pikvm_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestFaultKnobs turns every knob of the fake by which a device misbehaves: each shows as a typed error, and when it is
// turned back, the same client and the same session do all that they did before.
func TestFaultKnobs(t *testing.T) {
	t.Parallel()
	const code = "JBSWY3DPEHPK3PXP"
	type call = func(ctx context.Context, f *fake, s *pikvm.Session) error
	state := func(ctx context.Context, f *fake, _ *pikvm.Session) error {
		_, err := f.client.ATX.State(ctx)
		return err
	}
	press := func(ctx context.Context, f *fake, _ *pikvm.Session) error {
		return f.client.ATX.Click(ctx, pikvm.ButtonReset, nil)
	}
	spoil := func(fault pikvmtest.Fault) func(*fake) {
		fault.Path = "/api/atx*"
		return func(f *fake) { f.Inject(fault) }
	}
	heal := func(f *fake) { f.ClearFaults() }
	// lost is what a session says of its connection, whose end a knob brings about.
	lost := func(end func(f *fake)) call {
		return func(ctx context.Context, f *fake, s *pikvm.Session) error {
			sub := s.Subscribe(pikvm.EventDisconnected)
			defer sub.Close()
			end(f)
			ev, err := sub.Next(ctx)
			return errors.Join(err, ev.Err)
		}
	}
	none := func(*fake) {}
	for _, tc := range []struct {
		name string
		turn func(f *fake)
		do   call
		want []error
		back func(f *fake)
	}{
		{
			"status", spoil(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Status: 500}), press,
			[]error{pikvm.ErrAPI, errkit.Internal},
			heal,
		},
		{
			"delay", spoil(pikvmtest.Fault{Kind: pikvmtest.FaultDelay, Delay: 2 * time.Minute}), press,
			[]error{pikvm.ErrConnectionTimeout, errkit.Timeout},
			heal,
		},
		{
			"garbage", spoil(pikvmtest.Fault{Kind: pikvmtest.FaultGarbage}), press,
			[]error{pikvm.ErrResponse, errkit.Protocol},
			heal,
		},
		{
			"truncated body", spoil(pikvmtest.Fault{Kind: pikvmtest.FaultTruncate, Bytes: 10}), state,
			[]error{pikvm.ErrResponse, errkit.Protocol},
			heal,
		},
		{
			"reset", spoil(pikvmtest.Fault{Kind: pikvmtest.FaultReset}), press,
			[]error{pikvm.ErrConnect, errkit.Disconnected},
			heal,
		},
		{
			"slow body", spoil(pikvmtest.Fault{Kind: pikvmtest.FaultSlow, Interval: time.Second}), state,
			[]error{pikvm.ErrConnectionTimeout, errkit.Timeout},
			heal,
		},
		{
			"socket dropped, clean", none, lost(func(f *fake) { f.DropSockets(1001) }),
			[]error{pikvm.ErrWebSocket, errkit.Unavailable},
			none,
		},
		{
			"socket dropped, abnormal", none, lost(func(f *fake) { f.DropSockets(0) }),
			[]error{pikvm.ErrWebSocket, errkit.Disconnected},
			none,
		},
		{
			"stalled pings", func(f *fake) { f.StallPings(true) },
			func(ctx context.Context, _ *fake, s *pikvm.Session) error { _, err := s.Ping(ctx); return err },
			[]error{pikvm.ErrConnectionTimeout, context.DeadlineExceeded},
			func(f *fake) { f.StallPings(false) },
		},
		{
			"restart", none, lost(func(f *fake) { f.Restart(5 * time.Second) }),
			[]error{pikvm.ErrWebSocket, errkit.Unavailable},
			none,
		},
		{
			"502 window", func(f *fake) { f.SetDown(5 * time.Second) }, press,
			[]error{pikvm.ErrAPI, errkit.Unavailable},
			none,
		},
		{
			"storage busy", func(f *fake) { f.HoldMSD(5 * time.Second) },
			func(ctx context.Context, f *fake, _ *pikvm.Session) error {
				return f.client.MSD.SetParams(ctx, &pikvm.MSDParams{Image: new(string)})
			},
			[]error{pikvm.ErrBusy, errkit.Busy},
			none,
		},
		{
			"LED stuck", func(f *fake) { f.SetPowerLED(pikvmtest.LEDStuckOff) },
			func(ctx context.Context, f *fake, s *pikvm.Session) error {
				return f.client.ATX.PowerOn(ctx, &pikvm.PowerOptions{Session: s})
			},
			[]error{pikvm.ErrPower, errkit.Timeout},
			func(f *fake) { f.SetPowerLED(pikvmtest.LEDWired) },
		},
		{
			"clock skew", func(f *fake) { f.SetClockSkew(time.Hour) }, press,
			[]error{pikvm.ErrAuth, errkit.Auth},
			func(f *fake) { f.SetClockSkew(0) },
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, &pikvmtest.Options{TOTPSecret: code}, &pikvm.Options{TOTPSecret: code}, func(t *testing.T, f *fake) {
				s := f.open(t, nil)
				usable := func() {
					t.Helper()
					knowsATX(t, s)
					if _, err := s.Ping(within(t, time.Minute)); err != nil {
						t.Errorf("ping: %v", err)
					}
					if err := s.Key(t.Context(), pikvm.KeyA, pikvm.Tap); err != nil {
						t.Errorf("key: %v", err)
					}
					if err := press(t.Context(), f, s); err != nil {
						t.Errorf("press: %v", err)
					}
					if err := f.client.MSD.SetParams(t.Context(), &pikvm.MSDParams{Image: new(string)}); err != nil {
						t.Errorf("storage: %v", err)
					}
					synctest.Wait()
				}
				usable()
				time.Sleep(2 * time.Second) // the line is free again
				tc.turn(f)
				err := tc.do(within(t, time.Minute), f, s)
				for _, want := range append(tc.want, pikvm.Err) {
					if !errors.Is(err, want) {
						t.Errorf("error %v is not %v", err, want)
					}
				}
				tc.back(f)
				time.Sleep(2 * time.Minute) // whatever is under way ends
				usable()
				if f.Typed() != "aa" {
					t.Errorf("typed %q", f.Typed())
				}
			})
		})
	}
}
