package cli

import (
	"bufio"
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

func (a *app) login() *cobra.Command {
	var expire time.Duration
	cmd := a.command(&cobra.Command{
		Use:   "login",
		Short: "Open a session for another program and print its token",
		Long: `Login opens a session on the device and prints its token, which other programs send as the cookie auth_token
instead of a password. Keep it as secret as the password. pikvmctl itself needs no session.`,
		Example: `  token=$(pikvmctl login --expire 10m)
  curl --cookie "auth_token=$token" https://pikvm.local/api/atx
  pikvmctl logout <<< "$token"`,
		Args: cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		if expire%time.Second != 0 || expire < 0 {
			return exit.Usagef("--expire is not a number of whole seconds")
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			token, err := t.kvm.Auth.Login(ctx, &pikvm.LoginOptions{Expire: expire})
			if err != nil {
				return err
			}
			result := struct {
				Token string `json:"token"` // of no use if it were hidden: it is what was asked for
			}{token.Reveal()}
			return t.out.line(result, "%s", result.Token)
		})
	})
	cmd.Flags().DurationVar(&expire, "expire", 0, "how long the session lasts; as long as the device allows if not given")
	return cmd
}

func (a *app) logout() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "logout",
		Short: "End the session whose token is on stdin",
		Long: `Logout reads the token of a session from stdin and ends it, together with all other sessions of the same user: the
device cannot end one alone.`,
		Example: `  pikvmctl logout <<< "$token"`,
		Args:    cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error {
		line, err := interruptible(ctx, func() (string, error) { return bufio.NewReader(a.sys.Stdin).ReadString('\n') })
		token := redact.Secret(strings.TrimSpace(line))
		if ctx.Err() != nil {
			return err
		}
		if token == "" {
			return exit.Usagef("no token on stdin (%v)", err)
		}
		return a.each(ctx, func(ctx context.Context, t *target) error {
			if err := t.kvm.Auth.Logout(ctx, token); err != nil {
				return err
			}
			return t.out.done()
		})
	})
}
