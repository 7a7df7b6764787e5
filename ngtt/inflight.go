package ngtt

import "sync"

// inflight counts what Shutdown waits for: orders on their way to the handler, its calls, and orders without an answer.
// The zero value is ready to use.
type inflight struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // made by who waits, closed when n is 0; else nil
}

func (f *inflight) add() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
}

func (f *inflight) done() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n--; f.n == 0 && f.idle != nil {
		close(f.idle)
		f.idle = nil
	}
}

// wait waits until nothing is in flight, and reports whether that came before one of the channels was closed.
func (f *inflight) wait(done, closed <-chan struct{}) bool {
	f.mu.Lock()
	if f.n == 0 {
		f.mu.Unlock()
		return true
	}
	if f.idle == nil {
		f.idle = make(chan struct{})
	}
	idle := f.idle
	f.mu.Unlock()
	select {
	case <-idle:
		return true
	case <-done:
	case <-closed:
	}
	return false
}
