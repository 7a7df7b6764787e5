//go:build !js

package wsclient

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"
)

// maxChanges is how many changes of state wait for a slow observer.
const maxChanges = 64

// board shows the state. The supervisor alone changes it, everybody may look.
type board struct {
	mu       sync.Mutex
	last     StateChange // To is the present state
	watchers []*watcher
	ended    bool // no change will come any more
}

// watcher is one observer of the state.
type watcher struct {
	changes []StateChange // guarded by board.mu
	wake    chan struct{} // gets something when there are changes, or none will come any more
}

func (b *board) state() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last.To
}

// show makes a change known. It fills in Seq, From and At, and returns the change.
func (b *board) show(c StateChange) StateChange {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.Seq, c.From, c.At = b.last.Seq+1, b.last.To, time.Now()
	b.last = c
	b.ended = c.To == StateClosed
	for _, w := range b.watchers {
		w.add(c)
	}
	return c
}

// add keeps a change. Of too many, the last is replaced: an observer that comes back wants to know where things stand.
func (w *watcher) add(c StateChange) {
	if n := len(w.changes); n >= maxChanges {
		c.Skipped = w.changes[n-1].Skipped + 1
		c.From = w.changes[n-1].From
		w.changes[n-1] = c
	} else {
		w.changes = append(w.changes, c)
	}
	w.nudge()
}

func (w *watcher) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// watch registers an observer and returns the state from which on it sees changes.
func (b *board) watch() (*watcher, State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := &watcher{wake: make(chan struct{}, 1)}
	b.watchers = append(b.watchers, w)
	return w, b.last.To
}

func (b *board) unwatch(w *watcher) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watchers = slices.DeleteFunc(b.watchers, func(v *watcher) bool { return v == w })
}

// next returns the next change for w, and false if there is none before ctx is done or the state is final.
func (b *board) next(ctx context.Context, w *watcher) (StateChange, bool) {
	for {
		b.mu.Lock()
		if len(w.changes) > 0 {
			c := w.changes[0]
			w.changes = slices.Delete(w.changes, 0, 1)
			b.mu.Unlock()
			return c, true
		}
		ended := b.ended
		b.mu.Unlock()
		if ended {
			return StateChange{}, false
		}
		select {
		case <-ctx.Done():
			return StateChange{}, false
		case <-w.wake:
		}
	}
}

// StateChanges yields every change of state from now on, in order, until ctx is done or the manager is closed. An
// observer that falls behind by more than 64 changes is shown the latest one, with the number of those left out in
// Skipped.
func (m *Manager) StateChanges(ctx context.Context) iter.Seq[StateChange] {
	return func(yield func(StateChange) bool) {
		w, _ := m.board.watch()
		defer m.board.unwatch(w)
		for {
			c, ok := m.board.next(ctx, w)
			if !ok || !yield(c) {
				return
			}
		}
	}
}

// WaitState waits until the manager is in one of the states, however briefly, and returns which. It fails with the
// error of ctx, or with a *ClosedError once the manager is closed and no such state can come any more.
func (m *Manager) WaitState(ctx context.Context, states ...State) (State, error) {
	w, now := m.board.watch()
	defer m.board.unwatch(w)
	for !slices.Contains(states, now) {
		c, ok := m.board.next(ctx, w)
		if ok {
			now = c.To
			continue
		}
		if ctx.Err() != nil {
			return now, m.callEnded(ctx, opWait, nil)
		}
		return StateClosed, m.closedError(opWait)
	}
	return now, nil
}

// State returns the state as it is now.
func (m *Manager) State() State { return m.board.state() }
