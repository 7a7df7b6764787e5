package pikvm_test

import (
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestGPIOState checks the recorded state and model.
func TestGPIOState(t *testing.T) {
	t.Parallel()
	for exchange, relay := range map[string]pikvm.GPIOOutput{
		"gpio": {Online: true}, "gpio_after_switch": {Online: true, State: true}, "gpio_busy_state": {Online: true, Busy: true},
	} {
		got, err := replay(t, exchangeNamed(t, exchange), nil).GPIO.State(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		const ms = time.Millisecond
		led := pikvm.GPIOItem{Type: "input", Channel: "led1", Color: "green"}
		want := &pikvm.GPIOState{
			Inputs: map[string]pikvm.GPIOInput{"led1": {Online: true}},
			Outputs: map[string]pikvm.GPIOOutput{
				"__v3_usb_breaker__": {Online: true, State: true}, "button1": {Online: true}, "cmd1": {Online: true}, "relay1": relay,
			},
			Model: pikvm.GPIOModel{
				Inputs: map[string]pikvm.GPIOPin{"led1": {Driver: "__gpio__", Pin: "19"}},
				Outputs: map[string]pikvm.GPIOOutputModel{
					"__v3_usb_breaker__": {Pin: pikvm.GPIOPin{Driver: "__gpio__", Pin: "5"}, Switch: true},
					"button1": {
						Pin:   pikvm.GPIOPin{Driver: "__gpio__", Pin: "26"},
						Pulse: pikvm.GPIOPulse{Default: 100 * ms, Min: 100 * ms, Max: 100 * ms},
					},
					"cmd1": {
						Pin:   pikvm.GPIOPin{Driver: "cmd1", Pin: "0"},
						Pulse: pikvm.GPIOPulse{Default: 100 * ms, Min: 100 * ms, Max: 100 * ms},
					},
					"relay1": {
						Pin: pikvm.GPIOPin{Driver: "__gpio__", Pin: "20"}, Switch: true,
						Pulse: pikvm.GPIOPulse{Default: 500 * ms, Min: 100 * ms, Max: 2000 * ms},
					},
				},
				Title: []pikvm.GPIOItem{led, {Type: "label", Text: "Relays"}},
				Table: [][]pikvm.GPIOItem{
					{{Type: "label", Text: "Generic GPIO leds"}},
					nil,
					{
						{Type: "label", Text: "Test 1:"},
						led,
						{Type: "output", Channel: "button1", Text: "Press", Confirm: true},
						{Type: "output", Channel: "relay1", Text: "Relay"},
					},
				},
			},
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreFields(pikvm.GPIOState{}, "Raw")); d != "" || !json.Valid(got.Raw) {
			t.Errorf("%s (-want +got):\n%s", exchange, d)
		}
	}
}

// TestGPIOVersions checks the forms of other versions, and what is no state.
func TestGPIOVersions(t *testing.T) {
	t.Parallel()
	const old = `{"model": {"scheme": {"inputs": {"a": {"hw": {"driver": "x", "pin": 7}}}, "outputs": {}},
		"view": {"header": {"title": "Switches"}, "table": []}}, "state": {"inputs": {"a": {"online": 1, "state": 1}}, "outputs": {}}}`
	var got pikvm.GPIOState
	if err := json.Unmarshal([]byte(old), &got); err != nil {
		t.Fatal(err)
	}
	if got.Model.Inputs["a"].Pin != "7" || got.Model.Title[0].Text != "Switches" || !got.Inputs["a"].State {
		t.Errorf("before 3.24: %+v", got)
	}
	if err := json.Unmarshal([]byte(`{"model": [], "state": {"outputs": {"b": {"state": false, "new": 1}}}}`), &got); err != nil {
		t.Errorf("an odd model: %v", err)
	}
	for _, body := range []string{`{}`, `[]`, `{"state": {"outputs": {"b": {}}}}`, `{"state": {"inputs": {"b": {"state": "on"}}}}`, `{"state": 1}`} {
		if err := json.Unmarshal([]byte(body), &got); err == nil {
			t.Errorf("%s is %+v, want an error", body, got)
		}
	}
}

// TestGPIO works outputs of the fake, and checks what happens at the pins.
func TestGPIO(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		ctx, gpio := t.Context(), f.client.GPIO
		begin := time.Now()
		for _, err := range []error{
			gpio.Switch(ctx, "relay1", true, &pikvm.GPIOOptions{Wait: true}),
			gpio.Switch(ctx, "relay1", false, nil),
			gpio.Pulse(ctx, "relay1", &pikvm.PulseOptions{Length: 300 * time.Millisecond, BusyWait: time.Minute}),
			gpio.Pulse(ctx, "button1", &pikvm.PulseOptions{Wait: true}),
			gpio.Pulse(ctx, "relay1", &pikvm.PulseOptions{Length: time.Hour, Wait: true, BusyWait: time.Minute}),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		var on []time.Duration
		since := make(map[string]time.Time)
		for _, e := range f.GPIOLog() {
			if e.On {
				since[e.Channel] = e.Time
			} else {
				on = append(on, e.Time.Sub(since[e.Channel]))
			}
		}
		const ms = time.Millisecond
		if d := cmp.Diff([]time.Duration{200 * ms, 100 * ms, 300 * ms, 2000 * ms}, on); d != "" {
			t.Errorf("outputs were on for (-want +got):\n%s", d)
		}
		if took := time.Since(begin); took < 2900*ms {
			t.Errorf("all that took only %v", took)
		}
		f.HoldGPIO("relay1", time.Second)
		failure{Type: "APIError", Class: pikvm.ErrBusy, Kinds: errkit.Busy, Status: 409}.check(t, gpio.Switch(ctx, "relay1", true, nil))
		state, err := gpio.State(ctx)
		if err != nil || !state.Outputs["relay1"].Busy || state.Outputs["relay1"].State {
			t.Errorf("while busy: %+v, %v", state.Outputs["relay1"], err)
		}
		f.SetGPIOOnline("button1", false)
		failure{Type: "APIError", Class: pikvm.ErrOffline, Kinds: errkit.Unavailable | errkit.Invalid, Status: 400}.
			check(t, gpio.Pulse(ctx, "button1", &pikvm.PulseOptions{Wait: true}))
		if err := gpio.Pulse(ctx, "button1", nil); err != nil {
			t.Errorf("without wait the device does not tell: %v", err)
		}
		f.SetGPIOInput("led1", true)
		if state, err = gpio.State(ctx); err != nil || !state.Inputs["led1"].State || !state.Inputs["led1"].Online {
			t.Errorf("input: %+v, %v", state.Inputs["led1"], err)
		}
	})
}

// TestGPIOEvents checks that the events of a session give the same state as the request, in every form of events.
func TestGPIOEvents(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"4.197", "4.35", "4.20", "3.333"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			own := []pikvmtest.GPIOChannel{{Name: "door", Input: true}, {Name: "lamp", Switch: true}, {Name: "fixed", On: true}}
			inBubble(t, &pikvmtest.Options{Version: version, GPIO: own}, nil, func(t *testing.T, f *fake) {
				s := f.open(t, nil)
				synctest.Wait()
				if err := f.client.GPIO.Switch(t.Context(), "lamp", true, nil); err != nil {
					t.Fatal(err)
				}
				_, err := s.Wait(within(t, time.Minute), func(s *pikvm.State) bool {
					gpio, ok := s.GPIO()
					return ok && gpio.Outputs["lamp"].State
				})
				if err != nil {
					t.Fatal(err)
				}
				f.SetGPIOInput("door", true)
				f.SetGPIOInput("fixed", false)
				synctest.Wait()
				want, err := f.client.GPIO.State(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got, ok := s.State().GPIO()
				if d := cmp.Diff(want, got, cmpopts.IgnoreFields(pikvm.GPIOState{}, "Raw")); d != "" || !ok {
					t.Errorf("state by events (-want +got):\n%s", d)
				}
				if !got.Inputs["door"].State || got.Outputs["fixed"].State {
					t.Errorf("state is %+v", got)
				}
				if err := f.client.GPIO.Switch(t.Context(), "fixed", true, nil); !errors.Is(err, pikvm.ErrNotSupported) {
					t.Errorf("a constant output: %v", err)
				}
			})
		})
	}
}
