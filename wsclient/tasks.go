//go:build !js

package wsclient

import (
	"sync"
	"time"
)

// tasks counts goroutines. Unlike a sync.WaitGroup, it may be waited for while more of them begin, and for a limited
// time.
type tasks struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // closed when none is left; nil if nobody waits
}

// Go runs f on a goroutine.
func (t *tasks) Go(f func()) {
	t.mu.Lock()
	t.n++
	t.mu.Unlock()
	go func() {
		defer t.done()
		f()
	}()
}

func (t *tasks) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if t.n == 0 && t.idle != nil {
		close(t.idle)
		t.idle = nil
	}
}

// wait waits until no goroutine is left, for limit at most.
func (t *tasks) wait(limit time.Duration) {
	t.mu.Lock()
	if t.n == 0 {
		t.mu.Unlock()
		return
	}
	if t.idle == nil {
		t.idle = make(chan struct{})
	}
	idle := t.idle
	t.mu.Unlock()
	patience := time.NewTimer(limit)
	defer patience.Stop()
	select {
	case <-idle:
	case <-patience.C:
	}
}
