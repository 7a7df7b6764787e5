package config

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// Device is a device with all that is known of how to reach it.
type Device struct {
	Name string // in the file; the URL for one that is not there
	Layer
}

// Choice says what was asked for.
type Choice struct {
	Flags  Layer  // the command line
	Env    Layer  // the environment
	Device string // named on the command line; empty for none
	Named  string // named in the environment; empty for none
	All    bool   // all devices of the file
}

// Errors of a choice.
var (
	errNone = errors.New("no device: give --url or " + EnvURL + ", or name one of the configuration file with --device")
	errTwo  = errors.New(EnvURL + " and " + EnvDevice + " are both set: which one?")
)

// Select returns the devices to work with, one unless all of them are wanted. The command line wins over the
// environment, and that over the file.
//
// An address brings nothing along from the file but the defaults: the password of one device must not go to another.
// For the same reason a device that is named on the command line has its address and its certificate from there or from
// the file, whatever the environment says of those.
func (f *File) Select(c Choice) ([]Device, error) {
	env := c.Env
	if c.All || c.Device != "" {
		env.URL, env.CA, env.Pin, env.Insecure = "", "", "", nil
	}
	named := func(name string) (Device, error) {
		layer, ok := f.Devices[name]
		if !ok {
			return Device{}, fmt.Errorf("the configuration file has no device %q%s", name, f.known())
		}
		return Device{name, c.Flags.over(env).over(layer).over(f.Defaults)}, nil
	}
	name := c.Device
	switch {
	case c.All:
		if len(f.Devices) == 0 {
			return nil, errors.New("the configuration file has no devices")
		}
		var devices []Device
		for _, name := range f.Names() {
			device, err := named(name)
			if err != nil {
				return nil, err
			}
			devices = append(devices, device)
		}
		return devices, nil
	case name != "":
	case c.Flags.URL != "":
	case c.Env.URL != "":
		if c.Named != "" {
			return nil, errTwo
		}
	case c.Named != "":
		name = c.Named
	default:
		if name = f.single(); name == "" {
			return nil, errNone
		}
	}
	if name != "" {
		device, err := named(name)
		return []Device{device}, err
	}
	layer := c.Flags.over(env).over(f.Defaults)
	return []Device{{layer.URL, layer}}, nil
}

// single is the device that needs no name.
func (f *File) single() string {
	if names := f.Names(); f.Default == "" && len(names) == 1 {
		return names[0]
	}
	return f.Default
}

func (f *File) known() string {
	if len(f.Devices) == 0 {
		return ""
	}
	return ", only " + strings.Join(f.Names(), ", ")
}

// Options returns the options of a client, and whether a password is missing: none was given anywhere.
func (d *Device) Options() (opts *pikvm.Options, noPassword bool, err error) {
	opts = &pikvm.Options{User: d.User, PinnedSHA256: d.Pin, InsecureSkipTLSVerify: d.Insecure != nil && *d.Insecure}
	if opts.Timeout, err = d.timeout(); err != nil {
		return nil, false, err
	}
	if opts.Auth, err = authMode(d.Auth); err != nil {
		return nil, false, err
	}
	if d.CA != "" {
		if opts.RootCAsPEM, err = os.ReadFile(d.CA); err != nil {
			return nil, false, err
		}
	}
	if opts.Password, err = secretOf(d.Password, d.PasswordFile); err != nil {
		return nil, false, err
	}
	if opts.TOTPSecret, err = secretOf(d.TOTPSecret, d.TOTPSecretFile); err != nil {
		return nil, false, err
	}
	return opts, d.Password == nil && d.PasswordFile == "", nil
}

func authMode(name string) (pikvm.AuthMode, error) {
	for _, mode := range []pikvm.AuthMode{pikvm.AuthHeaders, pikvm.AuthBasic, pikvm.AuthCookie} {
		if name == mode.String() || name == "" {
			return mode, nil
		}
	}
	return 0, fmt.Errorf("auth is %q, not headers, basic or cookie", name)
}

// secretOf returns the secret, or the first line of the file.
func secretOf(s *redact.Secret, file string) (string, error) {
	if s != nil {
		return s.Reveal(), nil
	}
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

// Credentials returns the user and the secrets that the command line and the environment name, for whoever plays the
// device.
func Credentials(flags, env Layer) (*pikvm.Options, error) {
	layer := flags.over(env)
	layer.CA, layer.Timeout, layer.Auth = "", "", ""
	opts, _, err := (&Device{Layer: layer}).Options()
	return opts, err
}
