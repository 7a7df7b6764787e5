package smok_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

func TestNewChecksItsOptions(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for name, opts := range map[string]smok.Options{
			"Queue":                    {Queue: -1},
			"Concurrency":              {Concurrency: -1},
			"Intervals.Values":         {Intervals: smok.Intervals{Values: -1}},
			"Intervals.Archives":       {Intervals: smok.Intervals{Archives: -1}},
			"Pathpoints.MaxAhead":      {Pathpoints: smok.PathpointSettings{MaxAhead: -1}},
			"Pathpoints.Retention":     {Pathpoints: smok.PathpointSettings{Retention: -1}},
			"Pathpoints.RetentionByte": {Pathpoints: smok.PathpointSettings{RetentionBytes: -1}},
		} {
			if _, err := smok.New(credentials(t, w.hub), w.options(opts)); !errors.Is(err, smok.ErrInvalidArgument) {
				t.Errorf("%s: %v", name, err)
			}
		}
		opts := w.options(smok.Options{})
		opts.BaseURL = "ftp://hub"
		if _, err := smok.New(credentials(t, w.hub), opts); !errors.Is(err, smok.ErrInvalidArgument) {
			t.Errorf("%v", err)
		}
		if _, err := smok.New((*ngtt.Credentials)(nil), nil); !errors.Is(err, smok.Err) {
			t.Errorf("%v", err)
		}
	})
}

// TestNewUsesNoNetwork: nor does anything else before Run.
func TestNewUsesNoNetwork(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		w.must(w.register(d, "W1", nil).Set(t.Context(), time.Time{}, 1))
		w.sleep(time.Hour)
		if n := w.network.Count(); n != 0 {
			t.Errorf("%d connections", n)
		}
		if s := d.Status(); s.DeviceID != "pump" || s.Link != smok.LinkUnknown || s.Tasks != nil || s.Values.Waiting != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRunEnds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		d := w.device(smok.Options{})
		ended := make(chan error)
		go func() { ended <- d.Run(ctx) }()
		synctest.Wait()
		if err := d.Run(ctx); !errors.Is(err, smok.ErrInvalidArgument) {
			t.Errorf("twice: %v", err)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) || !errors.Is(err, smok.Err) {
			t.Errorf("%v", err)
		}
		w.must(w.register(d, "W1", nil).Set(t.Context(), time.Time{}, 1)) // still takes values
		w.must(d.Close())
		w.wantSent("W1", int64(1))
		w.must(d.Close())
		if err := d.Run(ctx); !errors.Is(err, smok.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}

		d = w.device(smok.Options{})
		go func() { ended <- d.Run(context.Background()) }()
		synctest.Wait()
		w.must(d.Close())
		w.must(<-ended)
	})
}

// TestNoOrdersAfterRun: those that are being carried out are confirmed, and no other one is taken.
func TestNoOrdersAfterRun(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		entered, leave := make(chan struct{}), make(chan struct{})
		d := m.device(opts)
		m.register(d, "W1", &smok.PathpointOptions{
			Write: func(_ context.Context, v any, _ smok.Advise) error {
				if m.effect(fmt.Sprint(v)); v == int64(1) {
					close(entered)
					<-leave
				}
				return nil
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- d.Run(ctx) }()
		m.enqueue(of(smoktest.Write("W1", 1)))
		<-entered
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		m.enqueue(of(smoktest.Write("W1", 2)))
		m.sleep(3 * time.Second)
		close(leave)
		m.sleep(time.Minute)
		m.wantEffects("1")
		if opts.NGTT != nil {
			m.wantConfirmed(1)
		}
		m.must(d.Close())
		m.wantEffects("1")
	})
}

// TestAnExpiredCertificateIsTold and does not end anything: it may be the clock that is wrong.
func TestAnExpiredCertificateIsTold(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var clock wallClock
		clock.step(110 * 365 * 24 * time.Hour)
		d := w.run(smok.Options{Time: clock.now})
		errs := w.reported()
		if len(errs) == 0 || !errors.Is(errs[0], smok.ErrInvalidCredentials) {
			t.Errorf("%v", errs)
		}
		if s := d.Status(); len(s.Tasks) == 0 {
			t.Error("it does not run")
		}
	})
}

func TestWaitSynced(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.hub.Down(smoktest.REST)
		d := w.run(smok.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := d.WaitSynced(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		w.must(w.hub.Up(smoktest.REST))
		w.must(d.WaitSynced(t.Context()))
		w.must(d.Close())

		d = w.run(smok.Options{Offline: true})
		waiting := make(chan error)
		go func() { waiting <- d.WaitSynced(context.Background()) }()
		w.sleep(time.Hour)
		w.must(d.Close())
		if err := <-waiting; !errors.Is(err, smok.ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}

// TestEveryAreaComesBackWithTheLink: none waits for the end of its own delay, which may be minutes.
func TestEveryAreaComesBackWithTheLink(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var mu sync.Mutex
		var link []bool
		w.hub.Down(smoktest.REST)
		d := w.run(smok.Options{OnLink: func(up bool) {
			mu.Lock()
			defer mu.Unlock()
			link = append(link, up)
		}})
		w.sleep(5 * time.Hour)
		if s := d.Status(); s.Link != smok.LinkDown || s.Link.String() != "down" {
			t.Errorf("%+v", s)
		}
		if len(w.reported()) == 0 {
			t.Error("nothing was reported")
		}
		failing := make(map[string]bool) // the others have nothing to say to the hub, and learn nothing of the link
		for _, task := range d.Status().Tasks {
			failing[task.Name] = task.Failures > 0
		}
		w.must(w.hub.Up(smoktest.REST))
		begin := time.Now()
		w.must(d.WaitSynced(t.Context()))
		if took := time.Since(begin); took > 6*time.Minute {
			t.Errorf("all were in step after %v", took)
		}
		synctest.Wait() // the last one has still to take note of its success
		var last, first time.Time
		for _, task := range d.Status().Tasks {
			if !failing[task.Name] {
				continue
			}
			if first.IsZero() || task.Success.Before(first) {
				first = task.Success
			}
			if task.Success.After(last) {
				last = task.Success
			}
		}
		if spread := last.Sub(first); spread > time.Minute {
			t.Errorf("the first was back %v before the last", spread)
		}
		mu.Lock()
		defer mu.Unlock()
		if d := cmp.Diff([]bool{false, true}, link); d != "" {
			t.Errorf("link (-want +got):\n%s", d)
		}
	})
}

// TestOffline: nothing goes out, everything is kept, and nothing spins.
func TestOffline(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		p := w.register(d, "W1", nil)
		w.sleep(time.Minute)
		d.SetOffline(true)
		before := len(w.hub.Requests())
		for i := range 60 {
			w.must(p.Set(t.Context(), time.Time{}, i))
			w.sleep(time.Minute)
		}
		if n := len(w.hub.Requests()) - before; n > 0 {
			t.Errorf("%d requests", n)
		}
		s := d.Status()
		if !s.Offline || s.Values.Waiting != 60 {
			t.Errorf("%+v", s)
		}
		for _, task := range s.Tasks {
			if task.Runs > 500 {
				t.Errorf("%s ran %d times", task.Name, task.Runs)
			}
		}
		d.SetOffline(false)
		w.sleep(2 * time.Second)
		if n := len(w.pump.Samples("W1")); n != 60 {
			t.Errorf("%d samples", n)
		}
	})
}

func TestShutdownFinishesWhatRuns(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{Intervals: smok.Intervals{Values: time.Hour}}) // only the last attempt brings values out
		w.sleep(time.Minute)
		p := w.register(d, "W1", &smok.PathpointOptions{
			Read: func(context.Context, smok.Advise) (any, error) {
				time.Sleep(5 * time.Second)
				return 7, nil
			},
		})
		e, err := d.Execute(t.Context(), smok.Section{Orders: []smok.Order{{Type: smok.OrderRead, Path: "W1"}}})
		w.must(err)
		w.sleep(time.Second)
		ended := make(chan error)
		go func() { ended <- d.Shutdown(context.Background()) }()
		synctest.Wait()
		if _, err := d.Execute(t.Context(), smok.Section{}); !errors.Is(err, smok.ErrClosed) {
			t.Errorf("new work is taken: %v", err)
		}
		w.must(<-ended)
		results, err := e.Wait(t.Context())
		w.must(err)
		if results[0][0].Status != smok.Done {
			t.Errorf("%+v", results)
		}
		w.wantSent("W1", int64(7))
		if err := p.Set(t.Context(), time.Time{}, 1); !errors.Is(err, smok.ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}

func TestShutdownHasALimit(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := store.Memory(nil)
		d := w.run(smok.Options{Store: unclosed(s)})
		w.sleep(time.Minute)
		w.register(d, "W1", &smok.PathpointOptions{Read: func(ctx context.Context, _ smok.Advise) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		e, err := d.Execute(t.Context(), smok.Section{Orders: []smok.Order{{Type: smok.OrderRead, Path: "W1"}, {Type: smok.OrderWait, Wait: time.Hour}}})
		w.must(err)
		w.must(w.register(d, "W2", nil).Set(t.Context(), time.Time{}, 1))
		w.hub.Inject(smoktest.Fault{Kind: smoktest.FaultHang})
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		if err := d.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if took := time.Since(begin); took > 12*time.Second {
			t.Errorf("it took %v", took)
		}
		if _, err := e.Wait(t.Context()); err == nil {
			t.Error("an abandoned section counts as done")
		}
		if s.Trend.Len() != 1 {
			t.Errorf("%d values in the store", s.Trend.Len())
		}
	})
}

// TestNothingKillsALoop: hooks that panic are told, and change nothing.
func TestNothingKillsALoop(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var mu sync.Mutex
		var areas []string
		d := w.run(smok.Options{
			OnError: func(area string, _ error) {
				mu.Lock()
				areas = append(areas, area)
				mu.Unlock()
				panic("in OnError")
			},
			OnLink:   func(bool) { panic("in OnLink") },
			Provider: func(string, smok.StorageLevel) (*smok.PathpointOptions, error) { panic("in the provider") },
		})
		w.pump.SetArchives(smoktest.Archive{Interval: time.Minute, Pathpoints: []string{"W1"}})
		p := w.register(d, "W2", nil)
		for range 10 {
			w.must(p.Set(t.Context(), time.Time{}, 1))
			w.sleep(10 * time.Minute)
		}
		if n := len(w.pump.Samples("W2")); n != 10 {
			t.Errorf("%d samples", n)
		}
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(areas, "OnLink") || !slices.Contains(areas, "pathpoints") {
			t.Errorf("%v", areas)
		}
	})
}
