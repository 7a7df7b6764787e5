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

// set sets the deadline to t. The lock is held; wake wakes those who wait and look at expired.
func (d *deadline) set(t time.Time, lock sync.Locker, wake func()) {
	d.at, d.expired = t, false
	if t.IsZero() {
		d.stop()
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.stop()
		d.expired = true
		wake()
		return
	}
	if d.timer != nil {
		d.timer.Reset(wait)
		return
	}
	d.timer = time.AfterFunc(wait, func() {
		lock.Lock()
		defer lock.Unlock()
		if d.at.IsZero() || d.expired {
			return // taken back while this waited for the lock
		}
		if wait := time.Until(d.at); wait > 0 {
			d.timer.Reset(wait) // moved while this waited for the lock
			return
		}
		d.expired = true
		wake()
	})
}

// stop releases the timer. An expired deadline stays so.
func (d *deadline) stop() {
	d.at = time.Time{}
	if d.timer != nil {
		d.timer.Stop()
	}
}
