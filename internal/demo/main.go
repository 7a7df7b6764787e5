// Command demo automates a PiKVM from end to end: it logs in, follows the events of the device, power-cycles the
// host and makes sure by its power LED that this worked, while the device is busy at first and the event socket is
// cut in the middle. It prints a timeline with the typed errors that it met.
//
// By default the device is a simulated one on 127.0.0.1. With these variables it is a real one:
//
//	PIKVM_URL          address, such as https://pikvm.local
//	PIKVM_USER         user, "admin" if unset
//	PIKVM_PASSWORD     password
//	PIKVM_TOTP_SECRET  secret of two-factor authentication, if the device asks for a code
//	PIKVM_FINGERPRINT  SHA-256 of the device's certificate, if that is self-signed
//	PIKVM_ALLOW_POWER  1 lets the demo power-cycle the host; otherwise it only looks
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// limit bounds the whole run.
const limit = 5 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := run(ctx, configFromEnv(os.Getenv), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
