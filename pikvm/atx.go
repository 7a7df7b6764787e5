package pikvm

import (
	"context"
	"encoding/json"
	"net/url"
	"time"
)

// ATX works the power and reset buttons of the host and reads its LEDs. All methods may be called from several
// goroutines at once.
type ATX struct{ c *Client }

// ATXState is the state of the buttons and LEDs.
type ATXState struct {
	// Enabled is false if the device has no ATX control; then all the others are false.
	Enabled bool

	// Busy says that a button is being pressed, or was within the last second.
	Busy bool

	// Acts says which line is busy. Devices before version 4.88 do not tell.
	Acts ATXActs

	// LEDs are what the host shows. An LED that is not wired is always off.
	LEDs ATXLEDs

	// Raw is the whole object as the device sent it.
	Raw json.RawMessage
}

// ATXActs says which line is busy.
type ATXActs struct{ Power, Reset bool }

// ATXLEDs are the LEDs of the host.
type ATXLEDs struct{ Power, HDD bool }

// PowerAction is what to do with the power of the host. Actions depend on the power LED: one that finds it in
// the wanted state already does nothing and succeeds.
type PowerAction string

// Power actions of the PiKVM API.
const (
	PowerOn        PowerAction = "on"         // short press, only when off
	PowerOff       PowerAction = "off"        // short press, only when on: the operating system is asked
	PowerOffHard   PowerAction = "off_hard"   // long press, only when on
	PowerResetHard PowerAction = "reset_hard" // press of reset, only when on
)

// Button is a button of the host. A click does not depend on the LEDs.
type Button string

// Buttons of the PiKVM API.
const (
	ButtonPower     Button = "power"      // short press
	ButtonPowerLong Button = "power_long" // long press, 5.5 s: cuts the power
	ButtonReset     Button = "reset"
)

// ATXOptions are the optional settings of [ATX.Power] and [ATX.Click].
type ATXOptions struct {
	// Wait makes the device answer only when the line is free again, about 1.1 s later and 6.5 s after a long
	// press. It does not wait for the host.
	Wait bool

	// BusyWait is how long to go on asking while the device is busy with another press. Zero means not at all.
	// A device that is still busy then, or when the client's budget of repetitions is spent before, is [ErrBusy]
	// with the kind Exhausted.
	BusyWait time.Duration
}

// State asks for the state. Errors are those of every request; see the package's documentation.
func (a *ATX) State(ctx context.Context) (*ATXState, error) {
	state := new(ATXState)
	if err := a.c.get(ctx, call{op: "atx.State", path: "/api/atx"}, state); err != nil {
		return nil, err
	}
	return state, nil
}

// Power performs a power action. Success means that the device accepted it, not that the host followed: look at
// the power LED. A busy line is [ErrBusy], a device without ATX control [ErrDisabled]. Nil options are the
// defaults.
//
// The press is not repeated when its answer is lost, since it may have happened.
func (a *ATX) Power(ctx context.Context, action PowerAction, opts *ATXOptions) error {
	switch action {
	case PowerOn, PowerOff, PowerOffHard, PowerResetHard:
	default:
		return configurationError("atx.Power", "action", "unknown")
	}
	return a.press(ctx, "atx.Power", "/api/atx/power", url.Values{"action": {string(action)}}, opts)
}

// Click presses a button, whatever the LEDs show. Success means that the device accepted it. A busy line is
// [ErrBusy], a device without ATX control [ErrDisabled]. Nil options are the defaults.
//
// The press is not repeated when its answer is lost, since it may have happened.
func (a *ATX) Click(ctx context.Context, button Button, opts *ATXOptions) error {
	switch button {
	case ButtonPower, ButtonPowerLong, ButtonReset:
	default:
		return configurationError("atx.Click", "button", "unknown")
	}
	return a.press(ctx, "atx.Click", "/api/atx/click", url.Values{"button": {string(button)}}, opts)
}

func (a *ATX) press(ctx context.Context, op, path string, query url.Values, opts *ATXOptions) error {
	var o ATXOptions
	if opts != nil {
		o = *opts
	}
	if o.BusyWait < 0 {
		return configurationError(op, "BusyWait", "negative")
	}
	if o.Wait {
		query.Set("wait", "1")
	}
	press := func(ctx context.Context) error { return a.c.post(ctx, call{op: op, path: path, query: query}) }
	if o.BusyWait == 0 {
		return press(ctx)
	}
	return a.c.whileBusy(ctx, op, o.BusyWait, press)
}

// UnmarshalJSON reads the state as the device sends it. LEDs and enabled must be there: a guess of them would
// press buttons.
func (s *ATXState) UnmarshalJSON(data []byte) error {
	var wire struct {
		Enabled *loose `json:"enabled"`
		Busy    loose  `json:"busy"`
		Acts    struct {
			Power loose `json:"power"`
			Reset loose `json:"reset"`
		} `json:"acts"`
		LEDs struct {
			Power *loose `json:"power"`
			HDD   loose  `json:"hdd"`
		} `json:"leds"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	switch {
	case wire.Enabled == nil:
		return missing("enabled")
	case wire.LEDs.Power == nil:
		return missing("leds.power")
	}
	*s = ATXState{
		Enabled: wire.Enabled.bool(),
		Busy:    wire.Busy.bool(),
		Acts:    ATXActs{Power: wire.Acts.Power.bool(), Reset: wire.Acts.Reset.bool()},
		LEDs:    ATXLEDs{Power: wire.LEDs.Power.bool(), HDD: wire.LEDs.HDD.bool()},
		Raw:     append(json.RawMessage(nil), data...),
	}
	return nil
}
