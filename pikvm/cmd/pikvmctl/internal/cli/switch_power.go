package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

// switchActions are the power actions by the names that atx has for them.
var switchActions = map[string]pikvm.PowerAction{
	"on": pikvm.PowerOn, "off": pikvm.PowerOff, "off-hard": pikvm.PowerOffHard, "reset": pikvm.PowerResetHard,
}

func (a *app) switchPower() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "power PORT on|off|off-hard|reset",
		Short: "Switch the host at a port on or off",
		Long: `Power works the power of the host at a port. The switch does not tell whether anything happened: look at it with
"switch ls".`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: second(a.ports(), "on", "off", "off-hard", "reset"),
	}
	yesFlag(cmd, &yes, "the host cannot save anything")
	return a.portCommand(cmd, func(args []string) (portJob, error) {
		action, ok := switchActions[args[0]]
		if !ok {
			return nil, exit.Usagef("power is on, off, off-hard or reset, not %q", args[0])
		}
		if action == pikvm.PowerOffHard || action == pikvm.PowerResetHard {
			if err := a.confirmed(yes, args[0]+" does not let the host save anything"); err != nil {
				return nil, err
			}
		}
		return func(ctx context.Context, t *target, port int) error {
			return t.kvm.Switch.Power(ctx, port, action)
		}, nil
	})
}

func (a *app) switchClick() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:               "click PORT " + strings.Join(buttons, "|"),
		Short:             "Press a button of the host at a port",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: second(a.ports(), buttons...),
	}
	yesFlag(cmd, &yes, "the host cannot save anything")
	return a.portCommand(cmd, func(args []string) (portJob, error) {
		button := pikvm.Button(args[0])
		switch button {
		case pikvm.ButtonPower:
		case pikvm.ButtonPowerLong, pikvm.ButtonReset:
			if err := a.confirmed(yes, "this press does not let the host save anything"); err != nil {
				return nil, err
			}
		default:
			return nil, errButton(args[0])
		}
		return func(ctx context.Context, t *target, port int) error {
			return t.kvm.Switch.Click(ctx, port, button)
		}, nil
	})
}
