// Package alarm has a timer that lets go of its owner when it is stopped.
package alarm

import (
	"sync/atomic"
	"time"
)

// Alarm calls a function with its owner when its time has come. The runtime may keep a timer that was stopped until that
// time; it would keep the owner as well, and with it all that an ended connection had. An alarm that was stopped does not
// know its owner any more.
type Alarm[T any] struct {
	timer *time.Timer
	owner atomic.Pointer[T]
	ring  func(*T)
}

// After returns an alarm that calls ring in d, on a goroutine of its own. The function itself must not hold the owner.
func After[T any](d time.Duration, owner *T, ring func(*T)) *Alarm[T] {
	a := &Alarm[T]{ring: ring}
	a.owner.Store(owner)
	a.timer = time.AfterFunc(d, a.fire)
	return a
}

func (a *Alarm[T]) fire() {
	if owner := a.owner.Load(); owner != nil {
		a.ring(owner)
	}
}

// Reset lets the alarm ring in d, once more or for the first time. It must not be called after Stop, nor at the same time.
func (a *Alarm[T]) Reset(d time.Duration) { a.timer.Reset(d) }

// Stop ends the alarm for good. One that rings at this moment is not waited for. It may be called again.
func (a *Alarm[T]) Stop() {
	a.timer.Stop()
	a.owner.Store(nil)
}
