package smok

import (
	"context"
	"errors"
	"slices"
	"time"
)

// closeTimeout is how long [Device.Close] tries to bring out what the hub does not have.
const closeTimeout = 10 * time.Second

// Shutdown ends the device: it takes no more orders, lets the sections that run end (when ctx ends before, they are
// abandoned, and their orders come again), makes one last attempt to bring values, events and logs to the hub, and closes
// the store. What the hub did not get stays in the store, if that is a durable one. The errors of all that failed are
// returned together; the device is closed then as well. A second call waits for the first and returns nil.
//
// It must not be called from a handler of the device, for which it would wait.
func (d *Device) Shutdown(ctx context.Context) error {
	d.mu.Lock()
	if d.closing.Swap(true) {
		d.mu.Unlock()
		<-d.ended
		return nil
	}
	group, ran := d.group, d.ran
	d.mu.Unlock()
	defer close(d.ended)

	backwards := slices.Clone(d.areas)
	slices.Reverse(backwards)
	var errs []error
	for _, a := range backwards {
		a.quit()
	}
	d.stopLoops()
	if group != nil {
		errs = append(errs, group.Stop(ctx))
		<-ran
	}
	errs = append(errs, d.exec.Stop(ctx))
	d.closed.Store(true)
	for _, a := range backwards {
		errs = append(errs, a.flush(ctx))
	}
	d.stop()
	d.api.Close()
	errs = append(errs, d.store.Close())
	return errors.Join(errs...)
}

// Close is [Device.Shutdown] with 10s.
func (d *Device) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return d.Shutdown(ctx)
}
