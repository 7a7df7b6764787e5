// Command demo is a night at work on a PiKVM and the computer behind it. It logs in with a code of the moment,
// power-cycles the computer and makes sure by the power LED that this worked, although the device is busy at first and
// the event socket is cut in the middle; uploads an image and reads it back, shows it to the computer as a drive, enters
// the boot menu, types, waits for a text on the screen, takes a picture of it, and takes the drive away again. It prints a
// timeline with the typed errors that it met.
//
// By default the device is a simulated one on 127.0.0.1, with a simulated computer. Then the demo becomes a gateway as well,
// which shows the PiKVM to a SMOK hub in a process of its own: the computer fails, the hub orders it on and restarts while
// that is being done, and in the end the hub has every value once, and the order was carried out once.
//
// With these variables the device is a real one, and there is no hub:
//
//	PIKVM_URL          address, such as https://pikvm.local
//	PIKVM_USER         user, "admin" if unset
//	PIKVM_PASSWORD     password
//	PIKVM_TOTP_SECRET  secret of two-factor authentication, if the device asks for a code
//	PIKVM_FINGERPRINT  SHA-256 of the device's certificate, if that is self-signed
//	PIKVM_ALLOW_POWER  1 lets the demo power-cycle the computer, and reset it for its boot menu
//	PIKVM_ALLOW_DRIVE  1 lets it upload an image of 256 MiB, show it to the computer and remove it
//	PIKVM_BOOT_KEY     key of the computer's boot menu, such as F12; without it the demo does not go there
//	PIKVM_BOOT_MENU    text that shows this menu, "boot menu" if unset
//	PIKVM_BOOT_TYPE    what to type there, with keys as <esc>, which is the default
//	PIKVM_BOOT_RESULT  text to wait for after that; none if unset
//
// What is not allowed is left out. With -png the picture is kept in a file.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// limit bounds the whole run.
const limit = 5 * time.Minute

func main() {
	cfg := configFromEnv(os.Getenv)
	flag.StringVar(&cfg.png, "png", "", "`file` for the picture of the screen; otherwise it is removed at the end")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := run(ctx, cfg, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
