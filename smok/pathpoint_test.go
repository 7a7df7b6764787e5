package smok_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok"
)

func TestNamesOfPathpoints(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		for _, name := range []string{"B1", "W1r4002", "w", "f x", "d/1", "uŻółw"} {
			p := w.register(d, name, nil)
			if p.Name() != name || p.Type() != name[0] || p.Level() != smok.Trend || p.Computed() {
				t.Errorf("%q: %c, %v", p.Name(), p.Type(), p.Level())
			}
		}
		for _, name := range []string{"", "x1", "1", "W~1", "W{1", "W}", "rW{W1}", "W\xff", "W" + strings.Repeat("1", 5000)} {
			if _, err := d.Register(name, smok.Trend, nil); !errors.Is(err, smok.ErrInvalidArgument) {
				t.Errorf("%.20q: %v", name, err)
			}
		}
		if _, err := d.Register("W1r4002", smok.Trend, nil); !errors.Is(err, smok.ErrInvalidArgument) {
			t.Errorf("a name that is taken: %v", err)
		}
		for _, opts := range []smok.PathpointOptions{{Timeout: -1}, {ReadNoOftenThan: -1}} {
			if _, err := d.Register("W7", smok.Trend, &opts); !errors.Is(err, smok.ErrInvalidArgument) {
				t.Errorf("%+v: %v", opts, err)
			}
		}
		if _, err := d.Pathpoint("", smok.Trend); !errors.Is(err, smok.ErrInvalidArgument) {
			t.Errorf("an empty name: %v", err)
		}
		if len(d.Pathpoints()) != 6 {
			t.Errorf("%d pathpoints", len(d.Pathpoints()))
		}
	})
}

func TestValuesAreCoerced(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		for _, test := range []struct {
			path     string
			set, get any
		}{
			{"B1", 2, true},
			{"B2", "0", false},
			{"W1", 3.9, int64(3)},
			{"W2", -5, int64(0)},
			{"W3", 1 << 20, int64(65535)},
			{"W4", " 12 ", int64(12)},
			{"w1", -40000, int64(-32768)},
			{"f1", 0.1, float64(float32(0.1))},
			{"d1", 0.1, 0.1},
			{"u1", 7, "7"},
		} {
			p := w.register(d, test.path, nil)
			w.must(p.Set(t.Context(), time.Time{}, test.set))
			if diff := cmp.Diff(test.get, get(p)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.path, diff)
			}
		}
		for path, v := range map[string]any{"W11": "3.5", "w11": nil, "W12": []int{1}, "f11": "x"} {
			p := w.register(d, path, nil)
			if err := p.Set(t.Context(), time.Time{}, v); !errors.Is(err, smok.ErrType) {
				t.Errorf("%s: %v", path, err)
			}
			if err := get(p); !errors.Is(err.(error), smok.ErrNotRead) {
				t.Errorf("%s: something was stored half: %v", path, err)
			}
		}
		raw := w.register(d, "W20", &smok.PathpointOptions{NoCoerce: true})
		w.must(raw.Set(t.Context(), time.Time{}, 3.5))
		if get(raw) != 3.5 {
			t.Errorf("not coerced: %v", get(raw))
		}
	})
}

func TestStateOfAPathpoint(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		p := w.register(d, "W1", nil)
		var never *smok.NotReadError
		var failed *smok.OperationFailedError
		if _, err := p.Get(); !errors.As(err, &never) || !errors.As(err, &failed) {
			t.Errorf("never read: %v", err)
		}
		at := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
		w.must(p.Set(t.Context(), at, 7))
		if s, err := p.Get(); err != nil || s.Value != int64(7) || !s.Time.Equal(at) {
			t.Errorf("%+v, %v", s, err)
		}
		w.must(p.SetError(t.Context(), at.Add(time.Second), smok.ReasonInvalid))
		if _, err := p.Get(); !errors.As(err, &failed) || failed.Reason != smok.ReasonInvalid || !failed.Time.Equal(at.Add(time.Second)) {
			t.Errorf("failed: %v", err)
		}
		if err := p.SetError(t.Context(), time.Time{}, ""); !errors.Is(err, smok.ErrInvalidArgument) {
			t.Errorf("no reason: %v", err)
		}
		var alone smok.Pathpoint
		for what, err := range map[string]error{
			"get": second(alone.Get()), "set": alone.Set(t.Context(), at, 1),
			"read": second(alone.Read(t.Context(), smok.Advised)), "write": alone.Write(t.Context(), 1, smok.Advised),
		} {
			if !errors.Is(err, smok.ErrInstanceNotReady) {
				t.Errorf("%s of a pathpoint of no device: %v", what, err)
			}
		}
		w.must(d.Close())
		for what, err := range map[string]error{"get": second(p.Get()), "set": p.Set(t.Context(), time.Time{}, 1), "register": second(d.Register("W2", 0, nil))} {
			if !errors.Is(err, smok.ErrClosed) {
				t.Errorf("%s after Close: %v", what, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestDisabledPathpoints(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{Disable: smok.Areas{Pathpoints: true}})
		if _, err := d.Register("W1", smok.Trend, nil); !errors.Is(err, smok.ErrUnavailable) {
			t.Errorf("%v", err)
		}
		if err := d.Set(t.Context()); !errors.Is(err, smok.ErrUnavailable) {
			t.Errorf("%v", err)
		}
		w.must(d.WaitSynced(t.Context())) // the original waits for ever
	})
}

func TestTimesOfValues(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		p := w.register(d, "W1", nil)
		ctx, now := t.Context(), time.Now()
		w.must(p.Set(ctx, now, 1))
		for name, at := range map[string]time.Time{"equal": now, "equal to the millisecond": now.Add(time.Microsecond), "older": now.Add(-time.Second)} {
			if err := p.Set(ctx, at, 2); !errors.Is(err, smok.ErrStale) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, at := range map[string]time.Time{
			"far ahead": now.Add(25 * time.Hour), "before 1970": time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC), "in 2200": time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
		} {
			if err := p.Set(ctx, at, 2); !errors.Is(err, smok.ErrInvalidArgument) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if get(p) != int64(1) {
			t.Errorf("%v", get(p))
		}
		w.must(p.Set(ctx, now.Add(23*time.Hour), 3))
	})
}

func TestOneCallStoresManyValues(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		a, b := w.register(d, "W1", nil), w.register(d, "u1", nil)
		perm, err := d.Register("d1", smok.Permanent, nil)
		w.must(err)
		now := time.Now()
		err = d.Set(
			t.Context(),
			smok.Update{Pathpoint: a, Time: now, Value: 1},
			smok.Update{Pathpoint: a, Time: now.Add(time.Second), Value: 2},
			smok.Update{Pathpoint: a, Time: now, Value: 3}, // stale
			smok.Update{Pathpoint: b, Reason: smok.ReasonTimeout},
			smok.Update{Pathpoint: perm, Value: 0.5},
			smok.Update{Value: 1},
		)
		if !errors.Is(err, smok.ErrStale) || !errors.Is(err, smok.ErrInvalidArgument) {
			t.Errorf("%v", err)
		}
		w.sleep(2 * time.Second)
		w.wantSent("W1", int64(1), int64(2))
		w.wantSent("u1", any(nil))
		w.wantSent("d1", 0.5)
	})
}

func TestEveryAcceptedValueIsTold(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		var told []any
		p := w.register(d, "W1", &smok.PathpointOptions{OnUpdate: func(p *smok.Pathpoint, s smok.Sample) {
			if _, err := p.Get(); err != nil { // no lock is held
				t.Error(err)
			}
			if told = append(told, s.Value); len(told) == 3 {
				panic("in the hook")
			}
		}})
		for _, v := range []int{5, 5, 6, 7} {
			w.must(p.Set(t.Context(), time.Time{}, v))
			time.Sleep(time.Millisecond)
		}
		if diff := cmp.Diff([]any{int64(5), int64(5), int64(6), int64(7)}, told); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if errs := w.reported(); len(errs) != 1 || !errors.Is(errs[0], smok.ErrPanic) {
			t.Errorf("%v", errs)
		}
	})
}

func TestKeepThinsOutValues(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		p := w.register(d, "d1", &smok.PathpointOptions{Keep: func(previous, next smok.Sample) bool {
			if !previous.OK() {
				return true
			}
			change := next.Value.(float64) - previous.Value.(float64)
			return change > 1 || change < -1
		}})
		for _, v := range []float64{10, 10.6, 11.2, 11, 12} {
			w.must(p.Set(t.Context(), time.Time{}, v))
			time.Sleep(time.Millisecond)
		}
		w.must(p.SetError(t.Context(), time.Time{}, smok.ReasonTimeout))
		time.Sleep(time.Millisecond)
		w.must(p.Set(t.Context(), time.Time{}, 12))
		w.sleep(2 * time.Second)
		w.wantSent("d1", 10.0, 11.2, nil, 12.0)
		if get(p) != 12.0 {
			t.Errorf("%v", get(p))
		}
	})
}

func TestProviderMakesUnknownPathpoints(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var asked atomic.Int32
		d := w.device(smok.Options{Provider: func(name string, level smok.StorageLevel) (*smok.PathpointOptions, error) {
			asked.Add(1)
			time.Sleep(time.Second) // all callers meet here
			switch name {
			case "W1":
				return &smok.PathpointOptions{Read: func(context.Context, smok.Advise) (any, error) { return 4, nil }}, nil
			case "W2":
				panic("in the provider")
			case "W3":
				return nil, nil
			}
			return nil, smok.ErrNotFound
		}})
		done := make(chan *smok.Pathpoint, 10)
		for range cap(done) {
			go func() {
				p, err := d.Pathpoint("W1", smok.Permanent)
				if err != nil {
					t.Error(err)
				}
				done <- p
			}()
		}
		first := <-done
		for range cap(done) - 1 {
			if p := <-done; p != first {
				t.Error("another pathpoint of the same name")
			}
		}
		if asked.Load() != 1 || !first.CanRead() || first.Level() != smok.Permanent {
			t.Errorf("asked %d times, level %v", asked.Load(), first.Level())
		}
		if _, err := d.Pathpoint("W2", smok.Trend); !errors.Is(err, smok.ErrPanic) {
			t.Errorf("%v", err)
		}
		if p, err := d.Pathpoint("W3", smok.Trend); err != nil || p.CanRead() || p.CanWrite() {
			t.Errorf("%v", err)
		}
	})
}

// TestAPanicOfKeepIsToldWithoutALock: OnError may call the device.
func TestAPanicOfKeepIsToldWithoutALock(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var p *smok.Pathpoint
		told := 0
		d := w.device(smok.Options{OnError: func(_ string, err error) {
			if told++; told > 1 {
				return
			}
			if !errors.Is(err, smok.ErrPanic) || get(p) != int64(2) {
				t.Errorf("%v, and the value is %v", err, get(p))
			}
			w.must(p.SetError(t.Context(), time.Now().Add(time.Second), smok.ReasonInvalid))
		}})
		p = w.register(d, "W1", &smok.PathpointOptions{Keep: func(_, next smok.Sample) bool { panic(next.Value) }})
		w.must(p.Set(t.Context(), time.Time{}, 1)) // the first one is kept in any case
		time.Sleep(time.Second)
		w.must(p.Set(t.Context(), time.Time{}, 2))
		if err := get(p).(error); !errors.Is(err, smok.ErrBadPathpoint) || told != 1 {
			t.Errorf("%v, told %d times", err, told)
		}
	})
}
