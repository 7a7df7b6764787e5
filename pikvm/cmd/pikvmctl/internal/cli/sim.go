package cli

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/config"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

const simLong = `Sim serves a PiKVM that is not there, for this program and for every other client of the PiKVM API: REST, event socket,
keyboard and mouse, video with a screen of text, storage, GPIO, switch, Redfish and metrics, with the statuses, texts and
timing of a device. It prints where it is and runs until it is interrupted. Nothing that it is told outlives it.

With a COMMAND it prints nothing, runs that with PIKVM_URL, PIKVM_USER, PIKVM_PASSWORD and the like set, and ends with it and
its exit code: "pikvmctl sim bash" is a shell to play in, "pikvmctl sim make test" a device for tests.

The user is admin with the password admin. --user, --password-file, PIKVM_PASSWORD and --totp-secret-file change that, so
that in one shell simulator and client agree.

Faults
  --fault KIND[,key=value]... spoils answers, and may be given more than once. Kinds: delay, answer, page, garbage, reset,
  hang act instead of the device; lost, truncate, slow, oversize let it act and spoil what it says. Keys: method, path (ends
  in * for a prefix), skip and times (numbers of requests), delay and interval (durations), status, bytes, body.

    pikvmctl sim --fault lost,path=/api/atx/click,times=1     # the press happens, the answer does not come
    pikvmctl sim --fault page,status=502,times=3              # the daemon restarts
    pikvmctl sim --drop-sockets 10s --busy-atx 20s --power-led stuck-off`

// simResult is what sim prints as JSON.
type simResult struct {
	URL    string `json:"url"`
	User   string `json:"user"`
	SHA256 string `json:"sha256,omitempty"` // of the certificate, for --pin
}

func (a *app) sim() *cobra.Command {
	var opts simOptions
	cmd := a.command(&cobra.Command{
		Use:   "sim [COMMAND [ARG...]]",
		Short: "Serve a PiKVM that is not there, to try and to test with",
		Long:  simLong,
		Example: `  pikvmctl sim
  pikvmctl sim --tls --listen 127.0.0.1:8443 --on --screen 'login:' --image debian.iso=64M
  pikvmctl sim --tls bash              # a shell in which pikvmctl works with it
  pikvmctl sim --kvmd 4.20 --switch-units 2 --time-scale 10`,
	}, func(ctx context.Context, args []string) error { return a.simulate(ctx, &opts, args) })
	cmd.Flags().SetInterspersed(false) // what follows COMMAND is its own
	opts.add(cmd)
	return cmd
}

// simulate serves until ctx, or the command, ends.
func (a *app) simulate(ctx context.Context, opts *simOptions, command []string) error {
	device, credentials, err := a.simDevice(opts)
	if err != nil {
		return err
	}
	faults, err := parseFaults(opts.faults)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", opts.listen)
	if err != nil {
		return err
	}
	device.Listener = listener
	kvm := pikvmtest.New(device)
	defer func() { _ = kvm.Close() }() // returns nil
	if err := kvm.Start(); err != nil {
		_ = listener.Close() // whether Start took it or not
		return exit.AsUsage(err)
	}
	for _, fault := range faults {
		kvm.Inject(fault)
	}
	if err := opts.prepare(kvm); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	stopped := opts.trouble(ctx, kvm)
	defer func() {
		stop()
		stopped()
	}()
	result := simResult{URL: kvm.URL(), User: credentials.User}
	if opts.tls {
		sum := kvm.Fingerprint()
		result.SHA256 = hex.EncodeToString(sum[:])
	}
	if len(command) > 0 {
		return a.runBeside(ctx, result.env(credentials), command)
	}
	if err := a.printer().show(result, result.text); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (r simResult) text(w io.Writer) {
	fmt.Fprintf(w, "PIKVM_URL=%s\nPIKVM_USER=%s\n", r.URL, r.User)
	if r.SHA256 != "" {
		fmt.Fprintf(w, "PIKVM_PIN=%s\n", r.SHA256)
	}
}

// simDevice describes the device: credentials as a client would have them, the rest from flags.
func (a *app) simDevice(opts *simOptions) (device *pikvmtest.Options, credentials *pikvm.Options, err error) {
	if device, err = opts.device(); err != nil {
		return nil, nil, err
	}
	env, err := config.FromEnv(a.sys.Getenv)
	if err != nil {
		return nil, nil, exit.AsUsage(err)
	}
	if credentials, err = config.Credentials(a.globals.flags(), env); err != nil {
		return nil, nil, exit.AsUsage(err)
	}
	credentials.User = cmp.Or(credentials.User, "admin")
	credentials.Password = cmp.Or(credentials.Password, "admin")
	device.Users = map[string]string{credentials.User: credentials.Password}
	device.TOTPSecret = credentials.TOTPSecret
	device.Logger = a.logger()
	return device, credentials, nil
}
