package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"path"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// downloadResult is what downloads print as JSON.
type downloadResult struct {
	Image  string `json:"image"`
	File   string `json:"file"`
	Size   int64  `json:"size"`   // bytes of the file
	SHA256 string `json:"sha256"` // of the file
}

func (a *app) msdDownload() *cobra.Command {
	var compress string
	cmd := a.command(&cobra.Command{
		Use:   "download IMAGE [FILE]",
		Short: "Get an image from the device",
		Long: `Download writes an image to a file, of its own name if none is given, and tells its SHA-256. "-" is stdout. The file is
there when it is whole, and not before. The drive must not be plugged in.

With --all the name must hold {device}, which becomes the name of the device.`,
		Example: `  pikvmctl msd download debian.iso
  pikvmctl msd download disk.img - | sha256sum
  pikvmctl msd download disk.img disk.img.zst --compress zstd`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: a.images(),
	}, func(ctx context.Context, args []string) error {
		name := path.Base(args[0])
		if len(args) == 2 {
			name = args[1]
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			name, err := t.file(name)
			if err != nil {
				return err
			}
			result := downloadResult{Image: args[0], File: name}
			bar := a.bar(t, name)
			write := func(w io.Writer) error {
				opts := &pikvm.DownloadOptions{Compress: pikvm.Compression(compress), Hash: sha256.New(), Progress: bar.set}
				got, err := t.kvm.MSD.Download(ctx, args[0], w, opts)
				if err != nil {
					return err
				}
				result.Size, result.SHA256 = got.Size, hex.EncodeToString(got.Sum)
				return nil
			}
			err = a.fill(name, write)
			bar.end()
			if err != nil || name == "-" {
				return err
			}
			return t.out.line(result, "%s: %s, SHA-256 %s", name, size(result.Size), result.SHA256)
		})
	})
	cmd.Flags().StringVar(&compress, "compress", "", "let the device pack it: zstd or lzma")
	_ = cmd.RegisterFlagCompletionFunc("compress", oneOf("zstd", "lzma")) // fails for flags that are not there
	return cmd
}
