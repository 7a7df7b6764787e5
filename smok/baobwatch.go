package smok

import (
	"context"
	"iter"
	"sync"
)

// baobWatchers tells those who watch of changes.
type baobWatchers struct {
	mu  sync.Mutex
	all map[*baobWatcher]struct{}
}

// baobWatcher holds the changes that one loop has not seen, at most one of each key.
type baobWatcher struct {
	order []string
	last  map[string]BAOBChange
	wake  chan struct{}
}

func (w *baobWatchers) tell(change BAOBChange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for watcher := range w.all {
		old, waits := watcher.last[change.Key]
		if !waits {
			watcher.order = append(watcher.order, change.Key)
		}
		told := change
		told.Backup = told.Backup || old.Backup
		watcher.last[change.Key] = told
		select {
		case watcher.wake <- struct{}{}:
		default:
		}
	}
}

// next returns the oldest change that the watcher has not seen.
func (w *baobWatchers) next(watcher *baobWatcher) (BAOBChange, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(watcher.order) == 0 {
		return BAOBChange{}, false
	}
	key := watcher.order[0]
	watcher.order = watcher.order[1:]
	change := watcher.last[key]
	delete(watcher.last, key)
	return change, true
}

// watch begins when it is called, not when the loop does.
func (w *baobWatchers) watch(ctx, life context.Context) iter.Seq[BAOBChange] {
	watcher := &baobWatcher{last: make(map[string]BAOBChange), wake: make(chan struct{}, 1)}
	w.mu.Lock()
	if w.all == nil {
		w.all = make(map[*baobWatcher]struct{})
	}
	w.all[watcher] = struct{}{}
	w.mu.Unlock()
	remove := func() {
		w.mu.Lock()
		delete(w.all, watcher)
		w.mu.Unlock()
	}
	stop := context.AfterFunc(ctx, remove) // also if nobody ever ranges over it
	return func(yield func(BAOBChange) bool) {
		defer stop()
		defer remove()
		for {
			if ctx.Err() != nil {
				return
			}
			if change, ok := w.next(watcher); ok {
				if !yield(change) {
					return
				}
				continue
			}
			select {
			case <-watcher.wake:
			case <-ctx.Done():
				return
			case <-life.Done():
				return
			}
		}
	}
}
