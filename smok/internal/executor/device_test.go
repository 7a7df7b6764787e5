package executor_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// device is the program around an executor: pathpoints that note what is done to them.
type device struct {
	// What a call does; nil succeeds at once.
	read    func(ctx context.Context, path string) error
	write   func(ctx context.Context, path string, v any) error
	message func(ctx context.Context, uuid string) error
	sysctl  func(ctx context.Context, opType, opArgs string) (bool, error)

	mu      sync.Mutex
	began   []string // what began, in order: "write W1 5", "read W1", "message m", "sysctl reboot now"
	at      []time.Duration
	start   time.Time
	running int
	most    int // calls at once
}

func newDevice() *device { return &device{start: time.Now()} }

func (d *device) options() *executor.Options {
	return &executor.Options{
		Lookup: d.lookup,
		Message: func(ctx context.Context, uuid string) error {
			defer d.begin("message " + uuid)()
			if d.message == nil {
				return nil
			}
			return d.message(ctx, uuid)
		},
		Sysctl: func(ctx context.Context, opType, opArgs string) (bool, error) {
			defer d.begin("sysctl " + opType + " " + opArgs)()
			if d.sysctl == nil {
				return true, nil
			}
			return d.sysctl(ctx, opType, opArgs)
		},
		Disruptive: func(opType, _ string) bool { return opType == "reboot" },
	}
}

func (d *device) lookup(path string) (executor.Target, error) {
	if path[0] == 'x' {
		return nil, smokerr.NotFound("lookup", "pathpoint", path)
	}
	return target{d, path}, nil
}

func (d *device) begin(what string) (end func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.began = append(d.began, what)
	d.at = append(d.at, time.Since(d.start))
	d.running++
	d.most = max(d.most, d.running)
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.running--
	}
}

// log returns what began so far.
func (d *device) log() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.began)
}

// times returns when it did, since the device was made.
func (d *device) times() []time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.at)
}

type target struct {
	d    *device
	path string
}

func (t target) Read(ctx context.Context, _ order.Advise) error {
	defer t.d.begin("read " + t.path)()
	if t.d.read == nil {
		return nil
	}
	return t.d.read(ctx, t.path)
}

func (t target) Write(ctx context.Context, v any, _ order.Advise) error {
	defer t.d.begin(fmt.Sprint("write ", t.path, " ", v))()
	if t.d.write == nil {
		return nil
	}
	return t.d.write(ctx, t.path, v)
}

// nap takes d, or less if ctx ends.
func nap(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func write(path string, v any) order.Order {
	return order.Order{Type: order.Write, Path: path, Value: v}
}

func force(path string, v any) order.Order {
	return order.Order{Type: order.Write, Path: path, Value: v, Advise: order.Force}
}

func read(path string) order.Order { return order.Order{Type: order.Read, Path: path} }

func section(orders ...order.Order) order.Section { return order.Section{Orders: orders} }

func alone(orders ...order.Order) order.Section {
	return order.Section{Orders: orders, CannotJoin: true}
}

// submit puts sections into a lane.
func submit(t *testing.T, e *executor.Executor, lane executor.Lane, sections ...order.Section) *executor.Handle {
	t.Helper()
	h, err := e.Submit(&executor.Submission{Lane: lane, Sections: sections})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// statuses waits for the end and returns the states of all orders, the sections separated by " | ".
func statuses(t *testing.T, h *executor.Handle) string {
	t.Helper()
	results, err := h.Wait(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return text(results)
}

func text(results executor.Results) string {
	s := ""
	for i, outcomes := range results {
		if i > 0 {
			s += " | "
		}
		for j, out := range outcomes {
			if j > 0 {
				s += " "
			}
			s += out.Status.String()
		}
	}
	return s
}

// stop ends the executor of a test, which has nothing to do any more.
func stop(t *testing.T, e *executor.Executor) {
	t.Helper()
	if err := e.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if s := e.Stats(); s.Active > 0 || s.Queued > 0 || s.Running > 0 || s.Stuck > 0 {
		t.Errorf("after Stop: %+v", s)
	}
}
