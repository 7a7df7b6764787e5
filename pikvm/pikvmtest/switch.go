package pikvmtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Properties of the PiKVM Switch.
const (
	switchLag       = 50 * time.Millisecond // from an order until it is done
	switchUnitPorts = 4
	switchFirmware  = 9
	switchDefault   = "default"
	switchMaxUnits  = 5
	switchMaxDelay  = 10
	switchHostBlink = time.Second // a button is busy after its release
)

// switchDelays are how long buttons are pressed by default, in seconds.
var switchDelays = map[string]float64{"power": 0.5, "power_long": 5.5, "reset": 0.5}

// kvmSwitch is the PiKVM Switch. It answers before it acts, and says nothing of what it cannot do.
type kvmSwitch struct {
	version version
	sched   *scheduler
	hub     *hub
	limits  json.RawMessage // of the model

	mu     sync.Mutex
	units  []switchUnit
	ports  []switchPort
	active int // -1 for none
	edids  map[string]edid
	colors map[string]switchColor
}

type switchUnit struct{ uplink, downlink bool } // beacons

type switchPort struct {
	name   string
	edid   string
	dummy  bool
	delays map[string]float64
	beacon bool
	busy   bool
	power  bool // LED
	hdd    bool // LED
	linked bool // video and USB
}

type switchColor struct {
	Red        int `json:"red"`
	Green      int `json:"green"`
	Blue       int `json:"blue"`
	Brightness int `json:"brightness"`
	BlinkMS    int `json:"blink_ms"`
}

func newSwitch(s *Server) *kvmSwitch {
	var doc struct {
		Model struct {
			Limits json.RawMessage `json:"limits"`
		} `json:"model"`
		EDIDs struct {
			All map[string]edid `json:"all"`
		} `json:"edids"`
	}
	if err := json.Unmarshal(readDocument("switch"), &doc); err != nil {
		panic(err) // the file is part of the program
	}
	k := &kvmSwitch{
		version: s.version, sched: s.sched, hub: s.hub, limits: doc.Model.Limits,
		units: make([]switchUnit, s.opts.SwitchUnits), active: -1, edids: doc.EDIDs.All, colors: defaultColors(),
	}
	for range switchUnitPorts * len(k.units) {
		delays := make(map[string]float64)
		for name, d := range switchDelays {
			delays[name] = d
		}
		k.ports = append(k.ports, switchPort{edid: switchDefault, dummy: true, delays: delays})
	}
	if len(k.ports) > 0 {
		k.active = 0
	}
	return k
}

func defaultColors() map[string]switchColor {
	return map[string]switchColor{
		"inactive":   {255, 0, 0, 64, 0},
		"active":     {0, 255, 0, 128, 0},
		"flashing":   {0, 170, 255, 128, 0},
		"beacon":     {228, 44, 156, 255, 250},
		"bootloader": {255, 170, 0, 128, 0},
	}
}

func (k *kvmSwitch) routes(r *router) {
	r.add(http.MethodGet, "/switch", func(c *call) error {
		k.mu.Lock()
		state := k.state()
		k.mu.Unlock()
		return c.ok(state)
	})
	r.add(http.MethodPost, "/switch/set_active", k.setActive)
	if k.version.atLeast(4, 72) {
		r.add(http.MethodPost, "/switch/set_active_prev", func(c *call) error { return k.step(c, -1) })
		r.add(http.MethodPost, "/switch/set_active_next", func(c *call) error { return k.step(c, 1) })
	}
	r.add(http.MethodPost, "/switch/set_beacon", k.setBeacon)
	r.add(http.MethodPost, "/switch/set_port_params", k.setPortParams)
	r.add(http.MethodPost, "/switch/set_colors", k.setColors)
	r.add(http.MethodPost, "/switch/reset", k.reset)
	r.add(http.MethodPost, "/switch/edids/create", k.createEDID)
	r.add(http.MethodPost, "/switch/edids/change", k.changeEDID)
	r.add(http.MethodPost, "/switch/edids/remove", k.removeEDID)
	r.add(http.MethodPost, "/switch/atx/power", k.power)
	r.add(http.MethodPost, "/switch/atx/click", k.click)
}

func (k *kvmSwitch) announce() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hub.broadcast(event{"switch", k.state()})
}

// later performs an order on a port that exists and publishes what it changes; others are dropped. It is called
// without mu.
func (k *kvmSwitch) later(port int, do func(p *switchPort) (parts []string)) {
	k.order(func() []string {
		if port < 0 || port >= len(k.ports) {
			return nil
		}
		return do(&k.ports[port])
	})
}

// order performs an order after a while.
func (k *kvmSwitch) order(do func() (parts []string)) {
	k.sched.after(switchLag, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.publish(do()...)
	})
}

// publish sends parts of the state, all of it if the model is among them: that is how clients know a whole state. It is
// called with mu held.
func (k *kvmSwitch) publish(parts ...string) {
	all, some := k.state(), make(map[string]any)
	switch {
	case len(parts) == 0:
		return
	case slices.Contains(parts, "model"):
		k.hub.broadcast(event{"switch", all})
		return
	}
	for _, part := range parts {
		some[part] = all[part]
	}
	k.hub.broadcast(event{"switch", some})
}

func (k *kvmSwitch) setActive(c *call) error {
	port, err := c.arg("port").port()
	if err != nil {
		return err
	}
	k.later(port, func(*switchPort) []string {
		k.active = port
		return []string{"summary"}
	})
	return c.ok(nil)
}

// step selects the next port in a direction, without going round.
func (k *kvmSwitch) step(c *call, by int) error {
	k.order(func() []string {
		if next := k.active + by; next >= 0 && next < len(k.ports) {
			k.active = next
		}
		return []string{"summary"}
	})
	return c.ok(nil)
}

func (k *kvmSwitch) setBeacon(c *call) error {
	on, err := c.arg("state").bool()
	if err != nil {
		return err
	}
	if c.arg("port").set {
		port, err := c.arg("port").port()
		if err != nil {
			return err
		}
		k.later(port, func(p *switchPort) []string {
			p.beacon = on
			return []string{"beacons"}
		})
		return c.ok(nil)
	}
	place := "uplink"
	if !c.arg(place).set {
		place = "downlink"
	}
	unit, err := c.arg(place).int("int", 0)
	if err != nil {
		return err
	}
	k.order(func() []string {
		if unit >= int64(len(k.units)) {
			return nil
		}
		if place == "uplink" {
			k.units[unit].uplink = on
		} else {
			k.units[unit].downlink = on
		}
		return []string{"beacons"}
	})
	return c.ok(nil)
}

func (k *kvmSwitch) setPortParams(c *call) error {
	port, err := c.arg("port").port()
	if err != nil {
		return err
	}
	id := c.arg("edid_id")
	if id.set {
		if id.value, err = id.edidID(true); err != nil {
			return err
		}
	}
	dummy, err := c.arg("dummy").optionalBool()
	if err != nil {
		return err
	}
	delays := make(map[string]float64)
	for name, usual := range switchDelays {
		a := c.arg("atx_click_" + name + "_delay")
		if !a.set {
			continue
		}
		if delays[name], err = a.floatTo("ATX delay", 0, switchMaxDelay); err != nil {
			return err
		}
		if delays[name] == 0 {
			delays[name] = usual
		}
	}
	name := c.arg("name")
	if id.set && !k.knows(id.value) {
		return errEDIDUnknown
	}
	k.later(port, func(p *switchPort) []string {
		if id.set {
			p.edid = id.value
		}
		if dummy != nil {
			p.dummy = *dummy
		}
		if name.set {
			p.name = strings.Join(strings.Fields(name.value), " ")
		}
		for name, d := range delays {
			p.delays[name] = d
		}
		return []string{"model"}
	})
	return c.ok(nil)
}

func (k *kvmSwitch) reset(c *call) error {
	if _, err := c.arg("unit").int("int", 0); err != nil {
		return err
	}
	if _, err := c.arg("bootloader").or("0").bool(); err != nil {
		return err
	}
	return c.ok(nil) // a unit comes back as it was
}

func (k *kvmSwitch) setColors(c *call) error {
	changed := make(map[string]switchColor)
	for role, usual := range defaultColors() {
		a := c.arg(role)
		if !a.set {
			continue
		}
		color, err := a.color(usual)
		if err != nil {
			return err
		}
		changed[role] = color
	}
	k.mu.Lock()
	for role, color := range changed {
		k.colors[role] = color
	}
	if len(changed) > 0 {
		k.publish("colors")
	}
	k.mu.Unlock()
	return c.ok(nil)
}

// port is a port: an index from 0, or, with a fraction, unit and channel from 1.
func (a arg) port() (int, error) {
	f, err := a.float("float", 0)
	if err != nil {
		return 0, err
	}
	whole, part, _ := strings.Cut(pyFloat(f), ".")
	unit, errUnit := strconv.Atoi(whole)
	channel, errChannel := strconv.Atoi(part)
	switch {
	case errUnit != nil || errChannel != nil:
		return switchMaxUnits * switchUnitPorts, nil // one that is not there
	case channel == 0:
		return unit, nil
	}
	unit = min(max(unit, 1), switchMaxUnits)
	channel = min(max(channel, 1), switchUnitPorts)
	return (unit-1)*switchUnitPorts + channel - 1, nil
}

// color is RRGGBB:BB:IIII, or the default.
func (a arg) color(usual switchColor) (switchColor, error) {
	s, err := a.text("switch color", 256)
	if err != nil || s == switchDefault {
		return usual, err
	}
	var c switchColor
	var end string
	n, _ := fmt.Sscanf(s, "%02x%02x%02x:%02x:%04x%s", &c.Red, &c.Green, &c.Blue, &c.Brightness, &c.BlinkMS, &end)
	if n != 5 || len(s) != len("RRGGBB:BB:IIII") {
		return c, invalid("The argument %s is not a valid switch color", pyRepr(s))
	}
	return c, nil
}
