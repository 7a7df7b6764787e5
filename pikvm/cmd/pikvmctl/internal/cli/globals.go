package cli

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/config"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

// globals are the flags of all commands.
type globals struct {
	configFile string
	device     string
	all        bool
	jobs       int
	layer      config.Layer
	insecure   bool
	timeout    time.Duration
	output     string
	verbose    bool

	cmd *cobra.Command // knows which flags were given
}

func (g *globals) add(root *cobra.Command, a *app) {
	flags := root.PersistentFlags()
	flags.StringVar(&g.configFile, "config", "", "configuration `file`")
	flags.StringVarP(&g.device, "device", "d", "", "work with this device of the configuration file, by its `name`")
	flags.BoolVar(&g.all, "all", false, "work with all devices of the configuration file")
	flags.IntVar(&g.jobs, "jobs", 8, "how many devices to work with at once, with --all")
	flags.StringVar(&g.layer.URL, "url", "", "address of the device, such as https://pikvm.local")
	flags.StringVar(&g.layer.User, "user", "", "user's `name`; admin if nobody says otherwise")
	flags.StringVar(&g.layer.Auth, "auth", "", "how to prove who you are: headers, basic or cookie")
	flags.StringVar(&g.layer.PasswordFile, "password-file", "", "`file` whose first line is the password")
	flags.StringVar(&g.layer.TOTPSecretFile, "totp-secret-file", "", "`file` with the secret of two-factor authentication")
	flags.StringVar(&g.layer.CA, "ca", "", "trust the certificates in this PEM `file`")
	flags.StringVar(&g.layer.Pin, "pin", "", "trust exactly the certificate with this `SHA-256`")
	flags.BoolVar(&g.insecure, "insecure", false, "trust every certificate: anybody on the way can read the password")
	flags.DurationVar(&g.timeout, "timeout", 0, "limit for one request (10s)")
	flags.StringVarP(&g.output, "output", "o", "text", "text or json")
	flags.BoolVarP(&g.verbose, "verbose", "v", false, "tell on stderr what is going on")
	root.MarkFlagsMutuallyExclusive("device", "all", "url")
	root.MarkFlagsMutuallyExclusive("ca", "pin", "insecure")
	for flag, complete := range map[string]cobra.CompletionFunc{
		"device": a.completeDevices,
		"auth":   oneOf("headers", "basic", "cookie"),
		"output": oneOf("text", "json"),
	} {
		_ = root.RegisterFlagCompletionFunc(flag, complete) // fails for flags that are not there
	}
	g.cmd = root
}

// check looks at what flags alone cannot.
func (g *globals) check() error {
	if g.output != "text" && g.output != "json" {
		return exit.Usagef("--output is text or json, not %q", g.output)
	}
	if g.timeout < 0 {
		return exit.Usagef("--timeout is less than nothing")
	}
	if g.jobs < 1 {
		return exit.Usagef("--jobs is less than one")
	}
	return nil
}

// flags is what the command line says of the device.
func (g *globals) flags() config.Layer {
	layer := g.layer
	if g.cmd.PersistentFlags().Changed("insecure") {
		layer.Insecure = &g.insecure
	}
	if g.timeout > 0 {
		layer.Timeout = g.timeout.String()
	}
	return layer
}

// file loads the configuration file.
func (a *app) file() (*config.File, error) {
	path := a.globals.configFile
	if path == "" {
		path = a.sys.Getenv(config.EnvConfig)
	}
	if path == "" && a.sys.ConfigDir == "" {
		return &config.File{}, nil
	}
	must := path != ""
	if path == "" {
		path = config.DefaultPath(a.sys.ConfigDir)
	}
	file, err := config.Load(path, must, a.sys.Home)
	if err != nil {
		return nil, exit.Usagef("configuration: %w", err)
	}
	return file, nil
}

// selected returns the devices to work with.
func (a *app) selected() ([]config.Device, error) {
	file, err := a.file()
	if err != nil {
		return nil, err
	}
	env, err := config.FromEnv(a.sys.Getenv)
	if err != nil {
		return nil, exit.AsUsage(err)
	}
	devices, err := file.Select(config.Choice{
		Flags: a.globals.flags(), Env: env,
		Device: a.globals.device, Named: a.sys.Getenv(config.EnvDevice), All: a.globals.all,
	})
	if err != nil {
		return nil, exit.AsUsage(err)
	}
	return devices, nil
}

// logger tells what is going on, if anybody wants to know.
func (a *app) logger() *slog.Logger {
	if !a.globals.verbose {
		return nil
	}
	return slog.New(slog.NewTextHandler(a.sys.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// note tells a person who watches something that is neither data nor an error.
func (a *app) note(format string, args ...any) {
	if a.sys.StderrTerminal || a.globals.verbose {
		fmt.Fprintf(a.sys.Stderr, format+"\n", args...)
	}
}
