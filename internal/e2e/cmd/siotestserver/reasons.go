package main

import (
	"sync"

	"github.com/fieldlink-go/fieldlink/sioclient"
)

// maxReasons is how many sockets are remembered.
const maxReasons = 10_000

// reasons remembers why the latest sockets ended. The zero value is empty.
type reasons struct {
	mu    sync.Mutex
	byID  map[string]sioclient.Reason
	order []string // ids, the oldest first
}

func (r *reasons) add(id string, reason sioclient.Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID == nil {
		r.byID = make(map[string]sioclient.Reason)
	}
	if _, known := r.byID[id]; !known { // one that was recovered ends again
		r.order = append(r.order, id)
	}
	r.byID[id] = reason
	if len(r.order) > maxReasons {
		delete(r.byID, r.order[0])
		r.order = r.order[1:]
	}
}

// of returns nil for a socket that is not known to have ended.
func (r *reasons) of(id string) *sioclient.Reason {
	r.mu.Lock()
	defer r.mu.Unlock()
	if reason, ok := r.byID[id]; ok {
		return &reason
	}
	return nil
}
