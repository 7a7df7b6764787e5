package smok

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/schedule"
)

// area is one thing that a device does on its own, such as keeping pathpoints in step with the hub. Areas know each
// other only through the host and through what [Device.open] hands them. One that embeds bare writes down no more than it
// needs.
type area interface {
	// name is what errors and [Status] call it.
	name() string
	// load takes up what the store has, in [New]. A damaged record is reported and left out; an error means that the store
	// itself cannot be used.
	load() error
	// tasks returns its loops, the same each time.
	tasks() []*task
	// quit is called when the context of [Device.Run] has ended, and first of all at [Device.Shutdown]: from then on the
	// area takes no work from the hub. It does not wait. Sections that it has handed to the executor go on.
	quit()
	// flush is the last attempt of [Device.Shutdown] to bring out what the hub does not have yet. No task runs any more,
	// and the executor has stopped. Where the context has ended, it only makes safe what there is.
	flush(ctx context.Context) error
	// status adds what the area has to say.
	status(s *Status)
}

// bare is an area that does nothing; only the name is missing.
type bare struct{}

func (bare) load() error                 { return nil }
func (bare) quit()                       {}
func (bare) flush(context.Context) error { return nil }
func (bare) status(*Status)              {}

// task is a loop of an area: run is called at once, then after every interval, and soon after wake. An error, a panic
// included, is reported and lengthens the time until the next call; it never ends the loop. The area keeps the task, to
// wake it.
type task struct {
	name    string               // what OnError and Status call it
	every   time.Duration        // from the end of a run to the next one, with jitter; zero means that only wake says when
	due     func() time.Duration // in place of every: exactly how long until the next run; negative means not before wake
	gather  time.Duration        // how long a run that was woken waits for more to come
	offline bool                 // it runs without the network as well
	run     func(ctx context.Context) error

	loop   atomic.Pointer[schedule.Loop] // nil before Run
	synced chan struct{}                 // closed after the first run that succeeded with the network; made by New
	done   atomic.Bool                   // synced is closed
}

// wake lets the task run soon; see [schedule.Loop.Wake]. Before Run it does nothing: the first run comes anyway.
func (t *task) wake() {
	if l := t.loop.Load(); l != nil {
		l.Wake()
	}
}

// retry ends the delay after a failure.
func (t *task) retry() {
	if l := t.loop.Load(); l != nil {
		l.Retry()
	}
}

// settled records a success.
func (t *task) settled() {
	if t.done.CompareAndSwap(false, true) {
		close(t.synced)
	}
}
