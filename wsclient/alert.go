//go:build !js

package wsclient

import (
	"sync"
	"time"
)

// alertPause is the shortest time between two alerts of the same kind.
const alertPause = time.Second

// overflow reports losses of the inbound queue: the first at once, and those after it once a second, with their number.
type overflow struct {
	mu      sync.Mutex
	dropped uint64 // not reported yet
	timer   *time.Timer
	closed  bool
}

// overflowed notes that messages were lost for want of room.
func (m *Manager) overflowed(dropped int) {
	if dropped == 0 {
		return
	}
	m.metrics.Add(MetricDropped, uint64(dropped))
	o := &m.overflow
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dropped += uint64(dropped)
	if o.timer == nil && !o.closed {
		m.reportLocked()
		o.timer = time.AfterFunc(alertPause, m.overflowAgain)
	}
}

// overflowAgain reports what was lost since the last report, if anything was.
func (m *Manager) overflowAgain() {
	o := &m.overflow
	o.mu.Lock()
	defer o.mu.Unlock()
	o.timer = nil
	if o.dropped == 0 || o.closed {
		return
	}
	m.reportLocked()
	o.timer = time.AfterFunc(alertPause, m.overflowAgain)
}

func (m *Manager) reportLocked() {
	m.dispatch.alert("message queue full", map[string]any{
		"queue_size": m.opts.Receive.MaxMessages, "dropped": m.overflow.dropped,
	})
	m.overflow.dropped = 0
}

// stop ends the reports.
func (o *overflow) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.timer != nil {
		o.timer.Stop()
	}
}
