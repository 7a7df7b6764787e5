package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

// parseOnOff reads the argument "on" or "off".
func parseOnOff(arg string) (bool, error) {
	if arg != "on" && arg != "off" {
		return false, exit.Usagef("%q is neither on nor off", arg)
	}
	return arg == "on", nil
}

// parseLength reads an argument such as "500ms".
func parseLength(arg string) (time.Duration, error) {
	d, err := time.ParseDuration(arg)
	if err != nil || d <= 0 {
		return 0, exit.Usagef("%q is no length such as 500ms", arg)
	}
	return d, nil
}

// second completes the first argument as first does, and the second one by one of a few words.
func second(first cobra.CompletionFunc, list ...string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 1 {
			return list, cobra.ShellCompDirectiveNoFileComp
		}
		return first(cmd, args, toComplete)
	}
}
