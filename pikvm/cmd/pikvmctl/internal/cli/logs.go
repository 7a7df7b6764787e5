package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

// logResult is a record of the journal as JSON.
type logResult struct {
	Time    string `json:"time,omitempty"` // by the clock of the device, without its zone
	Unit    string `json:"unit,omitempty"`
	Message string `json:"message"`
}

func (a *app) logs() *cobra.Command {
	var opts pikvm.LogOptions
	cmd := a.command(&cobra.Command{
		Use:   "logs",
		Short: "Print the journal of the device",
		Example: `  pikvmctl logs --since 1h
  pikvmctl logs -f -o json | jq -r .message`,
		Args: cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		if opts.Seek%time.Second != 0 || opts.Seek < 0 {
			return exit.Usagef("--since is not a number of whole seconds")
		}
		return a.stream(ctx, func(ctx context.Context, t *target) error {
			for record, err := range t.kvm.Log.Records(ctx, &opts) {
				if err != nil {
					return err
				}
				result := logResult{Unit: record.Unit, Message: record.Message}
				if !record.Time.IsZero() {
					result.Time = record.Time.Format("2006-01-02T15:04:05")
				}
				if err := t.out.line(result, "%s", record.Text); err != nil {
					return err
				}
			}
			return nil
		})
	})
	cmd.Flags().BoolVarP(&opts.Follow, "follow", "f", false, "go on with what comes")
	cmd.Flags().DurationVar(&opts.Seek, "since", 0, "how far to go back; to the begin if not given")
	return cmd
}
