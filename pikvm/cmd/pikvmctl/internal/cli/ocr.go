package cli

import (
	"context"
	"image"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

func (a *app) ocr() *cobra.Command {
	var (
		opts   pikvm.WaitTextOptions
		region string
		limit  time.Duration
	)
	cmd := a.command(&cobra.Command{
		Use:   "ocr",
		Short: "Read the text on the screen",
		Long:  "Ocr lets the device read the text on the screen, which takes it seconds, and prints it. A device that does not\nrun its video starts it for that.",
		Example: `  pikvmctl ocr | grep login:
  pikvmctl ocr --region 0,0,800,200 --lang eng,deu`,
		Args: cobra.NoArgs,
	}, func(ctx context.Context, _ []string) (err error) {
		if opts.Region, err = parseRegion(region); err != nil {
			return err
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			read, err := t.kvm.WaitForText(ctx, anything, &opts)
			if err != nil {
				return err
			}
			return t.out.line(textResult{read.Text}, "%s", strings.TrimRight(read.Text, "\n"))
		})
	})
	cmd.Flags().StringSliceVar(&opts.Languages, "lang", nil, "languages to look for, such as eng")
	cmd.Flags().StringVar(&region, "region", "", "part of the screen in pixels: left,top,right,bottom")
	cmd.Flags().DurationVar(&limit, "limit", time.Minute, "how long it may take")
	return cmd
}

// textResult is what ocr and wait-text print as JSON.
type textResult struct {
	Text string `json:"text"`
}

// anything is a text that every screen shows.
var anything = regexp.MustCompile("")

// parseRegion reads a region such as "0,0,800,200"; an empty one is the whole screen.
func parseRegion(text string) (image.Rectangle, error) {
	if text == "" {
		return image.Rectangle{}, nil
	}
	var edges [4]int
	parts := strings.Split(text, ",")
	for i, part := range parts {
		value, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || value < 0 || len(parts) != len(edges) {
			return image.Rectangle{}, exit.Usagef("%q is no region: left,top,right,bottom", text)
		}
		edges[i] = value
	}
	if edges[0] >= edges[2] || edges[1] >= edges[3] {
		return image.Rectangle{}, exit.Usagef("the region %q is empty", text)
	}
	return image.Rect(edges[0], edges[1], edges[2], edges[3]), nil
}
