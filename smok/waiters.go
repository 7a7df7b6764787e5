package smok

import "sync"

// waiters are the goroutines of an area that wait for what it has handed to the executor. In contrast to a
// [sync.WaitGroup], a loop that Shutdown had no time to wait for may still begin one while they are waited for.
type waiters struct {
	mu    sync.Mutex
	ended bool
	group sync.WaitGroup
}

// begin reserves a place, to be given up with done; not any more once wait was called.
func (w *waiters) begin() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.group.Add(1)
	}
	return !w.ended
}

func (w *waiters) done() { w.group.Done() }

// wait lets no more begin and waits for all.
func (w *waiters) wait() {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.group.Wait()
}
