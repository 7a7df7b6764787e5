package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// removedResult is what rm and clean print as JSON.
type removedResult struct {
	Removed []string `json:"removed"`
}

func (r removedResult) text(w io.Writer) {
	for _, image := range r.Removed {
		fmt.Fprintf(w, "removed %s\n", image)
	}
}

func (a *app) msdRemove() *cobra.Command {
	var yes bool
	cmd := a.command(&cobra.Command{
		Use:               "rm IMAGE...",
		Short:             "Remove images",
		Long:              "Rm removes images, complete or not, and ends when the device no longer lists them.",
		Example:           "  pikvmctl msd rm old.iso test.img",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.images(),
	}, func(ctx context.Context, args []string) error {
		if err := a.confirmed(yes, "rm removes images for good"); err != nil {
			return err
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			for _, image := range args {
				if err := t.kvm.MSD.Remove(ctx, image, nil); err != nil {
					return err
				}
			}
			result := removedResult{args}
			return t.out.show(result, result.text)
		})
	})
	yesFlag(cmd, &yes, "they are gone for good")
	return cmd
}

func (a *app) msdClean() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "clean",
		Short: "Remove what uploads that broke off have left behind",
		Args:  cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		return a.each(ctx, func(ctx context.Context, t *target) error {
			images, err := t.kvm.MSD.RemoveIncomplete(ctx, nil)
			if err != nil {
				return err
			}
			result := removedResult{append([]string{}, images...)}
			return t.out.show(result, result.text)
		})
	})
}
