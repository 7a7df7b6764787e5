package smok_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

const ordersPath = "/v1/device/orders"

// ledger is a program that makes its writes idempotent by the identities of the orders.
type ledger struct {
	mu     sync.Mutex
	writes map[string]string // by identity
	calls  int
	sysctl int
}

// A device that is killed at any write of its journal carries out every order, each write under one identity, and no sysctl
// order twice; one that it has not carried out it tells.
func TestKilledAtEveryWrite(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		for at := int64(1); ; at++ {
			l := &ledger{writes: make(map[string]string)}
			opts.Sysctl = smok.SysctlFunc(func(context.Context, string, string) (bool, error) {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.sysctl++
				return true, nil
			})
			prepare := func(p *process) {
				for _, path := range []string{"W1", "W2"} {
					p.register(p.device, path, &smok.PathpointOptions{Write: func(ctx context.Context, v any, _ smok.Advise) error {
						if p.dead.Load() {
							return errKilled
						}
						l.mu.Lock()
						defer l.mu.Unlock()
						l.writes[smok.OrderID(ctx)] = fmt.Sprint(path, "=", v)
						l.calls++
						return nil
					}})
				}
			}
			m.reported()
			p := m.boot(opts, func(p *process) {
				prepare(p)
				p.killAt.Store(at)
			})
			before := m.pump.Counts().Orders
			// Equal orders that come after a new connection may be taken for repetitions, so these are not equal.
			m.enqueue(of(smoktest.Write("W1", 1), smoktest.Sysctl("a", fmt.Sprint(at)), smoktest.Write("W2", 2)))
			m.sleep(2 * time.Minute)
			survived := !p.dead.Load()
			p.kill()
			p.bury()
			p = m.boot(opts, prepare)
			m.sleep(2 * time.Minute)
			doubts := m.told(smok.ErrInDoubt)
			lost := opts.NGTT == nil && at == 1 // the only copy was not on the disk yet: see fetch
			if values := valuesOf(l.writes); !slices.Equal(values, []string{"W1=1", "W2=2"}) && !lost {
				t.Errorf("killed at %d: %v", at, values)
			}
			if l.sysctl+doubts != 1 && !(l.sysctl == 1 && doubts == 1) && !lost {
				t.Errorf("killed at %d: %d times, told %d times", at, l.sysctl, doubts)
			}
			if after := m.pump.Counts().Orders; opts.NGTT != nil && after.Confirmed != before.Confirmed+1 {
				t.Errorf("killed at %d: %+v after %+v", at, after, before)
			}
			p.kill()
			p.bury()
			if survived {
				if at < 4 || l.calls != 2 || l.sysctl != 1 || doubts != 0 {
					t.Errorf("survived %d, %d calls, %d times, told %d times", at, l.calls, l.sysctl, doubts)
				}
				return
			}
		}
	})
}

func valuesOf(m map[string]string) (values []string) {
	for _, v := range m {
		values = append(values, v)
	}
	slices.Sort(values)
	return values
}

// The link breaks while an order is carried out: the hub delivers it again, on the newer connection, and it has one effect
// and one confirmation.
func TestLinkBreaksDuringAnOrder(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		p := m.boot(smok.Options{NGTT: &ngtt.Options{Addr: w.hub.NGTTAddr()}}, func(p *process) {
			w.register(p.device, "W1", &smok.PathpointOptions{Timeout: time.Hour, Write: func(_ context.Context, v any, _ smok.Advise) error {
				m.effect(fmt.Sprint("W1=", v))
				time.Sleep(25 * time.Second)
				return nil
			}})
		})
		w.enqueue(of(smoktest.Write("W1", 1)))
		for range 3 {
			w.sleep(5 * time.Second)
			w.hub.ResetConnections(smoktest.NGTT)
		}
		w.sleep(10 * time.Minute)
		m.wantEffects("W1=1")
		m.wantConfirmed(1)
		if s := p.device.Status(); s.Orders.Received != 1 || s.OrderLink.Repeated == 0 {
			t.Errorf("%+v %+v", s.Orders, s.OrderLink)
		}
	})
}

// Going offline takes the link down and lets the orders go on that are being carried out. When they come again with a new
// link, they join what goes on, or are confirmed if it has ended.
func TestOfflineDuringAnOrder(t *testing.T) {
	for name, offline := range map[string]time.Duration{"joined": 5 * time.Second, "ended": 20 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				m := newMachine(w)
				p := m.boot(smok.Options{NGTT: &ngtt.Options{Addr: w.hub.NGTTAddr()}}, func(p *process) {
					writable("W2")(p)
					w.register(p.device, "W1", &smok.PathpointOptions{Timeout: time.Hour, Write: func(_ context.Context, v any, _ smok.Advise) error {
						m.effect(fmt.Sprint("W1=", v))
						time.Sleep(25 * time.Second)
						return nil
					}})
				})
				w.enqueue(of(smoktest.Write("W1", 1)))
				w.sleep(2 * time.Second)
				p.device.SetOffline(true)
				w.sleep(time.Second)
				w.enqueue(of(smoktest.Write("W2", 2)))
				w.sleep(offline)
				m.wantEffects("W1=1")
				p.device.SetOffline(false)
				w.sleep(30 * time.Minute)
				m.wantEffects("W1=1", "W2=2")
				m.wantConfirmed(2)
			})
		})
	}
}

// Two equal orders are two orders, over a restart of the hub and of the device, once the hub is known to have read the
// confirmations.
func TestEqualOrders(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		p := m.boot(opts, writable("W1"))
		for range 2 {
			m.enqueue(of(smoktest.Write("W1", 1)))
		}
		m.sleep(2 * time.Minute)
		m.must(m.hub.Restart(time.Minute))
		m.enqueue(of(smoktest.Write("W1", 1)))
		m.sleep(3 * time.Minute)
		m.must(p.device.Close())
		m.enqueue(of(smoktest.Write("W1", 1)))
		m.boot(opts, writable("W1"))
		m.sleep(3 * time.Minute)
		m.wantEffects("W1=1", "W1=1", "W1=1", "W1=1")
	})
}

// A hub that sends more than can be carried out is slowed down, and nothing is lost.
func TestMoreOrdersThanRoom(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		opts.Queue = 4
		done := 0
		most := 0
		p := m.boot(opts, func(p *process) {
			m.register(p.device, "W1", &smok.PathpointOptions{Write: func(context.Context, any, smok.Advise) error {
				time.Sleep(time.Second)
				most = max(most, p.device.Status().Sections.Queued)
				done++
				return nil
			}})
		})
		alone := of(smoktest.Write("W1", 1))
		alone.Disposition = 1
		for range 100 {
			m.enqueue(alone)
		}
		m.sleep(10 * time.Minute)
		if s := p.device.Status(); done != 100 || s.Sections.Queued != 0 {
			t.Errorf("%d done, %+v", done, s.Sections)
		}
		if opts.NGTT != nil {
			m.wantConfirmed(100)
			if most > 4 {
				t.Errorf("%d sections waited", most)
			}
		}
	})
}

// Orders that are longer than a record of the journal outlive a kill.
func TestLongOrdersOutliveTheProcess(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		long := strings.Repeat("x", 300<<10)
		entered := make(chan struct{})
		p := m.boot(opts, func(p *process) {
			m.register(p.device, "u1", &smok.PathpointOptions{Write: func(ctx context.Context, _ any, _ smok.Advise) error {
				close(entered)
				<-ctx.Done()
				return ctx.Err()
			}})
		})
		m.enqueue(of(smoktest.Write("u1", "a"+long), smoktest.Write("u1", "b"+long), smoktest.Write("u1", "c"+long), smoktest.Write("u1", "d"+long)))
		<-entered
		p.kill()
		p.bury()
		var got []string
		m.boot(opts, func(p *process) {
			m.register(p.device, "u1", &smok.PathpointOptions{Write: func(_ context.Context, v any, _ smok.Advise) error {
				got = append(got, v.(string)[:1])
				return nil
			}})
		})
		m.sleep(2 * time.Minute)
		if !slices.Equal(got, []string{"a", "b", "c", "d"}) {
			t.Errorf("%q", got)
		}
	})
}

// With a store that takes nothing, what came over HTTP is carried out nonetheless, since there is no other copy; what came
// over the order link stays with the hub until the store takes it.
func TestOrdersWhileTheStoreIsFull(t *testing.T) {
	onBoth(t, func(t *testing.T, m *machine, opts smok.Options) {
		opts.Sysctl = smok.SysctlFunc(func(_ context.Context, opType, _ string) (bool, error) {
			m.effect(opType)
			return true, nil
		})
		p := m.boot(opts, writable("W1", "W2"))
		m.sleep(2 * time.Second)
		p.stuck.Store(true)
		m.enqueue(of(smoktest.Write("W1", 1), smoktest.Write("W2", 2), smoktest.Sysctl("a", "b")))
		m.sleep(5 * time.Second)
		if opts.NGTT == nil {
			m.wantEffects("W1=1", "W2=2", "a")
		} else {
			m.wantEffects()
		}
		if m.told(errFull) == 0 {
			t.Error("nothing was told")
		}
		p.stuck.Store(false)
		m.sleep(5 * time.Minute)
		m.wantEffects("W1=1", "W2=2", "a")
	})
}

// Whatever the hub answers to a poll, the next one is made, and orders are carried out.
func TestPollingOutlivesBadAnswers(t *testing.T) {
	for name, fault := range map[string]smoktest.Fault{
		"garbage": {Kind: smoktest.FaultGarbage},
		"shapes":  {Kind: smoktest.FaultWrongShape},
		"500":     {Kind: smoktest.FaultAnswer},
		"404":     {Kind: smoktest.FaultAnswer, Status: http.StatusNotFound},
		"401":     {Kind: smoktest.FaultAnswer, Status: http.StatusUnauthorized},
		"hang":    {Kind: smoktest.FaultHang},
		"reset":   {Kind: smoktest.FaultReset},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				m := newMachine(w)
				fault.Path, fault.Times = ordersPath, 5
				w.hub.Inject(fault)
				m.boot(smok.Options{Intervals: smok.Intervals{Orders: time.Minute}}, writable("W1"))
				w.enqueue(of(smoktest.Write("W1", 1)))
				w.sleep(6 * time.Hour)
				m.wantEffects("W1=1")
			})
		})
	}
}

// A message whose answer is lost is sent again within its attempts; a message that the hub refuses is not.
func TestMessageOrders(t *testing.T) {
	for name, test := range map[string]struct {
		fault smoktest.Fault
		sent  int
	}{
		"the answer is lost": {smoktest.Fault{Kind: smoktest.FaultReset, AfterEffect: true, Times: 1}, 2},
		"500":                {smoktest.Fault{Kind: smoktest.FaultAnswer, Times: 5}, 1},
		"for ever":           {smoktest.Fault{Kind: smoktest.FaultAnswer}, 0},
		"refused":            {smoktest.Fault{Kind: smoktest.FaultAnswer, Status: http.StatusNotFound, Times: 1}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				m := newMachine(w)
				test.fault.Path = ordersPath + "/message/*"
				injected := w.hub.Inject(test.fault)
				m.boot(smok.Options{Intervals: smok.Intervals{Orders: time.Second}}, writable("W1"))
				w.enqueue(of(smoktest.SendMessage("m1"), smoktest.Write("W1", 1)))
				w.sleep(5 * time.Minute)
				m.wantEffects("W1=1")
				if n := len(w.pump.Messages()); n != test.sent || injected.Hits() > 6 {
					t.Errorf("%d messages, %d attempts spoiled", n, injected.Hits())
				}
			})
		})
	}
}

// An error of the order link that the device tells matches both modules.
func TestErrorsOfTheLinkMatchBoth(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		opts := smok.Options{NGTT: &ngtt.Options{Addr: w.hub.NGTTAddr()}}
		d := w.run(opts)
		w.must(d.WaitSynced(t.Context()))
		w.hub.Down(smoktest.NGTT)
		w.sleep(time.Minute)
		found := false
		for _, err := range w.reported() {
			if _, ok := errors.AsType[*ngtt.ConnectionFailedError](err); ok {
				found = errors.Is(err, smok.Err) && errors.Is(err, ngtt.Err) && errors.Is(err, smok.ErrSync)
			}
		}
		if !found {
			t.Error("no error of the link was told that matches both")
		}
		for name, bad := range map[string]*ngtt.Options{
			"window":  {Addr: w.hub.NGTTAddr(), PingInterval: time.Hour},
			"handler": {Handler: func(context.Context, *ngtt.Order) {}},
			"journal": {Journal: ngtt.NewMemoryJournal()},
		} {
			_, err := smok.New(credentials(t, w.hub), w.options(smok.Options{NGTT: bad}))
			if !errors.Is(err, smok.ErrInvalidArgument) || (name == "window") != errors.Is(err, ngtt.Err) {
				t.Errorf("%s: %v", name, err)
			}
		}
		synctest.Wait()
	})
}

// The sysctl orders about BAOBs are the device's own: the program's handler never sees them.
func TestBuiltInSysctl(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		m.boot(smok.Options{
			Intervals: smok.Intervals{Orders: time.Second},
			Sysctl: smok.SysctlFunc(func(_ context.Context, opType, _ string) (bool, error) {
				m.effect(opType)
				return opType == "mine", nil
			}),
		}, nil)
		w.sleep(5 * time.Second)
		w.pump.SetBAOB("firmware", 3, []byte("new"))
		w.enqueue(of(smoktest.Sysctl("baob-updated", "firmware"), smoktest.Sysctl("mine", ""), smoktest.Sysctl("other", "")))
		w.sleep(5 * time.Second)
		m.wantEffects("mine", "other")
		downloads := slices.DeleteFunc(w.hub.Requests(), func(r smoktest.Request) bool {
			return r.Method != http.MethodGet || r.Path != "/v1/device/baobs/firmware"
		})
		if len(downloads) != 1 {
			t.Errorf("%d downloads", len(downloads))
		}
	})
}
