package ngtt_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
)

// device is the id of every device in these tests.
const device = "pump-1"

// bench is a hub, a network in memory, and a device that can be made on it.
type bench struct {
	t       testing.TB
	network *netem.Network
	hub     *ngtttest.Hub
	cred    *ngtt.Credentials
}

// newBench starts a hub. In a bubble it must be called inside.
func newBench(t testing.TB, opts ngtttest.Options) *bench {
	t.Helper()
	b := &bench{t: t, network: netem.New(nil)}
	listener, err := b.network.Listen("hub.test:2405")
	if err != nil {
		t.Fatal(err)
	}
	opts.Listener, opts.Hosts = listener, []string{"hub.test"}
	b.hub = ngtttest.New(&opts)
	if err := b.hub.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.hub.Close() })
	b.cred = issue(t, b.hub, ngtttest.Device{ID: device})
	return b
}

// issue makes the credentials of a device.
func issue(t testing.TB, hub *ngtttest.Hub, d ngtttest.Device) *ngtt.Credentials {
	t.Helper()
	cert, key, err := hub.Issue(d)
	if err != nil {
		t.Fatal(err)
	}
	cred, err := ngtt.ParseCredentials(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return cred
}

// running is a client with the result of its Run.
type running struct {
	*ngtt.Client
	states *states
	result chan error
}

// client makes a client of the bench and runs it. It is closed at the end of the test.
func (b *bench) client(opts ngtt.Options) *running {
	b.t.Helper()
	r := &running{states: newStates(), result: make(chan error, 1)}
	opts.Addr, opts.RootCAs, opts.DialContext = "hub.test:2405", b.hub.RootCAs(), b.network.DialContext
	opts.OnStateChange = r.states.add
	client, err := ngtt.New(b.cred, &opts)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Client = client
	go func() { r.result <- client.Run(context.Background()) }()
	b.t.Cleanup(func() { _ = client.Close() })
	return r
}

// wait waits for counts of the hub.
func (b *bench) wait(done func(ngtttest.Counts) bool) {
	b.t.Helper()
	if err := b.hub.Wait(limit(b.t), device, done); err != nil {
		b.t.Fatalf("%v: %+v", err, b.hub.Counts(device))
	}
}

// conn waits for the connection of the device.
func (b *bench) conn() *ngtttest.Conn {
	b.t.Helper()
	c, err := b.hub.WaitConn(limit(b.t), device)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// limit is a context that ends a test that hangs in a bubble; others are ended by go test.
func limit(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	t.Cleanup(cancel)
	return ctx
}

// states collects what OnStateChange tells.
type states struct {
	mu      sync.Mutex
	all     []ngtt.Status
	changed chan struct{}
}

func newStates() *states { return &states{changed: make(chan struct{})} }

func (s *states) add(status ngtt.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, status)
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *states) get() []ngtt.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]ngtt.Status(nil), s.all...)
}

// await returns the nth status of a state, counted from 1, as soon as there is one.
func (s *states) await(t testing.TB, state ngtt.State, n int) ngtt.Status {
	t.Helper()
	ctx := limit(t)
	for {
		s.mu.Lock()
		left, changed := n, s.changed
		for _, status := range s.all {
			if status.State == state {
				if left--; left == 0 {
					s.mu.Unlock()
					return status
				}
			}
		}
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("no status %d of state %v in %+v", n, state, s.get())
		}
	}
}

// section is what the orders of these tests hold.
type section struct {
	Orders []struct {
		Type string `minijson:"type"`
		Path string `minijson:"path"`
	} `minijson:"orders"`
}

// body is the body of an order to read one pathpoint.
func body(path string) []byte {
	b, err := minijson.Marshal([]map[string]any{{
		"orders": []map[string]any{{"type": "read", "path": path}}, "disposition": 0,
	}})
	if err != nil {
		panic(err)
	}
	return b
}

// bodies are n different orders, from number first.
func bodies(first, n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = body(fmt.Sprintf("W%d", first+i))
	}
	return all
}

// pathOf returns the pathpoint of an order of these tests.
func pathOf(t testing.TB, o *ngtt.Order) string {
	t.Helper()
	var sections []section
	if err := o.Decode(&sections); err != nil || len(sections) != 1 || len(sections[0].Orders) != 1 {
		t.Errorf("order %q: %v", o.Body, err)
		return ""
	}
	return sections[0].Orders[0].Path
}

// executed counts the effects of orders by pathpoint.
type executed struct {
	mu     sync.Mutex
	counts map[string]int
	order  []string
}

func newExecuted() *executed { return &executed{counts: make(map[string]int)} }

func (e *executed) add(path string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts[path]++
	e.order = append(e.order, path)
}

func (e *executed) get(path string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.counts[path]
}

func (e *executed) paths() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.order...)
}

// ackAll is a handler that counts and acknowledges.
func (e *executed) ackAll(t testing.TB) func(context.Context, *ngtt.Order) {
	return func(ctx context.Context, o *ngtt.Order) {
		e.add(pathOf(t, o))
		_ = o.Ack(ctx) // a test that wants to know looks at the hub
	}
}
