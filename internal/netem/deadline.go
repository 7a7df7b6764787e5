package netem

import (
	"sync"
	"time"
)

// deadline is the limit of reads or of writes of one end. The link's mutex guards it.
type deadline struct {
	at      time.Time // zero is never
	expired bool
	timer   *time.Timer // made at the first use and kept, as deadlines are set often
}

// set sets the deadline to t. Those who look at expired wait on cond, whose lock is held.
func (d *deadline) set(t time.Time, cond *sync.Cond) {
	d.at, d.expired = t, false
	if t.IsZero() {
		d.stop()
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.stop()
		d.expired = true
		cond.Broadcast()
		return
	}
	if d.timer != nil {
		d.timer.Reset(wait)
		return
	}
	d.timer = time.AfterFunc(wait, func() {
		cond.L.Lock()
		defer cond.L.Unlock()
		if d.at.IsZero() || d.expired {
			return // taken back while this waited for the lock
		}
		if wait := time.Until(d.at); wait > 0 {
			d.timer.Reset(wait) // moved while this waited for the lock
			return
		}
		d.expired = true
		cond.Broadcast()
	})
}

// stop releases the timer. An expired deadline stays so.
func (d *deadline) stop() {
	d.at = time.Time{}
	if d.timer != nil {
		d.timer.Stop()
	}
}
