package pikvmtest

import (
	"context"
	"time"
)

// The disk activity LED blinks that often when the host starts over.
const (
	blinkCount = 3
	blinkTime  = 200 * time.Millisecond
)

// host is the computer: what its buttons do and what its LEDs show. All of it is guarded by the lock of atx.
type host struct {
	atx  *atx
	opts HostOptions
	on   bool

	held    *job // cuts the power when the button is not released in time
	cut     bool // this press has cut the power, so its release means nothing
	pending *job // boot or shutdown under way
	blink   *job
}

func (h *host) press(line ATXLine, now time.Time) {
	a := h.atx
	if line == LineReset {
		a.log.add(ResetPressed)
		if h.on {
			a.log.add(HostReset)
			a.sched.cancel(h.pending) // the system that was shutting down is gone
			h.pending = nil
			h.blinkHDD(blinkCount)
		}
		return
	}
	a.log.add(PowerPressed)
	h.cut = false
	h.held = a.afterFrom(now, h.opts.HoldToCut, func() {
		h.cut = true
		h.setPower(false)
	})
}

func (h *host) release(line ATXLine) {
	a := h.atx
	if line == LineReset {
		a.log.add(ResetReleased)
		return
	}
	a.log.add(PowerReleased)
	a.sched.cancel(h.held)
	switch {
	case h.cut, h.pending != nil:
	case !h.on:
		h.pending = a.after(h.opts.BootDelay, func() { h.setPower(true) })
	case h.opts.IgnoreACPI:
		a.log.add(ACPIIgnored)
	default:
		a.log.add(ACPIAccepted)
		h.pending = a.after(h.opts.ShutdownDelay, func() { h.setPower(false) })
	}
}

// setPower is the moment in which the host starts or stops; whatever was under way ends with it.
func (h *host) setPower(on bool) {
	a := h.atx
	a.sched.cancel(h.pending)
	h.pending = nil
	if h.on == on {
		return
	}
	h.on = on
	if on {
		a.log.add(HostOn)
	} else {
		a.log.add(HostOff)
		a.sched.cancel(h.blink)
		a.setLED("hdd", false)
	}
	a.setLED("power", on)
	a.changed.wake()
}

func (h *host) blinkHDD(times int) {
	a := h.atx
	a.sched.cancel(h.blink)
	a.setLED("hdd", true)
	h.blink = a.after(blinkTime, func() {
		a.setLED("hdd", false)
		if times > 1 {
			h.blink = a.after(blinkTime, func() { h.blinkHDD(times - 1) })
		}
	})
}

// HostPower says whether the host runs, whatever the LED shows.
func (s *Server) HostPower() bool {
	s.atx.mu.Lock()
	defer s.atx.mu.Unlock()
	return s.atx.host.on
}

// SetHostPower switches the host on or off as if by itself: nobody touched its buttons. The LED follows.
func (s *Server) SetHostPower(on bool) {
	s.atx.mu.Lock()
	defer s.atx.mu.Unlock()
	s.atx.host.setPower(on)
}

// WaitHostPower returns when the host runs, or does not, as asked. It returns the error of ctx otherwise.
func (s *Server) WaitHostPower(ctx context.Context, on bool) error {
	a := s.atx
	for {
		a.mu.Lock()
		now, changed := a.host.on, a.changed.wait()
		a.mu.Unlock()
		if now == on {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
