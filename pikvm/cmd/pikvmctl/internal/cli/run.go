package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

// Run runs the program with the arguments that follow its name, and returns its exit code. Errors are on sys.Stderr.
func Run(ctx context.Context, args []string, sys *System) int {
	a := &app{sys: sys}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(sys.Stdin)
	root.SetOut(sys.Stdout)
	root.SetErr(sys.Stderr)
	a.refuseUnknown(root)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exit.OK
	}
	if !a.begun {
		err = exit.Usagef("%w (%s --help tells more)", err, cmd.CommandPath())
	}
	for _, line := range describe(err) {
		fmt.Fprintln(sys.Stderr, "pikvmctl: "+line)
	}
	return exit.Code(err)
}

// app is one run of the program.
type app struct {
	sys     *System
	globals globals
	begun   bool // the command line was understood
}

// command adds what all commands have in common.
func (a *app) command(cmd *cobra.Command, run func(ctx context.Context, args []string) error) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		a.begun = true
		if err := a.globals.check(); err != nil {
			return err
		}
		return run(cmd.Context(), args)
	}
	return cmd
}

// group is a command that does nothing without one of its subcommands.
func (a *app) group(cmd *cobra.Command, subcommands ...*cobra.Command) *cobra.Command {
	if cmd.RunE == nil {
		cmd.Args = cobra.NoArgs
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return errWhich }
	}
	cmd.AddCommand(subcommands...)
	return cmd
}

var errWhich = exit.Usagef("which of its commands?")

// confirmed wants the word of a person before something is done that may lose data. Whoever writes a script has
// thought about it before.
func (a *app) confirmed(yes bool, what string) error {
	if a.sys.StdinTerminal && !yes {
		return exit.Usagef("%s: add --yes if that is meant", what)
	}
	return nil
}

// yesFlag adds the flag that confirmed looks at.
func yesFlag(cmd *cobra.Command, yes *bool, why string) {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "do it although "+why+"; needed on a terminal")
}
