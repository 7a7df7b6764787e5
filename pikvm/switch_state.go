package pikvm

import (
	"encoding/json"
	"time"
)

// SwitchState is the state of the switch. Lists have one entry for each port or unit, in the order of the chain, and
// none without a switch.
type SwitchState struct {
	ActivePort int    // index; -1 for none
	ActiveID   string // as printed: "3", in a chain "2.3"
	Synced     bool   // all units have done what they were told

	Units  []SwitchUnit
	Ports  []SwitchPort
	EDIDs  map[string]EDID // by id, [DefaultEDID] among them
	Colors map[SwitchColorRole]SwitchColor

	// Raw is the whole object as the device sent it.
	Raw json.RawMessage
}

// SwitchUnit is one box of the chain.
type SwitchUnit struct {
	Firmware       int  // version
	DevBuild       bool // of the firmware
	UplinkBeacon   bool
	DownlinkBeacon bool
}

// SwitchPort is a port with the host at it.
type SwitchPort struct {
	ID            string // as printed
	Name          string
	Unit, Channel int // from 0
	EDID          string
	Dummy         bool // a display is plugged in even if the port is not active
	Video, USB    bool // the host is linked
	Beacon        bool
	Busy          bool // a button is being pressed
	PowerLED      bool
	HDDLED        bool

	// PowerDelay, PowerLongDelay and ResetDelay are how long buttons are pressed.
	PowerDelay, PowerLongDelay, ResetDelay time.Duration
}

// EDID is the identity of a display.
type EDID struct {
	Name   string
	Data   string    // hexadecimal
	Parsed *EDIDInfo // nil if the device cannot read it
}

// EDIDInfo is what an EDID tells of the display.
type EDIDInfo struct {
	Manufacturer string // three letters
	Product      int
	Serial       int64
	Monitor      string // empty if it does not tell
	MonitorID    string // serial number as text; empty if it does not tell
	Audio        bool
}

// Switch returns the switch, and false as long as the device has not told it in a readable form; [State.Decode] says
// what is wrong.
func (s *State) Switch() (*SwitchState, bool) { return decodePart[SwitchState](s, EventSwitch) }

// UnmarshalJSON reads the state as the device sends it. The model and the active port must be there.
func (s *SwitchState) UnmarshalJSON(data []byte) error {
	var wire wireSwitch
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	switch {
	case wire.Model == nil:
		return missing("model")
	case wire.Summary.ActivePort == nil:
		return missing("summary.active_port")
	}
	*s = SwitchState{
		ActivePort: int(wire.Summary.ActivePort.int64()),
		ActiveID:   wire.Summary.ActiveID,
		Synced:     wire.Summary.Synced.bool(),
		Units:      wire.units(),
		Ports:      wire.ports(),
		EDIDs:      make(map[string]EDID, len(wire.EDIDs.All)),
		Colors:     make(map[SwitchColorRole]SwitchColor, len(wire.Colors)),
		Raw:        append(json.RawMessage(nil), data...),
	}
	for id, e := range wire.EDIDs.All {
		s.EDIDs[id] = e.edid()
	}
	for role, c := range wire.Colors {
		s.Colors[role] = c.color()
	}
	return nil
}

type wireSwitch struct {
	Model *struct {
		Units []struct {
			Firmware struct {
				Version  loose `json:"version"`
				DevBuild loose `json:"devbuild"`
			} `json:"firmware"`
		} `json:"units"`
		Ports []struct {
			Unit    loose  `json:"unit"`
			Channel loose  `json:"channel"`
			Name    string `json:"name"`
			ID      string `json:"id"`
			ATX     struct {
				Delays struct {
					Power     loose `json:"power"`
					PowerLong loose `json:"power_long"`
					Reset     loose `json:"reset"`
				} `json:"click_delays"`
			} `json:"atx"`
			Video struct {
				Dummy loose `json:"dummy"`
			} `json:"video"`
		} `json:"ports"`
	} `json:"model"`
	Summary struct {
		ActivePort *loose `json:"active_port"`
		ActiveID   string `json:"active_id"`
		Synced     loose  `json:"synced"`
	} `json:"summary"`
	EDIDs struct {
		All  map[string]wireEDID `json:"all"`
		Used []string            `json:"used"`
	} `json:"edids"`
	Colors map[SwitchColorRole]wireColor `json:"colors"`
	Video  struct {
		Links perPort `json:"links"`
	} `json:"video"`
	USB struct {
		Links perPort `json:"links"`
	} `json:"usb"`
	Beacons struct {
		Uplinks   perPort `json:"uplinks"`
		Downlinks perPort `json:"downlinks"`
		Ports     perPort `json:"ports"`
	} `json:"beacons"`
	ATX struct {
		Busy perPort `json:"busy"`
		LEDs struct {
			Power perPort `json:"power"`
			HDD   perPort `json:"hdd"`
		} `json:"leds"`
	} `json:"atx"`
}

// perPort has a value for each port or unit; what is missing is false.
type perPort []loose

func (p perPort) at(i int) bool { return i < len(p) && p[i].bool() }

func (w *wireSwitch) units() []SwitchUnit {
	units := make([]SwitchUnit, len(w.Model.Units))
	for i, u := range w.Model.Units {
		units[i] = SwitchUnit{
			Firmware: int(u.Firmware.Version.int64()), DevBuild: u.Firmware.DevBuild.bool(),
			UplinkBeacon: w.Beacons.Uplinks.at(i), DownlinkBeacon: w.Beacons.Downlinks.at(i),
		}
	}
	return units
}

func (w *wireSwitch) ports() []SwitchPort {
	ports := make([]SwitchPort, len(w.Model.Ports))
	for i, p := range w.Model.Ports {
		ports[i] = SwitchPort{
			ID: p.ID, Name: p.Name, Unit: int(p.Unit.int64()), Channel: int(p.Channel.int64()), EDID: DefaultEDID,
			Dummy: p.Video.Dummy.bool(),
			Video: w.Video.Links.at(i), USB: w.USB.Links.at(i), Beacon: w.Beacons.Ports.at(i),
			Busy: w.ATX.Busy.at(i), PowerLED: w.ATX.LEDs.Power.at(i), HDDLED: w.ATX.LEDs.HDD.at(i),
			PowerDelay:     p.ATX.Delays.Power.duration(),
			PowerLongDelay: p.ATX.Delays.PowerLong.duration(),
			ResetDelay:     p.ATX.Delays.Reset.duration(),
		}
		if i < len(w.EDIDs.Used) {
			ports[i].EDID = w.EDIDs.Used[i]
		}
	}
	return ports
}

type wireEDID struct {
	Name   string `json:"name"`
	Data   string `json:"data"`
	Parsed *struct {
		Manufacturer string `json:"mfc_id"`
		Product      loose  `json:"product_id"`
		Serial       loose  `json:"serial"`
		Monitor      string `json:"monitor_name"`
		MonitorID    string `json:"monitor_serial"`
		Audio        loose  `json:"audio"`
	} `json:"parsed"`
}

func (w wireEDID) edid() EDID {
	e := EDID{Name: w.Name, Data: w.Data}
	if p := w.Parsed; p != nil {
		e.Parsed = &EDIDInfo{
			Manufacturer: p.Manufacturer, Product: int(p.Product.int64()), Serial: p.Serial.int64(),
			Monitor: p.Monitor, MonitorID: p.MonitorID, Audio: p.Audio.bool(),
		}
	}
	return e
}

type wireColor struct {
	Red        loose `json:"red"`
	Green      loose `json:"green"`
	Blue       loose `json:"blue"`
	Brightness loose `json:"brightness"`
	BlinkMS    loose `json:"blink_ms"`
}

func (w wireColor) color() SwitchColor {
	return SwitchColor{
		Red: w.Red.octet(), Green: w.Green.octet(), Blue: w.Blue.octet(), Brightness: w.Brightness.octet(),
		Blink: (w.BlinkMS / 1000).duration(),
	}
}

// octet returns the nearest number of 0 to 255.
func (l loose) octet() uint8 { return uint8(min(max(l.int64(), 0), 255)) } //nolint:gosec // in range
