package pikvm

import (
	"sync"
	"time"
)

// defaultStall is how long a stream may stand still: as long as the web server of a device waits.
const defaultStall = time.Minute

// watch ends an operation in which nothing moves any more. The zero limit watches nothing.
type watch struct {
	o *operation

	mu    sync.Mutex
	limit time.Duration
	timer *time.Timer
	over  bool
}

// watch begins to watch over the operation. Whoever calls it calls stop.
func (o *operation) watch(limit time.Duration) *watch {
	w := &watch{o: o}
	w.allow(limit)
	return w
}

// allow sets another limit, and counts from now on.
func (w *watch) allow(limit time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limit = limit
	switch {
	case w.over:
	case limit <= 0:
		if w.timer != nil {
			w.timer.Stop()
		}
	case w.timer == nil:
		w.timer = time.AfterFunc(limit, w.expire)
	default:
		w.timer.Reset(limit)
	}
}

// moved counts anew.
func (w *watch) moved() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.limit > 0 && !w.over {
		w.timer.Reset(w.limit)
	}
}

func (w *watch) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over && w.limit > 0 {
		w.over = true
		w.o.limit = w.limit // read only when ctx has ended and nobody else ended it
		w.o.abort()
	}
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.timer != nil {
		w.timer.Stop()
	}
}

// stallLimit returns the limit that an option asks for, 0 for none.
func stallLimit(option time.Duration) time.Duration {
	switch {
	case option < 0:
		return 0
	case option == 0:
		return defaultStall
	}
	return option
}
