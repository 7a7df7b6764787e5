//go:build unix

package wsclient_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// A process that was suspended for longer than every limit finds its connection as the peer left it: alive, although no
// pong came for so long, or dead, which it notices as it would have without the pause.
func TestFI22Suspended(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		watch string
		alive bool
	}{
		{watch: "ping", alive: true},
		{watch: "ping", alive: false},
		{watch: "app-ping", alive: true},
		{watch: "idle", alive: true},
	} {
		t.Run(fmt.Sprintf("%s, peer alive %t", c.watch, c.alive), func(t *testing.T) {
			t.Parallel()
			child, lines := startSleeper(t, fmt.Sprint(c.watch, " ", c.alive))
			expect(t, lines, "connected 1")
			suspended(t, child)
			<-time.After(2 * sleeperTimeout)
			resume(t, child)
			if c.alive {
				expect(t, lines, "goes on")
				return
			}
			expect(t, lines, "lost ping_timeout")
			expect(t, lines, "connected 2")
		})
	}
}

// startSleeper starts a child and returns what it says. It ends with the test.
func startSleeper(t *testing.T, task string) (*os.Process, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), sleeperTask+"="+task)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd.Process, bufio.NewScanner(out)
}

func expect(t *testing.T, lines *bufio.Scanner, want string) {
	t.Helper()
	if lines.Scan(); lines.Text() != want {
		t.Fatalf("the child says %q, want %q", lines.Text(), want)
	}
}

// suspended waits until a child stands still.
func suspended(t *testing.T, p *os.Process) {
	t.Helper()
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(p.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("status %v, %v", status, err)
	}
}

func resume(t *testing.T, p *os.Process) {
	t.Helper()
	if err := p.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}
