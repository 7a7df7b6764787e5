package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
)

// maxArrivals is how many events are kept for expectations. The oldest make way.
const maxArrivals = 100_000

// arrivals are what has come and was not expected yet.
type arrivals struct {
	mu      sync.Mutex
	list    []arrival
	changed chan struct{} // closed and replaced at every arrival
}

type arrival struct {
	name  string
	event *sioclient.Event // nil for what is no event of the server's
}

func newArrivals() *arrivals { return &arrivals{changed: make(chan struct{})} }

func (a *arrivals) add(name string, e *sioclient.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.list) == maxArrivals {
		a.list = a.list[1:]
	}
	a.list = append(a.list, arrival{name, e})
	close(a.changed)
	a.changed = make(chan struct{})
}

// take returns the first arrival of a name, and waits for it if it is not there.
func (a *arrivals) take(ctx context.Context, name string, limit time.Duration) (*sioclient.Event, bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		a.mu.Lock()
		changed := a.changed
		i := slices.IndexFunc(a.list, func(one arrival) bool { return one.name == name })
		if i >= 0 {
			e := a.list[i].event
			a.list = slices.Delete(a.list, i, i+1)
			a.mu.Unlock()
			return e, true
		}
		a.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, false
		}
	}
}
