// Command spoolctl looks into the directory of a durable log (package wsclient/spool) and repairs it.
//
//	spoolctl verify DIR      check every byte; exit status 1 if something is damaged
//	spoolctl dump DIR        write the records that were not removed, one JSON object per line
//	spoolctl repair DIR      make it sound, keeping every record that is
//
// Verify and dump change nothing and may be used while a program has the directory open. Repair needs it alone. The exit
// status is 0 if the log is sound, 1 if it is not, 2 if the directory cannot be read or the command is wrong.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

const (
	exitSound   = 0
	exitDamaged = 1
	exitFailed  = 2
)

const usage = `usage: spoolctl verify DIR
       spoolctl dump [-payload=false] DIR
       spoolctl repair DIR
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes the command line and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return exitFailed
	}
	flags := flag.NewFlagSet("spoolctl", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	payload := flags.Bool("payload", true, "dump payloads")
	if flags.Parse(args[1:]) != nil {
		return exitFailed
	}
	if flags.NArg() != 1 {
		fmt.Fprint(stderr, usage)
		return exitFailed
	}
	dir := flags.Arg(0)
	var err error
	code := exitSound
	switch args[0] {
	case "verify":
		var h *spool.Health
		if h, err = spool.Verify(ctx, dir); err == nil {
			code = show(stdout, h)
		}
	case "dump":
		err = dump(ctx, stdout, dir, *payload)
	case "repair":
		var h *spool.Health
		report := func(r spool.Report) { fmt.Fprintln(stdout, r) }
		if h, err = spool.Repair(ctx, dir, report); err == nil {
			code = show(stdout, h)
		}
	default:
		fmt.Fprint(stderr, usage)
		return exitFailed
	}
	if err != nil {
		fmt.Fprintln(stderr, "spoolctl:", err)
		return exitFailed
	}
	return code
}

// show writes what verify found and returns the exit status.
func show(w io.Writer, h *spool.Health) int {
	for _, p := range h.Problems {
		fmt.Fprintln(w, p)
	}
	fmt.Fprintf(w, "%d records from %d to %d in %d segments, %d bytes; %d removed, %d in quarantine\n",
		h.Records, h.First, h.Next-1, h.Segments, h.Bytes, h.Removed, h.Quarantined)
	if h.Sound() {
		fmt.Fprintln(w, "sound")
		return exitSound
	}
	fmt.Fprintf(w, "%d damaged places, %d records lost\n", h.Damaged, h.Lost)
	return exitDamaged
}

// line is one record of a dump.
type line struct {
	Seq     uint64    `json:"seq"`
	Time    time.Time `json:"time"`
	Tag     uint8     `json:"tag"`
	Bytes   int       `json:"bytes"`
	Payload []byte    `json:"payload,omitempty"` // base64
}

func dump(ctx context.Context, stdout io.Writer, dir string, payload bool) error {
	w := bufio.NewWriter(stdout)
	enc := json.NewEncoder(w)
	for rec, err := range spool.Dump(ctx, dir) {
		if err != nil {
			_ = w.Flush() // the failure counts
			return err
		}
		l := line{Seq: rec.Seq, Time: rec.Time.UTC(), Tag: rec.Tag, Bytes: len(rec.Payload)}
		if payload {
			l.Payload = rec.Payload
		}
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	return w.Flush()
}
