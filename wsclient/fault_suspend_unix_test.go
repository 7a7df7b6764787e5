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

	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
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
			pinged := make(chan wstest.Frame)
			answer := make(chan bool)
			again := make(chan struct{}, 1)
			peer, err := wstest.Play(nil, upgraded(func(s *wstest.Session) error {
				for {
					f, err := s.Next()
					if err != nil {
						return nil // the client has given up
					}
					select {
					case pinged <- f:
					case <-t.Context().Done():
						return nil
					}
					if <-answer {
						s.Send(wstest.Pong(string(f.Payload)), wstest.Text("data"))
					}
				}
			}), upgraded(func(s *wstest.Session) error {
				again <- struct{}{}
				return echoes(s)
			}))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { peer.Close() })
			child, lines := startSleeper(t, c.watch+" "+peer.URL())
			expect(t, lines, "connected 1")
			<-pinged
			answer <- true
			<-pinged // and now a ping is under way
			suspend(t, child)
			<-time.After(2 * sleeperTimeout)
			resume(t, child)
			answer <- c.alive
			if c.alive {
				select {
				case <-pinged:
					close(answer)
				case <-again:
					t.Error("the connection was given up")
				}
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

// suspend stops a child and waits until it stands still.
func suspend(t *testing.T, p *os.Process) {
	t.Helper()
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
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
