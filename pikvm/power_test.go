package pikvm_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

type powerOperation func(a *pikvm.ATX, ctx context.Context, opts *pikvm.PowerOptions) error

var (
	powerOn    powerOperation = (*pikvm.ATX).PowerOn
	powerOff   powerOperation = (*pikvm.ATX).PowerOff
	powerCycle powerOperation = (*pikvm.ATX).PowerCycle
	forceReset powerOperation = (*pikvm.ATX).ForceReset
)

var (
	hostOn  = pikvmtest.HostOptions{PoweredOn: true}
	hostOff = pikvmtest.HostOptions{}
)

// happened returns what happened on the lines and to the host.
func (f *fake) happened() []pikvmtest.PowerEventKind {
	var kinds []pikvmtest.PowerEventKind
	for _, ev := range f.PowerLog() {
		kinds = append(kinds, ev.Kind)
	}
	return kinds
}

// presses returns how many requests to press something the device saw.
func (f *fake) presses() (n int) {
	for _, r := range f.Requests() {
		if r.Method == "POST" {
			n++
		}
	}
	return n
}

// story collects the steps of an operation.
type story struct {
	steps    []string
	troubles []error
	on       map[string]func() // what to do when a step begins, once
}

func (s *story) tell(step pikvm.PowerStep) {
	if step.Err != nil {
		s.troubles = append(s.troubles, step.Err)
		return
	}
	s.steps = append(s.steps, step.Name)
	if do, ok := s.on[step.Name]; ok {
		delete(s.on, step.Name)
		do()
	}
}

// met reports whether a trouble matches.
func (s *story) met(target error) bool {
	return slices.ContainsFunc(s.troubles, func(err error) bool { return errors.Is(err, target) })
}

// Short names of what happens to a host.
var (
	pressed      = []pikvmtest.PowerEventKind{pikvmtest.PowerPressed, pikvmtest.PowerReleased}
	turnedOn     = append(slices.Clone(pressed), pikvmtest.HostOn)
	shutDown     = append(slices.Clone(pressed), pikvmtest.ACPIAccepted, pikvmtest.HostOff)
	ignored      = append(slices.Clone(pressed), pikvmtest.ACPIIgnored)
	cutOff       = []pikvmtest.PowerEventKind{pikvmtest.PowerPressed, pikvmtest.HostOff, pikvmtest.PowerReleased}
	resetPressed = []pikvmtest.PowerEventKind{pikvmtest.ResetPressed, pikvmtest.HostReset, pikvmtest.ResetReleased}
)

func TestPower(t *testing.T) {
	t.Parallel()
	stubborn := pikvmtest.HostOptions{PoweredOn: true, IgnoreACPI: true}
	for _, tc := range []struct {
		name     string
		do       powerOperation
		device   pikvmtest.Options
		opts     pikvm.PowerOptions
		steps    []string
		happened []pikvmtest.PowerEventKind
		takes    time.Duration // about
	}{
		{
			"on", powerOn,
			pikvmtest.Options{Host: hostOff},
			pikvm.PowerOptions{},
			[]string{"check", "press on", "wait on", "done"},
			turnedOn, 600 * time.Millisecond,
		},
		{
			"on when on", powerOn,
			pikvmtest.Options{Host: hostOn},
			pikvm.PowerOptions{},
			[]string{"check", "done"},
			nil, 0,
		},
		{
			"off", powerOff,
			pikvmtest.Options{Host: hostOn},
			pikvm.PowerOptions{},
			[]string{"check", "press off", "wait off", "done"},
			shutDown, 2200 * time.Millisecond,
		},
		{
			"off when off", powerOff,
			pikvmtest.Options{Host: hostOff},
			pikvm.PowerOptions{},
			[]string{"check", "done"},
			nil, 0,
		},
		{
			"off hard", powerOff,
			pikvmtest.Options{Host: hostOn},
			pikvm.PowerOptions{Hard: true},
			[]string{"check", "press off_hard", "wait off", "done"},
			cutOff, 4100 * time.Millisecond,
		},
		{
			"off escalates", powerOff,
			pikvmtest.Options{Host: stubborn},
			pikvm.PowerOptions{Escalate: true, OffTimeout: time.Minute},
			[]string{"check", "press off", "wait off", "press off_hard", "wait off", "done"},
			slices.Concat(ignored, cutOff), 64100 * time.Millisecond,
		},
		{
			"cycle", powerCycle,
			pikvmtest.Options{Host: hostOn},
			pikvm.PowerOptions{},
			[]string{"check", "press off", "wait off", "pause", "press on", "wait on", "done"},
			slices.Concat(shutDown, turnedOn), 5800 * time.Millisecond,
		},
		{
			"cycle when off", powerCycle,
			pikvmtest.Options{Host: hostOff},
			pikvm.PowerOptions{},
			[]string{"check", "press on", "wait on", "done"},
			turnedOn, 600 * time.Millisecond,
		},
		{
			"cycle hard at once", powerCycle,
			pikvmtest.Options{Host: stubborn},
			pikvm.PowerOptions{Hard: true, OffTime: -1},
			[]string{"check", "press off_hard", "wait off", "pause", "wait idle", "press on", "wait on", "done"},
			slices.Concat(cutOff, turnedOn), 7100 * time.Millisecond,
		},
		{
			"cycle escalates", powerCycle,
			pikvmtest.Options{Host: stubborn},
			pikvm.PowerOptions{Escalate: true},
			[]string{"check", "press off", "wait off", "press off_hard", "wait off", "pause", "wait idle", "press on", "wait on", "done"},
			slices.Concat(ignored, cutOff, turnedOn), 128 * time.Second,
		},
		{
			"reset", forceReset,
			pikvmtest.Options{Host: hostOn},
			pikvm.PowerOptions{},
			[]string{"check", "press reset_hard", "wait reset", "done"},
			resetPressed, 1100 * time.Millisecond,
		},
		{
			"cycle of a device before 4.88", powerCycle,
			pikvmtest.Options{Host: hostOn, Version: "4.80"},
			pikvm.PowerOptions{},
			[]string{"check", "press off", "wait off", "pause", "press on", "wait on", "done"},
			slices.Concat(shutDown, turnedOn), 5800 * time.Millisecond,
		},
		{
			"reset of a device before 4.88", forceReset,
			pikvmtest.Options{Host: hostOn, Version: "4.80"},
			pikvm.PowerOptions{},
			[]string{"check", "press reset_hard", "wait reset", "done"},
			resetPressed, 1100 * time.Millisecond,
		},
		{
			"cycle of a device of 2020", powerCycle,
			pikvmtest.Options{Host: hostOn, Version: "3.333"},
			pikvm.PowerOptions{},
			[]string{"check", "press off", "wait off", "pause", "press on", "wait on", "done"},
			slices.Concat(shutDown, turnedOn), 5800 * time.Millisecond,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, &tc.device, nil, func(t *testing.T, f *fake) {
				var s story
				tc.opts.OnStep = s.tell
				start := time.Now()
				if err := tc.do(f.client.ATX, t.Context(), &tc.opts); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took < tc.takes-500*time.Millisecond || took > tc.takes+500*time.Millisecond {
					t.Errorf("took %v, want about %v", took, tc.takes)
				}
				time.Sleep(10 * time.Second) // what was begun ends
				if d := cmp.Diff(tc.steps, s.steps); d != "" {
					t.Errorf("steps (-want +got):\n%s", d)
				}
				if d := cmp.Diff(tc.happened, f.happened()); d != "" {
					t.Errorf("what happened (-want +got):\n%s", d)
				}
				if f.Sockets() != 0 {
					t.Error("the event socket is still open")
				}
			})
		})
	}
}

// TestPowerUsesSession: a session of the caller is used, and left open.
func TestPowerUsesSession(t *testing.T) {
	t.Parallel()
	inBubble(t, &pikvmtest.Options{Host: hostOn}, nil, func(t *testing.T, f *fake) {
		session := f.open(t, nil)
		for _, do := range []powerOperation{powerCycle, forceReset, powerOff} {
			if err := do(f.client.ATX, t.Context(), &pikvm.PowerOptions{Session: session}); err != nil {
				t.Error(err)
			}
		}
		opened := 0
		for _, r := range f.Requests() {
			if r.Path == "/api/ws" {
				opened++
			}
		}
		if opened != 1 || !session.Connected() {
			t.Errorf("%d sockets opened, session connected %v", opened, session.Connected())
		}

		_ = session.Close()
		if err := powerOn(f.client.ATX, t.Context(), &pikvm.PowerOptions{Session: session}); err != nil {
			t.Errorf("with a closed session: %v", err)
		}
		other := newClient(t, kvmHTTP, on(f.network, pikvm.Options{Password: "admin"}))
		err := powerOff(other.ATX, t.Context(), &pikvm.PowerOptions{Session: session})
		if e, ok := errors.AsType[*pikvm.ConfigurationError](err); !ok || e.Field != "Session" {
			t.Errorf("with the session of another client: %v", err)
		}
	})
}

func TestWaitPower(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		if err := f.client.ATX.WaitPower(t.Context(), false, nil); err != nil {
			t.Errorf("off when off: %v", err)
		}
		time.AfterFunc(10*time.Minute, func() { f.SetHostPower(true) })
		start := time.Now()
		if err := f.client.ATX.WaitPower(t.Context(), true, nil); err != nil {
			t.Errorf("on: %v", err)
		}
		if took := time.Since(start); took < 10*time.Minute || took > 10*time.Minute+time.Second {
			t.Errorf("waited %v", took)
		}
		err := f.client.ATX.WaitPower(within(t, 5*time.Minute), false, nil)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errkit.NotSent) {
			t.Errorf("never off: %v", err)
		}
		if n := f.presses(); n != 0 {
			t.Errorf("%d presses", n)
		}
	})
	inBubble(t, &pikvmtest.Options{ATXDisabled: true}, nil, func(t *testing.T, f *fake) {
		if err := f.client.ATX.WaitPower(t.Context(), true, nil); !errors.Is(err, pikvm.ErrDisabled) {
			t.Errorf("disabled: %v", err)
		}
	})
}

func TestPowerRefusesOptions(t *testing.T) {
	t.Parallel()
	client := newClient(t, kvmHTTP, &pikvm.Options{DialContext: noDial(t)})
	for field, opts := range map[string]*pikvm.PowerOptions{
		"OnTimeout":      {OnTimeout: -1},
		"OffTimeout":     {OffTimeout: -1},
		"HardOffTimeout": {HardOffTimeout: -1},
		"BusyTimeout":    {BusyTimeout: -1},
	} {
		err := client.ATX.PowerCycle(t.Context(), opts)
		if e, ok := errors.AsType[*pikvm.ConfigurationError](err); !ok || e.Field != field {
			t.Errorf("%s: error is %v", field, err)
		}
	}
}
