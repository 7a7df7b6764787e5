package smok_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// transports are the ways on which orders come.
var transports = map[string]func(*world) *ngtt.Options{
	"HTTP": func(*world) *ngtt.Options { return nil },
	"NGTT": func(w *world) *ngtt.Options { return &ngtt.Options{Addr: w.hub.NGTTAddr()} },
}

// onBoth runs a test with each transport. The bench has pathpoints W1 to W9 and the sysctl handler.
func onBoth(t *testing.T, test func(t *testing.T, m *machine, opts smok.Options)) {
	for name, transport := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				test(t, newMachine(w), smok.Options{NGTT: transport(w), Intervals: smok.Intervals{Orders: time.Second}})
			})
		})
	}
}

// writable registers pathpoints whose writes are effects.
func writable(paths ...string) func(*process) {
	return func(p *process) {
		for _, path := range paths {
			p.register(p.device, path, &smok.PathpointOptions{
				Write: func(_ context.Context, v any, _ smok.Advise) error {
					if p.dead.Load() {
						return errKilled
					}
					p.effect(fmt.Sprint(path, "=", v))
					return nil
				},
			})
		}
	}
}

// enqueue gives sections to the device.
func (w *world) enqueue(sections ...smoktest.Section) {
	w.t.Helper()
	if _, err := w.pump.Enqueue(sections...); err != nil {
		w.t.Fatal(err)
	}
}

// of returns a section of orders.
func of(orders ...smoktest.Order) smoktest.Section { return smoktest.Section{Orders: orders} }

// wantEffects compares the effects so far, in any order.
func (m *machine) wantEffects(want ...string) {
	m.t.Helper()
	got := m.done()
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		m.t.Errorf("effects (-want +got):\n%s", d)
	}
}

// wantConfirmed compares how many orders the device has confirmed over NGTT.
func (m *machine) wantConfirmed(n int) {
	m.t.Helper()
	if got := int(m.pump.Counts().Orders.Confirmed); got != n {
		m.t.Errorf("%d orders confirmed, want %d", got, n)
	}
}

// Orders of every type are carried out, whichever way they come.
func TestOrders(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		opts.Sysctl = smok.SysctlFunc(func(_ context.Context, opType, opArgs string) (bool, error) {
			m.effect("sysctl " + opType + " " + opArgs)
			return true, nil
		})
		p := m.boot(opts, func(p *process) {
			writable("W1", "W2")(p)
			p.register(p.device, "W3", &smok.PathpointOptions{
				Read: func(context.Context, smok.Advise) (any, error) { m.effect("read W3"); return 3, nil },
			})
		})
		m.enqueue(
			of(smoktest.Sysctl("first", "in a section"), smoktest.Write("W1", 5), smoktest.Read("W3"), smoktest.SendMessage("m1")),
			of(smoktest.Write("W2", 6).Force(), smoktest.Pause(time.Second), smoktest.Sysctl("x", "y")),
		)
		m.sleep(5 * time.Second)
		m.wantEffects("W1=5", "W2=6", "read W3", "sysctl first in a section", "sysctl x y")
		if messages := m.pump.Messages(); len(messages) != 1 || messages[0].UUID != "m1" {
			t.Errorf("%v", messages)
		}
		if s := p.device.Status().Orders; s.Received != 1 || s.Handled != 1 {
			t.Errorf("%+v", s)
		}
		if opts.NGTT != nil {
			m.wantConfirmed(1)
		}
	})
}

// A bad order does not keep the others from being carried out, and ends no loop.
func TestBadOrders(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		p := m.boot(opts, writable("W1", "W2"))
		m.enqueue(
			of(smoktest.Order{"type": "dance"}, smoktest.Write("W1", 1), smoktest.Order{"path": "W1"}),
			of(smoktest.Write("W9", 1), smoktest.Order{"type": "write", "path": "W1", "value": 1, "advise": 7}),
		)
		m.sleep(5 * time.Second)
		m.enqueue(of(smoktest.Write("W2", 2)))
		m.sleep(5 * time.Second)
		m.wantEffects("W1=1", "W2=2")
		bad := 0
		for _, err := range m.reported() {
			if errors.Is(err, smok.ErrBadEntry) {
				bad++
			}
		}
		if s := p.device.Status().Orders; bad != 3 || s.BadOrders != 3 || s.Handled != 2 {
			t.Errorf("%d bad orders told, %+v", bad, s)
		}
	})
}

// What is no list of sections at all is refused or skipped, and the next orders are carried out.
func TestPoisonedOrders(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		m.boot(opts, writable("W1"))
		for _, body := range [][]byte{{}, []byte("garbage"), {0xff}, {0x0b, 0x01, 0x00}} {
			m.pump.EnqueueRaw(body)
			m.sleep(3 * time.Second)
		}
		if len(m.reported()) == 0 {
			t.Error("nothing was told")
		}
		m.enqueue(of(smoktest.Write("W1", 1)))
		m.sleep(5 * time.Second)
		m.wantEffects("W1=1")
	})
}

// A write that is too old is not carried out.
func TestStaleOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		m.boot(opts, writable("W1", "W2"))
		m.enqueue(of(
			smoktest.Write("W1", 1).StaleAfter(time.Now().Add(-time.Minute)), smoktest.Write("W2", 2).StaleAfter(time.Now().Add(time.Minute)),
		))
		m.sleep(5 * time.Second)
		m.wantEffects("W2=2")
	})
}

// A device that is killed at any moment carries out what is left after its restart, and nothing twice: what was finished
// is not repeated, what had not begun is not forgotten.
func TestKilledBetweenOrders(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		blocked := make(chan struct{})
		p := m.boot(opts, func(p *process) {
			writable("W1", "W3")(p)
			p.register(p.device, "W2", &smok.PathpointOptions{
				Timeout: time.Hour,
				Write: func(ctx context.Context, _ any, _ smok.Advise) error {
					close(blocked)
					<-ctx.Done()
					return ctx.Err()
				},
			})
		})
		alone := of(smoktest.Write("W3", 3))
		alone.Disposition = 1
		m.enqueue(of(smoktest.Write("W1", 1), smoktest.Write("W2", 2)), alone)
		<-blocked
		synctest.Wait()
		m.wantEffects("W1=1")
		p.kill()
		p.bury()
		m.boot(opts, writable("W1", "W2", "W3"))
		m.sleep(2 * time.Minute)
		m.wantEffects("W1=1", "W2=2", "W3=3")
		if opts.NGTT != nil {
			m.wantConfirmed(1)
		}
		// The journal is empty again.
		m.enqueue(of(smoktest.Write("W1", 1)))
		m.sleep(2 * time.Minute)
		m.wantEffects("W1=1", "W1=1", "W2=2", "W3=3")
	})
}

// A write whose effect came before the kill and whose record did not is repeated, under the same identity; another order
// has another one.
func TestOrderIDOutlivesTheProcess(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		var ids []string
		var p *process
		prepare := func(next *process) {
			p = next
			p.register(p.device, "W1", &smok.PathpointOptions{
				Write: func(ctx context.Context, v any, _ smok.Advise) error {
					ids = append(ids, smok.OrderID(ctx))
					if len(ids) == 1 {
						next.kill()
					}
					return nil
				},
			})
		}
		first := m.boot(opts, prepare)
		m.enqueue(of(smoktest.Write("W1", 1)))
		m.sleep(3 * time.Second)
		first.bury()
		m.boot(opts, prepare)
		m.sleep(2 * time.Minute)
		m.enqueue(of(smoktest.Write("W1", 1), smoktest.Write("W1", 2)))
		m.sleep(2 * time.Minute)
		if len(ids) != 4 || ids[0] == "" || ids[0] != ids[1] || ids[2] == ids[1] || ids[3] == ids[2] {
			t.Errorf("%q", ids)
		}
	})
}

// A sysctl or message order that had begun when the process was killed is in doubt: it is told, and repeated only if an
// option says so.
func TestOrdersInDoubt(t *testing.T) {
	for _, repeat := range []bool{false, true} {
		t.Run(fmt.Sprint("repeat ", repeat), func(t *testing.T) {
			onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
				began := 0
				var p *process
				opts.Orders.RepeatInDoubt = repeat
				opts.Sysctl = smok.SysctlFunc(func(_ context.Context, opType, _ string) (bool, error) {
					m.effect(opType)
					if began++; began == 1 {
						p.kill()
					}
					return true, nil
				})
				p = m.boot(opts, writable("W1"))
				m.enqueue(of(smoktest.Sysctl("pump", "")), of(smoktest.Write("W1", 1)))
				m.sleep(3 * time.Second)
				p.bury()
				m.reported()
				m.boot(opts, writable("W1"))
				m.sleep(2 * time.Minute)
				doubts := 0
				for _, err := range m.reported() {
					if errors.Is(err, smok.ErrInDoubt) {
						doubts++
						if !strings.Contains(err.Error(), "pump") {
							t.Error(err)
						}
					}
				}
				sysctls := len(slices.DeleteFunc(m.done(), func(e string) bool { return e != "pump" }))
				if want := map[bool]int{false: 1, true: 2}[repeat]; sysctls != want || doubts != 2-want {
					t.Errorf("carried out %d times, told %d times", sysctls, doubts)
				}
				if opts.NGTT != nil {
					m.wantConfirmed(1)
				}
			})
		})
	}
}

// The hub is told that a disruptive order is done before it is carried out: it does not come again after the reboot.
func TestDisruptiveSysctl(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		var p *process
		opts.Sysctl = smok.SysctlFunc(func(_ context.Context, opType, _ string) (bool, error) {
			m.effect(opType)
			p.kill()
			return true, nil
		})
		p = m.boot(opts, writable("W1"))
		m.enqueue(of(smoktest.Sysctl("reboot", ""), smoktest.Write("W1", 1)))
		m.sleep(3 * time.Second)
		p.bury()
		for range 3 {
			p = m.boot(opts, writable("W1"))
			m.sleep(2 * time.Minute)
		}
		m.wantEffects("W1=1", "reboot")
		for _, err := range m.reported() {
			if errors.Is(err, smok.ErrInDoubt) {
				t.Error(err)
			}
		}
	})
}

// Shutdown lets what runs end, and leaves what waits to the next process.
func TestShutdownWithOrders(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		entered := make(chan struct{})
		slow := func(p *process) {
			writable("W2")(p)
			p.register(p.device, "W1", &smok.PathpointOptions{
				Write: func(_ context.Context, v any, _ smok.Advise) error {
					close(entered)
					time.Sleep(2 * time.Second)
					m.effect(fmt.Sprint("W1=", v))
					return nil
				},
			})
		}
		p := m.boot(opts, slow)
		alone := of(smoktest.Write("W2", 2))
		alone.Disposition = 1
		m.enqueue(of(smoktest.Write("W1", 1)))
		<-entered
		m.enqueue(alone)
		m.sleep(1500 * time.Millisecond)
		m.must(p.device.Close())
		m.wantEffects("W1=1")
		if opts.NGTT != nil {
			m.wantConfirmed(1)
		}
		m.boot(opts, writable("W1", "W2"))
		m.sleep(2 * time.Minute)
		m.wantEffects("W1=1", "W2=2")
	})
}

// A device whose time to shut down is over abandons what runs. It is not done, and comes again.
func TestShutdownAbandonsOrders(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		entered := make(chan struct{})
		p := m.boot(opts, func(p *process) {
			p.register(p.device, "W1", &smok.PathpointOptions{
				Timeout: time.Hour,
				Write: func(ctx context.Context, _ any, _ smok.Advise) error {
					close(entered)
					<-ctx.Done()
					return ctx.Err()
				},
			})
		})
		m.enqueue(of(smoktest.Write("W1", 1)))
		<-entered
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.device.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if s := p.device.Status().Orders; s.Abandoned != 1 || s.Handled != 0 {
			t.Errorf("%+v", s)
		}
		m.wantConfirmed(0)
		m.boot(opts, writable("W1"))
		m.sleep(2 * time.Minute)
		m.wantEffects("W1=1")
	})
}

// What carries out sections can be replaced.
func TestSectionExecutor(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		opts.Executor = sections{m}
		m.boot(opts, nil)
		alone := of(smoktest.Write("W2", 2))
		alone.Disposition = 1
		m.enqueue(of(smoktest.Write("W1", 1), smoktest.Sysctl("a", "b")), alone)
		m.sleep(5 * time.Second)
		if d := cmp.Diff([]string{"write W1 sysctl a", "sync", "write W2"}, m.done()); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		if opts.NGTT != nil {
			m.wantConfirmed(1)
		}
	})
}

// sections is a replacement that takes note of what it gets.
type sections struct{ m *machine }

func (s sections) ExecuteSection(_ context.Context, section smok.Section, done func([]smok.Outcome)) {
	text := ""
	for _, o := range section.Orders {
		text += fmt.Sprint(" ", o.Type, " ", o.Path, o.OpType)
	}
	s.m.effect(strings.TrimSpace(text))
	go func() {
		time.Sleep(time.Second)
		done(nil)
	}()
}

func (s sections) SyncSections(context.Context) error {
	time.Sleep(time.Second)
	s.m.effect("sync")
	return nil
}

// A program can have sections carried out. A message is sent once, even if it is the only one.
func TestExecuteForTheProgram(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		p := m.boot(smok.Options{}, writable("W1"))
		running, err := p.device.Execute(t.Context(), smok.Section{Orders: []smok.Order{
			{Type: smok.OrderMessage, UUID: "m1"},
			{Type: smok.OrderWrite, Path: "W1", Value: 1},
			{Type: smok.OrderWrite, Path: "W2", Value: 1},
			{Type: smok.OrderSysctl, OpType: "none"},
		}})
		w.must(err)
		results, err := running.Wait(t.Context())
		w.must(err)
		var got []smok.OrderStatus
		for _, o := range results[0] {
			got = append(got, o.Status)
		}
		want := []smok.OrderStatus{smok.Done, smok.Done, smok.Skipped, smok.Skipped}
		if !slices.Equal(want, got) || len(w.pump.Messages()) != 1 {
			t.Errorf("%v, %v", got, w.pump.Messages())
		}
		if _, err := p.device.Execute(t.Context(), smok.Section{Orders: []smok.Order{{Type: "dance"}}}); !errors.Is(err, smok.ErrInvalidArgument) {
			t.Error(err)
		}
		w.must(p.device.Close())
		if _, err := p.device.Execute(t.Context()); !errors.Is(err, smok.ErrClosed) {
			t.Error(err)
		}
	})
}

// A poll that gets no answer goes on when the device is closed, since its answer would be the only copy of the orders, but
// no longer than Shutdown waits.
func TestShutdownDuringAPoll(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.hub.Inject(smoktest.Fault{Kind: smoktest.FaultHang, Path: "/v1/device/orders"})
		d := w.run(smok.Options{})
		w.sleep(time.Second)
		if err := d.Close(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		synctest.Wait()
		for _, task := range d.Status().Tasks {
			if task.Running {
				t.Errorf("%s goes on", task.Name)
			}
		}
	})
}

// A sysctl or message order whose beginning the store does not take is not carried out, and told.
func TestOrdersThatCannotBegin(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		entered, leave := make(chan struct{}), make(chan struct{})
		opts.Sysctl = smok.SysctlFunc(func(_ context.Context, opType, _ string) (bool, error) {
			m.effect(opType)
			return true, nil
		})
		p := m.boot(opts, func(p *process) {
			p.register(p.device, "W1", &smok.PathpointOptions{
				Write: func(context.Context, any, smok.Advise) error {
					close(entered)
					<-leave
					return nil
				},
			})
		})
		m.enqueue(of(smoktest.Write("W1", 1)))
		<-entered
		for _, o := range []smoktest.Order{smoktest.Sysctl("pump", ""), smoktest.SendMessage("m1")} {
			alone := of(o)
			alone.Disposition = 1
			m.enqueue(alone)
		}
		m.sleep(3 * time.Second)
		p.stuck.Store(true)
		close(leave)
		m.sleep(time.Second)
		p.stuck.Store(false)
		m.sleep(time.Minute)
		m.wantEffects()
		told := m.reported()
		for _, name := range []string{"sysctl pump", "message m1"} {
			if !slices.ContainsFunc(told, func(err error) bool {
				return errors.Is(err, smok.ErrStore) && strings.Contains(err.Error(), name)
			}) {
				t.Errorf("nobody was told of %s: %v", name, told)
			}
		}
		if messages := m.pump.Messages(); len(messages) != 0 {
			t.Errorf("%v", messages)
		}
	})
}
