//go:build !js

// Command gateway stores readings and forwards them: each line of its standard input goes to a WebSocket server, with a
// number of its own, and stays on the disk until the server has acknowledged it. It does so through lost connections,
// restarts and power cuts.
//
//	sensor | gateway -url wss://collector.example/in -dir /var/lib/gateway/out
//
// A message is {"id":17,"line":"…"}, and {"ack":17} says that the server has all up to that one. When the input ends, or on
// SIGTERM, the gateway waits for what is not acknowledged, but not for longer than -rest; the next start sends what is
// left.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// settings are the flags.
type settings struct {
	url, dir string
	rest     time.Duration
}

func main() {
	var s settings
	flag.StringVar(&s.url, "url", "", "WebSocket `address` of the collector")
	flag.StringVar(&s.dir, "dir", "spool", "`directory` of what is not acknowledged yet")
	flag.DurationVar(&s.rest, "rest", 10*time.Second, "how long to wait for acknowledgements at the end")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s, os.Stdin, slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

// run forwards lines until there are no more, or ctx is done.
func run(ctx context.Context, s settings, lines io.Reader, log *slog.Logger) error {
	store, err := spool.Open(s.dir, &spool.Options{
		MaxBytes: 64 << 20, Policy: spool.DropOldest, // a long outage loses the oldest readings, and says so
		Logger: log,
	})
	if err != nil {
		return err
	}
	defer store.Close()

	opts := wsclient.PresetGateway()
	opts.Logger = log
	opts.Send = wsclient.SendOptions{
		Mode:  wsclient.SendAtLeastOnce,
		Spool: store,
		Ack:   &wsclient.AckOptions{Wrap: wrap, Extract: acknowledged, Cumulative: true},
		OnLoss: func(l wsclient.Lost) {
			log.Warn("reading lost", "number", l.Number, "error", l.Err)
		},
	}
	m, err := wsclient.New(s.url, &opts)
	if err != nil {
		return err
	}
	defer m.Close()
	// The end of ctx stops the input, not the manager: that one has the rest to send.
	if err := m.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	if err := forward(ctx, m, lines); err != nil {
		return err
	}
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.rest)
	defer cancel()
	if err := m.Shutdown(rest); err != nil {
		return err
	}
	log.Info("done", "left", store.Len())
	return nil
}

// forward reads on a goroutine of its own, which a read that nobody can interrupt may keep until the process ends.
func forward(ctx context.Context, m *wsclient.Manager, lines io.Reader) error {
	read := make(chan string)
	failed := make(chan error, 1)
	go func() {
		scan := bufio.NewScanner(lines)
		for scan.Scan() {
			select {
			case read <- scan.Text():
			case <-ctx.Done():
				return
			}
		}
		failed <- scan.Err()
	}()
	for {
		select {
		case line := <-read:
			// A line that was read is stored, whatever the signal.
			if err := m.Send(context.WithoutCancel(ctx), wsclient.Text, []byte(line)); err != nil {
				return fmt.Errorf("not stored: %w", err)
			}
		case err := <-failed:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// wrap puts a line and its number into a message.
func wrap(dst []byte, number uint64, o wsclient.Outgoing) []byte {
	line, err := json.Marshal(string(o.Data))
	if err != nil {
		line = []byte(`""`) // cannot be: a string has a JSON form
	}
	return fmt.Appendf(dst, `{"id":%d,"line":%s}`, number, line)
}

// acknowledged reads {"ack":17}.
func acknowledged(m wsclient.Message) (wsclient.Ack, bool) {
	var answer struct{ Ack uint64 }
	if json.Unmarshal(m.Data, &answer) != nil || answer.Ack == 0 {
		return wsclient.Ack{}, false
	}
	return wsclient.Ack{IDs: []string{strconv.FormatUint(answer.Ack, 10)}}, true
}
