package wsclient_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// childTask names the variable that makes the test binary a gateway: directory of the spool, address of the server, and
// the number of the first message; it sends until it is killed, and says which messages were accepted. With the number
// 0 it sends what is left in the spool and ends.
const childTask = "WSCLIENT_TEST_CHILD"

// runChild runs the part of a test that is a process of its own. It reports whether this is one.
func runChild() bool {
	task := os.Getenv(childTask)
	if task == "" {
		return false
	}
	if err := gateway(task); err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	return true
}

func gateway(task string) error {
	var dir, url string
	var first int
	if _, err := fmt.Sscan(task, &dir, &url, &first); err != nil {
		return err
	}
	s, err := spool.Open(dir, &spool.Options{SegmentBytes: 32 << 10})
	if err != nil {
		return err
	}
	defer s.Close()
	m, err := wsclient.New(url, &wsclient.Options{
		Reconnect: wsclient.ReconnectOptions{MaxAttempts: wsclient.Unlimited},
		Send:      wsclient.SendOptions{Mode: wsclient.SendAtLeastOnce, Spool: s, Ack: numbered()},
	})
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := m.Start(ctx); err != nil {
		return err
	}
	if first == 0 {
		return m.Shutdown(ctx)
	}
	for i := first; ; i++ {
		data := fmt.Appendf(nil, "%d %s", i, strings.Repeat("z", i%200))
		if _, err := m.Enqueue(ctx, wsclient.Outgoing{Type: wsconn.Text, Data: data}); err != nil {
			return err
		}
		if _, err := fmt.Println(i); err != nil {
			return nil // nobody listens any more
		}
	}
}

// numbered lets messages be acknowledged by their numbers, which Wrap puts in front: "number|data".
func numbered() *wsclient.AckOptions {
	return &wsclient.AckOptions{
		Wrap: func(dst []byte, number uint64, o wsclient.Outgoing) []byte {
			return append(append(strconv.AppendUint(dst, number, 10), '|'), o.Data...)
		},
		Extract: func(m wsclient.Message) (wsclient.Ack, bool) {
			id, ok := strings.CutPrefix(string(m.Data), "ack ")
			return wsclient.Ack{IDs: []string{id}}, ok
		},
	}
}

// ledger is a server that writes down the first time that each message comes, and acknowledges.
type ledger struct {
	mu      sync.Mutex
	first   []int          // messages in the order in which they came first
	seen    map[int]string // numbers of messages
	repeats int
	wrong   []string
}

func (l *ledger) serve(c *wsconn.Conn) {
	for {
		_, data, err := c.Read(nil)
		if err != nil {
			return
		}
		number, text, _ := strings.Cut(string(data), "|")
		l.note(number, text)
		if c.Write(wsconn.Text, []byte("ack "+number)) != nil {
			return
		}
	}
}

func (l *ledger) note(number, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	head, tail, _ := strings.Cut(text, " ")
	i, err := strconv.Atoi(head)
	if err != nil || tail != strings.Repeat("z", i%200) {
		l.wrong = append(l.wrong, text)
		return
	}
	switch old, ok := l.seen[i]; {
	case !ok:
		l.seen[i] = number
		l.first = append(l.first, i)
	case old != number:
		l.wrong = append(l.wrong, fmt.Sprintf("message %d has the numbers %s and %s", i, old, number))
	default:
		l.repeats++
	}
}

// A gateway with a spool is killed at random moments, again and again. Every message that it was told is accepted
// arrives, in order; messages come twice only if they were not acknowledged, or not removed yet.
func TestGatewayIsKilled_QU24(t *testing.T) {
	t.Parallel()
	rounds, most := size(4, 3, 50), size(1500, 500, 4500) // with -full, 10^5 messages
	book := &ledger{seen: make(map[int]string)}
	srv, err := wstest.Start(&wstest.Options{Handler: book.serve})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	dir := t.TempDir()
	accepted := make(map[int]bool)
	next := 1
	for range rounds {
		next = runGateway(t, fmt.Sprintln(dir, srv.URL(), next), accepted, 1+rand.IntN(most)) + 10
	}
	runGateway(t, fmt.Sprintln(dir, srv.URL(), 0), accepted, -1)

	book.mu.Lock()
	defer book.mu.Unlock()
	if len(book.wrong) > 0 {
		t.Errorf("the server got %q", book.wrong)
	}
	last, extra := 0, 0
	for _, i := range book.first {
		if i <= last {
			t.Fatalf("message %d came behind %d", i, last)
		}
		last = i
		if !accepted[i] {
			extra++
		}
	}
	for i := range accepted {
		if _, ok := book.seen[i]; !ok {
			t.Fatalf("message %d was accepted and never came", i)
		}
	}
	// At each kill, one message may have been stored and not been told of yet.
	if extra > rounds {
		t.Errorf("%d messages came that were not accepted", extra)
	}
	t.Logf("%d kills, %d messages accepted, all delivered in order, %d times more than once, %d not told of",
		rounds, len(accepted), book.repeats, extra)
}

// runGateway runs the child until it has said so many lines, kills it, and adds what it said to accepted. It returns the
// largest number.
func runGateway(t *testing.T, task string, accepted map[int]bool, lines int) (last int) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^$")
	cmd.Env = append(os.Environ(), childTask+"="+task)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	scan := bufio.NewScanner(out)
	for n := 1; scan.Scan(); n++ {
		i, err := strconv.Atoi(scan.Text())
		if err != nil {
			t.Fatalf("the child says %q", scan.Text())
		}
		accepted[i], last = true, i
		if n == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); lines < 0 && err != nil {
		t.Errorf("the child ended with %v", err)
	}
	return last
}
