package pikvm

import "context"

// MacroATX presses a button of the host: "atx_button". A busy line is waited for.
type MacroATX struct{ Button Button }

// Type returns "atx_button".
func (MacroATX) Type() string { return "atx_button" }

func readMacroATX(e *macroEvent) MacroStep { return MacroATX{Button(e.text("button"))} }

func (s MacroATX) event() any { return map[string]Button{"button": s.Button} }

func (s MacroATX) check(r *macroReport) {
	switch s.Button {
	case ButtonPower, ButtonPowerLong, ButtonReset:
	default:
		r.problem("button is none that there is")
	}
}

func (s MacroATX) run(ctx context.Context, r *macroRun) error {
	return r.client.ATX.Click(ctx, s.Button, &ATXOptions{BusyWait: defaultBusyTimeout})
}

// MacroSwitch sets an output: "gpio_switch". A busy output is waited for.
type MacroSwitch struct {
	Channel string
	On      bool
}

// Type returns "gpio_switch".
func (MacroSwitch) Type() string { return "gpio_switch" }

func readMacroSwitch(e *macroEvent) MacroStep { return MacroSwitch{e.text("channel"), e.flag("state")} }

func (s MacroSwitch) event() any {
	return struct {
		Channel string `json:"channel"`
		State   bool   `json:"state"`
	}{s.Channel, s.On}
}

func (s MacroSwitch) check(r *macroReport) { r.channel(s.Channel) }

func (s MacroSwitch) run(ctx context.Context, r *macroRun) error {
	return r.client.GPIO.Switch(ctx, s.Channel, s.On, &GPIOOptions{BusyWait: defaultBusyTimeout})
}

// MacroPulse pulses an output, for as long as is usual for it: "gpio_pulse". A busy output is waited for.
type MacroPulse struct{ Channel string }

// Type returns "gpio_pulse".
func (MacroPulse) Type() string { return "gpio_pulse" }

func readMacroPulse(e *macroEvent) MacroStep { return MacroPulse{e.text("channel")} }

func (s MacroPulse) event() any { return map[string]string{"channel": s.Channel} }

func (s MacroPulse) check(r *macroReport) { r.channel(s.Channel) }

func (s MacroPulse) run(ctx context.Context, r *macroRun) error {
	return r.client.GPIO.Pulse(ctx, s.Channel, &PulseOptions{BusyWait: defaultBusyTimeout})
}

// channel checks the name of one.
func (r *macroReport) channel(name string) {
	r.require(channelName.MatchString(name), "channel is not the name of one")
}
