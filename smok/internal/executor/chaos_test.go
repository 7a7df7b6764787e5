package executor_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
)

// TestChaos submits random sections to pathpoints that fail, panic, take their time and ignore their end, cancels some,
// and checks what always holds: calls of one pathpoint do not overlap, never more than 16 run, a section that cannot be
// joined is alone, orders of a section for one pathpoint begin in the order of the list, and every order has an outcome.
func TestChaos(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { chaos(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

// mark is the value of a write: where it comes from.
type mark struct {
	section, order int
	alone          bool
}

func chaos(t *testing.T, random *rand.Rand) {
	var mu sync.Mutex
	roll := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(n)
	}
	busy := map[string]mark{} // calls under way
	deaf := 0                 // those of them that ignore their end, for which a section that is alone does not wait
	last := map[string]mark{} // by path: the last call of a section
	d := newDevice()
	d.write = func(ctx context.Context, path string, v any) error {
		m := v.(mark)
		mu.Lock()
		if other, overlap := busy[path]; overlap {
			t.Errorf("%s: %v begins while %v runs", path, m, other)
		}
		for other, o := range busy {
			if o.section != m.section && (o.alone || m.alone) && deaf == 0 {
				t.Errorf("%s %v runs beside %s %v", path, m, other, o)
			}
		}
		if before := last[path]; before.section == m.section && before.order > m.order {
			t.Errorf("%s: order %d of section %d begins after %d", path, m.order, m.section, before.order)
		}
		busy[path], last[path] = m, m
		if len(busy)-deaf > 16 {
			t.Errorf("%d calls at once", len(busy))
		}
		mu.Unlock()
		ignores := false
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			delete(busy, path)
			if ignores {
				deaf--
			}
		}()
		switch roll(20) {
		case 0:
			panic("chaos")
		case 1, 2, 3, 4:
			return timedOut(path)
		case 5:
			return executor.Skip("chaos")
		case 6:
			mu.Lock()
			ignores = true
			deaf++
			mu.Unlock()
			time.Sleep(time.Duration(roll(100)) * time.Second)
			return errors.New("too late")
		}
		return nap(ctx, time.Duration(roll(3000))*time.Millisecond)
	}
	e := executor.New(d.options())
	var handles []*executor.Handle
	total, number := 0, 0
	for range 100 {
		var sections []order.Section
		for range 1 + roll(3) {
			s := order.Section{CannotJoin: roll(8) == 0}
			number++
			for i := range roll(12) {
				o := write(fmt.Sprint("W", roll(30)), mark{number, i, s.CannotJoin})
				o.Advise = order.Advise(roll(2))
				if roll(6) == 0 {
					o.StaleAfter = time.Now().Add(time.Duration(roll(10)) * time.Second)
				}
				if roll(15) == 0 {
					o = order.Order{Type: order.Wait, Wait: time.Duration(roll(3)) * time.Second}
				}
				s.Orders = append(s.Orders, o)
			}
			total += len(s.Orders)
			sections = append(sections, s)
		}
		h, err := e.SubmitWait(t.Context(), &executor.Submission{Lane: executor.Lane(roll(4)), Sections: sections})
		if err != nil {
			t.Fatal(err)
		}
		handles = append(handles, h)
		if roll(5) == 0 {
			time.Sleep(time.Duration(roll(2000)) * time.Millisecond)
		}
		if roll(6) == 0 {
			handles[roll(len(handles))].Cancel()
		}
	}
	if roll(3) == 0 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_ = e.Stop(ctx) // whether it had to give up is chance
	}
	for _, h := range handles {
		results, _ := h.Wait(t.Context())
		for i, outcomes := range results {
			for j, out := range outcomes {
				if out.Status == executor.Pending {
					t.Errorf("order %d of section %d has no outcome", j, i)
				}
			}
		}
	}
	_ = e.Stop(t.Context())
	time.Sleep(2 * time.Minute) // calls that ignore their end
	stats := e.Stats()
	sum := 0
	for _, n := range stats.Orders {
		sum += int(n)
	}
	if sum != total || stats.Queued+stats.Active+stats.Running+stats.Stuck != 0 {
		t.Errorf("%d orders, and %+v", total, stats)
	}
}

// TestAnIdleExecutorHasNoGoroutine: a bubble with one that is blocked does not end.
func TestAnIdleExecutorHasNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := executor.New(newDevice().options())
		statuses(t, submit(t, e, executor.User, section(force("W1", int64(1)))))
	})
}

func BenchmarkExecute(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e := executor.New(&executor.Options{Lookup: func(string) (executor.Target, error) { return quick{}, nil }})
			var orders []order.Order
			for i := range n {
				orders = append(orders, write(fmt.Sprint("W", i), int64(i)))
			}
			s := &executor.Submission{Sections: []order.Section{section(orders...)}}
			b.ReportAllocs()
			for b.Loop() {
				h, err := e.Submit(s)
				if err != nil {
					b.Fatal(err)
				}
				<-h.Done()
			}
			if err := e.Stop(context.Background()); err != nil {
				b.Fatal(err)
			}
		})
	}
}

type quick struct{}

func (quick) Read(context.Context, order.Advise) error       { return nil }
func (quick) Write(context.Context, any, order.Advise) error { return nil }
