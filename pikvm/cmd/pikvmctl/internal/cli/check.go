package cli

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

func (a *app) check() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "check",
		Short: "Tell whether address, certificate and credentials are good",
		Long: `Check asks the device whether it lets you in, and which version of its software it runs.
It ends with 3 if the credentials are refused, and with 4 if the device cannot be reached or is not trusted.`,
		Example: `  pikvmctl check
  pikvmctl check --all                 # every device of the configuration file`,
		Args: cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		return a.each(ctx, func(ctx context.Context, t *target) error {
			if err := t.kvm.Auth.Check(ctx); err != nil {
				return err
			}
			info, err := t.kvm.Info.Get(ctx, &pikvm.InfoOptions{Fields: []string{pikvm.InfoSystem}})
			if err != nil {
				return err
			}
			result := struct {
				URL     string `json:"url"`
				User    string `json:"user"`
				Version string `json:"version"`
			}{URL: t.URL, User: cmp.Or(t.User, "admin")}
			if info.System != nil {
				result.Version = info.System.KVMD.String()
			}
			return t.out.line(result, "%s lets %s in and runs version %s", result.URL, result.User, result.Version)
		})
	})
}
