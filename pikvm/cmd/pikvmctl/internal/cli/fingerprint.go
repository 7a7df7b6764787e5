package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

func (a *app) fingerprint() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "fingerprint",
		Short: "Show the certificate of a device, to trust it from now on",
		Long: `Fingerprint connects to the device and prints the SHA-256 of its certificate. Nothing is verified and no credentials
are sent: compare the value with the one that the device shows, then give it with --pin, PIKVM_PIN or in the
configuration file.`,
		Example: `  pikvmctl fingerprint --url https://pikvm.local
  pikvmctl check --url https://pikvm.local --pin 8f2c...`,
		Args: cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		devices, err := a.selected()
		if err != nil {
			return err
		}
		var failed []pikvm.FleetFailure
		for _, device := range devices {
			t := &target{Device: device, out: a.printer()}
			if a.globals.all {
				t.out.device = device.Name
			}
			if err := printFingerprint(ctx, t); err != nil {
				if !a.globals.all {
					return err
				}
				failed = append(failed, pikvm.FleetFailure{Name: device.Name, Err: errors.Join(err, t.out.failed(err))})
			}
		}
		if len(failed) == 0 {
			return nil
		}
		return &pikvm.FleetError{Devices: len(devices), Failed: failed}
	})
}

func printFingerprint(ctx context.Context, t *target) error {
	// What is trusted already and the password do not matter, and the file of either may be missing.
	t.CA, t.Pin, t.Insecure, t.PasswordFile, t.TOTPSecretFile = "", "", nil, "", ""
	opts, _, err := t.Options()
	if err != nil {
		return exit.AsUsage(err)
	}
	sum, err := pikvm.Fingerprint(ctx, t.URL, opts)
	if err != nil {
		return err
	}
	result := struct {
		URL    string `json:"url"`
		SHA256 string `json:"sha256"`
	}{t.URL, sum}
	return t.out.line(result, "%s", sum)
}
