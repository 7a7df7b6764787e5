package smok_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

const macrosPath = "/v1/device/macro*"

// withMacros are the options of a device that does not get orders.
func withMacros() smok.Options {
	return smok.Options{Disable: smok.Areas{Orders: true}, Intervals: smok.Intervals{Macros: 5 * time.Minute}}
}

// macro is one that writes a number to a pathpoint at some times.
func macro(id, path string, v any, at ...time.Time) smoktest.Macro {
	m := smoktest.Macro{ID: id, Commands: []smoktest.Command{{Path: path, Value: v}}}
	for _, each := range at {
		m.Occurrences = append(m.Occurrences, smoktest.Occurrence{Time: each})
	}
	return m
}

// soon returns the whole second that is d from now.
func soon(d time.Duration) time.Time { return time.Now().Add(d).Truncate(time.Second) }

// confirmations returns how often each occurrence of a macro was confirmed.
func (w *world) confirmations() (all []int) {
	for _, m := range w.pump.Macros() {
		for _, o := range m.Occurrences {
			all = append(all, o.Confirmed)
		}
	}
	return all
}

// told returns how many of the errors reported so far match.
func (w *world) told(target error) (n int) {
	for _, err := range w.reported() {
		if errors.Is(err, target) {
			n++
		}
	}
	return n
}

// A macro is carried out at its time, to the moment, once for each occurrence, and confirmed.
func TestMacroIsExactAndOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		start := soon(0)
		twice := macro("m1", "W1", 0, start.Add(10*time.Second), start.Add(20*time.Minute))
		twice.Commands = append(twice.Commands, smoktest.Command{Path: "W2", Value: 2}, smoktest.Command{Path: "W1", Value: 1})
		w.pump.SetMacros(twice, macro("m2", "W3", 3, start.Add(10*time.Second)))
		m.boot(withMacros(), func(p *process) {
			for _, path := range []string{"W1", "W2", "W3"} {
				w.register(p.device, path, &smok.PathpointOptions{
					Write: func(_ context.Context, v any, advise smok.Advise) error {
						m.effect(fmt.Sprint(path, "=", v, " ", advise, " ", time.Since(start).Round(time.Millisecond)))
						return nil
					},
				})
			}
		})
		w.sleep(3 * time.Hour)
		m.wantEffects("W1=1 force 10s", "W2=2 force 10s", "W3=3 force 10s", "W1=1 force 20m0s", "W2=2 force 20m0s")
		if d := cmp.Diff([]int{1, 1, 1}, w.confirmations()); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	})
}

// A macro that comes while others are known is not late: the hub is asked often enough, and nobody waits for the next
// round to carry it out.
func TestNewMacroIsNotLate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		w.pump.SetMacros(macro("m1", "W1", 1, soon(2*time.Hour)))
		m.boot(withMacros(), writable("W1", "W2"))
		w.sleep(10 * time.Minute)
		w.pump.SetMacros(macro("m1", "W1", 1, soon(2*time.Hour)), macro("m2", "W2", 2, soon(6*time.Minute)))
		w.sleep(7 * time.Minute)
		m.wantEffects("W2=2")
		// One that the hub has taken back is not carried out.
		w.pump.SetMacros()
		w.sleep(3 * time.Hour)
		m.wantEffects("W2=2")
	})
}

// A macro is not repeated although the hub does not know that it was carried out: the confirmation is tried until it is
// taken, and a restart changes nothing.
func TestUnconfirmedMacroIsNotRepeated(t *testing.T) {
	for name, fault := range map[string]smoktest.Fault{
		"no reply":           {Kind: smoktest.FaultReset},
		"the answer is lost": {Kind: smoktest.FaultReset, AfterEffect: true},
		"500":                {Kind: smoktest.FaultAnswer, Status: http.StatusInternalServerError},
		"429":                {Kind: smoktest.FaultAnswer, Status: http.StatusTooManyRequests, RetryAfter: time.Minute},
		"401":                {Kind: smoktest.FaultAnswer, Status: http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				m := newMachine(w)
				w.pump.SetMacros(macro("m1", "W1", 1, soon(10*time.Second)))
				fault.Path = "/v1/device/macros/*"
				injected := w.hub.Inject(fault)
				p := m.boot(withMacros(), writable("W1"))
				w.sleep(20 * time.Minute)
				if n := p.device.Status().Macros.Unconfirmed; n != 1 && !fault.AfterEffect {
					t.Errorf("%d unconfirmed", n)
				}
				p.kill()
				p.bury()
				m.boot(withMacros(), writable("W1"))
				w.sleep(20 * time.Minute)
				injected.Remove()
				w.sleep(3 * time.Hour)
				m.wantEffects("W1=1")
				if c := w.confirmations(); len(c) != 1 || c[0] == 0 {
					t.Errorf("%v", c)
				}
			})
		})
	}
}

// A confirmation that the hub refuses is told and given up.
func TestRefusedConfirmation(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		w.pump.SetMacros(macro("m1", "W1", 1, soon(10*time.Second)))
		gone := w.hub.Inject(smoktest.Fault{Path: "/v1/device/macros/*", Kind: smoktest.FaultAnswer, Status: http.StatusGone})
		m.boot(withMacros(), writable("W1"))
		w.sleep(5 * time.Hour)
		m.wantEffects("W1=1")
		if n := w.told(smok.ErrClientFault); gone.Hits() != 1 || n != 1 {
			t.Errorf("%d attempts, %d told", gone.Hits(), n)
		}
	})
}

// A confirmation that the hub has taken and then forgotten is made again; the macro is not.
func TestForgottenConfirmation(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		at := soon(10 * time.Second)
		w.pump.SetMacros(macro("m1", "W1", 1, at))
		m.boot(withMacros(), writable("W1"))
		w.sleep(time.Minute)
		w.pump.SetMacros(macro("m1", "W1", 1, at))
		w.sleep(20 * time.Minute)
		m.wantEffects("W1=1")
		if c := w.confirmations(); len(c) != 1 || c[0] != 1 {
			t.Errorf("%v", c)
		}
	})
}

// Without the hub macros are carried out that the device knew before, after a restart as well; offline does not stop them.
func TestMacrosWithoutTheHub(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		w.pump.SetMacros(macro("m1", "W1", 1, soon(10*time.Minute)), macro("m2", "f2", 2.5, soon(20*time.Minute)), macro("m3", "u3", "x", soon(20*time.Minute)))
		p := m.boot(withMacros(), writable("W1", "f2", "u3"))
		w.sleep(time.Minute)
		w.hub.Down(smoktest.Both)
		w.sleep(10 * time.Minute)
		m.wantEffects("W1=1")
		p.kill()
		p.bury()
		opts := withMacros()
		opts.Offline = true
		p = m.boot(opts, writable("W1", "f2", "u3"))
		w.sleep(20 * time.Minute)
		m.wantEffects("W1=1", "f2=2.5", "u3=x")
		w.must(w.hub.Up(smoktest.Both))
		w.sleep(time.Hour)
		if n := w.pump.Counts().Macros; n != 0 {
			t.Errorf("%d confirmed while offline", n)
		}
		p.device.SetOffline(false)
		w.sleep(20 * time.Minute)
		m.wantEffects("W1=1", "f2=2.5", "u3=x")
		if d := cmp.Diff([]int{1, 1, 1}, w.confirmations()); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	})
}

// A macro whose time passed while the device was off is carried out if it is not too late, and otherwise told, once.
func TestLateMacros(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		w.pump.SetMacros(
			macro("late", "W1", 1, soon(-50*time.Minute)), macro("missed", "W2", 2, soon(-70*time.Minute)),
		)
		opts := withMacros()
		opts.Macros.MaxLateness = time.Hour
		p := m.boot(opts, writable("W1", "W2", "W3", "W4"))
		w.sleep(time.Minute)
		m.wantEffects("W1=1")
		w.pump.SetMacros(macro("far", "W3", 3, soon(30*time.Minute)), macro("near", "W4", 4, soon(2*time.Hour)))
		w.sleep(10 * time.Minute)
		p.kill()
		p.bury()
		w.sleep(2 * time.Hour)
		w.reported()
		p = m.boot(opts, writable("W1", "W2", "W3", "W4"))
		w.sleep(10 * time.Minute)
		m.wantEffects("W1=1", "W4=4")
		if n := w.told(smok.ErrMissed); n != 1 || p.device.Status().Macros.Missed != 1 {
			t.Errorf("%d told, %+v", n, p.device.Status().Macros)
		}
		p.kill()
		p.bury()
		m.boot(opts, writable("W1", "W2", "W3", "W4"))
		w.sleep(10 * time.Minute)
		if n := w.told(smok.ErrMissed); n != 0 {
			t.Errorf("told again %d times", n)
		}
		m.wantEffects("W1=1", "W4=4")
	})
}

// No macro is carried out while the clock is not set. When it is, all that is due is.
func TestMacrosWaitForTheClock(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		set := time.Date(2030, time.May, 1, 12, 0, 0, 0, time.UTC)
		w.pump.SetMacros(macro("m1", "W1", 1, soon(time.Minute)), macro("m2", "W2", 2, set.Add(-time.Minute)))
		opts := withMacros()
		opts.ClockFloor = set.AddDate(-1, 0, 0)
		var ahead atomic.Int64
		opts.Time = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		m.boot(opts, writable("W1", "W2"))
		w.sleep(30 * time.Minute)
		m.wantEffects()
		if n := len(w.hub.Requests()); n > 0 {
			for _, r := range w.hub.Requests() {
				if strings.HasPrefix(r.Path, "/v1/device/macro") {
					t.Errorf("asked for the macros of %s", r.Path)
				}
			}
		}
		ahead.Store(int64(time.Until(set)))
		w.sleep(time.Minute)
		m.wantEffects("W2=2")
	})
}

// A macro that had begun when the process was killed is not begun again: it is told as in doubt, and confirmed. One that
// waited behind it is carried out by the next process.
func TestMacroInDoubt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		w.pump.SetMacros(macro("m1", "W1", 1, soon(10*time.Second)), macro("m2", "W1", 2, soon(11*time.Second)))
		var ids []string
		entered := make(chan struct{})
		p := m.boot(withMacros(), func(p *process) {
			w.register(p.device, "W1", &smok.PathpointOptions{
				Timeout: time.Hour,
				Write: func(ctx context.Context, v any, _ smok.Advise) error {
					ids = append(ids, smok.OrderID(ctx))
					m.effect(fmt.Sprint("W1=", v))
					close(entered)
					<-ctx.Done()
					return ctx.Err()
				},
			})
		})
		<-entered
		w.sleep(5 * time.Second)
		p.kill()
		p.bury()
		w.reported()
		m.boot(withMacros(), writable("W1"))
		w.sleep(20 * time.Minute)
		m.wantEffects("W1=1", "W1=2")
		if n := w.told(smok.ErrInDoubt); n != 1 {
			t.Errorf("told %d times", n)
		}
		if d := cmp.Diff([]int{1, 1}, w.confirmations()); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		if len(ids) != 1 || !strings.Contains(ids[0], "m1") {
			t.Errorf("%q", ids)
		}
	})
}

// A macro does not run unless the store knows that it begins; when it can take that again, it runs.
func TestMacroNeedsTheStore(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		w.pump.SetMacros(macro("m1", "W1", 1, soon(10*time.Second)))
		p := m.boot(withMacros(), writable("W1"))
		w.sleep(5 * time.Second)
		p.stuck.Store(true)
		w.sleep(10 * time.Minute)
		m.wantEffects()
		if n := w.told(errFull); n == 0 || n > 20 {
			t.Errorf("told %d times", n)
		}
		p.stuck.Store(false)
		w.sleep(2 * time.Minute)
		m.wantEffects("W1=1")
	})
}

// Whatever the hub answers, the loops go on, and macros that are known are carried out.
func TestMacrosOutliveBadAnswers(t *testing.T) {
	for name, fault := range map[string]smoktest.Fault{
		"garbage": {Kind: smoktest.FaultGarbage},
		"shapes":  {Kind: smoktest.FaultWrongShape},
		"500":     {Kind: smoktest.FaultAnswer},
		"404":     {Kind: smoktest.FaultAnswer, Status: http.StatusNotFound},
		"cut":     {Kind: smoktest.FaultTruncate, Bytes: 5},
		"entries": {Kind: smoktest.FaultAnswer, Status: http.StatusOK, Body: []byte(`[7,{"macro_id":"m9"},{"macro_id":"m8","commands":[{"path":1}],"occurrences":[{"timestamp":"x"}]}]`)},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				m := newMachine(w)
				fault.Path, fault.Times = macrosPath, 5
				w.hub.Inject(fault)
				w.pump.SetMacros(macro("m1", "W1", 1, soon(30*time.Minute)))
				m.boot(withMacros(), writable("W1"))
				w.sleep(time.Hour)
				synctest.Wait()
				m.wantEffects("W1=1")
				if c := w.confirmations(); len(c) != 1 || c[0] != 1 {
					t.Errorf("%v", c)
				}
			})
		})
	}
}

// A macro that was carried out while the store took nothing any more is confirmed nonetheless, as soon as the store knows;
// so is one in doubt of an earlier process. Where there is nothing to do, the store is not asked all the time.
func TestMacroWhoseEndIsNotStored(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := newMachine(w)
		w.pump.SetMacros(macro("m1", "W1", 1, soon(10*time.Second)), macro("m2", "W2", 2, soon(40*time.Second)))
		opts := withMacros()
		opts.Provider = func(string, smok.StorageLevel) (*smok.PathpointOptions, error) { return nil, smok.ErrNotFound }
		p := m.boot(opts, func(p *process) {
			w.register(p.device, "W1", &smok.PathpointOptions{
				Write: func(context.Context, any, smok.Advise) error { p.stuck.Store(true); m.effect("W1"); return nil },
			})
		})
		w.sleep(20 * time.Minute)
		if n := w.told(errFull); n == 0 || n > 60 {
			t.Errorf("told %d times", n)
		}
		p.stuck.Store(false)
		w.sleep(15 * time.Minute)
		m.wantEffects("W1")
		if d := cmp.Diff([]int{1, 1}, w.confirmations()); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	})
}
