package executor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// other is an executor of the program: it notes what it gets, and ends sections when the test says so.
type other struct {
	log  []string
	done map[string]func([]executor.Outcome) // by the path of the first order
	sync chan struct{}                       // nil lets SyncSections return at once
	take func(path string)                   // called while a section is handed over
}

func (o *other) ExecuteSection(_ context.Context, s order.Section, done func([]executor.Outcome)) {
	text := ""
	for _, each := range s.Orders {
		text += fmt.Sprint(" ", each.Type, each.Path, each.ID)
	}
	o.log = append(o.log, "section"+text)
	if o.done == nil {
		o.done = make(map[string]func([]executor.Outcome))
	}
	o.done[s.Orders[0].Path] = done
	if o.take != nil {
		o.take(s.Orders[0].Path)
	}
}

func (o *other) SyncSections(ctx context.Context) error {
	o.log = append(o.log, "sync")
	if o.sync == nil {
		return nil
	}
	select {
	case <-o.sync:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A replacement gets the sections of all lanes, the higher ones first, one beside the other unless they cannot be joined.
func TestReplacementGetsAllSections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mine := &other{sync: make(chan struct{})}
		e := executor.New(&executor.Options{Replacement: mine})
		first := submit(t, e, executor.Archive, section(read("W1"), order.Order{Type: order.Wait, Wait: time.Hour}))
		synctest.Wait()
		barrier := submit(t, e, executor.Server, alone(write("W2", int64(1))))
		last := submit(t, e, executor.User, section(read("W3")), section(read("W4")))
		synctest.Wait()
		want := []string{"section readW1 wait", "sync"}
		if d := cmp.Diff(want, mine.log); d != "" {
			t.Fatal(d)
		}
		close(mine.sync)
		synctest.Wait()
		if want = append(want, "section writeW2"); !slices.Equal(want, mine.log) {
			t.Fatal(mine.log)
		}
		mine.done["W2"](nil)
		synctest.Wait()
		if want = append(want, "section readW3", "section readW4"); !slices.Equal(want, mine.log) {
			t.Fatal(mine.log)
		}
		mine.done["W1"]([]executor.Outcome{{Status: executor.Skipped, Reason: "why"}})
		mine.done["W1"](nil) // too late
		mine.done["W3"]([]executor.Outcome{{Status: executor.Failed, Err: errors.New("no")}})
		mine.done["W4"]([]executor.Outcome{})
		got := []string{statuses(t, first), statuses(t, barrier), statuses(t, last)}
		if d := cmp.Diff([]string{"skipped done", "done", "failed | failed"}, got); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		stop(t, e)
	})
}

// A replacement that panics, or exits its goroutine, has failed the section; the next one is handed over.
func TestReplacementThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reported []error
		mine := &other{take: func(path string) {
			if path == "W1" {
				panic("oops")
			}
		}}
		e := executor.New(&executor.Options{Replacement: mine, Report: func(err error) { reported = append(reported, err) }})
		h := submit(t, e, executor.User, section(read("W1")), section(read("W2")))
		synctest.Wait()
		mine.done["W2"](nil)
		if got := statuses(t, h); got != "failed | done" {
			t.Error(got)
		}
		if len(reported) != 1 || !errors.Is(reported[0], smokerr.ErrPanic) {
			t.Error(reported)
		}
		stop(t, e)
	})
}

// What a replacement never gives back is abandoned by Stop, and cancelled sections end when it says so.
func TestReplacementKeepsASection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mine := &other{}
		e := executor.New(&executor.Options{Replacement: mine})
		cancelled := submit(t, e, executor.User, section(read("W1")))
		kept := submit(t, e, executor.User, section(read("W2")))
		synctest.Wait()
		cancelled.Cancel()
		mine.done["W1"]([]executor.Outcome{{Status: executor.Failed}})
		if got := statuses(t, cancelled); got != "cancelled" {
			t.Error(got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := e.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		results, err := kept.Wait(t.Context())
		if !errors.Is(err, smokerr.ErrClosed) || text(results) != "abandoned" {
			t.Errorf("%s %v", text(results), err)
		}
		mine.done["W2"](nil) // nobody waits any more
		if got := text(results); got != "abandoned" {
			t.Error(got)
		}
	})
}

// The owner of a submission is told of the beginning and the end of each order, with its identity in the context.
func TestOwnerIsTold(t *testing.T) {
	for _, replaced := range []bool{false, true} {
		t.Run(fmt.Sprint("replaced ", replaced), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice()
				fails := 2
				var ids []string
				d.write = func(ctx context.Context, path string, _ any) error {
					ids = append(ids, path+" "+order.ID(ctx))
					if fails--; path == "W3" && fails >= 0 {
						return errors.New("again")
					}
					return nil
				}
				opts := d.options()
				mine := &other{}
				if replaced {
					opts.Replacement = mine
				}
				e := executor.New(opts)
				var log []string
				orders := []order.Order{force("W1", int64(1)), force("W2", int64(2)), force("W3", int64(3)), read("x1")}
				for i := range orders {
					orders[i].ID = fmt.Sprint("id", i)
				}
				h, err := e.Submit(&executor.Submission{
					Sections: []order.Section{section(orders[0]), alone(orders[1]), alone(orders[2]), alone(orders[3])},
					Begin: func(_ context.Context, o *order.Order) error {
						log = append(log, "begin "+o.ID)
						if o.Path == "W1" {
							return executor.Skip("done before")
						}
						return nil
					},
					End: func(o *order.Order, out executor.Outcome) {
						log = append(log, fmt.Sprint("end ", o.ID, " ", out.Status))
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				if replaced {
					for _, path := range []string{"W2", "W3", "x1"} {
						synctest.Wait()
						mine.done[path](nil)
					}
					statuses(t, h)
					if want := []string{"sync", "section writeW2id1", "sync", "section writeW3id2", "sync", "section readx1id3"}; !slices.Equal(want, mine.log) {
						t.Error(mine.log)
					}
					stop(t, e)
					return
				}
				if got := statuses(t, h); got != "skipped | done | done | skipped" {
					t.Error(got)
				}
				want := []string{
					"begin id0", "end id0 skipped", "begin id1", "end id1 done", "begin id2", "end id2 done", "end id3 skipped",
				}
				if d := cmp.Diff(want, log); d != "" {
					t.Errorf("-want +got:\n%s", d)
				}
				if d := cmp.Diff([]string{"W2 id1", "W3 id2", "W3 id2"}, ids); d != "" {
					t.Errorf("-want +got:\n%s", d)
				}
				stop(t, e)
			})
		})
	}
}

// An order whose beginning cannot be recorded fails without an attempt, however important it is.
func TestBeginFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		e := executor.New(d.options())
		h, err := e.Submit(&executor.Submission{
			Sections: []order.Section{section(force("W1", int64(1)), order.Order{Type: order.Message, UUID: "m"})},
			Begin:    func(context.Context, *order.Order) error { return smokerr.Store("put", "journal", errors.New("disk")) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := statuses(t, h); got != "failed failed" || len(d.log()) > 0 {
			t.Errorf("%s, %v", got, d.log())
		}
		stop(t, e)
	})
}
