package executor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// TestEveryOrderHasItsOutcome has one order of each sort, and the reasons why one is skipped.
func TestEveryOrderHasItsOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.sysctl = func(_ context.Context, opType, _ string) (bool, error) {
			switch opType {
			case "odd":
				return false, nil
			case "broken":
				return true, errors.New("no")
			}
			return true, nil
		}
		d.read = func(_ context.Context, path string) error {
			if path == "W9" {
				return executor.Skip("read a moment ago")
			}
			return nil
		}
		e := executor.New(d.options())
		defer stop(t, e)
		h := submit(t, e, executor.Server, section(
			read("W1"), write("W2", int64(5)), read("x1"), read("W9"),
			order.Order{Type: order.Message, UUID: "m"},
			order.Order{Type: order.Sysctl, OpType: "update"},
			order.Order{Type: order.Sysctl, OpType: "odd"},
			order.Order{Type: order.Sysctl, OpType: "broken"},
			order.Order{Type: order.Wait, Wait: time.Second},
			order.Order{Type: order.Write, Path: "W3", Value: int64(1), StaleAfter: time.Now()},
		))
		want := "done done skipped skipped done done skipped failed done stale"
		if got := statuses(t, h); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		results, _ := h.Wait(t.Context())
		for i, reason := range map[int]string{2: "no such pathpoint", 3: "read a moment ago", 6: "nobody knows this sysctl"} {
			if got := results[0][i].Reason; got != reason {
				t.Errorf("order %d: skipped since %q, want %q", i, got, reason)
			}
		}
		if got := results[0][2].Attempts; got != 0 {
			t.Errorf("%d attempts at a pathpoint that does not exist", got)
		}
		if got := e.Stats().Orders[executor.Done]; got != 5 {
			t.Errorf("%d orders counted as done, want 5", got)
		}
	})
}

// TestReadsAreWaitedFor: the original does not, so that an order was confirmed before its reading was there.
func TestReadsAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.read = func(ctx context.Context, _ string) error { return nap(ctx, 7*time.Second) }
		e := executor.New(d.options())
		defer stop(t, e)
		begin := time.Now()
		statuses(t, submit(t, e, executor.Server, section(read("W1"), write("W2", int64(1)))))
		if got := time.Since(begin); got != 7*time.Second {
			t.Errorf("the section ended after %v", got)
		}
	})
}

// TestOrdersOfOnePathpointKeepTheirOrder: they never overlap; those of others do.
func TestOrdersOfOnePathpointKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(ctx context.Context, _ string, _ any) error { return nap(ctx, time.Second) }
		d.read = func(ctx context.Context, _ string) error { return nap(ctx, time.Second) }
		e := executor.New(d.options())
		defer stop(t, e)
		begin := time.Now()
		h := submit(t, e, executor.Server,
			section(write("W1", int64(1)), read("W1"), write("W2", int64(1)), write("W1", int64(2))),
			section(write("W1", int64(3))),
		)
		statuses(t, h)
		if got := time.Since(begin); got != 4*time.Second {
			t.Errorf("took %v, want a second for each order of W1", got)
		}
		var w1 []string
		for i, what := range d.log() {
			if what != "write W2 1" {
				w1 = append(w1, fmt.Sprint(what, " at ", d.times()[i]))
			}
		}
		want := []string{"write W1 1 at 0s", "read W1 at 1s", "write W1 2 at 2s", "write W1 3 at 3s"}
		if diff := cmp.Diff(want, w1); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if d.most != 2 {
			t.Errorf("%d calls at once, want 2", d.most)
		}
	})
}

// TestSixteenOrdersAtOnce: no more than that, and no fewer.
func TestSixteenOrdersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.read = func(ctx context.Context, _ string) error { return nap(ctx, time.Second) }
		e := executor.New(d.options())
		defer stop(t, e)
		orders := make([]order.Order, 40)
		for i := range orders {
			orders[i] = read(fmt.Sprint("W", i))
		}
		begin := time.Now()
		statuses(t, submit(t, e, executor.Server, section(orders...)))
		if got := time.Since(begin); d.most != 16 || got != 3*time.Second {
			t.Errorf("%d calls at once, %v for 40 orders", d.most, got)
		}
	})
}

// TestSectionsAreJoined: neighbours run together, up to 256 orders; the next ones follow as those end.
func TestSectionsAreJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		gate := make(chan struct{})
		d.write = func(context.Context, string, any) error { <-gate; return nil }
		opts := d.options()
		opts.Concurrency = 1000
		e := executor.New(opts)
		defer stop(t, e)
		var sections []order.Section
		for s := range 4 {
			var orders []order.Order
			for i := range 100 {
				orders = append(orders, write(fmt.Sprint("W", s, "-", i), int64(1)))
			}
			sections = append(sections, section(orders...))
		}
		h := submit(t, e, executor.Server, sections...)
		synctest.Wait()
		if got := e.Stats(); got.Running != 256 || got.Active != 3 || got.Queued != 1 {
			t.Errorf("got %+v, want 256 orders of 3 sections under way", got)
		}
		gate <- struct{}{}
		synctest.Wait()
		if got := len(d.log()); got != 257 {
			t.Errorf("%d orders began after one of 256 had ended", got)
		}
		close(gate)
		statuses(t, h)
	})
}

// TestCannotJoinRunsAlone: it waits for everything before it, and what is behind it waits for it.
func TestCannotJoinRunsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(ctx context.Context, _ string, _ any) error { return nap(ctx, time.Second) }
		e := executor.New(d.options())
		defer stop(t, e)
		h := submit(t, e, executor.Server,
			section(write("W1", int64(1))), section(write("W2", int64(1)), order.Order{Type: order.Wait, Wait: 5 * time.Second}),
			alone(write("W3", int64(1)), write("W4", int64(1))),
			alone(write("W5", int64(1))),
			section(write("W6", int64(1))), section(write("W7", int64(1))),
		)
		statuses(t, h)
		want := []time.Duration{0, 0, 5 * time.Second, 5 * time.Second, 6 * time.Second, 7 * time.Second, 7 * time.Second}
		if diff := cmp.Diff(want, d.times()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", d.log(), diff)
		}
	})
}

// TestCannotJoinIsABarrierAcrossLanes: while one waits for its turn, nothing starts in the lanes above it either.
func TestCannotJoinIsABarrierAcrossLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(ctx context.Context, _ string, _ any) error { return nap(ctx, 10*time.Second) }
		e := executor.New(d.options())
		defer stop(t, e)
		first := submit(t, e, executor.Archive, section(write("W1", int64(1))))
		barrier := submit(t, e, executor.User, alone(write("W2", int64(1))))
		synctest.Wait()
		later := submit(t, e, executor.Server, section(write("W3", int64(1))))
		lower := submit(t, e, executor.Archive, section(write("W4", int64(1))))
		for _, h := range []*executor.Handle{first, barrier, later, lower} {
			statuses(t, h)
		}
		want := []time.Duration{0, 10 * time.Second, 20 * time.Second, 20 * time.Second}
		if diff := cmp.Diff(want, d.times()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", d.log(), diff)
		}
		if got := d.log()[:2]; !cmp.Equal(got, []string{"write W1 1", "write W2 1"}) {
			t.Errorf("got %v", got)
		}
	})
}

// TestCannotJoinDoesNotOvertakeAHigherLane: it waits for all that waits there, also for what does not fit in yet.
func TestCannotJoinDoesNotOvertakeAHigherLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.read = func(ctx context.Context, _ string) error { return nap(ctx, time.Second) }
		e := executor.New(d.options())
		defer stop(t, e)
		orders := make([]order.Order, 200)
		for i := range orders {
			orders[i] = read(fmt.Sprint("W", i))
		}
		h := submit(t, e, executor.Server, section(orders...), section(orders...), section(orders...))
		statuses(t, submit(t, e, executor.User, alone(write("W999", int64(1)))))
		if log := d.log(); len(log) != 601 || log[600] != "write W999 1" {
			t.Errorf("it is order %d, want 601", len(log))
		}
		statuses(t, h)
	})
}

// TestHigherLanesGoFirst: orders of the hub before those of the program, macros and archiving.
func TestHigherLanesGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(ctx context.Context, _ string, _ any) error { return nap(ctx, time.Second) }
		opts := d.options()
		opts.Concurrency = 1
		e := executor.New(opts)
		defer stop(t, e)
		handles := []*executor.Handle{submit(t, e, executor.Archive, section(write("W0", int64(0))))}
		for _, lane := range []executor.Lane{executor.Archive, executor.Macro, executor.User, executor.Server} {
			handles = append(handles, submit(t, e, lane, section(write("W"+lane.String(), int64(1)), write("W"+lane.String(), int64(2)))))
		}
		for _, h := range handles {
			statuses(t, h)
		}
		want := []string{
			"write W0 0", "write Wserver 1", "write Wserver 2", "write Wuser 1", "write Wuser 2",
			"write Wmacro 1", "write Wmacro 2", "write Warchive 1", "write Warchive 2",
		}
		if diff := cmp.Diff(want, d.log()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestArchivingDoesNotStarveTheHub: however many slow readings are under way, an order of the hub begins at once.
func TestArchivingDoesNotStarveTheHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.read = func(ctx context.Context, _ string) error { return nap(ctx, 29*time.Second) }
		e := executor.New(d.options())
		defer stop(t, e)
		var orders []order.Order
		for i := range 500 {
			orders = append(orders, read(fmt.Sprint("W", i)))
		}
		archive := submit(t, e, executor.Archive, section(orders...))
		synctest.Wait()
		begin := time.Now()
		statuses(t, submit(t, e, executor.Server, section(write("W1000", int64(1)))))
		if got := time.Since(begin); got != 0 {
			t.Errorf("the order of the hub waited %v", got)
		}
		archive.Cancel()
		statuses(t, archive)
	})
}

// TestAHigherLaneGoesFirstAtABusyPathpoint: of those that wait for one pathpoint.
func TestAHigherLaneGoesFirstAtABusyPathpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.write = func(ctx context.Context, _ string, _ any) error { return nap(ctx, time.Second) }
		e := executor.New(d.options())
		defer stop(t, e)
		low := submit(t, e, executor.Archive, section(write("W1", int64(1)), write("W1", int64(2))))
		synctest.Wait()
		high := submit(t, e, executor.Server, section(write("W1", int64(9))))
		statuses(t, low)
		statuses(t, high)
		if diff := cmp.Diff([]string{"write W1 1", "write W1 9", "write W1 2"}, d.log()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestWaitOrders: a section lasts at least as long as the longest of them, counted from its beginning. They do not
// separate the orders of the section.
func TestWaitOrders(t *testing.T) {
	for _, test := range []struct {
		name  string
		write time.Duration
		waits []time.Duration
		want  time.Duration
	}{
		{"longer than the writes", 2 * time.Second, []time.Duration{3 * time.Second, 5 * time.Second, time.Second}, 5 * time.Second},
		{"shorter than the writes", 7 * time.Second, []time.Duration{3 * time.Second}, 7 * time.Second},
		{"alone", 0, []time.Duration{3 * time.Second}, 3 * time.Second},
		{"of no time", 0, []time.Duration{0}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice()
				d.write = func(ctx context.Context, _ string, _ any) error { return nap(ctx, test.write) }
				e := executor.New(d.options())
				defer stop(t, e)
				var orders []order.Order
				for _, w := range test.waits {
					orders = append(orders, order.Order{Type: order.Wait, Wait: w})
				}
				if test.write > 0 {
					orders = append(orders, write("W1", int64(1)))
				}
				begin := time.Now()
				statuses(t, submit(t, e, executor.Server, section(orders...)))
				if got := time.Since(begin); got != test.want {
					t.Errorf("took %v, want %v", got, test.want)
				}
				for _, at := range d.times() {
					if at != 0 {
						t.Errorf("a write began at %v", at)
					}
				}
			})
		})
	}
}

// TestManySectionsThatOnlyWait are bounded like others.
func TestManySectionsThatOnlyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := executor.New(newDevice().options())
		defer stop(t, e)
		sections := make([]order.Section, 600)
		for i := range sections {
			sections[i] = section(order.Order{Type: order.Wait, Wait: time.Second})
		}
		begin := time.Now()
		h := submit(t, e, executor.Server, sections...)
		synctest.Wait()
		if got := e.Stats(); got.Active != 256 || got.Queued != 344 {
			t.Errorf("got %+v", got)
		}
		statuses(t, h)
		if got := time.Since(begin); got != 3*time.Second {
			t.Errorf("took %v", got)
		}
	})
}

// TestEmptySections count as handled at once.
func TestEmptySections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := executor.New(nil)
		defer stop(t, e)
		for _, sections := range [][]order.Section{nil, {section()}, {alone(), section(), alone()}} {
			if got := len(statuses(t, submit(t, e, executor.User, sections...))); got != max(0, len(sections)-1)*3 {
				t.Errorf("%d sections: %d", len(sections), got)
			}
		}
	})
}

// TestAnEmptySectionThatCannotJoin does not hold what has come meanwhile: a higher lane goes on when it has ended, before
// what is behind it.
func TestAnEmptySectionThatCannotJoin(t *testing.T) {
	for name, behind := range map[string][]order.Section{"alone": nil, "with one behind": {section(write("W3", int64(1)))}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice()
				d.write = func(ctx context.Context, _ string, _ any) error { return nap(ctx, time.Second) }
				e := executor.New(d.options())
				defer stop(t, e)
				first := submit(t, e, executor.User, section(write("W1", int64(1))))
				empty := submit(t, e, executor.User, append([]order.Section{alone()}, behind...)...)
				higher := submit(t, e, executor.Server, alone(write("W2", int64(1))))
				for _, h := range []*executor.Handle{first, empty, higher} {
					statuses(t, h)
				}
				want := []string{"write W1 1", "write W2 1", "write W3 1"}[:2+len(behind)]
				if diff := cmp.Diff(want, d.log()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestWithoutFunctions: an executor without a program skips everything.
func TestWithoutFunctions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := executor.New(nil)
		defer stop(t, e)
		h := submit(t, e, executor.User, section(read("W1"), write("W1", true), order.Order{Type: order.Message, UUID: "m"},
			order.Order{Type: order.Sysctl, OpType: "reboot"}))
		if got := statuses(t, h); got != "skipped skipped skipped skipped" {
			t.Errorf("got %s", got)
		}
	})
}

// TestMeaninglessSubmissions are refused before anything begins.
func TestMeaninglessSubmissions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		e := executor.New(d.options())
		defer stop(t, e)
		for _, s := range []executor.Submission{
			{Lane: -1},
			{Lane: 4},
			{Sections: []order.Section{section(order.Order{})}},
			{Sections: []order.Section{section(write("W1", int64(1)), order.Order{Type: "dance"})}},
			{Sections: []order.Section{section(read(""))}},
			{Sections: []order.Section{section(write("W1", nil))}},
			{Sections: []order.Section{section(order.Order{Type: order.Read, Path: "W1", Advise: 2})}},
			{Sections: []order.Section{section(order.Order{Type: order.Wait, Wait: -1})}},
			{Sections: []order.Section{section(order.Order{Type: order.Wait, Wait: 8 * 24 * time.Hour})}},
			{Sections: []order.Section{section(order.Order{Type: order.Message})}},
			{Sections: []order.Section{section(order.Order{Type: order.Sysctl})}},
		} {
			if _, err := e.Submit(&s); !errors.Is(err, smokerr.ErrInvalidArgument) {
				t.Errorf("%+v: %v", s, err)
			}
		}
		if len(d.log()) > 0 {
			t.Errorf("something began: %v", d.log())
		}
	})
}
