// Command siotestclient is a Socket.IO client that lets servers of any make judge the one of this repository. It does
// what the lines of a script, or of standard input, say, and prints a line for everything that happens; both are JSON.
//
//	{"do":"connect"}                                       connect, and wait for how it ends
//	{"do":"disconnect"}                                    leave the namespace
//	{"do":"emit","event":"e","args":[…]}                   send an event
//	{"do":"call","event":"e","args":[…],"timeout_ms":N}    send it and wait for the acknowledgement
//	{"do":"expect","event":"e","timeout_ms":N}             wait for an event; with "ack":[…] acknowledge it with that
//	{"do":"break"}                                         cut the network connection without a word
//	{"do":"sleep","ms":N}
//
// Binary values are written {"$bytes":"<base64>"}. Each event that arrives fulfils one expectation, which may come before
// or after it; connect, connect_error and disconnect can be expected too. Without timeout_ms the limit is five seconds.
//
// The exit code is 0 if all that was to come did and all that was to be sent was, 2 for a mistake in the usage or in the
// script, and 1 otherwise. A connection that did not come about is counted by those who expected one.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Exit codes.
const (
	exitHeld   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// settings are what the flags say.
type settings struct {
	url, namespace, script string
	options                sioclient.Options
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	set, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitHeld
	case err != nil:
		fmt.Fprintln(stderr, "siotestclient:", err)
		return exitUsage
	}
	if set.script != "" {
		file, err := os.Open(set.script)
		if err != nil {
			fmt.Fprintln(stderr, "siotestclient:", err)
			return exitUsage
		}
		defer func() { _ = file.Close() }()
		stdin = file
	}
	p, err := newPlayer(set, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "siotestclient:", err)
		return exitUsage
	}
	defer p.close()
	failed, err := p.play(ctx, stdin)
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "siotestclient:", err)
		return exitUsage
	case failed:
		return exitFailed
	}
	return exitHeld
}

func parse(args []string, stderr io.Writer) (*settings, error) {
	var (
		set                      settings
		auth, transports, parser string
		eio                      int
		flags                    = flag.NewFlagSet("siotestclient", flag.ContinueOnError)
	)
	flags.SetOutput(stderr)
	flags.StringVar(&set.url, "url", "", "`URL` of the server, without a path")
	flags.StringVar(&set.namespace, "namespace", "/", "`name` of the namespace")
	flags.StringVar(&auth, "auth", "", "`JSON` object that is sent to prove oneself")
	flags.StringVar(&transports, "transports", "polling,websocket", "`transports` in the order in which they are tried")
	flags.IntVar(&eio, "eio", 4, "revision of Engine.IO, 4 or 3")
	flags.StringVar(&parser, "parser", "default", "form of the packets: default or msgpack")
	flags.StringVar(&set.script, "script", "", "`file` with the commands; without it they come from standard input")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case set.url == "":
		return nil, errors.New("-url is missing")
	case eio != 3 && eio != 4:
		return nil, fmt.Errorf("-eio: %d is neither 4 nor 3", eio)
	case parser != "default" && parser != "msgpack":
		return nil, fmt.Errorf("-parser: %q is neither default nor msgpack", parser)
	}
	set.options.Version = sioclient.Version(eio)
	set.options.Engine.Transports = strings.Split(transports, ",")
	if parser == "msgpack" {
		set.options.Parser = packet.Msgpack
	}
	if auth != "" {
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(auth), &object); err != nil {
			return nil, fmt.Errorf("-auth: %w", err)
		}
		set.options.Socket.Auth = json.RawMessage(auth)
	}
	return &set, nil
}
