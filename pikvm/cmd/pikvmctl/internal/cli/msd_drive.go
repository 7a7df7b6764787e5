package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

func (a *app) msdMount() *cobra.Command {
	var opts pikvm.MountOptions
	cmd := a.command(&cobra.Command{
		Use:   "mount IMAGE",
		Short: "Show an image to the host",
		Long: `Mount plugs the drive out if need be, selects the image, plugs the drive in, and looks whether all that is so. A drive that
shows the image already stays plugged in.`,
		Example: `  pikvmctl msd mount debian.iso --cdrom
  pikvmctl msd mount scratch.img --writable`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.images(),
	}, func(ctx context.Context, args []string) error {
		return a.each(ctx, func(ctx context.Context, t *target) error {
			if err := t.kvm.MSD.Mount(ctx, args[0], &opts); err != nil {
				return err
			}
			result := driveResult{Connected: true, Image: args[0], CDROM: opts.CDROM, Writable: opts.Writable}
			return t.out.line(result, "%s is a %s", args[0], result.how())
		})
	})
	cmd.Flags().BoolVar(&opts.CDROM, "cdrom", false, "as a CD-ROM instead of a flash drive")
	cmd.Flags().BoolVar(&opts.Writable, "writable", false, "let the host write")
	busyWaitFlag(cmd, &opts.BusyWait)
	cmd.MarkFlagsMutuallyExclusive("cdrom", "writable")
	return cmd
}

func (a *app) msdEject() *cobra.Command {
	var opts pikvm.EjectOptions
	cmd := a.command(&cobra.Command{
		Use:   "eject",
		Short: "Take the drive away from the host",
		Long:  `Eject plugs the drive out and deselects the image. It ends with 5 if the host holds the drive; "msd reset" does not ask.`,
		Args:  cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		return a.each(ctx, func(ctx context.Context, t *target) error {
			if err := t.kvm.MSD.Eject(ctx, &opts); err != nil {
				return err
			}
			return t.out.line(driveResult{}, "the drive is empty")
		})
	})
	busyWaitFlag(cmd, &opts.BusyWait)
	return cmd
}

func busyWaitFlag(cmd *cobra.Command, wait *time.Duration) {
	cmd.Flags().DurationVar(wait, "busy-wait", 0, "how long to try while the device is busy")
}

func (a *app) msdReset() *cobra.Command {
	var yes bool
	cmd := a.command(&cobra.Command{
		Use:   "reset",
		Short: "Take the drive away whatever the host does with it",
		Long: `Reset plugs the drive out, deselects the image and starts the storage of the device anew. What the host has not
written to the drive is lost.`,
		Args: cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		if err := a.confirmed(yes, "reset takes the drive away whatever the host does with it"); err != nil {
			return err
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			if err := t.kvm.MSD.Reset(ctx); err != nil {
				return err
			}
			return t.out.done()
		})
	})
	yesFlag(cmd, &yes, "the host may be writing")
	return cmd
}
