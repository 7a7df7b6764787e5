package pikvm

import (
	"context"
	"net/url"
	"regexp"
	"time"
)

// GPIO works the relays, buttons and lamps that are wired to the device, and whatever else its owner has made a channel:
// scripts, other boxes, plugs. All methods may be called from several goroutines at once.
type GPIO struct{ c *Client }

// GPIOOptions are the optional settings of [GPIO.Switch].
type GPIOOptions struct {
	// Wait makes the device answer only when the channel is free again. Only then does it tell whether the hardware
	// behind the channel could be reached: [ErrOffline]. Otherwise it answers at once.
	Wait bool

	// BusyWait goes on asking a busy channel, for at most this long. Zero means that it is [ErrBusy] at once.
	BusyWait time.Duration
}

// PulseOptions are the optional settings of [GPIO.Pulse].
type PulseOptions struct {
	// Length of the pulse. Zero means that of the channel. The device shortens or lengthens others to what the channel
	// allows, see [GPIOPulse].
	Length time.Duration

	// Wait is as in [GPIOOptions].
	Wait bool

	// BusyWait is as in [GPIOOptions].
	BusyWait time.Duration
}

// State asks for the state and the model. Errors are those of every request; see the package's documentation.
func (g *GPIO) State(ctx context.Context) (*GPIOState, error) {
	state := new(GPIOState)
	if err := g.c.get(ctx, call{op: "gpio.State", path: "/api/gpio"}, state); err != nil {
		return nil, err
	}
	return state, nil
}

// Switch sets an output. It is busy for about 0.2s afterwards, and looks off meanwhile. An unknown channel or an input is
// [ErrNotFound], an output that can only pulse [ErrNotSupported]. Nil options are the defaults.
func (g *GPIO) Switch(ctx context.Context, channel string, on bool, opts *GPIOOptions) error {
	var o GPIOOptions
	if opts != nil {
		o = *opts
	}
	query := url.Values{"channel": {channel}, "state": {flag(on)}}
	return g.act(ctx, "gpio.Switch", "/api/gpio/switch", query, o)
}

// Pulse sets an output and takes it back. It is busy for the length of the pulse and about 0.2s more. An unknown channel
// or an input is [ErrNotFound], an output that can only be switched [ErrNotSupported]. Nil options are the defaults.
//
// The pulse is not repeated when its answer is lost, since it may have happened.
func (g *GPIO) Pulse(ctx context.Context, channel string, opts *PulseOptions) error {
	const op = "gpio.Pulse"
	var o PulseOptions
	if opts != nil {
		o = *opts
	}
	query := url.Values{"channel": {channel}}
	length, exact := seconds(o.Length)
	switch {
	case o.Length < 0:
		return configurationError(op, "Length", "negative")
	case !exact:
		return configurationError(op, "Length", "too long, or finer than a microsecond")
	case o.Length > 0:
		query.Set("delay", length)
	}
	return g.act(ctx, op, "/api/gpio/pulse", query, GPIOOptions{Wait: o.Wait, BusyWait: o.BusyWait})
}

// channelName is what the device takes as the name of a channel (PiKVM validators).
var channelName = regexp.MustCompile(`\A[a-zA-Z_][a-zA-Z0-9_.-]{0,254}\z`)

func (g *GPIO) act(ctx context.Context, op, path string, query url.Values, o GPIOOptions) error {
	switch {
	case !channelName.MatchString(query.Get("channel")):
		return configurationError(op, "channel", "not a letter or underscore and up to 254 letters, digits and _.-")
	case o.BusyWait < 0:
		return configurationError(op, "BusyWait", "negative")
	}
	if o.Wait {
		query.Set("wait", "1")
	}
	do := func(ctx context.Context) error { return g.c.post(ctx, call{op: op, path: path, query: query}) }
	if o.BusyWait == 0 {
		return do(ctx)
	}
	return g.c.whileBusy(ctx, op, o.BusyWait, do)
}
