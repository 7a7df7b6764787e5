package cli

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

func (a *app) msdWatch() *cobra.Command {
	var idle bool
	cmd := a.command(&cobra.Command{
		Use:   "watch",
		Short: "Follow the images, the drive and transfers",
		Long:  `Watch prints what "msd ls -o json" prints whenever it changes, one line of JSON each.`,
		Example: `  pikvmctl msd watch | jq -c .transfer
  pikvmctl msd watch --until-idle > /dev/null # wait for somebody's upload`,
		Args: cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		return a.stream(ctx, func(ctx context.Context, t *target) error {
			t.out.json = true
			session, err := t.kvm.Events(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = session.Close() }() // returns nil
			var last string
			var failed error
			_, err = session.Wait(ctx, func(state *pikvm.State) bool {
				msd, ok := state.MSD()
				if !ok {
					return false
				}
				result := newMSDResult(msd)
				text, err := json.Marshal(result)
				if err == nil && string(text) != last {
					last = string(text)
					err = t.out.show(result, nil)
				}
				failed = err
				return err != nil || idle && !msd.Busy
			})
			return errors.Join(failed, err)
		})
	})
	cmd.Flags().BoolVar(&idle, "until-idle", false, "end when nothing is under way")
	return cmd
}
