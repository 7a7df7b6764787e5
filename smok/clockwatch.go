package smok

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// clockEvery is how often the clock is looked at when nothing else does.
const clockEvery = 15 * time.Second

// clockWatch is the area that tells of steps of the wall clock.
type clockWatch struct {
	bare
	*host
	task  *task
	steps atomic.Int64
	woken []func() // told after every step; complete before Run
}

func newClockWatch(h *host) *clockWatch {
	w := &clockWatch{host: h}
	w.task = &task{name: "clock", every: clockEvery, offline: true, run: w.run}
	h.clock.changed = w.task.wake
	return w
}

func (w *clockWatch) name() string   { return "clock" }
func (w *clockWatch) tasks() []*task { return []*task{w.task} }

// onStep lets fn know of steps. It is to be called before Run; fn must not block.
func (w *clockWatch) onStep(fn func()) { w.woken = append(w.woken, fn) }

func (w *clockWatch) run(ctx context.Context) error {
	w.clock.look()
	for _, step := range w.clock.take() {
		w.steps.Add(1)
		w.logger.LogAttrs(ctx, slog.LevelInfo, "clock set", slog.Duration("by", step.By), slog.Bool("sane", step.Set))
		if w.opts.OnClockStep != nil {
			w.guard("OnClockStep", func() { w.opts.OnClockStep(step) })
		}
		for _, fn := range w.woken {
			fn()
		}
	}
	return nil
}

func (w *clockWatch) status(s *Status) {
	s.ClockSet, s.ClockSteps = w.clock.sane(), w.steps.Load()
}
