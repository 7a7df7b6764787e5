package smok

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/schedule"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Run does everything that the device does on its own, until ctx ends or [Device.Shutdown] or [Device.Close] is called.
// It can be called once. What fails meanwhile, the link above all, is told to [Options.OnError] and tried again; it does
// not end Run.
//
// It returns nil after Shutdown and Close, and an error that matches ctx.Err() when ctx has ended. Then the device takes no
// more orders of the hub, but still values into its store, and is to be closed.
func (d *Device) Run(ctx context.Context) error {
	group, err := d.begin()
	if err != nil {
		return err
	}
	defer close(d.ran)
	if err := d.credentials.Validity(d.clock.now()); err != nil {
		d.report("credentials", smokerr.Link("run", err)) // or the clock is wrong, which may pass
	}
	for _, t := range d.tasks {
		if err := d.start(group, t); err != nil && !errors.Is(err, smokerr.ErrClosed) {
			d.stopLoops()
			return err
		}
	}
	select {
	case <-ctx.Done():
		cause := errkit.FromContext(ctx)
		for _, a := range d.areas {
			a.quit()
		}
		_ = group.Stop(d.loops) // it waits for the loops, or leaves that to Shutdown
		return smokerr.Canceled("run", "", 0, cause)
	case <-d.loops.Done():
		return nil // Shutdown waits for the loops
	}
}

// begin makes the group of the loops.
func (d *Device) begin() (*schedule.Group, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closing.Load():
		return nil, smokerr.Closed("run")
	case d.group != nil:
		return nil, smokerr.InvalidArgument("run", "Run", "called twice", nil)
	}
	d.group = schedule.NewGroup(&schedule.Options{OnResult: d.result, Rand: d.opts.rand})
	d.ran = make(chan struct{})
	return d.group, nil
}

// start starts the loop of a task.
func (d *Device) start(group *schedule.Group, t *task) error {
	loop, err := group.Go(schedule.Area{
		Name: t.name, Every: t.every, Due: t.due, Gather: t.gather,
		Run: func(ctx context.Context) error {
			if !t.offline && !d.online() {
				return nil // SetOffline wakes it
			}
			replies := d.replies.Load()
			if err := t.run(ctx); err != nil {
				return err
			}
			t.settled()
			if d.replies.Load() != replies { // a task that had nothing to say has learned nothing of the link
				d.linked(true)
			}
			return nil
		},
	})
	if err == nil {
		t.loop.Store(loop)
	}
	return err
}

// counted counts the replies of the hub.
type counted struct {
	http.RoundTripper
	replies *atomic.Uint64
}

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.RoundTripper.RoundTrip(r)
	if err == nil {
		c.replies.Add(1)
	}
	return response, err
}

// result is told of every run of a task.
func (d *Device) result(name string, err error, _ time.Duration) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	if errors.Is(err, smokerr.ErrNoLink) {
		d.linked(false)
	}
	d.report(name, err)
}

// linked records whether the hub could be reached. When it can be again, no task waits for the end of its delay.
func (d *Device) linked(up bool) {
	state := int32(linkDown)
	if up {
		state = linkUp
	}
	before := d.link.Swap(state)
	if before == state {
		return
	}
	if d.opts.OnLink != nil {
		d.guard("OnLink", func() { d.opts.OnLink(up) })
	}
	if up && before == linkDown {
		d.retry()
	}
}

// reached is told that the hub is there by what uses no requests. It says nothing of those, but is a reason to try.
func (d *Device) reached() {
	if d.link.Load() == linkDown {
		d.retry()
	}
}

// retry lets no task wait for the end of its delay.
func (d *Device) retry() {
	for _, t := range d.tasks {
		t.retry()
	}
}

// SetOffline stops or begins the use of the network by what the device does on its own. Values, events and all else that
// the hub is to have are kept meanwhile, and what needs no network goes on: archiving, macros, predicates. A request that
// is under way is finished. Calls that ask for something of the hub, such as a fetch, still go out.
func (d *Device) SetOffline(offline bool) {
	if d.offline.Swap(offline) == offline {
		return
	}
	if offline {
		d.orders.goOffline()
		return
	}
	for _, t := range d.tasks {
		t.wake()
		t.retry()
	}
}

// WaitSynced waits until every area that is on has been in step with the hub once since Run. It returns an error when
// ctx ends before, or the device is closed.
func (d *Device) WaitSynced(ctx context.Context) error {
	for _, t := range d.tasks {
		if t.offline {
			continue
		}
		select {
		case <-t.synced:
		case <-ctx.Done():
			return smokerr.Canceled("waitSynced", t.name, 0, errkit.FromContext(ctx))
		case <-d.loops.Done():
			return smokerr.Closed("waitSynced")
		}
	}
	return nil
}
