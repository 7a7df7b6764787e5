package pikvmtest

import (
	"encoding/json"
	"slices"
	"time"
)

// model tells what the channels are and how they are shown. It is called with mu held.
func (g *gpio) model() map[string]any {
	inputs, outputs := make(map[string]any), make(map[string]any)
	for name, ch := range g.channels {
		hw := map[string]string{"driver": ch.Driver, "pin": ch.Pin}
		if ch.Input {
			inputs[name] = map[string]any{"hw": hw}
			continue
		}
		outputs[name] = map[string]any{"hw": hw, "switch": ch.Switch, "pulse": map[string]json.Number{
			"delay": pySeconds(ch.Pulse), "min_delay": pySeconds(ch.MinPulse), "max_delay": pySeconds(ch.MaxPulse),
		}}
	}
	return map[string]any{"scheme": map[string]any{"inputs": inputs, "outputs": outputs}, "view": g.view()}
}

// view is that of the recorded device for its channels, and one row for each of others.
func (g *gpio) view() any {
	if g.recorded {
		var doc struct {
			Model struct {
				View json.RawMessage `json:"view"`
			} `json:"model"`
		}
		if err := json.Unmarshal(readDocument("gpio"), &doc); err != nil {
			panic(err) // the file is part of the program
		}
		return doc.Model.View
	}
	table := []any{}
	for _, name := range g.order {
		ch := g.channels[name]
		switch {
		case ch.Name == ownChannel.Name, !ch.Input && !ch.Switch && ch.Pulse == 0:
		case ch.Input:
			table = append(table, []any{map[string]any{"type": "input", "channel": name, "color": "green"}})
		default:
			table = append(table, []any{map[string]any{
				"type": "output", "channel": name, "text": name, "confirm": false, "hide": false,
			}})
		}
	}
	return map[string]any{"header": map[string]any{"title": []any{}}, "table": table}
}

// pySeconds spells a duration as Python does a float.
func pySeconds(d time.Duration) json.Number { return json.Number(pyFloat(d.Seconds())) }

// SetGPIOInput changes what an input, or a constant output, reads. It does nothing for other channels.
func (s *Server) SetGPIOInput(channel string, on bool) {
	g := s.gpio
	g.mu.Lock()
	defer g.mu.Unlock()
	ch := g.channels[channel]
	if ch == nil || ch.on == on || ch.Switch || ch.Pulse > 0 {
		return
	}
	ch.on = on
	g.publish(channel)
}

// SetGPIOOnline takes the hardware behind a channel away, or brings it back. The device tells those who wait for the end
// of an operation.
func (s *Server) SetGPIOOnline(channel string, online bool) {
	g := s.gpio
	g.mu.Lock()
	defer g.mu.Unlock()
	if ch := g.channels[channel]; ch != nil && ch.offline == online {
		ch.offline = !online
		g.publish(channel)
	}
}

// HoldGPIO keeps an output busy for d, as somebody else's operation would. It does nothing while it is busy already.
func (s *Server) HoldGPIO(channel string, d time.Duration) {
	g := s.gpio
	g.mu.Lock()
	defer g.mu.Unlock()
	ch := g.channels[channel]
	if ch == nil || ch.Input || ch.done != nil {
		return
	}
	ch.done = make(chan struct{})
	g.publish(channel)
	g.after(d, func() { g.release(ch) })
}

// GPIOLog returns the changes of outputs since the start, oldest first; the last 4096 are kept at most.
func (s *Server) GPIOLog() []GPIOEvent {
	s.gpio.mu.Lock()
	defer s.gpio.mu.Unlock()
	return slices.Clone(s.gpio.log)
}
