package main

import (
	"fmt"
	"sync"
	"time"
)

// ledger holds every value that the gateway's device has accepted, to compare them with what the hub got.
type ledger struct {
	mu     sync.Mutex
	values map[entry]any
}

// entry names a value: a pathpoint has one at a time.
type entry struct {
	path string
	at   time.Time // UTC, in whole milliseconds
}

func newLedger() *ledger { return &ledger{values: make(map[entry]any)} }

// accepted notes a value.
func (l *ledger) accepted(path string, at time.Time, v any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.values[entry{path, at.UTC()}] = v
}

// count returns how many values there are.
func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.values)
}

// compare returns an error unless the hub has every value exactly once, and no other.
func (l *ledger) compare(got []hubSample) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := make(map[entry]bool)
	for _, s := range got {
		e := entry{s.Path, s.Time.UTC()}
		want, known := l.values[e]
		switch {
		case !known:
			return fmt.Errorf("the hub has %s of %v, which the gateway has not measured", s.Path, s.Time)
		case seen[e]:
			return fmt.Errorf("the hub has %s of %v twice", s.Path, s.Time)
		case s.Value != want:
			return fmt.Errorf("the hub has %v for %s of %v, not %v", s.Value, s.Path, s.Time, want)
		}
		seen[e] = true
	}
	if missing := len(l.values) - len(seen); missing > 0 {
		return fmt.Errorf("the hub lacks %d of %d values", missing, len(l.values))
	}
	return nil
}
