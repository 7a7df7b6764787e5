package smok

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

const macrosName = "macros"

const (
	macroAhead   = 9000 * time.Second // how far ahead the hub is asked for macros, as the original client does
	macroMemory  = 7 * 24 * time.Hour // how long it is remembered that one was carried out
	macroReprise = time.Minute        // the wait after the store has refused to take note of a beginning
)

// MacroSettings are the settings of macros. The zero value is good for use.
type MacroSettings struct {
	// MaxLateness is how late a macro may be carried out, after the device was off or its clock not set. One that is later
	// is reported as [ErrMissed]. Zero means 1h.
	MaxLateness time.Duration
}

// MacroStats says what the macros do.
type MacroStats struct {
	Ahead       int    // occurrences that are to come, as far as they are known
	Executed    uint64 // since the device was made
	Missed      uint64 // likewise
	Unconfirmed int    // carried out, and the hub does not know
}

// macros is the area that writes pathpoints at the times that the hub has set, without the hub if need be. It carries out
// each occurrence of a macro at most once: that it begins is on the disk before the first write.
type macros struct {
	bare
	*host
	list, act, tell *task
	jobs            waiters // one for each occurrence in the executor

	mu       sync.Mutex   // guards what follows
	ahead    []occurrence // by time
	marks    map[string]*mark
	active   map[string]bool // in the executor
	over     map[string]bool // carried out, and the store could not take note
	fetched  time.Time       // when the hub was asked last
	hold     time.Time       // none begins before; monotonic
	executed uint64
	missed   uint64
}

// occurrence is one time at which a macro is to be carried out.
type occurrence struct {
	id       string
	at       time.Time
	commands []order.Command
}

func newMacros(h *host) *macros {
	m := &macros{host: h, marks: make(map[string]*mark), active: make(map[string]bool), over: make(map[string]bool)}
	m.list = &task{name: macrosName, every: h.opts.Intervals.Macros, run: m.fetch}
	m.act = &task{name: macrosName + ".execute", offline: true, due: m.next, run: m.execute}
	m.tell = &task{name: macrosName + ".confirm", every: h.opts.Intervals.Macros, run: m.confirm}
	return m
}

func (m *macros) name() string   { return macrosName }
func (m *macros) tasks() []*task { return []*task{m.list, m.act, m.tell} }

func (m *macros) flush(ctx context.Context) error {
	m.jobs.wait() // the executor has stopped: they only have to write
	if ctx.Err() != nil || !m.online() || m.unconfirmed() == 0 {
		return nil
	}
	return m.confirm(ctx)
}

func (m *macros) status(s *Status) {
	unconfirmed := m.unconfirmed()
	m.mu.Lock()
	defer m.mu.Unlock()
	s.Macros = MacroStats{Executed: m.executed, Missed: m.missed, Unconfirmed: unconfirmed}
	for _, o := range m.ahead {
		if m.marks[macroKey(o.id, o.at)] == nil {
			s.Macros.Ahead++
		}
	}
}

// fetch asks the hub which macros are to be carried out.
func (m *macros) fetch(ctx context.Context) error {
	now := m.clock.look()
	if !now.set {
		return nil // stepped asks again
	}
	m.mu.Lock()
	from := now.wall.Add(-m.opts.Macros.MaxLateness)
	if !m.fetched.IsZero() && m.fetched.Before(from) {
		from = m.fetched // what was missed in between is to be known
	}
	told := m.confirmed()
	m.mu.Unlock()
	if oldest := now.wall.Add(-macroMemory); from.Before(oldest) {
		from = oldest
	}
	list, err := m.api.Macros(ctx, from, now.wall.Add(macroAhead))
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.fetched = now.wall
	m.ahead = occurrences(list)
	changes := m.review(list, told, now.wall)
	m.mu.Unlock()
	err = errors.Join(m.change(ctx, changes...), m.save())
	m.act.wake()
	m.tell.wake()
	return err
}

// occurrences returns the times to come of macros, sorted. Of two commands for one pathpoint the last one counts.
func occurrences(list []api.Macro) []occurrence {
	var all []occurrence
	for _, macro := range list {
		commands := make([]order.Command, len(macro.Commands))
		for i, c := range macro.Commands {
			commands[i] = order.Command(c)
		}
		for _, o := range macro.Occurrences {
			if !o.Completed {
				all = append(all, occurrence{id: macro.ID, at: o.Time, commands: commands})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b occurrence) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id)) })
	return slices.CompactFunc(all, func(a, b occurrence) bool { return a.id == b.id && a.at.Equal(b.at) })
}

// stepped is told that somebody has set the clock.
func (m *macros) stepped() {
	m.list.wake()
	m.act.wake()
}

// next returns the time until execute has something to do, negative if that depends on the hub or the clock.
func (m *macros) next() time.Duration {
	now := m.clock.look()
	m.mu.Lock()
	defer m.mu.Unlock()
	if !now.set {
		return -1
	}
	for _, o := range m.ahead {
		key := macroKey(o.id, o.at)
		if m.marks[key] == nil && !m.active[key] {
			return max(o.at.Sub(now.wall), time.Until(m.hold), 0)
		}
	}
	return -1
}

// execute hands what is due to the executor, if the clock can be believed.
func (m *macros) execute(ctx context.Context) error {
	now := m.clock.look()
	m.mu.Lock()
	var due []occurrence
	for _, o := range m.ahead {
		key := macroKey(o.id, o.at)
		if now.set && !o.at.After(now.wall) && m.marks[key] == nil && !m.active[key] && !time.Now().Before(m.hold) {
			due = append(due, o)
		}
	}
	m.mu.Unlock()
	for _, o := range due {
		if late := now.wall.Sub(o.at); late > m.opts.Macros.MaxLateness {
			m.miss(ctx, o, late)
			continue
		}
		if err := m.start(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// miss takes note that it is too late for an occurrence.
func (m *macros) miss(ctx context.Context, o occurrence, late time.Duration) {
	m.mu.Lock()
	m.missed++
	m.mu.Unlock()
	if err := m.change(ctx, mark{ID: o.id, At: o.at.Unix(), State: markMissed}); err != nil {
		m.report(macrosName, err)
		m.wait()
	}
	m.report(macrosName, smokerr.ErrMissed.Wrap("execute", o.id, fmt.Errorf("%v late", late.Round(time.Second))))
}

// wait lets nothing begin for a while, since the store does not take what must be in it.
func (m *macros) wait() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hold = time.Now().Add(macroReprise)
}

// start hands an occurrence to the executor. It waits for room in the queue.
func (m *macros) start(ctx context.Context, o occurrence) error {
	key := macroKey(o.id, o.at)
	section := order.Macro(o.commands)
	for i := range section.Orders {
		section.Orders[i].ID = identity(fmt.Sprintf("macro:%s@%d", o.id, o.at.Unix()), 0, i)
	}
	var held atomic.Bool // it could not begin
	begun := sync.OnceValue(func() error {
		err := m.change(m.life, mark{ID: o.id, At: o.at.Unix(), State: markBegun})
		if err != nil {
			held.Store(true)
			m.wait()
		}
		return err
	})
	if !m.jobs.begin() {
		return smokerr.Closed("submit")
	}
	m.setActive(key, true)
	handle, err := m.exec.SubmitWait(ctx, &executor.Submission{
		Lane: executor.Macro, Sections: []Section{section},
		Begin: func(context.Context, *order.Order) error { return begun() },
	})
	if errors.Is(err, smokerr.ErrInvalidArgument) {
		m.jobs.done()
		m.report(macrosName, err)
		err = m.change(ctx, mark{ID: o.id, At: o.at.Unix(), State: markRefused})
		m.setActive(key, false)
		return err
	}
	if err != nil {
		m.jobs.done()
		m.setActive(key, false)
		return err
	}
	go func() {
		defer m.jobs.done()
		m.await(handle, o, &held)
	}()
	return nil
}

// await takes note of the end of an occurrence.
func (m *macros) await(handle *executor.Handle, o occurrence, held *atomic.Bool) {
	defer m.act.wake()
	key := macroKey(o.id, o.at)
	defer m.setActive(key, false)
	<-handle.Done()
	results, err := handle.Wait(context.Background())
	if err != nil {
		return // what has begun is in doubt, the rest is for the next process
	}
	for _, out := range results[0] {
		if out.Err != nil {
			m.report(macrosName, out.Err)
		}
	}
	if held.Load() {
		return
	}
	err = m.change(m.life, mark{ID: o.id, At: o.at.Unix(), State: markDone})
	if err != nil {
		m.report(macrosName, err)
		m.wait() // if nothing has begun either, since there was nothing to do
	}
	m.mu.Lock()
	m.executed++
	if err != nil {
		m.over[key] = true
	}
	m.mu.Unlock()
	m.tell.wake()
}

func (m *macros) setActive(key string, active bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if active {
		m.active[key] = true
		return
	}
	delete(m.active, key)
}

// confirm tells the hub what was carried out. What it does not want to know is not told again.
func (m *macros) confirm(ctx context.Context) error {
	failed := m.settle(ctx)
	for _, done := range m.inState(markDone) {
		err := m.api.MacroDone(ctx, done.ID, time.Unix(done.At, 0))
		switch {
		case err == nil:
			done.State = markConfirmed
		case refused(err):
			m.report(macrosName, err)
			done.State = markRefused
		default:
			failed = cmp.Or(failed, err)
			if blocked(err) {
				return failed
			}
			continue
		}
		if err := m.change(ctx, done); err != nil {
			return err
		}
	}
	return failed
}

// refused reports whether the hub will never take what it was told.
func refused(err error) bool {
	if response, ok := errors.AsType[*ResponseError](err); ok {
		return response.Rejected()
	}
	return errors.Is(err, smokerr.ErrInvalidArgument)
}

// blocked reports whether the hub will not take anything for now.
func blocked(err error) bool {
	response, ok := errors.AsType[*ResponseError](err)
	return !ok || response.NoLink() || response.Identity() || response.RetryAfter > 0
}
