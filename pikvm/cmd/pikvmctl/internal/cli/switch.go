package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

// switchResult is what "switch ls" prints as JSON.
type switchResult struct {
	Active string       `json:"active"` // as printed on the switch; empty for none
	Units  int          `json:"units"`
	Ports  []portResult `json:"ports"`
}

type portResult struct {
	Port  string `json:"port"` // as printed on the switch
	Name  string `json:"name"`
	Power bool   `json:"power"`
	Video bool   `json:"video"` // linked
	USB   bool   `json:"usb"`   // linked
	Busy  bool   `json:"busy"`
}

func (a *app) kvmSwitch() *cobra.Command {
	list := func(ctx context.Context, _ []string) error { return a.each(ctx, printSwitch) }
	group := a.command(&cobra.Command{
		Use:   "switch",
		Short: "Work the PiKVM Switch and the hosts at its ports",
		Long: `Switch works the PiKVM Switch, which puts several hosts behind one device. Without a command it is "switch ls".

Ports are named as printed on the switch, "3", in a chain "2.3" for the third of the second unit, or by the name that the
owner has given them.`,
		Example: `  pikvmctl switch
  pikvmctl switch select 3
  pikvmctl switch power database off
  pikvmctl switch beacon 3 on`,
		Args: cobra.NoArgs,
	}, list)
	return a.group(group,
		a.command(&cobra.Command{Use: "ls", Short: "List the ports", Args: cobra.NoArgs}, list),
		a.switchSelect(), a.switchStep("next", (*pikvm.Switch).SetActiveNext),
		a.switchStep("previous", (*pikvm.Switch).SetActivePrevious),
		a.switchPower(), a.switchClick(), a.switchBeacon(), a.switchRename(),
	)
}

func printSwitch(ctx context.Context, t *target) error {
	state, err := t.kvm.Switch.State(ctx)
	if err != nil {
		return err
	}
	result := switchResult{Active: state.ActiveID, Units: len(state.Units), Ports: []portResult{}}
	for _, port := range state.Ports {
		result.Ports = append(result.Ports, portResult{port.ID, port.Name, port.PowerLED, port.Video, port.USB, port.Busy})
	}
	return t.out.show(result, result.text)
}

func (r *switchResult) text(w io.Writer) {
	if r.Units == 0 {
		fmt.Fprintln(w, "there is no switch")
		return
	}
	fmt.Fprintln(w, "PORT\tNAME\tPOWER\tVIDEO\tUSB\t")
	for _, port := range r.Ports {
		mark := ""
		if port.Port == r.Active {
			mark = "active"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n",
			port.Port, port.Name, onOff(port.Power), yesNo(port.Video), yesNo(port.USB), mark)
	}
}

// port finds a port. The device itself would answer a port that is not there by a success.
func (t *target) port(ctx context.Context, name string) (int, error) {
	state, err := t.kvm.Switch.State(ctx)
	if err != nil {
		return 0, err
	}
	var known []string
	for i, port := range state.Ports {
		if name == port.ID || name == port.Name {
			return i, nil
		}
		known = append(known, port.ID)
	}
	if len(known) == 0 {
		return 0, exit.Usagef("there is no switch")
	}
	return 0, exit.Usagef("the switch has no port %q, only %s", name, strings.Join(known, ", "))
}

// switchTime is how long the switch may take to do what the device has told it.
const switchTime = 5 * time.Second

// switched returns when the switch shows the effect of a request that ended with err: the device itself answers before
// anything is done.
func (t *target) switched(ctx context.Context, err error, ok func(*pikvm.SwitchState) bool) error {
	waiting, cancel := context.WithTimeout(ctx, switchTime)
	defer cancel()
	for err == nil {
		var state *pikvm.SwitchState
		if state, err = t.kvm.Switch.State(ctx); err != nil || ok(state) {
			break
		}
		if retry.Wait(waiting, 50*time.Millisecond) != nil && ctx.Err() == nil {
			return exit.NotMetError("the switch does not show what it was told")
		}
	}
	return err
}

// portJob is what to do with a port.
type portJob func(ctx context.Context, t *target, port int) error

// portCommand is a command for the port that its first argument names. What the other arguments mean is found out
// before anything is sent.
func (a *app) portCommand(cmd *cobra.Command, parse func(args []string) (portJob, error)) *cobra.Command {
	return a.command(cmd, func(ctx context.Context, args []string) error {
		do, err := parse(args[1:])
		if err != nil {
			return err
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			port, err := t.port(ctx, args[0])
			if err != nil {
				return err
			}
			if err := do(ctx, t, port); err != nil {
				return err
			}
			return t.out.done()
		})
	})
}

func (a *app) switchSelect() *cobra.Command {
	return a.portCommand(&cobra.Command{
		Use: "select PORT", Short: "Show the host at a port", Args: cobra.ExactArgs(1), ValidArgsFunction: a.ports(),
	}, func([]string) (portJob, error) {
		return func(ctx context.Context, t *target, port int) error {
			return t.switched(ctx, t.kvm.Switch.SetActive(ctx, port), func(s *pikvm.SwitchState) bool { return s.ActivePort == port })
		}, nil
	})
}

func (a *app) switchStep(name string, step func(*pikvm.Switch, context.Context) error) *cobra.Command {
	return a.command(&cobra.Command{
		Use: name, Short: "Show the host at the " + name + " port", Args: cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		return a.each(ctx, func(ctx context.Context, t *target) error {
			if err := step(t.kvm.Switch, ctx); err != nil {
				return err
			}
			return t.out.done()
		})
	})
}

func (a *app) switchBeacon() *cobra.Command {
	return a.portCommand(&cobra.Command{
		Use: "beacon PORT on|off", Short: "Let the lamp of a port blink", Args: cobra.ExactArgs(2),
		ValidArgsFunction: second(a.ports(), "on", "off"),
	}, func(args []string) (portJob, error) {
		on, err := parseOnOff(args[0])
		return func(ctx context.Context, t *target, port int) error {
			err := t.kvm.Switch.SetBeacon(ctx, pikvm.PortBeacon(port), on)
			return t.switched(ctx, err, func(s *pikvm.SwitchState) bool { return port < len(s.Ports) && s.Ports[port].Beacon == on })
		}, err
	})
}

func (a *app) switchRename() *cobra.Command {
	return a.portCommand(&cobra.Command{
		Use: "rename PORT NAME", Short: "Give a port a name; an empty one takes it away",
		Args: cobra.ExactArgs(2), ValidArgsFunction: a.ports(),
	}, func(args []string) (portJob, error) {
		return func(ctx context.Context, t *target, port int) error {
			err := t.kvm.Switch.SetPortParams(ctx, port, &pikvm.SwitchPortParams{Name: &args[0]})
			name := strings.Join(strings.Fields(args[0]), " ") // as the device keeps it
			return t.switched(ctx, err, func(s *pikvm.SwitchState) bool { return port < len(s.Ports) && s.Ports[port].Name == name })
		}, nil
	})
}
