package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// contender is one server.
type contender struct {
	name     string
	title    string // with its version
	protocol string
	source   string // folder of the program
	alone    bool   // whether that is a module of its own, outside of go.work
	codec    string // into what its codec decodes, if the codec can be measured
}

// reference is what the others are compared with, own is ours.
const (
	reference = "bare"
	own       = "fieldlink"
	official  = "node"
)

const servers = "internal/e2e/sioservers/"

var contenders = []contender{
	{reference, "R: coder/websocket v1.8.15", "raw", servers + "bare", false, ""},
	{own, "fieldlink sioserver", "eio4", servers + "fieldlink", false, ""},
	{official, "Node.js socket.io 4.8.4", "eio4", servers + "node", false, ""},
	{"zishang520", "zishang520 v3.0.2", "eio4", servers + "zishang520", true, "into maps"},
	{"karagenc", "karagenc v0.1.0", "eio4", servers + "karagenc", true, "into a struct"},
	{"googollee", "googollee v1.7.0 (EIO=3)", "eio3", servers + "googollee", false, "into a struct"},
}

// build compiles what is in the folder source to dir, or installs its packages.
func (c *contender) build(ctx context.Context, dir string) error {
	if c.name == official {
		if _, err := os.Stat(filepath.Join(c.source, "node_modules", "socket.io")); err == nil {
			return nil
		}
		return command(ctx, c.source, nil, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	}
	return command(ctx, c.source, c.environment(), "go", "build", "-o", filepath.Join(dir, c.name), ".")
}

// environment is what the go command needs for its module.
func (c *contender) environment() []string {
	if c.alone {
		return []string{"GOWORK=off"}
	}
	return nil
}

// command runs a program to its end, whose output is shown if it fails.
func command(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s in %s: %w\n%s", name, dir, err, out)
	}
	return nil
}

// process is a server that runs.
type process struct {
	cmd    *exec.Cmd
	addr   string
	stderr strings.Builder
	last   chan string // what it printed after its address
}

// start runs a server and waits until it listens.
func (b *bench) start(ctx context.Context, c *contender) (*process, error) {
	args := []string{filepath.Join(b.dir, c.name)}
	if c.name == official {
		args = []string{"node", filepath.Join(c.source, "server.js")}
	}
	args = b.pinned(0, args)
	p := &process{cmd: exec.CommandContext(ctx, args[0], args[1:]...), last: make(chan string, 1)}
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	first := make(chan string, 1)
	go func() {
		r := bufio.NewReader(stdout)
		line, _ := r.ReadString('\n')
		first <- strings.TrimSpace(line)
		rest, _ := io.ReadAll(r)
		p.last <- string(rest)
	}()
	select {
	case p.addr = <-first:
	case <-time.After(20 * time.Second):
	}
	if p.addr == "" {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		return nil, fmt.Errorf("%s does not listen: %s", c.name, p.stderr.String())
	}
	return p, nil
}

// stop ends the server and returns what it printed last.
func (p *process) stop() string {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(30*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	last := <-p.last
	_ = p.cmd.Wait() // a signal ended it
	return last
}

// load runs the generator against a server.
func (b *bench) load(ctx context.Context, c *contender, p *process, args []string) ([]byte, error) {
	all := append(b.pinned(1, []string{filepath.Join(b.dir, "sioload")}),
		"-addr", p.addr, "-pid", strconv.Itoa(p.cmd.Process.Pid), "-protocol", c.protocol)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, all[0], append(all[1:], args...)...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	return out, err
}

// pinned returns the command that runs args on one processor, if there are two.
func (b *bench) pinned(processor int, args []string) []string {
	if !b.pin {
		return args
	}
	return append([]string{"taskset", "-c", strconv.Itoa(processor)}, args...)
}
