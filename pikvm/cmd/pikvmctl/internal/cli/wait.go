package cli

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

// limitFlag adds the flag for how long to wait.
func limitFlag(cmd *cobra.Command, limit *time.Duration) {
	cmd.Flags().DurationVar(limit, "limit", 5*time.Minute, "how long to wait")
}

func (a *app) waitText() *cobra.Command {
	var (
		opts   pikvm.WaitTextOptions
		region string
		limit  time.Duration
	)
	cmd := a.command(&cobra.Command{
		Use:   "wait-text PATTERN",
		Short: "Wait until the screen shows a text",
		Long: `Wait-text lets the device read the screen again and again until a regular expression (RE2) matches, and prints what it
has read then. It ends with 6 if that does not happen in time.`,
		Example: `  pikvmctl wait-text 'login:' --limit 3m && pikvmctl type --enter root
  pikvmctl wait-text '(?i)press any key' --region 0,900,1920,1080`,
		Args: cobra.ExactArgs(1),
	}, func(ctx context.Context, args []string) error {
		pattern, err := regexp.Compile(args[0])
		if err != nil {
			return exit.AsUsage(err)
		}
		if opts.Region, err = parseRegion(region); err != nil {
			return err
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			read, err := t.kvm.WaitForText(ctx, pattern, &opts)
			if err != nil {
				return err
			}
			return t.out.line(textResult{read.Text}, "%s", strings.TrimRight(read.Text, "\n"))
		})
	})
	cmd.Flags().StringSliceVar(&opts.Languages, "lang", nil, "languages to look for, such as eng")
	cmd.Flags().StringVar(&region, "region", "", "part of the screen in pixels: left,top,right,bottom")
	cmd.Flags().DurationVar(&opts.Every, "every", time.Second, "how long to pause between two looks")
	limitFlag(cmd, &limit)
	return cmd
}

func (a *app) waitChange() *cobra.Command {
	var (
		opts   pikvm.WaitChangeOptions
		region string
		limit  time.Duration
	)
	cmd := a.command(&cobra.Command{
		Use:   "wait-change",
		Short: "Wait until the screen looks different",
		Long: `Wait-change looks at small pictures of the screen until one differs from the first, and prints how much of it.
It ends with 6 if that does not happen in time.`,
		Example: "  pikvmctl key enter && pikvmctl wait-change --limit 10s",
		Args:    cobra.NoArgs,
	}, func(ctx context.Context, _ []string) (err error) {
		if opts.Region, err = parseRegion(region); err != nil {
			return err
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			change, err := t.kvm.WaitForScreenChange(ctx, &opts)
			if err != nil {
				return err
			}
			result := struct {
				Part float64 `json:"part"` // from 0 to 1
			}{change.Part}
			return t.out.line(result, "%.1f %% of the screen changed", 100*result.Part)
		})
	})
	cmd.Flags().StringVar(&region, "region", "", "part of the screen in pixels: left,top,right,bottom")
	limitFlag(cmd, &limit)
	return cmd
}

func (a *app) waitSignal() *cobra.Command {
	var limit time.Duration
	cmd := a.command(&cobra.Command{
		Use:               "wait-signal on|off",
		Short:             "Wait until the host gives a picture, or none",
		Long:              "Wait-signal ends with 6 if that does not happen in time.",
		Example:           "  pikvmctl atx reset --yes && pikvmctl wait-signal on",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: words("on", "off"),
	}, func(ctx context.Context, args []string) error {
		on, err := parseOnOff(args[0])
		if err != nil {
			return err
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			if err := t.kvm.WaitSignal(ctx, on, nil); err != nil {
				return err
			}
			return t.out.done()
		})
	})
	limitFlag(cmd, &limit)
	return cmd
}
