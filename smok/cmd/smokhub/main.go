// Command smokhub runs the hub of package smoktest as a process of its own, to try devices against.
//
//	smokhub -dir hub -device pump-1,pump-2
//
// It writes the certificate of its authority, ca.pem, and certificate and key of each device, such as pump-1.crt and
// pump-1.key, into the directory, and one JSON object a line to its output. The first one has the event "ready" and says
// where the hub is. The others tell what arrives: "request" for each HTTP request, with its body as JSON, and "confirm"
// for each order that was confirmed over NGTT.
//
// It reads commands from its input, one a line, answers each with one line, and ends with its input:
//
//	order DEVICE SECTIONS   queue an order; SECTIONS is the JSON text of a list of sections
//	samples DEVICE [PATH]   show the samples of a pathpoint, or of all
//	counts DEVICE           show how much has come from a device
//	lose TIMES PATH         reset the connection instead of answering requests to a path, after their effect
//	down, up                leave the network and come back, with all state
//	restart DURATION        both, with so much time between
//	quit                    end
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], lines(ctx, os.Stdin), os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "smokhub:", err)
		os.Exit(1)
	}
}

// lines reads lines until the end of the input or of the process: nothing can interrupt a read from a terminal.
func lines(ctx context.Context, input io.Reader) <-chan string {
	out := make(chan string)
	go func() {
		defer close(out)
		scanner := bufio.NewScanner(input)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			select {
			case out <- scanner.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// run serves until the commands or the context end.
func run(ctx context.Context, args []string, commands <-chan string, output io.Writer) error {
	flags := flag.NewFlagSet("smokhub", flag.ContinueOnError)
	var (
		listen  = flags.String("listen", "127.0.0.1:0", "`address` of the REST side")
		link    = flags.String("ngtt", "127.0.0.1:0", "`address` of the NGTT side")
		hosts   = flags.String("hosts", "localhost,127.0.0.1,::1", "`names` in the hub's certificate, with commas")
		dir     = flags.String("dir", ".", "`directory` for certificates and keys")
		devices = flags.String("device", "gateway", "`ids` of devices, with commas")
		env     = flags.Int("environment", 2, "environment in the certificates of devices: 0, 1 or 2")
		plain   = flags.Bool("plain", false, "serve REST without TLS")
	)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not an option", flags.Arg(0))
	}
	out := &printer{w: output}
	hub := smoktest.New(&smoktest.Options{
		Addr: *listen, NGTTAddr: *link, Hosts: strings.Split(*hosts, ","), PlainHTTP: *plain, OnRequest: out.request,
		NGTT: ngtttest.Options{OnConfirm: out.confirm},
	})
	if err := hub.Start(); err != nil {
		return err
	}
	defer func() { _ = hub.Close() }() // it never fails
	if err := writeCertificates(hub, *dir, *env, strings.Split(*devices, ",")); err != nil {
		return err
	}
	out.print(line{"event": "ready", "url": hub.URL(), "ngtt": hub.NGTTAddr()})
	c := &console{hub: hub, out: out}
	for {
		select {
		case command, ok := <-commands:
			if !ok || command == "quit" {
				return nil
			}
			c.obey(command)
		case <-ctx.Done():
			return nil
		}
		if err := out.failed(); err != nil {
			return err
		}
	}
}
