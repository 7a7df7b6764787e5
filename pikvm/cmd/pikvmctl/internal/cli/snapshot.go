package cli

import (
	"bytes"
	"context"
	"image/jpeg"
	"image/png"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

// snapshotResult is what snapshot prints as JSON when the picture goes to a file.
type snapshotResult struct {
	File   string `json:"file"`
	Bytes  int    `json:"bytes"`
	Width  int    `json:"width"` // of the screen
	Height int    `json:"height"`
	Online bool   `json:"online"` // there was a signal from the host
}

func (a *app) snapshot() *cobra.Command {
	var (
		opts    pikvm.ScreenshotOptions
		load    bool
		preview string
		quality int
	)
	cmd := a.command(&cobra.Command{
		Use:   "snapshot FILE",
		Short: "Take a picture of the screen",
		Long: `Snapshot writes a picture of the screen to a file, as JPEG, or as PNG if the name ends in .png. "-" is stdout.
A device that does not run its video starts it for that. Without a picture in time it ends with 6.

With --all the name must hold {device}, which becomes the name of the device.`,
		Example: `  pikvmctl snapshot screen.jpg
  pikvmctl snapshot --preview 320x200 - | feh -
  pikvmctl snapshot --all 'screens/{device}.png'`,
		Args: cobra.ExactArgs(1),
	}, func(ctx context.Context, args []string) error {
		width, height, err := parseScreen(preview)
		if err != nil {
			return err
		}
		if preview != "" || quality > 0 {
			opts.Preview = &pikvm.PreviewOptions{MaxWidth: width, MaxHeight: height, Quality: quality}
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			name, err := t.file(args[0])
			if err != nil {
				return err
			}
			picture, err := t.picture(ctx, &opts, load)
			if err != nil {
				return err
			}
			data, err := encodeAs(name, picture.JPEG)
			if err != nil {
				return err
			}
			if err := a.fill(name, writing(data)); err != nil || name == "-" {
				return err
			}
			result := snapshotResult{name, len(data), picture.Width, picture.Height, picture.Online}
			return t.out.line(result, "%s: %dx%d, %s", name, result.Width, result.Height, size(int64(result.Bytes)))
		})
	})
	cmd.Flags().BoolVar(&opts.AllowOffline, "allow-offline", false, "take the placeholder if there is no signal from the host")
	cmd.Flags().BoolVar(&opts.Save, "save", false, "let the device keep the picture, too")
	cmd.Flags().BoolVar(&load, "load", false, "get the picture that the device keeps")
	cmd.Flags().DurationVar(&opts.Timeout, "limit", 30*time.Second, "how long to wait for a picture")
	cmd.Flags().StringVar(&preview, "preview", "", "make it smaller, to fit into a size such as 640x480")
	cmd.Flags().IntVar(&quality, "quality", 0, "quality of a smaller picture, 1 to 100")
	return cmd
}

// picture takes a picture, or loads the one that the device keeps.
func (t *target) picture(ctx context.Context, opts *pikvm.ScreenshotOptions, load bool) (*pikvm.Snapshot, error) {
	if load {
		return t.kvm.Streamer.Snapshot(ctx, &pikvm.SnapshotOptions{Load: true, Preview: opts.Preview})
	}
	return t.kvm.Screenshot(ctx, opts)
}

// encodeAs returns a JPEG in the format that the name of a file asks for.
func encodeAs(name string, picture []byte) ([]byte, error) {
	if !strings.EqualFold(filepath.Ext(name), ".png") {
		return picture, nil
	}
	decoded, err := jpeg.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = png.Encode(&out, decoded)
	return out.Bytes(), err
}

// file completes the name of a file for one of several devices.
func (t *target) file(name string) (string, error) {
	if !t.one && !strings.Contains(name, "{device}") {
		return "", exit.Usagef("with --all the name of the file must hold {device}: all of them would write to %s", name)
	}
	return strings.ReplaceAll(name, "{device}", t.Name), nil
}
