package cli

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// writtenResult is what uploads and fetches print as JSON.
type writtenResult struct {
	Image string `json:"image"`
	Size  int64  `json:"size"` // bytes
}

func (a *app) msdUpload() *cobra.Command {
	var (
		opts pikvm.UploadOptions
		name string
	)
	cmd := a.command(&cobra.Command{
		Use:   "upload FILE",
		Short: "Store an image on the device",
		Long: `Upload sends a file to the device and ends when the device lists it. It looks first whether the device would take it: a
name that is taken, no room, or a drive that is plugged in do not cost gigabytes. What is interrupted leaves nothing
behind on the device.`,
		Example: `  pikvmctl msd upload debian.iso
  pikvmctl msd upload build/out.img --name test.img --replace --verify`,
		Args: cobra.ExactArgs(1),
	}, func(ctx context.Context, args []string) error {
		return a.each(ctx, func(ctx context.Context, t *target) error {
			opts := opts
			bar := a.bar(t, filepath.Base(args[0]))
			opts.Progress = bar.set
			image, err := t.kvm.MSD.UploadFile(ctx, args[0], name, &opts)
			bar.end()
			if err != nil {
				return err
			}
			return t.out.line(writtenResult{image.Name, image.Size}, "uploaded %s, %s", image.Name, size(image.Size))
		})
	})
	cmd.Flags().StringVar(&name, "name", "", "store it under this `name`; that of the file if not given")
	cmd.Flags().BoolVar(&opts.Replace, "replace", false, "remove an image of the same name first")
	cmd.Flags().BoolVar(&opts.Verify, "verify", false, "read it back and compare")
	return cmd
}

func (a *app) msdFetch() *cobra.Command {
	var opts pikvm.FetchOptions
	cmd := a.command(&cobra.Command{
		Use:   "fetch URL",
		Short: "Let the device fetch an image from a web server",
		Long:  "Fetch lets the device fetch an image from an http or https server, and ends when the device lists it.",
		Example: `  pikvmctl msd fetch https://example.org/debian.iso
  pikvmctl msd fetch https://example.org/latest --name debian.iso --replace`,
		Args: cobra.ExactArgs(1),
	}, func(ctx context.Context, args []string) error {
		return a.each(ctx, func(ctx context.Context, t *target) error {
			opts := opts
			bar := a.bar(t, "fetch")
			opts.Progress = func(w pikvm.WrittenImage) { bar.set(w.Written, w.Size) }
			image, err := t.kvm.MSD.Fetch(ctx, args[0], &opts)
			bar.end()
			if err != nil {
				return err
			}
			return t.out.line(writtenResult{image.Name, image.Size}, "fetched %s, %s", image.Name, size(image.Size))
		})
	})
	cmd.Flags().StringVar(&opts.Image, "name", "", "store it under this `name`; what the server says if not given")
	cmd.Flags().BoolVar(&opts.Replace, "replace", false, "remove an image of the same name first; needs --name")
	cmd.Flags().BoolVar(&opts.InsecureSkipTLSVerify, "insecure-server", false, "let the device trust any certificate of the server")
	return cmd
}
