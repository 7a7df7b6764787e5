package cli

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// simOptions are the flags of sim.
type simOptions struct {
	listen       string
	tls          bool
	version      string
	switchUnits  int
	on           bool
	screen       string
	noSignal     bool
	images       []string
	remotes      []string
	timeScale    float64
	authDisabled bool
	ignoreACPI   bool
	powerLED     string
	clockSkew    time.Duration

	faults      []string
	busyATX     time.Duration
	busyMSD     time.Duration
	dropSockets time.Duration
	restart     time.Duration
	stallPings  bool
}

func (o *simOptions) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", "127.0.0.1:0", "address to serve on; port 0 means a free one")
	flags.BoolVar(&o.tls, "tls", false, "serve HTTPS with a new self-signed certificate, as devices do")
	flags.StringVar(&o.version, "kvmd", "", "version of the device's software to imitate (4.197)")
	flags.IntVar(&o.switchUnits, "switch-units", 0, "units of a PiKVM Switch, up to 5")
	flags.BoolVar(&o.on, "on", false, "the host is on")
	flags.StringVar(&o.screen, "screen", "", "what the screen shows")
	flags.BoolVar(&o.noSignal, "no-signal", false, "the host gives no picture")
	flags.StringArrayVar(&o.images, "image", nil, "an image in the storage, such as debian.iso=64M")
	flags.StringArrayVar(&o.remotes, "remote", nil, "an image that the device can fetch, such as http://server/debian.iso=64M")
	flags.Float64Var(&o.timeScale, "time-scale", 1, "how much faster buttons, host and storage are than real ones")
	flags.BoolVar(&o.authDisabled, "no-auth", false, "ask nobody for a password")
	flags.BoolVar(&o.ignoreACPI, "ignore-acpi", false, "the host does not listen to a short press of the power button")
	flags.StringVar(&o.powerLED, "power-led", "wired", "wired, stuck-on or stuck-off")
	flags.DurationVar(&o.clockSkew, "clock-skew", 0, "how far the clock is ahead, for one-time codes")
	flags.StringArrayVar(&o.faults, "fault", nil, "spoil answers, see above")
	flags.DurationVar(&o.busyATX, "busy-atx", 0, "somebody holds the power button for so long")
	flags.DurationVar(&o.busyMSD, "busy-msd", 0, "somebody uses the storage for so long")
	flags.DurationVar(&o.dropSockets, "drop-sockets", 0, "cut the event sockets every so often")
	flags.DurationVar(&o.restart, "restart", 0, "restart the daemon every so often")
	flags.BoolVar(&o.stallPings, "stall-pings", false, "answer no pings")
	_ = cmd.RegisterFlagCompletionFunc("power-led", oneOf("wired", "stuck-on", "stuck-off")) // fails for flags that are not there
}

// device returns the options of the server.
func (o *simOptions) device() (*pikvmtest.Options, error) {
	led, ok := map[string]pikvmtest.LEDMode{
		"wired": pikvmtest.LEDWired, "stuck-on": pikvmtest.LEDStuckOn, "stuck-off": pikvmtest.LEDStuckOff,
	}[o.powerLED]
	if !ok {
		return nil, exit.Usagef("--power-led is wired, stuck-on or stuck-off, not %q", o.powerLED)
	}
	remotes := make(map[string]pikvmtest.RemoteImage, len(o.remotes))
	for _, text := range o.remotes {
		url, size, err := parseImage(text)
		if err != nil {
			return nil, err
		}
		remotes[url] = pikvmtest.RemoteImage{Size: size}
	}
	return &pikvmtest.Options{
		TLS: o.tls, Version: o.version, SwitchUnits: o.switchUnits, TimeScale: o.timeScale,
		AuthDisabled: o.authDisabled, ClockSkew: o.clockSkew,
		Host:     pikvmtest.HostOptions{PoweredOn: o.on, IgnoreACPI: o.ignoreACPI, PowerLED: led},
		MSD:      pikvmtest.MSDOptions{Remotes: remotes},
		Streamer: pikvmtest.StreamerOptions{NoSignal: o.noSignal, Text: o.screen},
	}, nil
}

// prepare brings a server that runs into the state that was asked for.
func (o *simOptions) prepare(kvm *pikvmtest.Server) error {
	for _, text := range o.images {
		name, size, err := parseImage(text)
		if err != nil {
			return err
		}
		if err := kvm.PutImage(name, make([]byte, size)); err != nil {
			return exit.AsUsage(err)
		}
	}
	if o.busyATX > 0 {
		kvm.HoldATX(pikvmtest.LinePower, o.busyATX)
	}
	if o.busyMSD > 0 {
		kvm.HoldMSD(o.busyMSD)
	}
	kvm.StallPings(o.stallPings)
	return nil
}

// trouble makes what happens again and again happen until ctx ends; the returned function waits for its end.
func (o *simOptions) trouble(ctx context.Context, kvm *pikvmtest.Server) (wait func()) {
	var works sync.WaitGroup
	every := func(interval time.Duration, do func()) {
		if interval <= 0 {
			return
		}
		works.Go(func() {
			ticker := time.NewTicker(interval)
			defer ticker.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
					do()
				}
			}
		})
	}
	every(o.dropSockets, func() { kvm.DropSockets(0) })
	every(o.restart, func() { kvm.Restart(time.Second) })
	return works.Wait
}

// parseImage reads an image such as "debian.iso=64M".
func parseImage(text string) (name string, size int64, err error) {
	i := strings.LastIndexByte(text, '=')
	if i < 1 {
		return "", 0, exit.Usagef("%q is no image such as debian.iso=64M", text)
	}
	digits := strings.TrimRight(text[i+1:], "KMG")
	value, err := strconv.ParseInt(digits, 10, 64)
	factor, ok := map[string]int64{"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[text[i+1+len(digits):]]
	if err != nil || !ok || value < 0 || value > (1<<40)/factor {
		return "", 0, exit.Usagef("%q is no size such as 64M", text[i+1:])
	}
	return text[:i], value * factor, nil
}
