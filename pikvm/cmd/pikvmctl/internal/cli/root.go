package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

const rootLong = `pikvmctl works PiKVM devices from the command line: power, keyboard and mouse, the screen, disk images, events
and logs of a computer through the box behind it.

Which device
  --url https://pikvm.local, or PIKVM_URL, or a name from the configuration file with --device.
  The password comes from PIKVM_PASSWORD, from --password-file, or is asked for on a terminal; never from a flag.
  A new device has a certificate that nobody knows: "pikvmctl fingerprint" shows it, --pin trusts it.

  The configuration file is what --config or PIKVM_CONFIG says, or pikvmctl/config.toml in the folder in which the system
  keeps configuration: ~/.config on Linux, ~/Library/Application Support on macOS, %AppData% on Windows.

    default = "rack1"

    [defaults]
    user = "admin"
    timeout = "20s"

    [devices.rack1]
    url = "https://10.0.0.11"
    pin = "8f2c..."                  # or ca = "rack.pem", or insecure = true
    password_file = "rack1.password" # beside this file
    totp_secret_file = "rack1.totp"

  Flags win over the environment, the environment over the file, a device over the defaults.

Output
  Data go to stdout, errors in one line to stderr. -o json prints one line of JSON for each result, whose members stay
  what they are; streams print one line for each record.

Exit codes
  0 done   1 refused or failed   2 wrong command line or configuration   3 credentials refused
  4 not reached, not trusted, or no answer in time   5 busy   6 what was waited for did not happen   130 interrupted`

const rootExample = `  pikvmctl sim &                       # a PiKVM that is not there, to try everything
  pikvmctl fingerprint --url https://pikvm.local
  pikvmctl check                       # are address, certificate and password good?
  pikvmctl atx cycle                   # off and on again, and make sure
  pikvmctl msd upload debian.iso && pikvmctl msd mount debian.iso --cdrom
  pikvmctl key ctrl+alt+del
  pikvmctl snapshot screen.jpg
  pikvmctl watch | jq -c 'select(.type == "atx")'`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "pikvmctl",
		Short:         "Work PiKVM devices from the command line",
		Long:          rootLong,
		Example:       rootExample,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("pikvmctl {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	a.globals.add(root, a)
	root.AddGroup(
		&cobra.Group{ID: "host", Title: "The host:"},
		&cobra.Group{ID: "device", Title: "The device:"},
		&cobra.Group{ID: "more", Title: "More:"},
	)
	for id, commands := range map[string][]*cobra.Command{
		"host":   {a.atx(), a.key(), a.typing(), a.mouse(), a.snapshot(), a.ocr(), a.waitText(), a.waitChange(), a.waitSignal(), a.video(), a.macro(), a.msd()},
		"device": {a.check(), a.info(), a.gpio(), a.kvmSwitch(), a.watch(), a.logs(), a.metrics(), a.login(), a.logout()},
		"more":   {a.fingerprint(), a.devices(), a.sim()},
	} {
		for _, cmd := range commands {
			cmd.GroupID = id
		}
		root.AddCommand(commands...)
	}
	root.SetHelpCommandGroupID("more")
	root.SetCompletionCommandGroupID("more")
	return root
}

// refuseUnknown lets the commands that cobra adds end with an error where they would show some help and succeed. They
// take the outputs of root as they are now.
func (a *app) refuseUnknown(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			a.group(cmd)
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				found, rest, err := root.Find(args)
				if err == nil && len(rest) > 0 {
					err = fmt.Errorf("unknown command %q for %q", rest[0], found.CommandPath())
				}
				return err
			}
		}
	}
}

// flagError takes the argument out of an error of pflag: who writes -pSECRET must not find it in a log.
func flagError(err error) error {
	text := err.Error()
	if i := strings.Index(text, " in -"); i > 0 && strings.HasPrefix(text, "unknown shorthand flag") {
		return errors.New(text[:i])
	}
	return err
}
