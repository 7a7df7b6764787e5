//go:build !js

package wsclient

import "sync"

// keepCloses is how many ends of connections are remembered, for consumers that are behind.
const keepCloses = 16

// link tells which connection there is. It is written when connections come and go, and read by those who follow them.
type link struct {
	mu      sync.Mutex
	now     linkState
	closes  [keepCloses]CloseInfo // by generation
	changed chan struct{}         // closed at the next change; nil while nobody waits for it
}

// linkState is what is known of the latest connection.
type linkState struct {
	gen uint64 // 0 before the first
	up  bool
	err error // why there will be no other one unless the owner wants it; nil if there may be
}

func (l *link) connected(gen uint64) {
	l.set(func() { l.now = linkState{gen: gen, up: true} })
}

func (l *link) disconnected(info CloseInfo) {
	l.set(func() {
		l.closes[info.Gen%keepCloses] = info
		if l.now.gen == info.Gen {
			l.now.up = false
		}
	})
}

// end notes that no connection is sought any more, because of err. Nil takes it back.
func (l *link) end(err error) {
	l.set(func() { l.now.err = err })
}

func (l *link) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// state returns how things stand.
func (l *link) state() linkState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

// watch returns how things stand and a channel that is closed when that changes.
func (l *link) watch() (linkState, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return l.now, l.changed
}

// close returns how a connection ended, nil if that is not known any more.
func (l *link) close(gen uint64) *CloseInfo {
	l.mu.Lock()
	defer l.mu.Unlock()
	if info := l.closes[gen%keepCloses]; info.Gen == gen {
		return &info
	}
	return nil
}
