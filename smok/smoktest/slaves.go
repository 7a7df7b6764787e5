package smoktest

import (
	"encoding/json"
	"net/http"
)

// SlaveState is what a device has reported of a slave device.
type SlaveState struct {
	LinkState       json.RawMessage // an object with a boolean "status"; "{}" until there is one
	Instrumentation string
}

// SetSlave sets what is known of a slave device.
func (d *Device) SetSlave(id string, state SlaveState) {
	d.change(func(s *device) { s.slaves[id] = &state })
}

// Slave returns what is known of a slave device, false if neither [Device.SetSlave] nor the device info has it.
func (d *Device) Slave(id string) (SlaveState, bool) {
	state := inspect(d, func(s *device) *SlaveState {
		if slave := s.slave(id); slave != nil {
			state := *slave
			return &state
		}
		return nil
	})
	if state == nil {
		return SlaveState{}, false
	}
	return *state, true
}

// slave returns the state of a slave device, nil if there is no such device.
func (s *device) slave(id string) *SlaveState {
	if state := s.slaves[id]; state != nil {
		return state
	}
	for _, slave := range s.info.Slaves {
		if slave.ID == id {
			s.slaves[id] = &SlaveState{LinkState: json.RawMessage("{}")}
		}
	}
	return s.slaves[id]
}

func getSlave(c *call) (any, error) {
	slave := c.device.slave(c.args[0])
	if slave == nil {
		return nil, refuse(http.StatusNotFound, "no such slave device")
	}
	return map[string]any{"linkstate": string(slave.LinkState), "instrumentation": slave.Instrumentation}, nil
}

// patchSlave changes one of the two members.
func patchSlave(c *call) (any, error) {
	f := newFields("body", c.doc)
	if f.has("linkstate") == f.has("instrumentation") && f.err == nil {
		return nil, bad("body has not one of linkstate and instrumentation")
	}
	setLink := f.has("linkstate")
	linkState, text := f.optionalText("linkstate"), f.optionalText("instrumentation")
	if err := f.end(); err != nil {
		return nil, err
	}
	slave := c.device.slave(c.args[0])
	if slave == nil {
		return nil, refuse(http.StatusNotFound, "no such slave device")
	}
	if !setLink {
		slave.Instrumentation = text
		return nil, nil
	}
	var state struct {
		Status *bool   `json:"status"`
		Failed []int64 `json:"failed_devices"`
	}
	if err := json.Unmarshal([]byte(linkState), &state); err != nil || state.Status == nil {
		return nil, bad("linkstate is not the text of a link state")
	}
	slave.LinkState = json.RawMessage(linkState)
	return nil, nil
}
