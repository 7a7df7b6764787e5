package pikvmtest

import (
	"encoding/json"
	"strconv"
)

// state is the whole state. Like all here it is called with mu held.
func (k *kvmSwitch) state() map[string]any {
	return map[string]any{
		"model":   k.model(),
		"summary": map[string]any{"active_port": k.active, "active_id": k.portID(k.active), "synced": true},
		"edids":   map[string]any{"all": k.edids, "used": each(k.ports, func(p switchPort) string { return p.edid })},
		"colors":  k.colors,
		"video":   map[string]any{"links": each(k.ports, func(p switchPort) bool { return p.linked })},
		"usb":     map[string]any{"links": each(k.ports, func(p switchPort) bool { return p.linked })},
		"beacons": map[string]any{
			"uplinks":   each(k.units, func(u switchUnit) bool { return u.uplink }),
			"downlinks": each(k.units, func(u switchUnit) bool { return u.downlink }),
			"ports":     each(k.ports, func(p switchPort) bool { return p.beacon }),
		},
		"atx": map[string]any{
			"busy": each(k.ports, func(p switchPort) bool { return p.busy }),
			"leds": map[string]any{
				"power": each(k.ports, func(p switchPort) bool { return p.power }),
				"hdd":   each(k.ports, func(p switchPort) bool { return p.hdd }),
			},
		},
	}
}

func each[T, R any](list []T, f func(T) R) []R {
	out := make([]R, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}

func (k *kvmSwitch) model() map[string]any {
	units := each(k.units, func(switchUnit) any {
		return map[string]any{"firmware": map[string]any{"version": switchFirmware, "devbuild": false}}
	})
	ports := make([]any, len(k.ports))
	for i, p := range k.ports {
		delays := make(map[string]json.Number)
		for name, d := range p.delays {
			delays[name] = json.Number(pyFloat(d))
		}
		video := map[string]any{}
		if k.version.atLeast(4, 72) {
			video["dummy"] = p.dummy
		}
		ports[i] = map[string]any{
			"unit": i / switchUnitPorts, "channel": i % switchUnitPorts, "id": k.portID(i), "name": p.name,
			"atx": map[string]any{"click_delays": delays}, "video": video,
		}
	}
	return map[string]any{
		"firmware": map[string]any{"version": switchFirmware}, "limits": k.limits, "units": units, "ports": ports,
	}
}

// portID is a port as printed on the switch.
func (k *kvmSwitch) portID(port int) string {
	channel := strconv.Itoa(port%switchUnitPorts + 1)
	switch {
	case port < 0:
		return ""
	case len(k.units) == 1:
		return channel
	}
	return strconv.Itoa(port/switchUnitPorts+1) + "." + channel
}
