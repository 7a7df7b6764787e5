package pikvm_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// TestATXRecorded checks the recorded exchanges of the buttons through their methods.
func TestATXRecorded(t *testing.T) {
	t.Parallel()
	power := func(action pikvm.PowerAction, opts *pikvm.ATXOptions) func(context.Context, *pikvm.Client) error {
		return func(ctx context.Context, c *pikvm.Client) error { return c.ATX.Power(ctx, action, opts) }
	}
	click := func(button pikvm.Button) func(context.Context, *pikvm.Client) error {
		return func(ctx context.Context, c *pikvm.Client) error { return c.ATX.Click(ctx, button, nil) }
	}
	wait := &pikvm.ATXOptions{Wait: true}
	for exchange, call := range map[string]func(context.Context, *pikvm.Client) error{
		"atx_power_off_when_off":     power(pikvm.PowerOffHard, wait),
		"atx_power_on":               power(pikvm.PowerOn, nil),
		"atx_busy":                   click(pikvm.ButtonPower),
		"atx_reset_while_power_busy": click(pikvm.ButtonReset),
		"atx_busy_wait":              power(pikvm.PowerOn, wait),
		"atx_power_on_when_on":       power(pikvm.PowerOn, wait),
		"atx_reset_hard_wait":        power(pikvm.PowerResetHard, wait),
		"atx_off_hard_wait":          power(pikvm.PowerOffHard, wait),
		"atx_disabled_power":         power(pikvm.PowerOn, nil),
		"atx_disabled_click":         click(pikvm.ButtonReset),
	} {
		t.Run(exchange, func(t *testing.T) {
			t.Parallel()
			e := exchangeNamed(t, exchange)
			err := call(t.Context(), replay(t, e, nil))
			if e.Status != http.StatusOK {
				checkRefusal(t, e, err)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	for exchange, want := range map[string]pikvm.ATXState{
		"atx_off":            {Enabled: true},
		"atx_busy_state":     {Enabled: true, Busy: true, Acts: pikvm.ATXActs{Power: true}},
		"atx_on":             {Enabled: true, LEDs: pikvm.ATXLEDs{Power: true}},
		"atx_after_off_hard": {Enabled: true},
		"atx_disabled":       {},
	} {
		t.Run(exchange, func(t *testing.T) {
			t.Parallel()
			got, err := replay(t, exchangeNamed(t, exchange), nil).ATX.State(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !json.Valid(got.Raw) {
				t.Errorf("raw is %s", got.Raw)
			}
			if d := cmp.Diff(&want, got, cmpopts.IgnoreFields(pikvm.ATXState{}, "Raw")); d != "" {
				t.Errorf("state (-want +got):\n%s", d)
			}
		})
	}
}

// TestATXTolerant checks states of other versions.
func TestATXTolerant(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]pikvm.ATXState{
		`{"enabled": true, "busy": true, "leds": {"power": true, "hdd": true}}`: {
			Enabled: true, Busy: true, LEDs: pikvm.ATXLEDs{Power: true, HDD: true},
		},
		`{"enabled": 1, "busy": 0, "leds": {"power": 1.0}, "acts": {"reset": 1, "new": 2}, "new": {}}`: {
			Enabled: true, LEDs: pikvm.ATXLEDs{Power: true}, Acts: pikvm.ATXActs{Reset: true},
		},
		`{"enabled": true, "leds": {"power": false, "hdd": null}, "acts": null}`: {Enabled: true},
	} {
		var got pikvm.ATXState
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreFields(pikvm.ATXState{}, "Raw")); d != "" {
			t.Errorf("state of %s (-want +got):\n%s", body, d)
		}
		if string(got.Raw) != body {
			t.Errorf("raw is %s", got.Raw)
		}
	}
	for _, body := range []string{
		`{}`, `[]`, `1`, `{"enabled": true}`, `{"leds": {"power": true}}`, `{"enabled": true, "leds": {}}`,
		`{"enabled": true, "leds": {"power": "on"}}`, `{"enabled": true, "leds": []}`, `{"enabled": [], "leds": {"power": 1}}`,
		`{"enabled": true, "busy": "no", "leds": {"power": true}}`,
	} {
		var got pikvm.ATXState
		if err := json.Unmarshal([]byte(body), &got); err == nil {
			t.Errorf("%s is %+v, want an error", body, got)
		}
	}
}
