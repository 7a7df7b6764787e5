package pikvm_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestPowerFails: an operation that does not reach its end says at which step, and whether something was pressed.
func TestPowerFails(t *testing.T) {
	t.Parallel()
	const many = -1
	onHost := pikvmtest.Options{Host: hostOn}
	for _, tc := range []struct {
		name    string
		do      powerOperation
		device  pikvmtest.Options
		fault   func(f *fake)
		class   *errkit.Class
		kind    errkit.Kind
		step    string // empty: no PowerError
		presses int    // requests to press
		pressed bool
		takes   time.Duration // about
	}{
		{
			"LED not wired", powerOn,
			pikvmtest.Options{Host: pikvmtest.HostOptions{PowerLED: pikvmtest.LEDStuckOff}},
			nil,
			pikvm.ErrPower, errkit.Timeout, "wait on", 1, true, 30 * time.Second,
		},
		{
			"LED stuck on", powerOff,
			pikvmtest.Options{Host: pikvmtest.HostOptions{PowerLED: pikvmtest.LEDStuckOn}},
			nil,
			pikvm.ErrPower, errkit.Timeout, "wait off", 1, true, 2 * time.Minute,
		},
		{
			"LED stuck on in a cycle", powerCycle,
			pikvmtest.Options{Host: pikvmtest.HostOptions{PowerLED: pikvmtest.LEDStuckOn}},
			nil,
			pikvm.ErrPower, errkit.Timeout, "wait off", 1, true, 2 * time.Minute,
		},
		{
			"host ignores the button", powerCycle,
			pikvmtest.Options{Host: pikvmtest.HostOptions{PoweredOn: true, IgnoreACPI: true}},
			nil,
			pikvm.ErrPower, errkit.Timeout, "wait off", 1, true, 2 * time.Minute,
		},
		{
			"reset not performed", forceReset, onHost, func(f *fake) {
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/atx/power", Body: []byte(okEmpty)})
			}, pikvm.ErrPower, errkit.Timeout, "wait reset", 1, true, 30 * time.Second,
		},
		{
			"reset not performed after another one", forceReset, onHost, func(f *fake) {
				f.HoldATX(pikvmtest.LineReset, 3*time.Second)
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/atx/power", Body: []byte(okEmpty)})
			}, pikvm.ErrPower, errkit.Timeout, "wait reset", 1, true, 33 * time.Second,
		},
		{
			"reset lost on the way", forceReset, onHost, func(f *fake) {
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultReset, Path: "/api/atx/power"})
			}, pikvm.ErrConnect, errkit.Timeout, "wait reset", 1, true, 30 * time.Second,
		},
		{
			"reset lost on the way, no event socket", forceReset, onHost, func(f *fake) {
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultReset, Path: "/api/atx/power"})
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultPage, Path: "/api/ws", Status: 404})
			}, pikvm.ErrConnect, errkit.Timeout, "wait reset", 1, true, 30 * time.Second,
		},
		{
			"reset when off", forceReset,
			pikvmtest.Options{Host: hostOff},
			nil,
			pikvm.ErrPower, errkit.Conflict | errkit.NotSent, "check", 0, false, 0,
		},
		{
			"line busy for ever", powerCycle, onHost, func(f *fake) { f.HoldATX(pikvmtest.LinePower, time.Hour) },
			pikvm.ErrBusy, errkit.Timeout | errkit.Busy | errkit.NotSent, "wait idle", 0, false, 15 * time.Second,
		},
		{
			"answers busy for ever", powerCycle, onHost, func(f *fake) {
				f.Inject(pikvmtest.Fault{
					Kind: pikvmtest.FaultAnswer, Path: "/api/atx/power", Status: 409, Body: []byte(atxBusy),
				})
			}, pikvm.ErrBusy, errkit.Timeout | errkit.Busy | errkit.NotSent, "press off", many, false, 15 * time.Second,
		},
		{
			"disabled meanwhile", powerOff, onHost, func(f *fake) {
				f.Inject(pikvmtest.Fault{
					Kind: pikvmtest.FaultAnswer, Path: "/api/atx", Skip: 1,
					Body: []byte(`{"ok": true, "result": {"enabled": false, "leds": {"power": false}}}`),
				})
			}, pikvm.ErrDisabled, errkit.Unsupported, "", 1, true, 0,
		},
		{
			"device disabled", powerOn,
			pikvmtest.Options{ATXDisabled: true},
			nil,
			pikvm.ErrDisabled, errkit.Unsupported | errkit.NotSent, "", 0, false, 0,
		},
		{
			"credentials refused for the press", powerOff, onHost, func(f *fake) {
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/atx/power", Status: 403, Body: []byte(forbidden)})
			}, pikvm.ErrAuth, errkit.Auth, "", 1, false, 0,
		},
		{
			"credentials refused for the state", powerOff, onHost, func(f *fake) {
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/atx", Skip: 1, Status: 403, Body: []byte(forbidden)})
			}, pikvm.ErrAuth, errkit.Auth, "", 1, true, 0,
		},
		{
			"press lost on the way", powerOff, onHost, func(f *fake) {
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultReset, Path: "/api/atx/power"})
			}, pikvm.ErrConnect, errkit.Timeout, "wait off", 1, true, 2 * time.Minute,
		},
		{
			"press without answer", powerOn, pikvmtest.Options{Host: hostOff}, func(f *fake) {
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultHang, Path: "/api/atx/power"})
			}, pikvm.ErrConnectionTimeout, errkit.Timeout, "wait on", 1, true, 40 * time.Second,
		},
		{
			"front end without daemon", powerOn, pikvmtest.Options{Host: hostOff}, func(f *fake) {
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultPage, Path: "/api/atx/power"})
			}, pikvm.ErrAPI, errkit.Timeout, "wait on", 1, true, 30 * time.Second,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, &tc.device, nil, func(t *testing.T, f *fake) {
				if tc.fault != nil {
					tc.fault(f)
				}
				synctest.Wait()
				start := time.Now()
				err := tc.do(f.client.ATX, t.Context(), nil)
				if !errors.Is(err, tc.class) || !errors.Is(err, tc.kind) || !errors.Is(err, pikvm.Err) {
					t.Errorf("error is %v", err)
				}
				if took := time.Since(start); took < tc.takes || took > tc.takes+2*time.Second {
					t.Errorf("took %v, want %v", took, tc.takes)
				}
				power, ok := errors.AsType[*pikvm.PowerError](err)
				if ok != (tc.step != "") {
					t.Fatalf("error is %T: %v", err, err)
				}
				if ok && (power.Step != tc.step || power.Pressed != tc.pressed || errors.Is(power, errkit.NotSent) == tc.pressed && tc.kind.Has(errkit.NotSent)) {
					t.Errorf("step %q, pressed %v: %v", power.Step, power.Pressed, err)
				}
				if errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("a deadline that the caller did not set: %v", err)
				}
				if got := f.presses(); got != tc.presses && tc.presses != many {
					t.Errorf("%d requests to press, want %d", got, tc.presses)
				}
				if happened := f.happened(); !tc.pressed && len(happened) > 0 {
					t.Errorf("something happened: %v", happened)
				}
				if err := f.WaitSockets(within(t, time.Second), 0); err != nil {
					t.Error("the event socket is still open")
				}
			})
		})
	}
}

// TestPowerBusyLimit: the line may be busy in several ways for the time of one limit, which the error tells.
func TestPowerBusyLimit(t *testing.T) {
	t.Parallel()
	inBubble(t, &pikvmtest.Options{Host: hostOn}, nil, func(t *testing.T, f *fake) {
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/atx/power", Times: 4, Status: 409, Body: []byte(atxBusy)})
		time.AfterFunc(350*time.Millisecond, func() { f.HoldATX(pikvmtest.LinePower, time.Hour) }) // before the fifth press, four delays later
		start := time.Now()
		err := f.client.ATX.PowerOff(t.Context(), nil)
		power, ok := errors.AsType[*pikvm.PowerError](err)
		if !ok || power.Step != "wait idle" || power.Limit != 15*time.Second || time.Since(start) != 15*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if got := f.happened(); got != nil {
			t.Errorf("something happened: %v", got)
		}
	})
}

// TestPowerEscalatesOnce: a long press is the last resort; when the LED does not show it, nothing more is pressed.
func TestPowerEscalatesOnce(t *testing.T) {
	t.Parallel()
	host := pikvmtest.HostOptions{PoweredOn: true, PowerLED: pikvmtest.LEDStuckOn}
	inBubble(t, &pikvmtest.Options{Host: host}, nil, func(t *testing.T, f *fake) {
		var s story
		err := f.client.ATX.PowerCycle(t.Context(), &pikvm.PowerOptions{Escalate: true, OnStep: s.tell})
		power, ok := errors.AsType[*pikvm.PowerError](err)
		if !ok || power.Step != "wait off" || power.Limit != 20*time.Second || !power.Pressed || errors.Is(err, errkit.NotSent) {
			t.Errorf("error is %v", err)
		}
		if d := cmp.Diff([]string{"check", "press off", "wait off", "press off_hard", "wait off"}, s.steps); d != "" {
			t.Errorf("steps (-want +got):\n%s", d)
		}
		if n := f.presses(); n != 2 {
			t.Errorf("%d presses, want a short and a long one", n)
		}
	})
}

// TestPowerCopes: trouble on the way is told and does no harm; nothing is pressed twice.
func TestPowerCopes(t *testing.T) {
	t.Parallel()
	onHost := pikvmtest.Options{Host: hostOn}
	cycled := slices.Concat(shutDown, turnedOn)
	for _, tc := range []struct {
		name     string
		do       powerOperation
		device   pikvmtest.Options
		before   func(f *fake)
		during   string // step at which
		fault    func(f *fake)
		meets    error
		happened []pikvmtest.PowerEventKind
	}{
		{"busy at the start", powerCycle, onHost, func(f *fake) { f.HoldATX(pikvmtest.LinePower, 7*time.Second) }, "", nil, nil, cycled},
		{"reset busy is no matter", powerCycle, onHost, func(f *fake) { f.HoldATX(pikvmtest.LineReset, time.Hour) }, "", nil, nil, cycled},
		{"busy answers", powerCycle, onHost, func(f *fake) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/atx/power", Times: 3, Status: 409, Body: []byte(atxBusy)})
		}, "", nil, pikvm.ErrBusy, cycled},
		{"busy between", powerCycle, onHost, nil, "pause", func(f *fake) { f.HoldATX(pikvmtest.LinePower, 8*time.Second) }, nil, cycled},
		{"somebody else switches it on", powerOn, pikvmtest.Options{Host: hostOff}, func(f *fake) {
			f.HoldATX(pikvmtest.LinePower, 5*time.Second)
			time.AfterFunc(2*time.Second, func() { f.SetHostPower(true) })
		}, "", nil, nil, []pikvmtest.PowerEventKind{pikvmtest.HostOn}},

		{"socket dropped, waiting for off", powerCycle, onHost, nil, "wait off", func(f *fake) { f.DropSockets(1001) }, pikvm.ErrWebSocket, cycled},
		{"socket reset, waiting for on", powerCycle, onHost, nil, "wait on", func(f *fake) { f.DropSockets(0) }, pikvm.ErrWebSocket, cycled},
		{"socket dropped in the pause", powerCycle, onHost, nil, "pause", func(f *fake) { f.DropSockets(1001) }, nil, cycled},
		{"socket silent", powerCycle, onHost, nil, "press off", func(f *fake) { f.SilenceSockets() }, nil, cycled},
		{"no event socket at all", powerCycle, onHost, func(f *fake) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultPage, Path: "/api/ws", Status: 404})
		}, "", nil, pikvm.ErrNotFound, cycled},
		{"event socket refused later", powerCycle, onHost, func(f *fake) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/ws", Skip: 1, Status: 403})
		}, "wait off", func(f *fake) { f.DropSockets(1001) }, pikvm.ErrAuth, cycled},
		{"daemon restarts, waiting for off", powerCycle, onHost, nil, "wait off", func(f *fake) { f.Restart(5 * time.Second) }, pikvm.ErrAPI, cycled},
		{"daemon restarts, waiting for on", powerCycle, onHost, nil, "wait on", func(f *fake) {
			time.Sleep(200 * time.Millisecond)
			f.Restart(5 * time.Second)
		}, pikvm.ErrAPI, cycled},
		{"all connections reset", powerCycle, onHost, nil, "wait off", func(f *fake) { f.network.ResetAll() }, nil, cycled},
		{"slow link", powerCycle, onHost, func(f *fake) { f.network.Latency(netem.Both, 700*time.Millisecond) }, "", nil, nil, cycled},

		{"answer lost", powerCycle, onHost, func(f *fake) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultLost, Path: "/api/atx/power"})
		}, "", nil, pikvm.ErrConnect, cycled},
		{"answer is nonsense", powerCycle, onHost, func(f *fake) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultTruncate, Path: "/api/atx/power", Bytes: 10})
		}, "", nil, pikvm.ErrResponse, cycled},
		{"nobody listens for a while", powerOn, pikvmtest.Options{Host: hostOff}, nil, "press on", func(f *fake) {
			f.network.Refuse("kvm.example:80")
			f.network.ResetAll()
			synctest.Wait()
			time.AfterFunc(4*time.Second, func() { f.network.Allow("kvm.example:80") })
		}, errkit.NotSent, turnedOn},

		{"reset, socket dropped at the press", forceReset, onHost, nil, "press reset_hard", func(f *fake) { f.DropSockets(1001) }, nil, resetPressed},
		{"reset without event socket", forceReset, onHost, func(f *fake) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultPage, Path: "/api/ws", Status: 404})
		}, "", nil, pikvm.ErrNotFound, resetPressed},
		{"reset, answer lost", forceReset, onHost, func(f *fake) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultLost, Path: "/api/atx/power"})
		}, "", nil, pikvm.ErrConnect, resetPressed},
		{"reset line busy", forceReset, onHost, func(f *fake) { f.HoldATX(pikvmtest.LineReset, 3*time.Second) }, "", nil, nil, resetPressed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, &tc.device, nil, func(t *testing.T, f *fake) {
				if tc.before != nil {
					tc.before(f)
				}
				synctest.Wait()
				s := story{on: map[string]func(){}}
				if tc.fault != nil {
					s.on[tc.during] = func() { tc.fault(f) }
				}
				start := time.Now()
				if err := tc.do(f.client.ATX, t.Context(), &pikvm.PowerOptions{OnStep: s.tell}); err != nil {
					t.Fatalf("%v\nsteps %v\ntroubles %v", err, s.steps, s.troubles)
				}
				if took := time.Since(start); took > time.Minute {
					t.Errorf("took %v", took)
				}
				if len(s.on) > 0 {
					t.Errorf("there was no step %q in %v", tc.during, s.steps)
				}
				if tc.meets != nil && !s.met(tc.meets) {
					t.Errorf("met %v, not %v", s.troubles, tc.meets)
				}
				time.Sleep(10 * time.Second)
				if d := cmp.Diff(tc.happened, f.happened()); d != "" {
					t.Errorf("what happened (-want +got):\n%s", d)
				}
			})
		})
	}
}

// TestPowerDistrustsOldEvents: an event that was long under way may tell of another time.
func TestPowerDistrustsOldEvents(t *testing.T) {
	t.Parallel()
	host := pikvmtest.HostOptions{PoweredOn: true, BootDelay: 20 * time.Second}
	inBubble(t, &pikvmtest.Options{Host: host}, nil, func(t *testing.T, f *fake) {
		session := f.open(t, &pikvm.EventOptions{SilenceTimeout: -1})
		knowsATX(t, session)
		link, err := f.network.WaitLink(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		link.Stall(netem.Down)
		for _, on := range []bool{false, true, false} {
			f.SetHostPower(on)
			time.Sleep(time.Second)
		}
		time.AfterFunc(3*time.Second, func() { link.Resume(netem.Down) })
		start := time.Now()
		if err := f.client.ATX.PowerOn(t.Context(), &pikvm.PowerOptions{Session: session}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 20*time.Second || !f.HostPower() {
			t.Errorf("switched on after %v, host on %v", took, f.HostPower())
		}
	})
}
