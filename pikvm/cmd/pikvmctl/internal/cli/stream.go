package cli

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// recordResult is what stream prints as JSON.
type recordResult struct {
	File    string  `json:"file"`
	Frames  int     `json:"frames"`
	Bytes   int64   `json:"bytes"`
	Lost    uint64  `json:"lost"` // frames
	Seconds float64 `json:"seconds"`
}

func (a *app) video() *cobra.Command {
	var (
		file string
		opts pikvm.RecordOptions
	)
	cmd := a.command(&cobra.Command{
		Use:   "stream --h264 FILE",
		Short: "Record the video of the screen",
		Long: `Stream writes the video of the screen as H.264, which players and ffmpeg take as it is, until it is interrupted or the
duration is over. "-" is stdout. It begins with a key frame and can be played whenever it ends.

With --all the name must hold {device}, which becomes the name of the device.`,
		Example: `  pikvmctl stream --h264 boot.h264 --duration 1m
  pikvmctl stream --h264 - | ffplay -f h264 -`,
		Args: cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		return a.each(ctx, func(ctx context.Context, t *target) error {
			name, err := t.file(file)
			if err != nil {
				return err
			}
			var got pikvm.Recording
			write := func(w io.Writer) (err error) {
				got, err = t.kvm.Media.Record(ctx, w, &opts)
				if errors.Is(err, context.Canceled) && ctx.Err() != nil && got.Frames > 0 {
					return nil // who stops a recording wants what there is of it
				}
				return err
			}
			if err := a.fill(name, write); err != nil || name == "-" {
				return err
			}
			result := recordResult{name, got.Frames, got.Bytes, got.Lost, got.Duration.Seconds()}
			return t.out.line(result, "%s: %d frames in %s, %s", name, got.Frames, got.Duration.Round(time.Second), size(got.Bytes))
		})
	})
	cmd.Flags().StringVar(&file, "h264", "", "`file` to write H.264 to")
	cmd.Flags().DurationVar(&opts.Duration, "duration", 0, "how long to record; until interrupted if not given")
	_ = cmd.MarkFlagRequired("h264") // fails for flags that are not there
	return cmd
}
