package pikvmtest

import "time"

// power presses a button of the host at a port where that makes sense by its LED.
func (k *kvmSwitch) power(c *call) error {
	port, err := c.arg("port").port()
	if err != nil {
		return err
	}
	action, err := c.arg("action").choice("ATX power action", "on", "off", "off_hard", "reset_hard")
	if err != nil {
		return err
	}
	button := map[string]string{"on": "power", "off": "power", "off_hard": "power_long", "reset_hard": "reset"}[action]
	k.later(port, func(p *switchPort) []string {
		if p.power == (action == "on") {
			return nil
		}
		return k.press(p, button)
	})
	return c.ok(nil)
}

// click presses a button of the host at a port.
func (k *kvmSwitch) click(c *call) error {
	port, err := c.arg("port").port()
	if err != nil {
		return err
	}
	button, err := c.arg("button").choice("ATX button", "power", "power_long", "reset")
	if err != nil {
		return err
	}
	k.later(port, func(p *switchPort) []string { return k.press(p, button) })
	return c.ok(nil)
}

// press is called with mu held. A port that is busy drops it.
func (k *kvmSwitch) press(p *switchPort, button string) []string {
	if p.busy {
		return nil
	}
	p.busy = true
	held := time.Duration(p.delays[button] * float64(time.Second))
	k.sched.after(held, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		switch button {
		case "power":
			p.power = !p.power
		case "power_long":
			p.power = false
		}
		k.publish("atx")
	})
	k.sched.after(held+switchHostBlink, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		p.busy = false
		k.publish("atx")
	})
	return []string{"atx"}
}

// SwitchHost is the host at a port of the switch.
type SwitchHost struct {
	Power  bool // its LED
	HDD    bool // its LED
	Linked bool // video and USB
}

// SetSwitchHost changes the host at a port, by the port's index. It does nothing for a port that is not there.
func (s *Server) SetSwitchHost(port int, host SwitchHost) {
	k := s.kvmSwitch
	k.mu.Lock()
	defer k.mu.Unlock()
	if port < 0 || port >= len(k.ports) {
		return
	}
	p := &k.ports[port]
	p.power, p.hdd, p.linked = host.Power, host.HDD, host.Linked
	k.publish("atx", "video", "usb")
}
