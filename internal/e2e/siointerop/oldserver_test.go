//go:build interop

package siointerop_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// process is a server in a process of its own, which may end any time.
type process struct {
	address string // host and port
	pid     int
	done    chan struct{} // closed when it has ended; what follows may be read then
	err     error
	said    bytes.Buffer // to standard error
}

// settings of old/server.js: the packages as they are called in old/package.json.
type settings struct {
	Package string `json:"package"`
	Parser  string `json:"parser,omitempty"`
}

func (s settings) String() string {
	if s.Parser != "" {
		return s.Parser
	}
	return s.Package
}

// oldServer starts a server of an old version, with bounded memory.
func oldServer(t *testing.T, s settings) *process {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return expose(t, "node", "--max-old-space-size=160", "old/server.js", string(text))
}

// ourServer starts the server of this repository as one for the old protocol, too.
func ourServer(t *testing.T) *process {
	t.Helper()
	return expose(t, filepath.Join(programs, "siotestserver"), "-addr", "127.0.0.1:0", "-eio3",
		"-ping-interval", "25s", "-ping-timeout", "1m", "-connect-timeout", "1m", "-cors", "https://honest.test")
}

func expose(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{done: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = &p.said
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	p.pid = cmd.Process.Pid
	go func() {
		defer close(p.done)
		p.err = cmd.Wait()
	}()
	t.Cleanup(func() {
		cancel()
		<-p.done
	})
	var ok bool
	if p.address, ok = strings.CutPrefix(strings.TrimSpace(line), "listening http://"); !ok {
		cancel()
		<-p.done
		t.Fatalf("%s said %q (%v), and %s", filepath.Base(name), line, err, &p.said)
	}
	return p
}

// ended reports whether the process has ended.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// usage is what a process has needed so far.
type usage struct {
	memory    int // the most, in MiB
	processor time.Duration
}

func (u usage) String() string {
	return fmt.Sprintf("%d MiB and %v of processor time", u.memory, u.processor)
}

// ticks are the units of time in /proc, in each second: always so many on Linux (proc_pid_stat(5), USER_HZ).
const ticks = 100

// usage reads from /proc what the process has needed (proc_pid_status(5), proc_pid_stat(5)). It is an error that there
// is no process any more.
func (p *process) usage() (u usage, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		return u, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return u, os.ErrProcessDone // it is dead, and not yet waited for
	}
	kib, err := strconv.Atoi(fields[0])
	if err != nil {
		return u, err
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		return u, err
	}
	fields = strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // from the third field on
	var sum time.Duration
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.Atoi(field)
		if err != nil {
			return u, err
		}
		sum += time.Duration(n) * time.Second / ticks
	}
	return usage{memory: kib >> 10, processor: sum}, nil
}
