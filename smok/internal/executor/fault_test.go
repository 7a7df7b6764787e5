package executor_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// TestPanicsAreRecovered, reported, and the end of their order alone.
func TestPanicsAreRecovered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(_ context.Context, path string, _ any) error {
			switch path {
			case "W1":
				panic("boom")
			case "W2":
				panic(errors.New("nil map"))
			case "W3":
				runtime.Goexit()
			}
			return nil
		}
		d.sysctl = func(context.Context, string, string) (bool, error) { panic("sys") }
		var reports []error
		opts := d.options()
		opts.Report = func(err error) { reports = append(reports, err) }
		opts.Concurrency = 1
		opts.Disruptive = func(string, string) bool { panic("disruptive") }
		lookup := opts.Lookup
		opts.Lookup = func(path string) (executor.Target, error) {
			if path == "W5" {
				panic("lookup")
			}
			return lookup(path)
		}
		e := executor.New(opts)
		defer stop(t, e)
		h := submit(t, e, executor.Server, section(
			force("W1", int64(1)), force("W2", int64(1)), write("W3", int64(1)), write("W4", int64(1)), write("W5", int64(1)),
			order.Order{Type: order.Sysctl, OpType: "x"},
		))
		if got := statuses(t, h); got != "failed failed failed done failed failed" {
			t.Errorf("got %s", got)
		}
		results, _ := h.Wait(t.Context())
		for _, i := range []int{0, 1, 2, 4, 5} {
			if out := results[0][i]; !errors.Is(out.Err, smokerr.ErrPanic) || out.Attempts > 1 {
				t.Errorf("order %d: %+v", i, out)
			}
		}
		text := ""
		for _, err := range reports {
			text += err.Error() + "\n"
		}
		for _, part := range []string{"disruptive", "boom", "nil map", "lookup", "sys"} {
			if !strings.Contains(text, part) {
				t.Errorf("%q was not reported, but\n%s", part, text)
			}
		}
	})
}

// TestAReportThatPanics changes nothing.
func TestAReportThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(context.Context, string, any) error { panic("boom") }
		opts := d.options()
		opts.Report = func(error) { panic("again") }
		e := executor.New(opts)
		defer stop(t, e)
		if got := statuses(t, submit(t, e, executor.User, section(write("W1", int64(1)), read("W1")))); got != "failed done" {
			t.Errorf("got %s", got)
		}
	})
}

// TestACallThatIgnoresItsEnd holds its pathpoint and nothing else: its order fails after a while, orders that come later
// for that pathpoint fail at once, and when the call returns everything is as before.
func TestACallThatIgnoresItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		gate := make(chan struct{})
		d.write = func(_ context.Context, path string, v any) error {
			if v == "deaf" {
				<-gate
			}
			return nil
		}
		var reports []error
		opts := d.options()
		opts.Concurrency = 1
		opts.Report = func(err error) { reports = append(reports, err) }
		e := executor.New(opts)
		defer stop(t, e)
		begin := time.Now()
		h := submit(t, e, executor.Server, section(force("u1", "deaf"), write("u1", "x"), write("u2", "x")))
		if got := statuses(t, h); got != "failed failed done" {
			t.Errorf("got %s", got)
		}
		if got := time.Since(begin); got != 35*time.Second {
			t.Errorf("given up after %v", got)
		}
		results, _ := h.Wait(t.Context())
		for _, out := range results[0][:2] {
			failed, ok := errors.AsType[*smokerr.OperationFailedError](out.Err)
			if !ok || failed.Reason != smokerr.ReasonTimeout || failed.Target != "u1" {
				t.Errorf("got %+v", out)
			}
		}
		synctest.Wait()
		if got := e.Stats(); got.Stuck != 1 || got.Running != 0 || len(reports) != 1 {
			t.Errorf("got %+v and the reports %v", got, reports)
		}
		if got := statuses(t, submit(t, e, executor.Server, section(write("u1", "y"), write("u2", "y")))); got != "failed done" {
			t.Errorf("while the call goes on: %s", got)
		}
		close(gate)
		synctest.Wait()
		if got := statuses(t, submit(t, e, executor.Server, section(write("u1", "z")))); got != "done" {
			t.Errorf("after it returned: %s", got)
		}
	})
}

// TestCancelBeforeTheStart: nothing is carried out, and the submission still counts as handled.
func TestCancelBeforeTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(ctx context.Context, _ string, _ any) error { return nap(ctx, time.Second) }
		e := executor.New(d.options())
		defer stop(t, e)
		first := submit(t, e, executor.Server, alone(write("W1", int64(1))))
		h := submit(t, e, executor.Server, section(write("W2", int64(1)), order.Order{Type: order.Wait, Wait: time.Hour}), alone(write("W3", int64(1))))
		next := submit(t, e, executor.Server, section(write("W4", int64(1))))
		synctest.Wait()
		h.Cancel()
		h.Cancel()
		select {
		case <-h.Done():
		default:
			t.Error("not done at once")
		}
		if got := statuses(t, h); got != "cancelled cancelled | cancelled" {
			t.Errorf("got %s", got)
		}
		statuses(t, first)
		statuses(t, next)
		if diff := cmp.Diff([]string{"write W1 1", "write W4 1"}, d.log()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		next.Cancel() // too late
		if got := statuses(t, next); got != "done" {
			t.Errorf("got %s", got)
		}
	})
}

// TestCancelOfWhatWaitsToBeAlone lets the others start that waited for it.
func TestCancelOfWhatWaitsToBeAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(ctx context.Context, _ string, _ any) error { return nap(ctx, time.Minute/3) }
		e := executor.New(d.options())
		defer stop(t, e)
		first := submit(t, e, executor.User, section(write("W1", int64(1))))
		barrier := submit(t, e, executor.User, alone(write("W2", int64(1))))
		next := submit(t, e, executor.Server, section(write("W3", int64(1))))
		synctest.Wait()
		barrier.Cancel()
		statuses(t, next)
		statuses(t, first)
		if diff := cmp.Diff([]time.Duration{0, 0}, d.times()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestCancelWhileItRuns ends the contexts of calls, delays between attempts, and waits.
func TestCancelWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(ctx context.Context, path string, _ any) error {
			switch path {
			case "W1":
				return nap(ctx, time.Minute/3)
			case "W2":
				return timedOut(path)
			}
			return nil
		}
		e := executor.New(d.options())
		defer stop(t, e)
		h := submit(t, e, executor.User, section(
			write("W1", int64(1)), force("W2", int64(1)), write("W3", int64(1)), write("W1", int64(2)),
			order.Order{Type: order.Wait, Wait: time.Hour},
		))
		waits := submit(t, e, executor.User, section(order.Order{Type: order.Wait, Wait: time.Hour}))
		synctest.Wait()
		begin := time.Now()
		h.Cancel()
		waits.Cancel()
		if got := statuses(t, h); got != "cancelled cancelled done cancelled cancelled" {
			t.Errorf("got %s", got)
		}
		if got := statuses(t, waits); got != "cancelled" || time.Since(begin) != 0 {
			t.Errorf("got %s after %v", got, time.Since(begin))
		}
		if got := statuses(t, submit(t, e, executor.User, section(write("W3", int64(1)), write("W2", int64(1))))); got != "done failed" {
			t.Errorf("later: %s", got)
		}
	})
}

// TestTheQueueIsBounded: the program gets a typed error, the link waits.
func TestTheQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(ctx context.Context, _ string, _ any) error { return nap(ctx, time.Second) }
		opts := d.options()
		opts.Queue = 3
		e := executor.New(opts)
		defer stop(t, e)
		handles := []*executor.Handle{submit(t, e, executor.User, alone(write("W0", int64(0))))}
		for range 3 {
			handles = append(handles, submit(t, e, executor.User, alone(write("W1", int64(0)))))
		}
		s := &executor.Submission{Lane: executor.User, Sections: []order.Section{alone(write("W2", int64(0)))}}
		_, err := e.Submit(s)
		full, ok := errors.AsType[*smokerr.QueueFullError](err)
		if !ok || full.Size != 3 || !errors.Is(err, errkit.Full) || !errors.Is(err, errkit.NotSent) {
			t.Fatalf("got %v", err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		if _, err := e.SubmitWait(short, s); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errkit.NotSent) {
			t.Errorf("got %v", err)
		}
		begin := time.Now()
		h, err := e.SubmitWait(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if got := time.Since(begin); got != time.Second/2 {
			t.Errorf("waited %v for room", got)
		}
		for _, h := range append(handles, h) {
			statuses(t, h)
		}
		big := submit(t, e, executor.User, alone(), alone(), alone(), alone(), alone()) // fits nowhere, and the queue is empty
		statuses(t, big)
	})
}

// TestWaitEndsWithItsContext, and can be called again.
func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(ctx context.Context, _ string, _ any) error { return nap(ctx, time.Second) }
		e := executor.New(d.options())
		defer stop(t, e)
		h := submit(t, e, executor.User, section(write("W1", int64(1))))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if results, err := h.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, smokerr.Err) || results != nil {
			t.Errorf("got %v, %v", results, err)
		}
		if got := statuses(t, h); got != "done" {
			t.Errorf("got %s", got)
		}
	})
}
