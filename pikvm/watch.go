package pikvm

import (
	"sync"
	"sync/atomic"
	"time"
)

// defaultStall is how long a stream may stand still: as long as the web server of a device waits.
const defaultStall = time.Minute

// watch ends an operation in which nothing moves any more. The zero limit watches nothing.
type watch struct {
	o     *operation
	begin time.Time
	last  atomic.Int64 // when something moved, as a duration since begin: far cheaper than setting a timer anew

	mu    sync.Mutex
	limit time.Duration
	timer *time.Timer // nil while there is no limit
	over  bool
}

// watch begins to watch over the operation. Whoever calls it calls stop.
func (o *operation) watch(limit time.Duration) *watch {
	w := &watch{o: o, begin: time.Now()}
	w.allow(limit)
	return w
}

// allow sets another limit, and counts from now on.
func (w *watch) allow(limit time.Duration) {
	w.moved()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	if w.limit = limit; limit > 0 {
		w.timer = time.AfterFunc(limit, w.expire)
	}
}

// moved counts anew.
func (w *watch) moved() { w.last.Store(int64(time.Since(w.begin))) }

// expire ends the operation, unless something has moved meanwhile.
func (w *watch) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over || w.timer == nil {
		return
	}
	if left := w.limit - (time.Since(w.begin) - time.Duration(w.last.Load())); left > 0 {
		w.timer.Reset(left)
		return
	}
	w.over = true
	w.o.limit = w.limit // read only when ctx has ended and nobody else ended it
	w.o.abort()
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
