package pikvmtest

// led is an LED input of the device: it shows what the host does after a while of quiet, or nothing of it.
type led struct {
	mode  LEDMode
	raw   bool // at the pin
	shown bool // after the debouncing
	job   *job
}

// read is what the device sees.
func (l *led) read() bool {
	switch l.mode {
	case LEDStuckOff:
		return false
	case LEDStuckOn:
		return true
	default:
		return l.shown
	}
}

// setLED changes the level at a pin. It is called with mu held.
func (a *atx) setLED(name string, lit bool) {
	l := a.leds[name]
	if l.raw == lit {
		return
	}
	l.raw = lit
	a.sched.cancel(l.job)
	l.job = a.after(debounce, func() {
		if l.shown != l.raw {
			l.shown = l.raw
			a.publish()
		}
	})
}

func (a *atx) setMode(name string, mode LEDMode) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.leds[name].mode = mode
	a.publish()
}

// SetPowerLED rewires the power LED: stuck on or off it lies about the host, which goes on as before.
func (s *Server) SetPowerLED(mode LEDMode) { s.atx.setMode("power", mode) }

// SetHDDLED rewires the disk activity LED.
func (s *Server) SetHDDLED(mode LEDMode) { s.atx.setMode("hdd", mode) }
