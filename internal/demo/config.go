package main

import (
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// config says which device the demo works with.
type config struct {
	url         string // empty means a simulated device
	user        string
	password    string
	totpSecret  string
	fingerprint string
	allowPower  bool
	look        time.Duration // how long to follow the events of a host that must not be power-cycled
}

func configFromEnv(env func(string) string) config {
	return config{
		url:         env("PIKVM_URL"),
		user:        env("PIKVM_USER"),
		password:    env("PIKVM_PASSWORD"),
		totpSecret:  env("PIKVM_TOTP_SECRET"),
		fingerprint: env("PIKVM_FINGERPRINT"),
		allowPower:  env("PIKVM_ALLOW_POWER") == "1",
		look:        10 * time.Second,
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
