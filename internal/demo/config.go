package main

import (
	"cmp"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// imageSize is the size of the image that is uploaded, in bytes.
const imageSize = 256 << 20

// config says which device the demo works with, and what it may do.
type config struct {
	url         string // empty means a simulated device
	user        string
	password    string
	totpSecret  string
	fingerprint string
	allowPower  bool
	allowDrive  bool
	boot        bootConfig
	image       int64         // bytes
	png         string        // file for the picture of the screen; empty means a temporary one
	look        time.Duration // how long to follow the events of a computer that must not be power-cycled
	haste       float64       // how much faster than a real one the simulated device is; 0 means not at all
}

// bootConfig says how to get into the boot menu of the computer, and what to do there.
type bootConfig struct {
	key    pikvm.Key // empty means not to
	menu   string    // text that shows the menu
	typed  string    // with keys between angle brackets
	result string    // text that shows that it worked; empty means not to look
}

func configFromEnv(env func(string) string) config {
	return config{
		url:         env("PIKVM_URL"),
		user:        env("PIKVM_USER"),
		password:    env("PIKVM_PASSWORD"),
		totpSecret:  env("PIKVM_TOTP_SECRET"),
		fingerprint: env("PIKVM_FINGERPRINT"),
		allowPower:  env("PIKVM_ALLOW_POWER") == "1",
		allowDrive:  env("PIKVM_ALLOW_DRIVE") == "1",
		boot: bootConfig{
			key:    pikvm.Key(env("PIKVM_BOOT_KEY")),
			menu:   cmp.Or(env("PIKVM_BOOT_MENU"), "boot menu"),
			typed:  cmp.Or(env("PIKVM_BOOT_TYPE"), "<esc>"),
			result: env("PIKVM_BOOT_RESULT"),
		},
		image: imageSize,
		look:  10 * time.Second,
	}
}

// client returns a client that logs in once and uses the session's cookie from then on.
func (c config) client() (*pikvm.Client, error) {
	return pikvm.New(c.url, &pikvm.Options{
		User:         c.user,
		Password:     c.password,
		TOTPSecret:   c.totpSecret,
		PinnedSHA256: c.fingerprint,
		Auth:         pikvm.AuthCookie,
	})
}
