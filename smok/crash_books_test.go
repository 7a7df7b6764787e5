package smok_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// books is what a gateway has said, and what it was told to do.
type books struct {
	hub  *smoktest.Hub
	pump *smoktest.Device
	life life

	values  map[string]map[int64]bool // that were accepted, by path
	last    int64                     // of them
	events  map[string]bool           // that were accepted, by message; true if closed
	wrong   []string                  // of what must not happen
	sent    [][]int64                 // the values of the orders of each frame
	written int64                     // values of orders

	mu    sync.Mutex
	lives int
	polls []poll
}

// poll is an answer to a poll for orders.
type poll struct {
	life  int
	taken int // frames that had left by then
}

const pollPath = "/v1/device/orders"

func newBooks(t *testing.T, link bool) *books {
	b := &books{values: make(map[string]map[int64]bool), events: make(map[string]bool)}
	b.hub = smoktest.New(&smoktest.Options{OnRequest: func(r smoktest.Request) {
		if r.Path == pollPath {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.polls = append(b.polls, poll{b.lives, b.pump.Counts().Orders.Taken})
		}
	}})
	if err := b.hub.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.hub.Close() })
	b.pump = b.hub.Device("pump")
	cert, key, err := b.hub.Issue(ngtttest.Device{ID: "pump"})
	if err != nil {
		t.Fatal(err)
	}
	b.life = life{Dir: t.TempDir(), URL: b.hub.URL(), Began: time.Now().Add(-time.Hour).Truncate(time.Second), Writers: 4}
	if link {
		b.life.NGTT = b.hub.NGTTAddr()
	}
	for name, text := range map[string][]byte{certFile: cert, keyFile: key, rootsFile: b.hub.AuthorityPEM()} {
		if err := os.WriteFile(filepath.Join(b.life.Dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// begin starts a life, with its input.
func (b *books) begin(t *testing.T) (*exec.Cmd, io.WriteCloser, *bufio.Scanner) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b.life.First = max(b.life.First, b.last) + 100 // beyond those that were not told of
	task, err := json.Marshal(b.life)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^$")
	cmd.Env = append(os.Environ(), lifeEnv+"="+string(task))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, in, bufio.NewScanner(out)
}

// runLife runs a gateway that works, and kills it at a random moment: of its work, or now and then of its start.
func (b *books) runLife(t *testing.T) {
	t.Helper()
	b.disturb()
	cmd, _, out := b.begin(t)
	kill := func() { _ = cmd.Process.Kill() }
	early := rand.IntN(8) == 0
	if early {
		time.AfterFunc(rand.N(80*time.Millisecond), kill)
	}
	for out.Scan() {
		b.note(t, out.Text())
		if out.Text() == "ready" && !early {
			time.AfterFunc(rand.N(250*time.Millisecond), kill)
		}
	}
	_ = cmd.Wait() // it was killed
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lives++
}

// disturb lets the hub lose answers, refuse, or break connections, some requests later.
func (b *books) disturb() {
	b.hub.ClearFaults()
	f := smoktest.Fault{Path: uploadPath, Skip: rand.IntN(8), Times: 1}
	switch rand.IntN(6) {
	case 0:
		f.Kind, f.AfterEffect = smoktest.FaultReset, true
	case 1:
		f.Kind, f.AfterEffect, f.Path = smoktest.FaultReset, true, alarmsPath
	case 2:
		f.Kind, f.Status = smoktest.FaultAnswer, 503
	case 3:
		f.Kind, f.AfterEffect, f.Path = smoktest.FaultHang, true, alarmsPath
	default:
		return
	}
	b.hub.Inject(f)
}

const uploadPath = "/v1/device/pathpoints"

// note takes up a line of the gateway. Orders go out, and connections break, while it works.
func (b *books) note(t *testing.T, line string) {
	t.Helper()
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "ready":
	case "value":
		var writer string
		var n int64
		if _, err := fmt.Sscan(rest, &writer, &n); err != nil {
			t.Fatalf("the gateway says %q", line)
		}
		path := "d" + writer
		if b.values[path] == nil {
			b.values[path] = make(map[int64]bool)
		}
		b.values[path][n] = true
		b.last = max(b.last, n)
		if rand.IntN(10) == 0 {
			b.order(t)
		}
		if b.life.NGTT != "" && rand.IntN(100) == 0 { // a poll whose answer is cut off would lose its orders
			b.hub.ResetConnections(smoktest.Both)
		}
	case "event":
		b.events[rest] = false
	case "closed":
		b.events[rest] = true
	default:
		b.wrong = append(b.wrong, line)
	}
}

// order gives out one or two orders together.
func (b *books) order(t *testing.T) {
	t.Helper()
	section := smoktest.Section{Disposition: rand.IntN(2)}
	var values []int64
	for range 1 + rand.IntN(2) {
		b.written++
		values = append(values, b.written)
		section.Orders = append(section.Orders, smoktest.Write(fmt.Sprintf("d%d", 10+rand.IntN(3)), b.written))
	}
	if _, err := b.pump.Enqueue(section); err != nil {
		t.Fatal(err)
	}
	b.sent = append(b.sent, values)
}

// lastLife runs a gateway that brings out what there is, and ends in order.
func (b *books) lastLife(t *testing.T) {
	t.Helper()
	b.hub.ClearFaults()
	b.life.Writers = 0
	cmd, in, out := b.begin(t)
	ended := make(chan error, 1)
	go func() {
		for out.Scan() {
			b.note(t, out.Text())
		}
		ended <- cmd.Wait()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	err := b.hub.Wait(ctx, func() bool {
		c := b.pump.Counts().Orders
		return c.Waiting == 0 && c.Confirmed+c.Taken == len(b.sent)
	})
	if b.life.NGTT == "" && err == nil { // what a poll has brought is in the journal before the next one begins
		polls := b.pump.Counts().Polls
		err = b.hub.Wait(ctx, func() bool { return b.pump.Counts().Polls >= polls+2 })
	}
	if err != nil {
		t.Errorf("the hub still has orders: %+v: %v", b.pump.Counts().Orders, err)
	}
	_ = in.Close()
	if err := <-ended; err != nil {
		t.Errorf("the last life ended with %v", err)
	}
}
