// Package gate has a mutex that may be held while the network or a consumer is waited for.
package gate

import "sync/atomic"

// Gate is a mutex. Unlike one of package sync, it lets the time of a testing/synctest bubble pass for those who wait at
// it.
type Gate struct {
	inside atomic.Int32 // the holder and those who wait
	next   chan struct{}
}

// New returns an open gate.
func New() Gate { return Gate{next: make(chan struct{}, 1)} }

// Lock takes the gate, and waits for it if need be.
func (g *Gate) Lock() {
	if g.inside.Add(1) > 1 {
		<-g.next
	}
}

// Unlock hands the gate on to one of those who wait.
func (g *Gate) Unlock() {
	if g.inside.Add(-1) > 0 {
		g.next <- struct{}{}
	}
}

// TryLock takes the gate if it is free.
func (g *Gate) TryLock() bool { return g.inside.CompareAndSwap(0, 1) }

// Held reports whether somebody has the gate.
func (g *Gate) Held() bool { return g.inside.Load() > 0 }
