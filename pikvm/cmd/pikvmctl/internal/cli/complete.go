package cli

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// completeTimeout is how long a shell may wait for names that a device knows.
const completeTimeout = 2 * time.Second

// oneOf completes one of a few words.
func oneOf(words ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// words completes the first argument by one of a few words, and the others not at all.
func words(list ...string) cobra.CompletionFunc {
	return firstOnly(oneOf(list...))
}

// firstOnly completes nothing but the first argument.
func firstOnly(complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, toComplete)
	}
}

// completeDevices completes the name of a device of the configuration file.
func (a *app) completeDevices(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	file, err := a.file()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return file.Names(), cobra.ShellCompDirectiveNoFileComp
}

// known completes names that the device knows. It never asks for a password.
func (a *app) known(names func(ctx context.Context, kvm *pikvm.Client) ([]string, error)) cobra.CompletionFunc {
	return firstOnly(func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		devices, err := a.selected()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		quiet := *a.sys
		quiet.StdinTerminal = false
		ctx, cancel := context.WithTimeout(cmd.Context(), completeTimeout)
		defer cancel()
		kvm, _, err := (&app{sys: &quiet}).open(ctx, devices[0])
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		defer func() { _ = kvm.Close() }() // returns nil
		found, err := names(ctx, kvm)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	})
}

// images completes the name of an image.
func (a *app) images() cobra.CompletionFunc {
	return a.known(func(ctx context.Context, kvm *pikvm.Client) ([]string, error) {
		state, err := kvm.MSD.State(ctx)
		if err != nil || state.Storage == nil {
			return nil, err
		}
		return slices.Sorted(maps.Keys(state.Storage.Images)), nil
	})
}

// outputs completes the name of an output channel.
func (a *app) outputs() cobra.CompletionFunc {
	return a.known(func(ctx context.Context, kvm *pikvm.Client) ([]string, error) {
		state, err := kvm.GPIO.State(ctx)
		if err != nil {
			return nil, err
		}
		return slices.Sorted(maps.Keys(state.Outputs)), nil
	})
}

// ports completes the number of a port of the switch.
func (a *app) ports() cobra.CompletionFunc {
	return a.known(func(ctx context.Context, kvm *pikvm.Client) ([]string, error) {
		state, err := kvm.Switch.State(ctx)
		if err != nil {
			return nil, err
		}
		var ids []string
		for _, port := range state.Ports {
			ids = append(ids, port.ID)
		}
		return ids, nil
	})
}
