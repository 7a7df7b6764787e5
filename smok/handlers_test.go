package smok_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/smok"
)

func TestReadHandlers(t *testing.T) {
	at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	own := errors.New("the wire is broken")
	for _, test := range []struct {
		name     string
		opts     smok.PathpointOptions
		read     func(ctx context.Context) (any, error)
		reason   smok.Reason // recorded
		value    any         // recorded
		never    bool        // nothing is recorded
		reported error
	}{
		{name: "a value", read: func(context.Context) (any, error) { return 5, nil }, value: int64(5)},
		{name: "a value of another type", read: func(context.Context) (any, error) { return "6", nil }, value: int64(6)},
		{name: "a value that does not fit", read: func(context.Context) (any, error) { return "x", nil }, reason: smok.ReasonType},
		{name: "nothing", read: func(context.Context) (any, error) { return nil, nil }, never: true},
		{
			name: "a failure", reason: smok.ReasonInvalid,
			read: func(context.Context) (any, error) { return nil, smok.OperationFailed(smok.ReasonInvalid, at, own) },
		},
		{
			name: "no answer in time", reason: smok.ReasonTimeout, opts: smok.PathpointOptions{Timeout: time.Second},
			read: func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() },
		},
		{name: "any other error", reason: smok.ReasonMalformed, read: func(context.Context) (any, error) { return nil, own }, reported: own},
		{
			name: "any other error, told only", never: true, opts: smok.PathpointOptions{ReportOnly: true},
			read: func(context.Context) (any, error) { return nil, own }, reported: own,
		},
		{name: "a panic", reason: smok.ReasonMalformed, read: func(context.Context) (any, error) { panic("boom") }, reported: smok.ErrPanic},
		{
			name: "a NotReadError", never: true, reported: smok.ErrInvalidArgument,
			read: func(context.Context) (any, error) { return nil, new(smok.NotReadError) },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				d := w.device(smok.Options{})
				opts := test.opts
				opts.Read = func(ctx context.Context, _ smok.Advise) (any, error) { return test.read(ctx) }
				p := w.register(d, "W1", &opts)
				_, readErr := p.Read(t.Context(), smok.Advised)
				s, err := p.Get()
				switch {
				case test.never:
					if !errors.Is(err, smok.ErrNotRead) {
						t.Errorf("recorded %+v, %v", s, err)
					}
				case test.reason != "":
					var failed *smok.OperationFailedError
					if !errors.As(err, &failed) || failed.Reason != test.reason || failed.Time.IsZero() {
						t.Errorf("recorded %+v, %v", s, err)
					}
					if !errors.Is(readErr, smok.ErrOperationFailed) {
						t.Errorf("read: %v", readErr)
					}
				case err != nil || s.Value != test.value || readErr != nil:
					t.Errorf("recorded %+v, %v; %v", s, err, readErr)
				}
				errs := w.reported()
				if (test.reported == nil) != (len(errs) == 0) || len(errs) > 0 && !errors.Is(errs[0], test.reported) {
					t.Errorf("reported %v, want %v", errs, test.reported)
				}
			})
		})
	}
}

// TestReadingIsNotRecordedWhenItsCallerLeaves keeps the end of a program from looking like a fault of the pathpoint.
func TestReadingIsNotRecordedWhenItsCallerLeaves(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		p := w.register(d, "W1", &smok.PathpointOptions{Read: func(ctx context.Context, _ smok.Advise) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.Read(ctx, smok.Advised); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		w.sleep(time.Second)
		if err := get(p).(error); !errors.Is(err, smok.ErrNotRead) {
			t.Errorf("%v", err)
		}
	})
}

func TestReadNoOftenThan(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		reads := 0
		p := w.register(d, "W1", &smok.PathpointOptions{ReadNoOftenThan: 10 * time.Second, Read: func(context.Context, smok.Advise) (any, error) {
			reads++
			return reads, nil
		}})
		for _, after := range []time.Duration{0, 4 * time.Second, 4 * time.Second, 4 * time.Second} {
			time.Sleep(after)
			if _, err := p.Read(t.Context(), smok.Force); err != nil {
				t.Error(err)
			}
		}
		if reads != 2 || get(p) != int64(2) {
			t.Errorf("%d reads, %v", reads, get(p))
		}
	})
}

func TestWriteHandlers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		var wrote []any
		failures := 0
		p := w.register(d, "W1", &smok.PathpointOptions{Timeout: time.Second, Write: func(ctx context.Context, v any, _ smok.Advise) error {
			wrote = append(wrote, v)
			switch {
			case v == int64(13):
				panic("boom")
			case v == int64(14):
				<-ctx.Done()
				return ctx.Err()
			case failures > 0:
				failures--
				return smok.OperationFailed(smok.ReasonTimeout, time.Time{}, nil)
			}
			return nil
		}})
		w.must(p.Write(t.Context(), "7", smok.Advised))
		failures = 3
		w.must(p.Write(t.Context(), 8, smok.Force))
		if len(wrote) != 5 || wrote[0] != int64(7) || wrote[4] != int64(8) {
			t.Errorf("%v", wrote)
		}
		failures = 1
		for what, test := range map[string]struct{ err, want error }{
			"one attempt":     {p.Write(t.Context(), 9, smok.Advised), smok.ErrOperationTimeout},
			"a wrong type":    {p.Write(t.Context(), "x", smok.Force), smok.ErrType},
			"a panic":         {p.Write(t.Context(), 13, smok.Force), smok.ErrPanic},
			"no end":          {p.Write(t.Context(), 14, smok.Advised), smok.ErrOperationTimeout},
			"no handler":      {w.register(d, "W2", nil).Write(t.Context(), 1, smok.Force), smok.ErrUnavailable},
			"no read handler": {second(p.Read(t.Context(), smok.Force)), smok.ErrUnavailable},
		} {
			if !errors.Is(test.err, test.want) {
				t.Errorf("%s: %v, want %v", what, test.err, test.want)
			}
		}
		if err := get(p).(error); !errors.Is(err, smok.ErrNotRead) {
			t.Errorf("a write became a reading: %v", err)
		}
	})
}

// TestHandlersTakeTurns: a pathpoint is read by one at a time, also when computed pathpoints ask for it.
func TestHandlersTakeTurns(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		var inside, most atomic.Int32
		w.register(d, "W1", &smok.PathpointOptions{Read: func(context.Context, smok.Advise) (any, error) {
			most.Store(max(most.Load(), inside.Add(1)))
			time.Sleep(time.Second)
			inside.Add(-1)
			return 1, nil
		}})
		var orders []smok.Order
		for _, path := range []string{"W1", "rW{W1}", "rW{W1}+{W1}"} {
			orders = append(orders, smok.Order{Type: smok.OrderRead, Path: path})
		}
		e, err := d.Execute(t.Context(), smok.Section{Orders: orders})
		w.must(err)
		results, err := e.Wait(t.Context())
		w.must(err)
		for _, o := range results[0] {
			if o.Status != smok.Done {
				t.Errorf("%+v", o)
			}
		}
		if most.Load() != 1 {
			t.Errorf("%d at once", most.Load())
		}
	})
}

func TestExecute(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{Provider: func(string, smok.StorageLevel) (*smok.PathpointOptions, error) {
			return nil, smok.ErrNotFound
		}})
		var wrote []any
		w.register(d, "W1", &smok.PathpointOptions{Write: func(_ context.Context, v any, _ smok.Advise) error {
			wrote = append(wrote, v)
			return nil
		}})
		e, err := d.Execute(t.Context(), smok.Section{Orders: []smok.Order{
			{Type: smok.OrderWrite, Path: "W1", Value: int64(1)},
			{Type: smok.OrderWrite, Path: "W1", Value: 2.5},
			{Type: smok.OrderRead, Path: "W1"},
			{Type: smok.OrderRead, Path: "W404"},
			{Type: smok.OrderWrite, Path: "W1", Value: int64(3), StaleAfter: time.Now()},
		}})
		w.must(err)
		results, err := e.Wait(t.Context())
		w.must(err)
		want := []smok.OrderStatus{smok.Done, smok.Done, smok.Skipped, smok.Skipped, smok.Stale}
		for i, o := range results[0] {
			if o.Status != want[i] {
				t.Errorf("order %d: %+v, want %v", i, o, want[i])
			}
		}
		if len(wrote) != 2 || wrote[1] != int64(2) {
			t.Errorf("%v", wrote)
		}
		if _, err := d.Execute(t.Context(), smok.Section{Orders: []smok.Order{{Type: "dance"}}}); !errors.Is(err, smok.ErrInvalidArgument) {
			t.Errorf("%v", err)
		}
		w.must(d.Close())
		if _, err := d.Execute(t.Context()); !errors.Is(err, smok.ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}
