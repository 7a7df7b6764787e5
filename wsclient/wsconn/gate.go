//go:build !js

package wsconn

import "sync/atomic"

// gate is a mutex that may be held while the network is waited for. Unlike one of package sync, it lets the time of a
// testing/synctest bubble pass for those who wait at it.
type gate struct {
	inside atomic.Int32 // the holder and those who wait
	next   chan struct{}
}

func newGate() gate { return gate{next: make(chan struct{}, 1)} }

func (g *gate) Lock() {
	if g.inside.Add(1) > 1 {
		<-g.next
	}
}

// Unlock hands the gate on to one of those who wait.
func (g *gate) Unlock() {
	if g.inside.Add(-1) > 0 {
		g.next <- struct{}{}
	}
}

// TryLock takes the gate if it is free.
func (g *gate) TryLock() bool { return g.inside.CompareAndSwap(0, 1) }

// Held reports whether somebody has the gate.
func (g *gate) Held() bool { return g.inside.Load() > 0 }
