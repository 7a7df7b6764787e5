package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

// atxResult is what "atx status" prints as JSON.
type atxResult struct {
	Enabled bool `json:"enabled"`
	Power   bool `json:"power"`
	Disk    bool `json:"disk"`
	Busy    bool `json:"busy"`
}

// powerResult is what power operations print as JSON.
type powerResult struct {
	Power bool `json:"power"`
}

func (a *app) atx() *cobra.Command {
	status := func(ctx context.Context, _ []string) error { return a.each(ctx, printATX) }
	group := a.command(&cobra.Command{
		Use:   "atx",
		Short: "Switch the host on and off, and make sure",
		Long: `Atx works the power and reset buttons of the host and looks at its power LED. Without a command it is "atx status".

on, off, off-hard, reset and cycle look first, press what has to be pressed, never twice, and end when the LED shows the
effect. They end with 6 if it does not in time, and with 5 if somebody else is pressing the button.`,
		Example: `  pikvmctl atx
  pikvmctl atx on
  pikvmctl atx off --escalate --wait 1m # ask the system to shut down, cut the power after a minute
  pikvmctl atx cycle --all              # every device of the configuration file
  pikvmctl atx status -o json | jq .power`,
		Args: cobra.NoArgs,
	}, status)
	return a.group(group,
		a.command(&cobra.Command{Use: "status", Short: "Tell whether the host is on", Args: cobra.NoArgs}, status),
		a.atxOn(), a.atxOff(), a.atxOffHard(), a.atxReset(), a.atxCycle(), a.atxWait(), a.atxClick(),
	)
}

// printATX prints the state.
func printATX(ctx context.Context, t *target) error {
	state, err := t.kvm.ATX.State(ctx)
	if err != nil {
		return err
	}
	result := atxResult{Enabled: state.Enabled, Power: state.LEDs.Power, Disk: state.LEDs.HDD, Busy: state.Busy}
	return t.out.show(result, func(w io.Writer) {
		if !result.Enabled {
			fmt.Fprintln(w, "the device has no ATX control")
			return
		}
		fmt.Fprintf(w, "power\t%s\ndisk\t%s\nbusy\t%s\n", onOff(result.Power), onOff(result.Disk), yesNo(result.Busy))
	})
}

// power does a power operation with every device and prints the state after it.
func (a *app) power(ctx context.Context, opts pikvm.PowerOptions, do func(*pikvm.ATX, context.Context, *pikvm.PowerOptions) error) error {
	return a.each(ctx, func(ctx context.Context, t *target) error {
		opts := opts
		opts.OnStep = func(step pikvm.PowerStep) {
			if step.Err != nil {
				a.note("%s: %s: %v", t.Name, step.Name, step.Err)
				return
			}
			a.note("%s: %s", t.Name, step.Name)
		}
		if err := do(t.kvm.ATX, ctx, &opts); err != nil {
			return err
		}
		state, err := t.kvm.ATX.State(ctx)
		if err != nil {
			return err
		}
		result := powerResult{state.LEDs.Power}
		return t.out.line(result, "power  %s", onOff(result.Power))
	})
}

func (a *app) atxOn() *cobra.Command {
	var opts pikvm.PowerOptions
	cmd := a.command(&cobra.Command{
		Use:   "on",
		Short: "Switch the host on",
		Long:  "On presses the power button of a host that is off, and ends when its power LED is on.",
		Args:  cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error { return a.power(ctx, opts, (*pikvm.ATX).PowerOn) })
	cmd.Flags().DurationVar(&opts.OnTimeout, "wait", 30*time.Second, "how long the LED may take")
	return cmd
}

func (a *app) atxOff() *cobra.Command {
	var (
		opts pikvm.PowerOptions
		yes  bool
	)
	cmd := a.command(&cobra.Command{
		Use:   "off",
		Short: "Let the host shut down",
		Long: `Off presses the power button briefly, which asks the operating system to shut down, and ends when the power LED
is off. For one that does not listen there is --escalate, and "atx off-hard".`,
		Args: cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		if opts.Escalate {
			if err := a.confirmed(yes, "--escalate may cut the power"); err != nil {
				return err
			}
		}
		return a.power(ctx, opts, (*pikvm.ATX).PowerOff)
	})
	offFlags(cmd, &opts)
	yesFlag(cmd, &yes, "the power may be cut")
	return cmd
}

func (a *app) atxOffHard() *cobra.Command {
	opts := pikvm.PowerOptions{Hard: true}
	var yes bool
	cmd := a.command(&cobra.Command{
		Use:   "off-hard",
		Short: "Cut the power of the host",
		Long:  "Off-hard holds the power button until the power LED is off. What the host has not saved is lost.",
		Args:  cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		if err := a.confirmed(yes, "off-hard cuts the power"); err != nil {
			return err
		}
		return a.power(ctx, opts, (*pikvm.ATX).PowerOff)
	})
	cmd.Flags().DurationVar(&opts.HardOffTimeout, "wait", 20*time.Second, "how long the LED may take")
	yesFlag(cmd, &yes, "the power is cut")
	return cmd
}

func (a *app) atxReset() *cobra.Command {
	var yes bool
	cmd := a.command(&cobra.Command{
		Use:   "reset",
		Short: "Press the reset button",
		Long: `Reset presses the reset button of a host that is on. The power LED stays lit in a reset: that the device
worked the line, and the LED afterwards, is all that can be seen. What the host has not saved is lost.`,
		Args: cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		if err := a.confirmed(yes, "reset does not let the host save anything"); err != nil {
			return err
		}
		return a.power(ctx, pikvm.PowerOptions{}, (*pikvm.ATX).ForceReset)
	})
	yesFlag(cmd, &yes, "the host cannot save anything")
	return cmd
}

func (a *app) atxCycle() *cobra.Command {
	var (
		opts pikvm.PowerOptions
		yes  bool
	)
	cmd := a.command(&cobra.Command{
		Use:   "cycle",
		Short: "Switch the host off and on again",
		Long: `Cycle lets the host shut down as "atx off" does, leaves it off for a while and switches it on again. A host that is
off is only switched on.`,
		Example: `  pikvmctl atx cycle
  pikvmctl atx cycle --hard --yes --off-time 10s`,
		Args: cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		if opts.Hard || opts.Escalate {
			if err := a.confirmed(yes, "--hard and --escalate cut the power"); err != nil {
				return err
			}
		}
		return a.power(ctx, opts, (*pikvm.ATX).PowerCycle)
	})
	cmd.Flags().BoolVar(&opts.Hard, "hard", false, "cut the power instead of asking the system to shut down")
	cmd.Flags().DurationVar(&opts.OffTime, "off-time", 3*time.Second, "how long to leave it off")
	offFlags(cmd, &opts)
	yesFlag(cmd, &yes, "the power may be cut")
	return cmd
}

// offFlags adds the flags of what lets the host shut down.
func offFlags(cmd *cobra.Command, opts *pikvm.PowerOptions) {
	cmd.Flags().BoolVar(&opts.Escalate, "escalate", false, "cut the power if the system has not shut down in time")
	cmd.Flags().DurationVar(&opts.OffTimeout, "wait", 2*time.Minute, "how long the system may take to shut down")
}

func (a *app) atxWait() *cobra.Command {
	var limit time.Duration
	cmd := a.command(&cobra.Command{
		Use:   "wait on|off",
		Short: "Wait until the host is on, or off",
		Long:  "Wait presses nothing and ends when the power LED is as wanted, or with 6 after the limit.",
		Example: `  pikvmctl atx wait off --limit 10m && pikvmctl msd eject
  pikvmctl atx wait on || echo it did not come up`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: words("on", "off"),
	}, func(ctx context.Context, args []string) error {
		on, err := parseOnOff(args[0])
		if err != nil {
			return err
		}
		return a.power(ctx, pikvm.PowerOptions{}, func(atx *pikvm.ATX, ctx context.Context, opts *pikvm.PowerOptions) error {
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			return atx.WaitPower(ctx, on, opts)
		})
	})
	limitFlag(cmd, &limit)
	return cmd
}

func (a *app) atxClick() *cobra.Command {
	var (
		opts pikvm.ATXOptions
		yes  bool
	)
	cmd := a.command(&cobra.Command{
		Use:   "click power|power_long|reset",
		Short: "Press a button, whatever the LEDs show",
		Long: `Click presses a button and does not look whether anything happens. It ends with 5 if the line is busy with
another press.`,
		Example:           "  pikvmctl atx click power --busy-wait 10s",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: words(buttons...),
	}, func(ctx context.Context, args []string) error {
		button := pikvm.Button(args[0])
		switch button {
		case pikvm.ButtonPower:
		case pikvm.ButtonPowerLong, pikvm.ButtonReset:
			if err := a.confirmed(yes, "this press does not let the host save anything"); err != nil {
				return err
			}
		default:
			return errButton(args[0])
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			if err := t.kvm.ATX.Click(ctx, button, &opts); err != nil {
				return err
			}
			return t.out.done()
		})
	})
	cmd.Flags().BoolVar(&opts.Wait, "wait", false, "end when the line is free again")
	cmd.Flags().DurationVar(&opts.BusyWait, "busy-wait", 0, "how long to try while another press is under way")
	yesFlag(cmd, &yes, "the host cannot save anything")
	return cmd
}

// buttons are those of the host's case.
var buttons = []string{string(pikvm.ButtonPower), string(pikvm.ButtonPowerLong), string(pikvm.ButtonReset)}

func errButton(name string) error {
	return exit.Usagef("the button is %s, not %q", strings.Join(buttons, ", "), name)
}
