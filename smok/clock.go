package smok

import (
	"sync"
	"time"
)

// clockStep is how far the wall clock must jump for it to count as a step.
const clockStep = 2 * time.Second

// clock is the device's view of time. Intervals are taken from the monotonic clock, which nothing sets. The wall clock
// is not believed before a certain date, and is watched for steps.
type clock struct {
	wall  func() time.Time
	floor time.Time // the earliest time that can be right
	base  time.Time // where the monotonic clock began

	mu      sync.Mutex
	anchor  time.Time // what the wall clock showed, as seen last, when the monotonic one began
	set     bool
	zero    time.Time // as moment.zero
	epoch   uint32    // how often the wall clock was stepped back
	pending []ClockStep
	changed func() // something is pending; called without the lock
}

// ClockStep tells that somebody has set the wall clock.
type ClockStep struct {
	By  time.Duration // negative if it was set back
	Set bool          // whether the clock shows a time that can be right
}

// moment is a look at the clock.
type moment struct {
	wall  time.Time
	mono  time.Duration // since the device was made
	set   bool          // whether wall can be right
	epoch uint32        // how often the wall clock was stepped back until then
	zero  time.Time     // when mono was 0, if set is true; it changes with steps only, so that a moment has one time
}

func newClock(wall func() time.Time, floor time.Time) *clock {
	c := &clock{wall: wall, floor: floor, base: time.Now()}
	now := wall().Round(0)
	c.anchor, c.set = now.Add(-time.Since(c.base)), !now.Before(floor)
	return c
}

// look reads both clocks and takes note of steps.
func (c *clock) look() moment {
	c.mu.Lock()
	wall, mono := c.wall().Round(0), time.Since(c.base)
	by := wall.Sub(c.anchor.Add(mono))
	c.anchor = wall.Add(-mono)
	set := !wall.Before(c.floor)
	stepped := by > clockStep || by < -clockStep || set != c.set
	if by < -clockStep {
		c.epoch++
	}
	c.set = set
	if set && (stepped || c.zero.IsZero()) {
		c.zero = wall.Add(-mono)
	}
	m := moment{wall: wall, mono: mono, set: set, epoch: c.epoch, zero: c.zero}
	if stepped && len(c.pending) < 16 { // nobody cares for more at once
		c.pending = append(c.pending, ClockStep{By: by, Set: set})
	}
	c.mu.Unlock()
	if stepped && c.changed != nil {
		c.changed()
	}
	return m
}

// now returns the wall clock's time.
func (c *clock) now() time.Time { return c.look().wall }

// sane reports whether the wall clock shows a time that can be right.
func (c *clock) sane() bool { return c.look().set }

// at returns what the wall clock would have shown, as it is set now, at a moment of the monotonic clock.
func (c *clock) at(mono time.Duration) time.Time {
	now := c.look()
	return now.wall.Add(mono - now.mono)
}

// take returns the steps that were not taken yet.
func (c *clock) take() []ClockStep {
	c.mu.Lock()
	defer c.mu.Unlock()
	steps := c.pending
	c.pending = nil
	return steps
}
