package pikvmtest

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// gpioBusy is how long an output is busy after a change (PiKVM default).
const gpioBusy = 200 * time.Millisecond

var (
	errGPIOBusy     = &apiError{http.StatusConflict, "GpioChannelIsBusyError", "Performing another GPIO operation on this channel, please try again later"}
	errGPIONotFound = &apiError{http.StatusBadRequest, "GpioChannelNotFoundError", "GPIO channel is not found"}
	errGPIONoSwitch = &apiError{http.StatusBadRequest, "GpioSwitchNotSupported", "This GPIO channel does not support switching"}
	errGPIONoPulse  = &apiError{http.StatusBadRequest, "GpioPulseNotSupported", "This GPIO channel does not support pulsing"}
)

// gpio is the GPIO of the device.
type gpio struct {
	version  version
	sched    *scheduler
	hub      *hub
	recorded bool // the view of the recorded device goes with the channels

	mu       sync.Mutex
	order    []string
	channels map[string]*channel
	log      []GPIOEvent
}

// channel is an input or an output.
type channel struct {
	GPIOChannel
	on      bool          // at the pin
	done    chan struct{} // closed when the output is free again; nil while it is
	offline bool
}

// GPIOEvent is a change at the pin of an output.
type GPIOEvent struct {
	Time    time.Time
	Channel string
	On      bool
}

func newGPIO(s *Server) *gpio {
	g := &gpio{
		version: s.version, sched: s.sched, hub: s.hub, channels: make(map[string]*channel),
		recorded: len(s.opts.GPIO) == len(defaultChannels)+1,
	}
	for i, ch := range s.opts.GPIO {
		g.order = append(g.order, ch.Name)
		g.channels[ch.Name] = &channel{GPIOChannel: ch, on: ch.On}
		g.recorded = g.recorded && (i == len(defaultChannels) || ch.Name == defaultChannels[i].Name)
	}
	return g
}

func (g *gpio) routes(k *router) {
	k.add(http.MethodGet, "/gpio", func(c *call) error {
		g.mu.Lock()
		state := g.state()
		g.mu.Unlock()
		return c.ok(state)
	})
	k.add(http.MethodPost, "/gpio/switch", g.switchTo)
	k.add(http.MethodPost, "/gpio/pulse", g.pulse)
}

func (g *gpio) announce() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hub.broadcast(event{"gpio", g.state()})
}

// state and all below are called with mu held.
func (g *gpio) state() map[string]any {
	return map[string]any{"model": g.model(), "state": g.states(g.order...)}
}

func (g *gpio) states(names ...string) map[string]any {
	inputs, outputs := make(map[string]any), make(map[string]any)
	for _, name := range names {
		ch := g.channels[name]
		if ch.Input {
			inputs[name] = map[string]bool{"online": !ch.offline, "state": ch.on}
			continue
		}
		busy := ch.done != nil
		outputs[name] = map[string]bool{"online": !ch.offline || busy, "state": ch.on && !busy, "busy": busy}
	}
	state := make(map[string]any)
	if len(names) == len(g.order) || len(inputs) > 0 {
		state["inputs"] = inputs
	}
	if len(names) == len(g.order) || len(outputs) > 0 {
		state["outputs"] = outputs
	}
	return state
}

// publish tells what a channel is like now. Devices before 4.21 send everything every time.
func (g *gpio) publish(name string) {
	state := g.state()
	if g.version.atLeast(4, 21) {
		state = map[string]any{"state": g.states(name)}
	}
	g.hub.broadcast(event{"gpio", state})
}

// switchTo sets an output.
func (g *gpio) switchTo(c *call) error {
	name, err := c.arg("channel").channel()
	if err != nil {
		return err
	}
	on, err := c.arg("state").bool()
	if err != nil {
		return err
	}
	return g.act(c, name, func(ch *channel) error {
		if !ch.Switch {
			return errGPIONoSwitch
		}
		return nil
	}, func(ch *channel) time.Duration {
		g.set(ch, on)
		return gpioBusy
	})
}

// pulse sets an output and takes it back.
func (g *gpio) pulse(c *call) error {
	name, err := c.arg("channel").channel()
	if err != nil {
		return err
	}
	delay, err := c.arg("delay").or("0").float("float", 0)
	if err != nil {
		return err
	}
	length := time.Duration(delay * float64(time.Second))
	return g.act(c, name, func(ch *channel) error {
		if ch.Pulse == 0 {
			return errGPIONoPulse
		}
		return nil
	}, func(ch *channel) time.Duration {
		if length == 0 {
			length = ch.Pulse
		}
		length = min(max(length, ch.MinPulse), ch.MaxPulse)
		g.set(ch, true)
		g.after(length, func() { g.set(ch, false) })
		return length + gpioBusy
	})
}

// act works an output. begin starts what happens, and says how long the output is busy with it.
func (g *gpio) act(c *call, name string, check func(*channel) error, begin func(*channel) time.Duration) error {
	wait, err := c.arg("wait").or("0").bool()
	if err != nil {
		return err
	}
	done, offline, err := g.begin(name, check, begin)
	if err != nil {
		return err
	}
	if wait {
		select {
		case <-done:
		case <-c.r.Context().Done():
			panic(http.ErrAbortHandler)
		}
		if offline != nil {
			return offline
		}
	}
	return c.ok(nil)
}

// begin is called without mu.
func (g *gpio) begin(
	name string, check func(*channel) error, begin func(*channel) time.Duration,
) (done <-chan struct{}, offline, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	ch := g.channels[name]
	if ch == nil || ch.Input {
		return nil, nil, errGPIONotFound
	}
	if err := check(ch); err != nil {
		return nil, nil, err
	}
	if ch.done != nil {
		return nil, nil, errGPIOBusy
	}
	free := make(chan struct{})
	ch.done = free
	busy := gpioBusy
	if ch.offline {
		offline = &apiError{
			http.StatusBadRequest, "GpioDriverOfflineError", fmt.Sprintf("GPIO driver %s is offline", pyRepr(ch.Driver)),
		}
	} else {
		busy = begin(ch)
	}
	g.publish(name)
	g.after(busy, func() { g.release(ch) })
	return free, offline, nil
}

func (g *gpio) release(ch *channel) {
	close(ch.done)
	ch.done = nil
	g.publish(ch.Name)
}

func (g *gpio) set(ch *channel, on bool) {
	if ch.on == on {
		return
	}
	ch.on = on
	if len(g.log) == maxRecorded {
		g.log = append(g.log[:0], g.log[maxRecorded/4:]...)
	}
	g.log = append(g.log, GPIOEvent{time.Now(), ch.Name, on})
}

// after runs f with mu held in d.
func (g *gpio) after(d time.Duration, f func()) {
	g.sched.after(d, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		f()
	})
}

// channel is the name of a channel.
func (a arg) channel() (string, error) {
	s, err := a.text("GPIO channel", 255)
	if err != nil {
		return "", err
	}
	if !channelPattern.MatchString(s) {
		return "", invalid("The argument %s is not a valid GPIO channel", pyRepr(s))
	}
	return s, nil
}
