package executor_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// TestStopFinishesWhatHasStarted and abandons the rest, which then does not count as handled.
func TestStopFinishesWhatHasStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		var n atomic.Int32
		d.write = func(ctx context.Context, path string, _ any) error {
			if n.Add(1) < 3 {
				return timedOut(path)
			}
			return nap(ctx, time.Second)
		}
		e := executor.New(d.options())
		h := submit(t, e, executor.Server, section(force("W1", int64(1)), order.Order{Type: order.Wait, Wait: time.Minute}))
		frame := submit(t, e, executor.Server, section(write("W2", int64(1))), alone(write("W3", int64(1))))
		later := submit(t, e, executor.Server, section(write("W4", int64(1))))
		synctest.Wait()
		begin := time.Now()
		if err := e.Stop(t.Context()); err != nil {
			t.Errorf("got %v", err)
		}
		if got := time.Since(begin); got != time.Minute {
			t.Errorf("took %v", got)
		}
		if got := statuses(t, h); got != "done done" {
			t.Errorf("what had started: %s", got)
		}
		for _, test := range []struct {
			h    *executor.Handle
			want string
		}{{frame, "failed | abandoned"}, {later, "abandoned"}} {
			results, err := test.h.Wait(t.Context())
			if !errors.Is(err, smokerr.ErrClosed) || text(results) != test.want {
				t.Errorf("got %s, %v; want %s and ErrClosed", text(results), err, test.want)
			}
		}
		if _, err := e.Submit(&executor.Submission{}); !errors.Is(err, smokerr.ErrClosed) {
			t.Errorf("after Stop: %v", err)
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Errorf("again: %v", err)
		}
	})
}

// TestStopGivesUp when its context ends: calls get a second, and nothing counts as handled.
func TestStopGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(ctx context.Context, path string, _ any) error {
			switch path {
			case "W1":
				return timedOut(path)
			case "W2":
				<-ctx.Done()
				time.Sleep(500 * time.Millisecond)
				return ctx.Err()
			}
			return nil
		}
		e := executor.New(d.options())
		h := submit(t, e, executor.Server, section(write("W3", int64(1)), force("W1", int64(1)), write("W2", int64(1))),
			section(order.Order{Type: order.Wait, Wait: time.Hour}))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if err := e.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, smokerr.Err) {
			t.Errorf("got %v", err)
		}
		if got := time.Since(begin); got != 1500*time.Millisecond {
			t.Errorf("took %v", got)
		}
		results, err := h.Wait(t.Context())
		if !errors.Is(err, smokerr.ErrClosed) || text(results) != "done abandoned abandoned | abandoned" {
			t.Errorf("got %s, %v", text(results), err)
		}
	})
}

// TestStopDoesNotWaitForADeafCall for ever.
func TestStopDoesNotWaitForADeafCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		gate := make(chan struct{})
		d.write = func(context.Context, string, any) error { <-gate; return nil }
		e := executor.New(d.options())
		h := submit(t, e, executor.Server, section(write("W1", int64(1))))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if err := e.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 2*time.Second {
			t.Errorf("got %v after %v", err, time.Since(begin))
		}
		select {
		case <-h.Done():
		default:
			t.Error("Stop returned before its result was known")
		}
		if results, err := h.Wait(t.Context()); !errors.Is(err, smokerr.ErrClosed) || text(results) != "abandoned" {
			t.Errorf("got %v, %v", results, err)
		}
		close(gate)
		synctest.Wait()
	})
}

// TestStopOfAnIdleExecutor returns at once, also when its context is done.
func TestStopOfAnIdleExecutor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := executor.New(nil).Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

// TestStopEndsTheWaitForRoom.
func TestStopEndsTheWaitForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(ctx context.Context, _ string, _ any) error { return nap(ctx, time.Second) }
		opts := d.options()
		opts.Queue = 1
		e := executor.New(opts)
		submit(t, e, executor.User, alone(write("W1", int64(1))))
		submit(t, e, executor.User, alone(write("W1", int64(2))))
		got := make(chan error, 1)
		go func() {
			_, err := e.SubmitWait(context.Background(), &executor.Submission{Sections: []order.Section{section()}})
			got <- err
		}()
		synctest.Wait()
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-got; !errors.Is(err, smokerr.ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
}

// TestDisruptiveOrdersComeLast: after everything else of their submission and after it was acknowledged, alone.
func TestDisruptiveOrdersComeLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(ctx context.Context, _ string, _ any) error { return nap(ctx, time.Second) }
		e := executor.New(d.options())
		defer stop(t, e)
		h, err := e.Submit(&executor.Submission{
			Sections: []order.Section{
				section(order.Order{Type: order.Sysctl, OpType: "reboot", OpArgs: "1"}, write("W1", int64(1)),
					order.Order{Type: order.Sysctl, OpType: "update"}),
				section(write("W2", int64(1)), order.Order{Type: order.Sysctl, OpType: "reboot", OpArgs: "2"}),
			},
			Acknowledge: func(context.Context) error { d.begin("acknowledge")(); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := statuses(t, h); got != "done done done | done done" {
			t.Errorf("got %s", got)
		}
		if diff := cmp.Diff([]string{"acknowledge", "sysctl reboot 1", "sysctl reboot 2"}, d.log()[3:]); diff != "" {
			t.Errorf("%v (-want +got):\n%s", d.log(), diff)
		}
	})
}

// TestWhatCannotBeAcknowledgedIsNotDisrupted: otherwise the order would come again after each reboot, for ever.
func TestWhatCannotBeAcknowledgedIsNotDisrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		e := executor.New(d.options())
		defer stop(t, e)
		lost := errors.New("link lost")
		h, err := e.Submit(&executor.Submission{
			Sections: []order.Section{section(
				order.Order{Type: order.Sysctl, OpType: "reboot"}, order.Order{Type: order.Sysctl, OpType: "reboot"}, write("W1", int64(1)),
			)},
			Acknowledge: func(context.Context) error { d.begin("acknowledge")(); return lost },
		})
		if err != nil {
			t.Fatal(err)
		}
		results, err := h.Wait(t.Context())
		if !errors.Is(err, lost) || text(results) != "abandoned abandoned done" {
			t.Errorf("got %s, %v", text(results), err)
		}
		if diff := cmp.Diff([]string{"write W1 1", "acknowledge"}, d.log()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
