package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// gpioResult is what "gpio ls" prints as JSON.
type gpioResult struct {
	Inputs  []gpioInput  `json:"inputs"`
	Outputs []gpioOutput `json:"outputs"`
}

type gpioInput struct {
	Channel string `json:"channel"`
	On      bool   `json:"on"`
	Online  bool   `json:"online"`
}

type gpioOutput struct {
	gpioInput
	Busy   bool `json:"busy"`
	Switch bool `json:"switch"` // it can be switched
	Pulse  bool `json:"pulse"`  // it can make pulses
}

func (a *app) gpio() *cobra.Command {
	list := func(ctx context.Context, _ []string) error { return a.each(ctx, printGPIO) }
	group := a.command(&cobra.Command{
		Use:   "gpio",
		Short: "Work relays, buttons and lamps",
		Long:  `Gpio works the channels that the owner of the device has set up. Without a command it is "gpio ls".`,
		Example: `  pikvmctl gpio
  pikvmctl gpio switch relay1 on
  pikvmctl gpio pulse button1 500ms`,
		Args: cobra.NoArgs,
	}, list)
	return a.group(group,
		a.command(&cobra.Command{Use: "ls", Short: "List the channels and their states", Args: cobra.NoArgs}, list),
		a.gpioSwitch(), a.gpioPulse(),
	)
}

func printGPIO(ctx context.Context, t *target) error {
	state, err := t.kvm.GPIO.State(ctx)
	if err != nil {
		return err
	}
	result := gpioResult{Inputs: []gpioInput{}, Outputs: []gpioOutput{}}
	for _, name := range slices.Sorted(maps.Keys(state.Inputs)) {
		in := state.Inputs[name]
		result.Inputs = append(result.Inputs, gpioInput{name, in.State, in.Online})
	}
	for _, name := range slices.Sorted(maps.Keys(state.Outputs)) {
		out, model := state.Outputs[name], state.Model.Outputs[name]
		result.Outputs = append(result.Outputs, gpioOutput{
			gpioInput{name, out.State, out.Online}, out.Busy, model.Switch, model.Pulse != pikvm.GPIOPulse{},
		})
	}
	return t.out.show(result, result.text)
}

func (r *gpioResult) text(w io.Writer) {
	fmt.Fprintln(w, "CHANNEL\tKIND\tSTATE")
	for _, in := range r.Inputs {
		fmt.Fprintf(w, "%s\tinput\t%s\n", in.Channel, in.state())
	}
	for _, out := range r.Outputs {
		state := out.state()
		if out.Busy {
			state = "busy"
		}
		fmt.Fprintf(w, "%s\toutput\t%s\n", out.Channel, state)
	}
}

func (c gpioInput) state() string {
	if !c.Online {
		return "offline"
	}
	return onOff(c.On)
}

func (a *app) gpioSwitch() *cobra.Command {
	var opts pikvm.GPIOOptions
	cmd := a.command(&cobra.Command{
		Use:               "switch CHANNEL on|off",
		Short:             "Switch an output",
		Example:           "  pikvmctl gpio switch relay1 on --wait",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: second(a.outputs(), "on", "off"),
	}, func(ctx context.Context, args []string) error {
		on, err := parseOnOff(args[1])
		if err != nil {
			return err
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			if err := t.kvm.GPIO.Switch(ctx, args[0], on, &opts); err != nil {
				return err
			}
			return t.out.done()
		})
	})
	gpioFlags(cmd, &opts.Wait, &opts.BusyWait)
	return cmd
}

func (a *app) gpioPulse() *cobra.Command {
	var opts pikvm.PulseOptions
	cmd := a.command(&cobra.Command{
		Use:   "pulse CHANNEL [LENGTH]",
		Short: "Set an output and take it back",
		Long:  "Pulse sets an output and takes it back after a while: as long as given, or as its owner has set it up.",
		Example: `  pikvmctl gpio pulse button1
  pikvmctl gpio pulse button1 500ms`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: a.outputs(),
	}, func(ctx context.Context, args []string) error {
		if len(args) == 2 {
			var err error
			if opts.Length, err = parseLength(args[1]); err != nil {
				return err
			}
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			if err := t.kvm.GPIO.Pulse(ctx, args[0], &opts); err != nil {
				return err
			}
			return t.out.done()
		})
	})
	gpioFlags(cmd, &opts.Wait, &opts.BusyWait)
	return cmd
}

func gpioFlags(cmd *cobra.Command, wait *bool, busyWait *time.Duration) {
	cmd.Flags().BoolVar(wait, "wait", false, "end when the channel is free again, and tell whether its hardware was reached")
	cmd.Flags().DurationVar(busyWait, "busy-wait", 0, "how long to try while the channel is busy")
}
