package main

import (
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// settings are what the flags say.
type settings struct {
	addr, path                     string
	pingInterval, pingTimeout      time.Duration
	upgradeTimeout, connectTimeout time.Duration
	maxPayload                     int64
	eio3                           bool
	cors, transports               []string
	recovery                       time.Duration
	parser                         packet.Parser
	serverID, cookie               string
	log                            bool
}

// usageError is a mistake of who started the program.
type usageError struct{ cause error }

func (e *usageError) Error() string { return e.cause.Error() }
func (e *usageError) Unwrap() error { return e.cause }

// parse reads the arguments, and the environment for flags that are not among them.
func parse(args []string, lookup func(string) (string, bool), stderr io.Writer) (*settings, error) {
	var (
		set           settings
		adapter       string
		redis         string
		flags         = flag.NewFlagSet("siotestserver", flag.ContinueOnError)
		allTransports = []string{engineio.Polling, engineio.WebSocket}
	)
	flags.SetOutput(stderr)
	flags.StringVar(&set.addr, "addr", "127.0.0.1:3000", "`address` to listen on; port 0 takes a free one")
	flags.StringVar(&set.path, "path", "/socket.io/", "where Socket.IO answers")
	flags.DurationVar(&set.pingInterval, "ping-interval", 300*time.Millisecond, "time between heartbeats")
	flags.DurationVar(&set.pingTimeout, "ping-timeout", 200*time.Millisecond, "how long the answer to a heartbeat may take")
	flags.DurationVar(&set.upgradeTimeout, "upgrade-timeout", 10*time.Second, "how long a change of the transport may take")
	flags.DurationVar(&set.connectTimeout, "connect-timeout", time.Second, "how long a connection may stay without a namespace")
	flags.Int64Var(&set.maxPayload, "max-payload", 1_000_000, "limit of a message, in bytes")
	flags.BoolVar(&set.eio3, "eio3", false, "accept clients of Socket.IO 2 as well")
	flags.Var(listFlag{&set.cors, []string{"*"}}, "cors", "allowed `origins`, separated by commas")
	flags.Var(listFlag{&set.transports, allTransports}, "transports", "`transports`, separated by commas")
	flags.DurationVar(&set.recovery, "recovery", 0, "how long a client may be away and find its state again; 0 is not at all")
	flags.Var(parserFlag{&set.parser}, "parser", "form of the packets: default or msgpack")
	flags.StringVar(&redis, "redis", "", "`URL` of the Redis server of a cluster")
	flags.StringVar(&adapter, "adapter", "", "how the nodes of a cluster speak with each other")
	flags.StringVar(&set.serverID, "server-id", rand.Text(), "what whoami answers")
	flags.StringVar(&set.cookie, "cookie", "", "`name` of a cookie with the session id")
	flags.BoolVar(&set.log, "log", false, "write a log to standard error")

	var problems []error
	flags.VisitAll(func(f *flag.Flag) {
		name := "SIO_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value, ok := lookup(name); ok {
			if err := flags.Set(f.Name, value); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", name, err))
			}
		}
	})
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil, err
	case err != nil:
		problems = append(problems, err)
	case flags.NArg() > 0:
		problems = append(problems, fmt.Errorf("unexpected argument %q", flags.Arg(0)))
	}
	if redis != "" || adapter != "" {
		problems = append(problems, errors.New("-redis and -adapter: this build has no adapter for clusters"))
	}
	if set.path = "/" + strings.Trim(set.path, "/") + "/"; set.path == "//" || set.path == echoPath {
		problems = append(problems, fmt.Errorf("-path: %q cannot be used", set.path))
	}
	if len(problems) > 0 {
		return nil, &usageError{errors.Join(problems...)}
	}
	return &set, nil
}

// listFlag is a flag with values that commas separate.
type listFlag struct {
	list  *[]string
	value []string // if the flag is not given
}

func (f listFlag) String() string {
	if f.list == nil || *f.list == nil {
		return strings.Join(f.value, ",")
	}
	return strings.Join(*f.list, ",")
}

func (f listFlag) Set(s string) error {
	*f.list = nil
	for part := range strings.SplitSeq(s, ",") {
		*f.list = append(*f.list, strings.TrimSpace(part))
	}
	return nil
}

// parserFlag is a flag with the name of a parser.
type parserFlag struct{ parser *packet.Parser }

func (f parserFlag) String() string { return "default" }

func (f parserFlag) Set(s string) error {
	switch s {
	case "default":
		*f.parser = packet.Default
	case "msgpack":
		*f.parser = packet.Msgpack
	default:
		return fmt.Errorf("%q is neither default nor msgpack", s)
	}
	return nil
}
