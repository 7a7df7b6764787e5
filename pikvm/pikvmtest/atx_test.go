package pikvmtest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// leds reads the LEDs over HTTP.
func (k *kvm) leds() (power, hdd bool) {
	k.t.Helper()
	leds := k.result(k.do("GET", "/api/atx"))["leds"].(map[string]any)
	return leds["power"].(bool), leds["hdd"].(bool)
}

// powerLog returns the power log with times counted from since.
func (k *kvm) powerLog(since time.Time) []pikvmtest.PowerEvent {
	log := k.PowerLog()
	for i := range log {
		log[i].Time = time.Time{}.Add(log[i].Time.Sub(since))
	}
	return log
}

// at makes an entry of a power log that happened d after its begin.
func at(d time.Duration, kind pikvmtest.PowerEventKind) pikvmtest.PowerEvent {
	return pikvmtest.PowerEvent{Time: time.Time{}.Add(d), Kind: kind}
}

const ms = time.Millisecond

// TestHost shows what each button does to each kind of host.
func TestHost(t *testing.T) {
	t.Parallel()
	on := pikvmtest.HostOptions{PoweredOn: true}
	for _, tc := range []struct {
		name string
		host pikvmtest.HostOptions
		path string
		want []pikvmtest.PowerEvent
	}{
		{"short press starts", pikvmtest.HostOptions{}, "click?button=power", []pikvmtest.PowerEvent{
			at(0, pikvmtest.PowerPressed), at(100*ms, pikvmtest.PowerReleased), at(500*ms, pikvmtest.HostOn),
		}},
		{"slow start", pikvmtest.HostOptions{BootDelay: 3 * time.Second}, "power?action=on", []pikvmtest.PowerEvent{
			at(0, pikvmtest.PowerPressed), at(100*ms, pikvmtest.PowerReleased), at(3100*ms, pikvmtest.HostOn),
		}},
		{"short press asks to shut down", on, "power?action=off", []pikvmtest.PowerEvent{
			at(0, pikvmtest.PowerPressed), at(100*ms, pikvmtest.PowerReleased), at(100*ms, pikvmtest.ACPIAccepted),
			at(2100*ms, pikvmtest.HostOff),
		}},
		{"stubborn host", pikvmtest.HostOptions{PoweredOn: true, IgnoreACPI: true}, "power?action=off", []pikvmtest.PowerEvent{
			at(0, pikvmtest.PowerPressed), at(100*ms, pikvmtest.PowerReleased), at(100*ms, pikvmtest.ACPIIgnored),
		}},
		{"long press cuts", on, "power?action=off_hard", []pikvmtest.PowerEvent{
			at(0, pikvmtest.PowerPressed), at(4*time.Second, pikvmtest.HostOff), at(5500*ms, pikvmtest.PowerReleased),
		}},
		{"long press that is not long enough", pikvmtest.HostOptions{PoweredOn: true, HoldToCut: 6 * time.Second}, "click?button=power_long", []pikvmtest.PowerEvent{
			at(0, pikvmtest.PowerPressed), at(5500*ms, pikvmtest.PowerReleased), at(5500*ms, pikvmtest.ACPIAccepted),
			at(7500*ms, pikvmtest.HostOff),
		}},
		{"reset", on, "power?action=reset_hard", []pikvmtest.PowerEvent{
			at(0, pikvmtest.ResetPressed), at(0, pikvmtest.HostReset), at(100*ms, pikvmtest.ResetReleased),
		}},
		{"reset while off", pikvmtest.HostOptions{}, "click?button=reset", []pikvmtest.PowerEvent{
			at(0, pikvmtest.ResetPressed), at(100*ms, pikvmtest.ResetReleased),
		}},
		{"on while on", on, "power?action=on", nil},
		{"off while off", pikvmtest.HostOptions{}, "power?action=off", nil},
		{"off hard while off", pikvmtest.HostOptions{}, "power?action=off_hard", nil},
		{"reset hard while off", pikvmtest.HostOptions{}, "power?action=reset_hard", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := startInMemory(t, &pikvmtest.Options{Host: tc.host})
				begin := time.Now()
				k.want(k.do("POST", "/api/atx/"+tc.path), 200, "", "")
				time.Sleep(10 * time.Second)
				if d := cmp.Diff(tc.want, k.powerLog(begin)); d != "" {
					t.Errorf("power log (-want +got):\n%s", d)
				}
			})
		})
	}
}

// TestBusyLines shows how long a line is busy, and that the two do not care for each other.
func TestBusyLines(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		button, other string
		busy          time.Duration
	}{
		{"power", "reset", 1100 * ms},
		{"reset", "power", 1100 * ms},
		{"power_long", "reset", 6500 * ms},
	} {
		t.Run(tc.button, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := startInMemory(t, nil)
				begin := time.Now()
				k.want(k.do("POST", "/api/atx/click?button="+tc.button), 200, "", "")
				time.Sleep(tc.busy - ms)
				for _, wait := range []string{"0", "1"} {
					k.want(k.do("POST", "/api/atx/click?wait="+wait+"&button="+tc.button), 409,
						"AtxIsBusyError", "Performing another ATX operation, please try again later")
				}
				time.Sleep(ms)
				synctest.Wait() // the line is freed at this very instant
				k.want(k.do("POST", "/api/atx/click?wait=1&button="+tc.button), 200, "", "")
				if got := time.Since(begin); got != 2*tc.busy {
					t.Errorf("the second answer came after %v, want %v", got, 2*tc.busy)
				}
				k.want(k.do("POST", "/api/atx/click?button="+tc.button), 200, "", "")
				k.want(k.do("POST", "/api/atx/click?button="+tc.other), 200, "", "")
			})
		})
	}
}

// TestWaitingClientLeaves shows that a press goes on without the client that waited for its end.
func TestWaitingClientLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 50*ms)
		defer cancel()
		impatient := *k
		_, err := impatient.try("POST", "/api/atx/power?action=on&wait=1", within(ctx))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error %v", err)
		}
		if err := k.WaitHostPower(t.Context(), true); err != nil {
			t.Error(err)
		}
	})
}

func TestLEDs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{Host: pikvmtest.HostOptions{PoweredOn: true}})
		want := func(when string, power, hdd bool) {
			t.Helper()
			if p, h := k.leds(); p != power || h != hdd {
				t.Errorf("%s: power %v, disk %v", when, p, h)
			}
		}
		want("at the beginning", true, false)
		k.do("POST", "/api/atx/click?button=reset")
		time.Sleep(90 * ms)
		want("before the debouncing", true, false)
		time.Sleep(20 * ms)
		want("the first blink", true, true)
		time.Sleep(200 * ms)
		want("between blinks", true, false)
		time.Sleep(5 * time.Second)
		want("after the reset", true, false)

		k.SetPowerLED(pikvmtest.LEDStuckOff)
		want("stuck off", false, false)
		k.want(k.do("POST", "/api/atx/power?action=off_hard"), 200, "", "")
		if !k.HostPower() {
			t.Error("the host is off although the device cannot have known that it was on")
		}
		k.SetPowerLED(pikvmtest.LEDStuckOn)
		k.SetHostPower(false)
		time.Sleep(time.Second)
		want("stuck on", true, false)
		k.SetHDDLED(pikvmtest.LEDStuckOn)
		want("both stuck on", true, true)
		k.SetPowerLED(pikvmtest.LEDWired)
		want("wired again", false, true)
		k.SetHostPower(true)
		want("before the debouncing", false, true)
		time.Sleep(100 * ms)
		synctest.Wait()
		want("by itself", true, true)
	})
}

// TestBlip shows that a change of the host that is shorter than the debouncing is not seen.
func TestBlip(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		l := k.listen(quiet)
		synctest.Wait()
		l.take()
		k.SetHostPower(true)
		time.Sleep(50 * ms)
		k.SetHostPower(false)
		time.Sleep(time.Second)
		if got := l.types(); len(got) != 0 {
			t.Errorf("events %v", got)
		}
	})
}

func TestATXDisabled(t *testing.T) {
	t.Parallel()
	k := start(t, &pikvmtest.Options{ATXDisabled: true, Host: pikvmtest.HostOptions{PoweredOn: true}})
	k.want(k.do("POST", "/api/atx/power?action=on"), 400, "AtxDisabledError", "ATX is disabled")
	k.want(k.do("POST", "/api/atx/click?button=power&wait=1"), 400, "AtxDisabledError", "ATX is disabled")
	k.want(k.do("POST", "/api/atx/click?button=zap"), 400, "ValidatorError", "The argument 'zap' is not a valid ATX button")
	if power, _ := k.leds(); power {
		t.Error("the LED of a disabled plugin is lit")
	}
}

func TestActsOfOldVersions(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{"4.87": false, "4.88": true, "3.333": false} {
		k := start(t, &pikvmtest.Options{Version: version})
		if _, ok := k.result(k.do("GET", "/api/atx"))["acts"]; ok != want {
			t.Errorf("version %s has acts: %v, want %v", version, ok, want)
		}
	}
}

func TestHoldATX(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		l := k.listen(quiet)
		synctest.Wait()
		l.take()
		begin := time.Now()
		k.HoldATX(pikvmtest.LinePower, 30*time.Second)
		k.HoldATX(pikvmtest.LinePower, time.Hour) // busy already
		k.HoldATX("nonsense", time.Hour)
		k.want(k.do("POST", "/api/atx/power?action=on"), 409, "AtxIsBusyError",
			"Performing another ATX operation, please try again later")
		k.want(k.do("POST", "/api/atx/click?button=reset"), 200, "", "")
		time.Sleep(30 * time.Second)
		synctest.Wait()
		k.want(k.do("POST", "/api/atx/power?action=on"), 200, "", "")
		synctest.Wait()
		var busy []bool
		for _, m := range l.take() {
			if m.Type == "atx" {
				busy = append(busy, m.Event.(map[string]any)["acts"].(map[string]any)["power"].(bool))
			}
		}
		if d := cmp.Diff([]bool{true, true, true, false, true}, busy); d != "" {
			t.Errorf("the power line in the events (-want +got):\n%s", d)
		}
		for _, e := range k.powerLog(begin)[:2] {
			if e.Kind == pikvmtest.PowerPressed {
				t.Error("holding the line pressed the button")
			}
		}
	})
}

// TestHostByItself shows that the host drops what was under way when somebody pulls the plug.
func TestHostByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		begin := time.Now()
		k.do("POST", "/api/atx/click?button=power")
		time.Sleep(200 * ms)
		k.SetHostPower(false) // no change, but the boot is off
		time.Sleep(10 * time.Second)
		k.SetHostPower(true)
		k.SetHostPower(true)
		time.Sleep(time.Second)
		want := []pikvmtest.PowerEvent{
			at(0, pikvmtest.PowerPressed), at(100*ms, pikvmtest.PowerReleased), at(10200*ms, pikvmtest.HostOn),
		}
		if d := cmp.Diff(want, k.powerLog(begin)); d != "" {
			t.Errorf("power log (-want +got):\n%s", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := k.WaitHostPower(ctx, false); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting for what does not come: %v", err)
		}
	})
}

// TestSecondPress shows that a press while the host is starting or stopping changes nothing.
func TestSecondPress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{Host: pikvmtest.HostOptions{BootDelay: 5 * time.Second}})
		k.do("POST", "/api/atx/click?button=power&wait=1")
		k.do("POST", "/api/atx/click?button=power&wait=1")
		time.Sleep(10 * time.Second)
		if !k.HostPower() {
			t.Error("the second press stopped the host")
		}
	})
}

func TestTimeScale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{TimeScale: 10, Host: pikvmtest.HostOptions{PoweredOn: true}})
		begin := time.Now()
		k.want(k.do("POST", "/api/atx/power?action=off_hard&wait=1"), 200, "", "")
		if got := time.Since(begin); got != 650*ms {
			t.Errorf("a long press took %v, want 650ms", got)
		}
		want := []pikvmtest.PowerEvent{
			at(0, pikvmtest.PowerPressed), at(400*ms, pikvmtest.HostOff), at(550*ms, pikvmtest.PowerReleased),
		}
		if d := cmp.Diff(want, k.powerLog(begin)); d != "" {
			t.Errorf("power log (-want +got):\n%s", d)
		}
	})
}
