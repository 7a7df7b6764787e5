package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/config"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

// env is the environment in which pikvmctl works with the simulated device.
func (r simResult) env(credentials *pikvm.Options) map[string]string {
	return map[string]string{
		config.EnvURL: r.URL, config.EnvUser: r.User, config.EnvPin: r.SHA256,
		config.EnvPassword: credentials.Password, config.EnvTOTPSecret: credentials.TOTPSecret,
		config.EnvPasswordFile: "", config.EnvTOTPSecretFile: "", config.EnvDevice: "", config.EnvCA: "", config.EnvInsecure: "",
	}
}

// runBeside runs a command with some variables of the environment changed, an empty one removed, until it ends by itself
// or is interrupted.
func (a *app) runBeside(ctx context.Context, change map[string]string, command []string) error {
	if a.sys.StdinTerminal { // a key that interrupts is for the command, which gets it from the terminal
		keys := make(chan os.Signal, 1)
		signal.Notify(keys, os.Interrupt)
		defer signal.Stop(keys)
		ctx = context.WithoutCancel(ctx)
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.sys.Stdin, a.sys.Stdout, a.sys.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = []string{}
	for _, variable := range a.sys.Environ {
		name, _, _ := strings.Cut(variable, "=")
		if _, changed := change[name]; !changed {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	for name, value := range change {
		if value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	err := cmd.Run()
	switch status, ended := errors.AsType[*exec.ExitError](err); {
	case ended && status.ExitCode() > 0:
		return exit.StatusError(status.ExitCode())
	case errors.Is(err, exec.ErrNotFound):
		return exit.AsUsage(err)
	}
	return err
}
