package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

func (a *app) macro() *cobra.Command {
	return a.group(&cobra.Command{
		Use:   "macro",
		Short: "Run what the web interface has recorded",
		Long: `Macro runs scripts of input and waits, in the format in which the web interface of PiKVM records and saves them, with the
further steps wait_text, wait_power, screenshot and repeat.`,
		Example: `  pikvmctl macro check install.json
  pikvmctl macro run install.json --speed 2`,
	}, a.macroRun(), a.macroCheck())
}

func (a *app) macroRun() *cobra.Command {
	var opts pikvm.MacroOptions
	cmd := a.command(&cobra.Command{
		Use:   "run FILE",
		Short: "Run a macro",
		Long: `Run checks the whole macro first and sends nothing if something is wrong with it. When it ends, or is interrupted,
nothing stays pressed. Pictures of the step screenshot go to files of their names, with {device} for the name of the device.`,
		Args: cobra.ExactArgs(1),
	}, func(ctx context.Context, args []string) error {
		macro, err := pikvm.LoadMacro(args[0])
		if err != nil {
			return macroUsage(err)
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			opts := opts
			opts.Picture = func(name string, picture *pikvm.Snapshot) error {
				name, err := t.file(name)
				if err != nil {
					return err
				}
				data, err := encodeAs(name, picture.JPEG)
				if err != nil {
					return err
				}
				return create(name, writing(data))
			}
			opts.OnStep = func(p pikvm.MacroProgress) { a.note("%s: loop %d, step %s", t.Name, p.Loop, p.Path) }
			if err := t.kvm.RunMacro(ctx, macro, &opts); err != nil {
				return macroUsage(err)
			}
			return t.out.done()
		})
	})
	cmd.Flags().Float64Var(&opts.Speed, "speed", 1, "how much shorter the delays are")
	cmd.Flags().IntVar(&opts.Loops, "loops", 1, "how often to run it; less than 0 means until interrupted")
	cmd.Flags().BoolVar(&opts.DryRun, "dry-run", false, "do nothing but tell the steps, with -v")
	cmd.Flags().BoolVar(&opts.Strict, "strict", false, "refuse the steps that the web interface does not know")
	return cmd
}

func (a *app) macroCheck() *cobra.Command {
	var strict bool
	cmd := a.command(&cobra.Command{
		Use:   "check FILE",
		Short: "Tell everything that is wrong with a macro",
		Long:  "Check needs no device. It ends with 2 if something is wrong.",
		Args:  cobra.ExactArgs(1),
	}, func(_ context.Context, args []string) error {
		macro, err := pikvm.LoadMacro(args[0])
		if err == nil {
			err = macro.Validate(&pikvm.MacroOptions{
				Strict:  strict,
				Picture: func(string, *pikvm.Snapshot) error { return nil },
			})
		}
		if err != nil {
			return macroUsage(err)
		}
		result := struct {
			Steps int `json:"steps"`
		}{len(macro)}
		return a.printer().line(result, "%s: %d steps, nothing wrong", args[0], result.Steps)
	})
	cmd.Flags().BoolVar(&strict, "strict", false, "refuse the steps that the web interface does not know")
	return cmd
}

// macroUsage lets an error of the macro itself tell all that is wrong.
func macroUsage(err error) error {
	invalid, ok := errors.AsType[*pikvm.InvalidMacroError](err)
	if !ok {
		return err
	}
	problems := make([]string, len(invalid.Problems))
	for i, problem := range invalid.Problems {
		problems[i] = problem.String()
	}
	return exit.Usagef("macro: %s", strings.Join(problems, "; "))
}
