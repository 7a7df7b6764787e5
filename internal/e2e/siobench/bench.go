package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/e2e/sioload/loadreport"
)

// bench is one run.
type bench struct {
	*settings
	dir string // of the programs
	pin bool
}

// result is what one server did in one round.
type result struct {
	measurement *measurement
	server      string
	round       int
	report      loadreport.Report
	misplaced   int    // of numbered events
	remark      string // what else there is to say
	last        string
	err         error
}

// build compiles everything.
func (b *bench) build(ctx context.Context) error {
	_, err := exec.LookPath("taskset")
	b.pin = err == nil && runtime.NumCPU() >= 2
	if err := command(ctx, ".", nil, "go", "build", "-o", filepath.Join(b.dir, "sioload"), "./internal/e2e/sioload"); err != nil {
		return fmt.Errorf("%w (siobench is run in the root of the repository)", err)
	}
	for i := range contenders {
		if c := &contenders[i]; b.wants(c.name) {
			if err := c.build(ctx, b.dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// wants reports whether a server is to be measured.
func (b *bench) wants(name string) bool {
	return b.servers == "" || name == reference || slices.Contains(strings.Split(b.servers, ","), name)
}

// describe says how it was measured.
func (b *bench) describe() string {
	node, _ := exec.Command("node", "--version").Output()
	pinned := "server and generator on one processor each"
	if !b.pin {
		pinned = "not pinned to processors"
	}
	load, _ := os.ReadFile("/proc/loadavg")
	return fmt.Sprintf("%s, %s, Node.js %s, %s/%s, %d processors, %s; medians of %d rounds of %v; load of the machine at the start: %s.\n",
		time.Now().Format(time.DateOnly), runtime.Version(), strings.TrimSpace(string(node)), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), pinned, b.rounds, b.duration, strings.Join(strings.Fields(string(load))[:3], " "))
}

// measureAll does the rounds. What fails is part of the results.
func (b *bench) measureAll(ctx context.Context) ([]result, error) {
	var results []result
	for round := range b.rounds {
		for i := range measurements {
			m := &measurements[i]
			if !strings.Contains(m.name, b.only) || m.once && round > 0 {
				continue
			}
			for j := range contenders {
				c := &contenders[(j+round)%len(contenders)]
				if !b.wants(c.name) || m.only != nil && !slices.Contains(m.only, c.name) {
					continue
				}
				r := b.measure(ctx, m, c)
				r.round = round
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				if r.err != nil && (c.name == own || c.name == reference) {
					return nil, fmt.Errorf("%s, %s: %w", m.name, c.name, r.err)
				}
				fmt.Fprintf(os.Stderr, "round %d, %s, %s: %s\n", round+1, m.name, c.name, r.short())
				results = append(results, r)
			}
		}
	}
	return results, nil
}

// measure lets one server do one kind of work.
func (b *bench) measure(ctx context.Context, m *measurement, c *contender) (r result) {
	r = result{measurement: m, server: c.name}
	p, err := b.start(ctx, c)
	if err != nil {
		r.err = err
		return r
	}
	defer func() { r.last = p.stop() }()
	if m.name == order {
		b.order(ctx, p, &r)
		return r
	}
	args := m.args
	if !m.fixed {
		args = append([]string{"-warmup", b.warmUp.String(), "-for", b.duration.String()}, args...)
	}
	if b.quick && m.once {
		args = append(slices.Clone(args), "-for", "2s")
	}
	out, err := b.load(ctx, c, p, args)
	if err == nil {
		err = json.Unmarshal(out, &r.report)
	}
	if err == nil && r.report.Ops == 0 {
		err = errors.New("nothing was done")
	}
	r.err = err
	return r
}

// order lets the official client send numbered events, over WebSocket. To a server with which that cannot be done it goes by
// polling first, as it does by itself.
func (b *bench) order(ctx context.Context, p *process, r *result) {
	said, err := b.orderOver(ctx, p, "websocket")
	if err != nil {
		r.remark = "over polling and an upgrade, since over WebSocket alone the client ends with " + err.Error()
		said, err = b.orderOver(ctx, p, "polling,websocket")
	}
	r.report.Ops, r.report.Expected, r.misplaced, r.err = said.Received, said.Sent, said.Misplaced, err
}

// ordered is what the client says of numbered events.
type ordered struct{ Sent, Received, Misplaced int }

func (b *bench) orderOver(ctx context.Context, p *process, transports string) (said ordered, err error) {
	args := b.pinned(1, []string{"node", servers + "node/order.js", p.addr, transports})
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return said, errors.New(failure(string(exit.Stderr)))
	}
	if err != nil {
		return said, err
	}
	return said, json.Unmarshal(out, &said)
}

// failure returns the line of an output of Node.js that says what went wrong.
func failure(stderr string) string {
	for line := range strings.Lines(stderr) {
		if name, _, ok := strings.Cut(line, ":"); ok && strings.HasSuffix(name, "Error") && !strings.Contains(name, " ") {
			return strings.TrimSpace(line)
		}
	}
	return "an error"
}

// short is a result in one line, for those who watch.
func (r *result) short() string {
	if r.err != nil {
		return r.err.Error()
	}
	line := fmt.Sprintf("%d done, %.2f µs each, generator %.0f %%", r.report.Ops, perOp(&r.report), 100*r.report.OwnCPU)
	for _, f := range r.measurement.figures {
		line += fmt.Sprintf(", %s %.3g %s", f.name, f.value(&r.report), f.unit)
	}
	return line
}
