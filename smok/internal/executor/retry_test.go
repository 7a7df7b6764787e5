package executor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

func timedOut(path string) error {
	return smokerr.OperationFailed("write", path, smokerr.ReasonTimeout, time.Now(), nil)
}

// TestForceIsTriedTenTimes with growing delays, ADVISE once.
func TestForceIsTriedTenTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(_ context.Context, path string, _ any) error { return timedOut(path) }
		opts := d.options()
		opts.ForceBackoff = retry.Backoff{Jitter: retry.JitterNone}
		e := executor.New(opts)
		defer stop(t, e)
		h := submit(t, e, executor.Server, section(force("W1", int64(1))))
		results, err := h.Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out := results[0][0]
		if out.Status != executor.Failed || out.Attempts != 10 || !errors.Is(out.Err, smokerr.ErrOperationTimeout) {
			t.Errorf("got %+v", out)
		}
		var want []time.Duration
		for at, delay := time.Duration(0), 100*time.Millisecond; len(want) < 10; delay = min(2*delay, 5*time.Second) {
			want = append(want, at)
			at += delay
		}
		if diff := cmp.Diff(want, d.times()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}

		h = submit(t, e, executor.Server, section(write("W1", int64(1))))
		if results, _ := h.Wait(t.Context()); results[0][0].Attempts != 1 || results[0][0].Status != executor.Failed {
			t.Errorf("ADVISE: got %+v", results[0][0])
		}
	})
}

// TestForceEndsWithSuccess, for readings as well.
func TestForceEndsWithSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		calls := 0
		fail := func() error {
			if calls++; calls%3 != 0 {
				return errors.New("line is busy") // not only an OperationFailedError
			}
			return nil
		}
		d.write = func(context.Context, string, any) error { return fail() }
		d.read = func(context.Context, string) error { return fail() }
		e := executor.New(d.options())
		defer stop(t, e)
		h := submit(t, e, executor.User, section(force("W1", int64(1)),
			order.Order{Type: order.Read, Path: "W1", Advise: order.Force}))
		results, err := h.Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := executor.Results{{{Status: executor.Done, Attempts: 3}, {Status: executor.Done, Attempts: 3}}}
		if diff := cmp.Diff(want, results); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestWhatNoAttemptCanCureIsNotTriedAgain.
func TestWhatNoAttemptCanCureIsNotTriedAgain(t *testing.T) {
	for name, err := range map[string]error{
		"a value of a wrong type": smokerr.OperationFailed("write", "W1", smokerr.ReasonType, time.Now(), nil),
		"an invalid argument":     smokerr.InvalidArgument("write", "value", "is bad", nil),
		"an area switched off":    smokerr.ErrUnavailable.Wrap("write", "", nil),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice()
				d.write = func(context.Context, string, any) error { return err }
				e := executor.New(d.options())
				defer stop(t, e)
				results, _ := submit(t, e, executor.User, section(force("W1", int64(1)))).Wait(t.Context())
				if out := results[0][0]; out.Status != executor.Failed || out.Attempts != 1 || !errors.Is(out.Err, err) {
					t.Errorf("got %+v", out)
				}
			})
		})
	}
}

// TestForceBlocksItsPathpointAlone: while it is tried again, others go on, even if more are tried again than can run.
func TestForceBlocksItsPathpointAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(_ context.Context, path string, v any) error {
			if v == "bad" {
				return timedOut(path)
			}
			return nil
		}
		opts := d.options()
		opts.ForceBackoff = retry.Backoff{Jitter: retry.JitterNone}
		e := executor.New(opts)
		defer stop(t, e)
		var bad []order.Order
		for i := range 50 {
			bad = append(bad, force(fmt.Sprint("u", i), "bad"))
		}
		stuck := submit(t, e, executor.Server, section(bad...))
		same := submit(t, e, executor.Server, section(write("u0", "good")))
		begin := time.Now()
		other := submit(t, e, executor.Server, section(write("u99", "good")))
		if statuses(t, other); time.Since(begin) != 0 {
			t.Errorf("another pathpoint waited %v", time.Since(begin))
		}
		statuses(t, same)
		if got := time.Since(begin); got < 20*time.Second {
			t.Errorf("the same pathpoint waited only %v", got)
		}
		statuses(t, stuck)
	})
}

// TestARetryGoesBeforeTheOthers, since it holds its pathpoint meanwhile.
func TestARetryGoesBeforeTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		n := 0
		d.write = func(ctx context.Context, path string, _ any) error {
			if n++; n == 1 {
				return timedOut(path)
			}
			return nap(ctx, time.Second)
		}
		opts := d.options()
		opts.Concurrency = 1
		e := executor.New(opts)
		defer stop(t, e)
		statuses(t, submit(t, e, executor.User, section(
			force("W1", int64(1)), write("W2", int64(1)), write("W3", int64(1)), write("W4", int64(1)),
		)))
		want := []string{"write W1 1", "write W2 1", "write W1 1", "write W3 1", "write W4 1"}
		if diff := cmp.Diff(want, d.log()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestStaleBetweenAttempts: a write that became too old is not tried again.
func TestStaleBetweenAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(_ context.Context, path string, _ any) error { return timedOut(path) }
		opts := d.options()
		opts.ForceBackoff = retry.Backoff{Jitter: retry.JitterNone}
		e := executor.New(opts)
		defer stop(t, e)
		o := force("W1", int64(1))
		o.StaleAfter = time.Now().Add(time.Second) // attempts at 0, 0.1, 0.3, 0.7 s; the next one would be at 1.5 s
		results, _ := submit(t, e, executor.Server, section(o)).Wait(t.Context())
		out := results[0][0]
		if out.Status != executor.Stale || out.Attempts != 4 || !errors.Is(out.Err, smokerr.ErrOperationTimeout) {
			t.Errorf("got %+v", out)
		}
	})
}

// TestStaleInTheQueue: one that waited too long is not carried out, and one that is in time is.
func TestStaleInTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(ctx context.Context, _ string, _ any) error { return nap(ctx, 2*time.Second) }
		e := executor.New(d.options())
		defer stop(t, e)
		late, early := write("W1", int64(2)), write("W2", int64(2))
		late.StaleAfter, early.StaleAfter = time.Now().Add(2*time.Second), time.Now().Add(2*time.Second+1)
		h := submit(t, e, executor.Server, section(write("W1", int64(1)), write("W2", int64(1)), late, early))
		if got := statuses(t, h); got != "done done stale done" {
			t.Errorf("got %s: at its time it is stale already", got)
		}
	})
}

// TestAnAttemptHasATimeLimit of 30 seconds, and a message or a sysctl has its own.
func TestAnAttemptHasATimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		forever := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		d.write = func(ctx context.Context, _ string, _ any) error { return forever(ctx) }
		d.sysctl = func(ctx context.Context, _, _ string) (bool, error) { return true, forever(ctx) }
		e := executor.New(d.options())
		defer stop(t, e)
		for _, test := range []struct {
			o    order.Order
			want time.Duration
		}{
			{write("W1", int64(1)), 30 * time.Second},
			{order.Order{Type: order.Sysctl, OpType: "update"}, 10 * time.Minute},
		} {
			begin := time.Now()
			results, err := submit(t, e, executor.Server, section(test.o)).Wait(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			failed, ok := errors.AsType[*smokerr.OperationFailedError](results[0][0].Err)
			if got := time.Since(begin); got != test.want || !ok || failed.Reason != smokerr.ReasonTimeout {
				t.Errorf("%s: %v after %v", test.o.Type, results[0][0].Err, got)
			}
			if !errors.Is(results[0][0].Err, context.DeadlineExceeded) || failed.Target != test.o.Path {
				t.Errorf("got %v", results[0][0].Err)
			}
		}
	})
}

func response(status int, after time.Duration) error {
	return smokerr.Response(errkit.Info{Op: "message", RetryAfter: after}, smokerr.ResponseError{StatusCode: status})
}

// TestMessagesAreTriedAgain while the error may pass, with delays and as the hub asks; the original posts them again at
// once, and three times even after a success.
func TestMessagesAreTriedAgain(t *testing.T) {
	for _, test := range []struct {
		name string
		errs []error // of the attempts, the last one again and again
		want []time.Duration
		out  executor.Status
	}{
		{"no error", []error{nil}, []time.Duration{0}, executor.Done},
		{"no link for a moment", []error{response(599, 0), response(599, 0), nil}, []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond}, executor.Done},
		{"the hub asks to wait", []error{response(503, 20*time.Second), nil}, []time.Duration{0, 20 * time.Second}, executor.Done},
		{"the hub asks for too much", []error{response(429, time.Hour), nil}, []time.Duration{0, 5 * time.Minute}, executor.Done},
		{"no link", []error{response(599, 0)}, []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond, 3500 * time.Millisecond, 7500 * time.Millisecond, 15500 * time.Millisecond}, executor.Failed},
		{"unknown message", []error{response(404, 0)}, []time.Duration{0}, executor.Failed},
		{"another error that may pass", []error{errkit.Unavailable, nil}, []time.Duration{0, 500 * time.Millisecond}, executor.Done},
		{"another error", []error{errors.New("broken")}, []time.Duration{0}, executor.Failed},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice()
				n := 0
				d.message = func(context.Context, string) error {
					n++
					return test.errs[min(n, len(test.errs))-1]
				}
				opts := d.options()
				opts.MessageBackoff = retry.Backoff{Jitter: retry.JitterNone}
				e := executor.New(opts)
				defer stop(t, e)
				results, _ := submit(t, e, executor.Server, section(order.Order{Type: order.Message, UUID: "m"})).Wait(t.Context())
				if got := results[0][0]; got.Status != test.out || got.Attempts != len(test.want) {
					t.Errorf("got %+v", got)
				}
				if diff := cmp.Diff(test.want, d.times()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}
