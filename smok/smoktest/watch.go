package smoktest

import (
	"context"
	"sync"
)

// watch wakes those who wait for a change. Its mutex is the innermost of the hub.
type watch struct {
	mu      sync.Mutex
	changed chan struct{} // closed by the next change; nil while nobody waits
}

func (w *watch) notify() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

func (w *watch) next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	return w.changed
}

// Wait returns nil as soon as done returns true, or the error of ctx. It calls done at once and after every change, from
// its own goroutine; done may call all methods of the hub, of its devices and of the NGTT side. Where much is kept, look
// at [Device.Counts], which copies nothing.
func (h *Hub) Wait(ctx context.Context, done func() bool) error {
	for {
		changed := h.watch.next()
		if done() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-h.ctx.Done():
			return errClosed
		}
	}
}
