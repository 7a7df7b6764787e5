package pikvmtest

import (
	"net/http"
	"sync"
	"time"
)

// Times of the ATX lines (PiKVM defaults).
const (
	pressShort = 100 * time.Millisecond
	pressLong  = 5500 * time.Millisecond
	pressTail  = time.Second // the line stays busy that long after the release
	debounce   = 100 * time.Millisecond
)

var (
	errATXBusy = &apiError{
		http.StatusConflict, "AtxIsBusyError", "Performing another ATX operation, please try again later",
	}
	errATXDisabled = &apiError{http.StatusBadRequest, "AtxDisabledError", "ATX is disabled"}
)

// ATXLine is one of the two lines between the device and the host. They are busy independently of each other.
type ATXLine string

// The ATX lines.
const (
	LinePower ATXLine = "power"
	LineReset ATXLine = "reset"
)

// atx is the ATX plugin with the host behind it. One lock covers both: the lines, the LEDs and the host change together.
type atx struct {
	version  version
	disabled bool
	scale    float64
	sched    *scheduler
	hub      *hub

	mu      sync.Mutex
	lines   map[ATXLine]*line
	leds    map[string]*led // "power" and "hdd"
	host    host
	log     powerLog
	shown   atxState // last state that the event sockets were told
	changed notifier
}

// line is one output. While done is not nil somebody uses it.
type line struct {
	done    chan struct{} // closed when the line is free again
	pressed bool
	next    *job
}

func newATX(o *Options, v version, sched *scheduler, h *hub) *atx {
	a := &atx{
		version:  v,
		disabled: o.ATXDisabled,
		scale:    o.TimeScale,
		sched:    sched,
		hub:      h,
		lines:    map[ATXLine]*line{LinePower: {}, LineReset: {}},
		leds: map[string]*led{
			"power": {mode: o.Host.PowerLED, raw: o.Host.PoweredOn, shown: o.Host.PoweredOn},
			"hdd":   {mode: o.Host.HDDLED},
		},
		host: host{opts: o.Host, on: o.Host.PoweredOn},
	}
	a.host.atx = a
	a.shown = a.state()
	return a
}

func (a *atx) routes(k *router) {
	k.add(http.MethodGet, "/atx", func(c *call) error {
		a.mu.Lock()
		state := a.wire(a.state())
		a.mu.Unlock()
		return c.ok(state)
	})
	k.add(http.MethodPost, "/atx/power", a.power)
	k.add(http.MethodPost, "/atx/click", a.click)
}

func (a *atx) announce() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hub.broadcast(event{"atx", a.wire(a.state())})
}

// atxState is the state as the device sees it.
type atxState struct {
	power, reset bool // somebody uses the line
	powerLED     bool
	hddLED       bool
}

// state is called with mu held.
func (a *atx) state() atxState {
	return atxState{
		power:    a.lines[LinePower].done != nil,
		reset:    a.lines[LineReset].done != nil,
		powerLED: !a.disabled && a.leds["power"].read(),
		hddLED:   !a.disabled && a.leds["hdd"].read(),
	}
}

// wire is the state in the shape of this version.
func (a *atx) wire(st atxState) map[string]any {
	out := map[string]any{
		"enabled": !a.disabled,
		"busy":    st.power || st.reset,
		"leds":    map[string]bool{"power": st.powerLED, "hdd": st.hddLED},
	}
	if a.version.atLeast(4, 88) {
		out["acts"] = map[string]bool{"power": st.power, "reset": st.reset}
	}
	return out
}

// publish tells the event sockets when the state is another one. It is called with mu held.
func (a *atx) publish() {
	if st := a.state(); st != a.shown {
		a.shown = st
		a.hub.broadcast(event{"atx", a.wire(st)})
	}
	a.changed.wake()
}

// power presses a button only where that makes sense by the power LED, and answers 200 where it does not.
func (a *atx) power(c *call) error {
	action, err := c.arg("action").choice("ATX power action", "on", "off", "off_hard", "reset_hard")
	if err != nil {
		return err
	}
	wait, err := c.arg("wait").or("0").bool()
	if err != nil {
		return err
	}
	button := map[string]string{"on": "power", "off": "power", "off_hard": "power_long", "reset_hard": "reset"}[action]
	return a.press(c, button, wait, func(lit bool) bool { return lit != (action == "on") })
}

// click presses a button whatever the LED shows.
func (a *atx) click(c *call) error {
	button, err := c.arg("button").choice("ATX button", "power", "power_long", "reset")
	if err != nil {
		return err
	}
	wait, err := c.arg("wait").or("0").bool()
	if err != nil {
		return err
	}
	return a.press(c, button, wait, func(bool) bool { return true })
}

// press begins a press if the power LED allows it. The press goes on when the client does not wait for its end, or leaves.
func (a *atx) press(c *call, button string, wait bool, allowed func(lit bool) bool) error {
	done, err := a.begin(button, allowed)
	if err != nil {
		return err
	}
	if wait && done != nil {
		select {
		case <-done:
		case <-c.r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	return c.ok(nil)
}

func (a *atx) begin(button string, allowed func(lit bool) bool) (done <-chan struct{}, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.disabled {
		return nil, errATXDisabled
	}
	if !allowed(a.leds["power"].read()) {
		return nil, nil
	}
	name, hold := LinePower, pressShort
	switch button {
	case "power_long":
		hold = pressLong
	case "reset":
		name = LineReset
	}
	l := a.lines[name]
	if l.done != nil {
		return nil, errATXBusy
	}
	l.done = make(chan struct{})
	l.pressed = true
	now := time.Now() // one for both, so that no delay between them makes a short press a long one
	a.host.press(name, now)
	l.next = a.afterFrom(now, hold, func() {
		a.release(name)
		l.next = a.after(pressTail, func() { a.free(l) })
	})
	a.publish()
	return l.done, nil
}

// release lets go of a line. Like the rest below it is called with mu held.
func (a *atx) release(name ATXLine) {
	a.lines[name].pressed = false
	a.host.release(name)
}

func (a *atx) free(l *line) {
	if l.done != nil {
		close(l.done)
		l.done, l.next = nil, nil
	}
	a.publish()
}

// after runs f with mu held, in d of the time of the device.
func (a *atx) after(d time.Duration, f func()) *job { return a.afterFrom(time.Now(), d, f) }

// afterFrom is after, with d counted from start.
func (a *atx) afterFrom(start time.Time, d time.Duration, f func()) *job {
	var j *job
	j = a.sched.at(start.Add(time.Duration(float64(d)/a.scale)), func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if !a.sched.cancelled(j) { // else cancelled while it waited for the lock
			f()
		}
	})
	return j
}

// restart lets go of everything, as a daemon does that ends: waiters are left to their fate with their connections.
func (a *atx) restart() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range []ATXLine{LinePower, LineReset} {
		l := a.lines[name]
		a.sched.cancel(l.next)
		if l.pressed {
			a.release(name)
		}
		l.done, l.next = nil, nil
	}
	a.publish()
}

// HoldATX keeps a line busy for d (in the time of the device, see [Options.TimeScale]), as somebody else's long action
// would, without touching the host. It does nothing while the line is busy already.
func (s *Server) HoldATX(name ATXLine, d time.Duration) {
	a := s.atx
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.lines[name]
	if l == nil || l.done != nil {
		return
	}
	l.done = make(chan struct{})
	l.next = a.after(d, func() { a.free(l) })
	a.publish()
}
