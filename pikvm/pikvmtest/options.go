package pikvmtest

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"time"
)

// Options configures a [Server]. The zero value is a device of version 4.197 on plain HTTP with the user admin, password
// admin, and a host that is switched off. The server copies it.
type Options struct {
	// Listener is what the server serves on and closes. Nil means a free port of 127.0.0.1, opened by Start.
	Listener net.Listener

	// TLS serves HTTPS, with HTTP/2 offered by ALPN, as devices do.
	TLS bool

	// TLSConfig is used with TLS, for instance to ask for client certificates. Nil, or one without a certificate,
	// means a new self-signed certificate for localhost and 127.0.0.1.
	TLSConfig *tls.Config

	// PlainRedirect opens a second, plain port that answers 301 to the HTTPS address. Needs TLS.
	PlainRedirect bool

	// PlainListener is what PlainRedirect serves on. Nil means a free port of 127.0.0.1.
	PlainListener net.Listener

	// Version is the kvmd release to imitate: event names, members and endpoints that came later are absent.
	// Empty means "4.197".
	Version string

	// Users maps names to passwords. Nil means admin with password admin.
	Users map[string]string

	// AuthDisabled switches authentication off on the device: everything answers 200.
	AuthDisabled bool

	// TOTPSecret switches two-factor authentication on: base32, spaces and case are ignored. Every password must
	// then end in the six digits of the moment (RFC 6238: SHA-1, 30 s, one step of tolerance each way).
	TOTPSecret string

	// ClockSkew is how far the clock of the device, by which it judges TOTP codes, is ahead. See [Server.SetClockSkew].
	ClockSkew time.Duration

	// SessionLimit caps the life of cookie sessions, in whole seconds. Zero means no cap.
	SessionLimit time.Duration

	// SocketsExtendSessions keeps a cookie session alive while an event socket that was opened with it is (4.113+).
	SocketsExtendSessions bool

	// LoginRedirects are the values that the login form takes as "redirect" (4.108+).
	// Nil means "", "/", "/kvm" and "/kvm/".
	LoginRedirects []string

	// ATXDisabled imitates a device without the ATX plugin.
	ATXDisabled bool

	// Host is the computer behind the ATX lines.
	Host HostOptions

	// MSD is the mass storage.
	MSD MSDOptions

	// HID is the keyboard and the mouse.
	HID HIDOptions

	// Streamer is the video.
	Streamer StreamerOptions

	// Media is the daemon that hands out H.264.
	Media MediaOptions

	// GPIO are the channels, besides those of the device itself. Nil means led1, relay1, button1 and cmd1.
	GPIO []GPIOChannel

	// SwitchUnits is the number of units of a PiKVM Switch, at most 5 (4.26+).
	SwitchUnits int

	// LogDisabled imitates a device that does not show its journal.
	LogDisabled bool

	// MetricsPublic lets everybody see the metrics, as an option of devices does (3.246+).
	MetricsPublic bool

	// TimeScale divides all durations of the ATX lines and of the host, and the time in which the list of images follows
	// a change, for programs that show the device in real time: 10 makes a long press take 0.55 s. Sessions, TOTP and
	// the event socket keep real time. Zero means 1.
	TimeScale float64

	// Logger gets what the HTTP server complains about, at level Debug. Nil discards.
	Logger *slog.Logger
}

// HostOptions describes the host computer. The zero value is a well-behaved machine that is switched off.
type HostOptions struct {
	// PoweredOn says that the host runs when the server starts.
	PoweredOn bool

	// BootDelay is the time from the release of the power button until the power LED comes on. Zero means 400 ms.
	BootDelay time.Duration

	// ShutdownDelay is the time from an accepted ACPI request until the power is off. Zero means 2 s.
	ShutdownDelay time.Duration

	// HoldToCut is how long the power button must be held to cut the power. Zero means 4 s.
	HoldToCut time.Duration

	// IgnoreACPI makes the host ignore short presses while it runs, as a crashed or a stubborn system does.
	IgnoreACPI bool

	// PowerLED and HDDLED say how the LEDs are wired to the device.
	PowerLED, HDDLED LEDMode
}

// LEDMode says what the device reads from an LED input.
type LEDMode int

// The LED modes.
const (
	LEDWired    LEDMode = iota // follows the host
	LEDStuckOff                // always reads off, as an input that is not connected does
	LEDStuckOn                 // always reads on
)

// withDefaults returns a checked copy that has every default filled in.
func (o *Options) withDefaults() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	if c.PlainRedirect && !c.TLS {
		return c, fmt.Errorf("pikvmtest: PlainRedirect needs TLS")
	}
	if c.TimeScale < 0 {
		return c, fmt.Errorf("pikvmtest: TimeScale %v is negative", c.TimeScale)
	}
	for _, d := range []time.Duration{c.SessionLimit, c.Host.BootDelay, c.Host.ShutdownDelay, c.Host.HoldToCut} {
		if d < 0 {
			return c, fmt.Errorf("pikvmtest: negative duration %v", d)
		}
	}
	if c.SessionLimit%time.Second != 0 {
		return c, fmt.Errorf("pikvmtest: SessionLimit %v is not in whole seconds", c.SessionLimit)
	}
	if c.Version == "" {
		c.Version = "4.197"
	}
	if c.SwitchUnits < 0 || c.SwitchUnits > 5 {
		return c, fmt.Errorf("pikvmtest: %d units of a switch", c.SwitchUnits)
	}
	var err error
	if c.MSD, err = c.MSD.withDefaults(); err != nil {
		return c, err
	}
	if c.GPIO, err = checkChannels(c.GPIO); err != nil {
		return c, err
	}
	if c.Streamer, err = c.Streamer.withDefaults(); err != nil {
		return c, err
	}
	if c.HID, err = c.HID.withDefaults(); err != nil {
		return c, err
	}
	if c.Media, err = c.Media.withDefaults(); err != nil {
		return c, err
	}
	c.Users = maps.Clone(c.Users)
	if c.Users == nil {
		c.Users = map[string]string{"admin": "admin"}
	}
	c.LoginRedirects = slices.Clone(c.LoginRedirects)
	if c.LoginRedirects == nil {
		c.LoginRedirects = []string{"", "/", "/kvm", "/kvm/"}
	}
	if c.TimeScale == 0 {
		c.TimeScale = 1
	}
	c.Host.BootDelay = orDefault(c.Host.BootDelay, 400*time.Millisecond)
	c.Host.ShutdownDelay = orDefault(c.Host.ShutdownDelay, 2*time.Second)
	c.Host.HoldToCut = orDefault(c.Host.HoldToCut, 4*time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}
