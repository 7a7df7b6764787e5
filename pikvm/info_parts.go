package pikvm

import (
	"encoding/json"
	"fmt"
	"time"
)

// AuthInfo tells whether the device asks for a password.
type AuthInfo struct{ Enabled bool }

// NodeInfo tells the device's name in the network.
type NodeInfo struct{ Host string }

// UptimeInfo tells how long the device has been running.
type UptimeInfo struct{ Total time.Duration }

// FanInfo tells of the fan.
type FanInfo struct {
	Monitored bool
	State     json.RawMessage // as the fan's own daemon tells it; nil if it does not run
}

// ExtraInfo describes a program beside the daemon, as the device's home page shows it.
type ExtraInfo struct {
	Name, Description string
	Icon, Path        string
	Daemon            string // systemd unit; empty if there is none
	Place, Port       int    // order on the page, port if it has one
	Enabled, Started  bool   // of the unit
	Raw               json.RawMessage
}

// SystemInfo tells what runs on the device, and on what.
type SystemInfo struct {
	KVMD     Version // zero if the device did not tell
	Streamer StreamerInfo
	Kernel   KernelInfo
	Platform *PlatformInfo // nil if the device did not tell
}

// StreamerInfo names the video streamer.
type StreamerInfo struct {
	App, Version string
	Features     map[string]bool // by their build names
}

// KernelInfo names the operating system.
type KernelInfo struct{ System, Release, Version, Machine string }

// PlatformInfo names the hardware. Members that the device does not know are empty.
type PlatformInfo struct{ Type, Base, Serial, Model, Video, Board string }

// HealthInfo tells how the device does. What it cannot measure is nil.
type HealthInfo struct {
	CPUTemp      *float64 // degrees Celsius
	CPUPercent   *float64
	MemPercent   *float64 // used
	MemTotal     *int64   // bytes
	MemAvailable *int64   // bytes
	Throttling   *ThrottlingInfo
}

// ThrottlingInfo tells whether the power supply and the cooling of the device suffice.
type ThrottlingInfo struct {
	RawFlags   uint32 // as the firmware has them
	IgnorePast bool   // the owner does not want to hear of the past

	Undervoltage ThrottlingFlag
	FreqCapped   ThrottlingFlag
	Throttled    ThrottlingFlag
}

// ThrottlingFlag is a condition now, and at some time since the device was started.
type ThrottlingFlag struct{ Now, Past bool }

// UnmarshalJSON reads the device's form.
func (i *AuthInfo) UnmarshalJSON(data []byte) error {
	var wire struct {
		Enabled loose `json:"enabled"`
	}
	err := json.Unmarshal(data, &wire)
	i.Enabled = wire.Enabled.bool()
	return err
}

// UnmarshalJSON reads the device's form.
func (i *UptimeInfo) UnmarshalJSON(data []byte) error {
	var wire struct {
		Total loose `json:"total"`
	}
	err := json.Unmarshal(data, &wire)
	i.Total = time.Duration((wire.Total * loose(time.Second)).int64())
	return err
}

// UnmarshalJSON reads the device's form.
func (i *FanInfo) UnmarshalJSON(data []byte) error {
	var wire struct {
		Monitored loose           `json:"monitored"`
		State     json.RawMessage `json:"state"`
	}
	err := json.Unmarshal(data, &wire)
	i.Monitored = wire.Monitored.bool()
	if string(wire.State) != "null" {
		i.State = wire.State
	}
	return err
}

// UnmarshalJSON reads the device's form.
func (i *SystemInfo) UnmarshalJSON(data []byte) error {
	var wire struct {
		KVMD struct {
			Version string `json:"version"`
		} `json:"kvmd"`
		Streamer json.RawMessage `json:"streamer"`
		Kernel   json.RawMessage `json:"kernel"`
		Platform json.RawMessage `json:"platform"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	*i = SystemInfo{Platform: readPart[PlatformInfo](wire.Platform)}
	if streamer := readPart[StreamerInfo](wire.Streamer); streamer != nil {
		i.Streamer = *streamer
	}
	if kernel := readPart[KernelInfo](wire.Kernel); kernel != nil {
		i.Kernel = *kernel
	}
	i.KVMD, _ = parseVersion(wire.KVMD.Version) // unknown if it is none
	return nil
}

// UnmarshalJSON reads the device's form.
func (i *HealthInfo) UnmarshalJSON(data []byte) error {
	var wire struct {
		Temp struct {
			CPU *loose `json:"cpu"`
		} `json:"temp"`
		CPU struct {
			Percent *loose `json:"percent"`
		} `json:"cpu"`
		Mem struct {
			Percent   *loose `json:"percent"`
			Total     *loose `json:"total"`
			Available *loose `json:"available"`
		} `json:"mem"`
		Throttling json.RawMessage `json:"throttling"`
	}
	err := json.Unmarshal(data, &wire)
	*i = HealthInfo{
		CPUTemp:      wire.Temp.CPU.float(),
		CPUPercent:   wire.CPU.Percent.float(),
		MemPercent:   wire.Mem.Percent.float(),
		MemTotal:     wire.Mem.Total.integer(),
		MemAvailable: wire.Mem.Available.integer(),
		Throttling:   readPart[ThrottlingInfo](wire.Throttling),
	}
	return err
}

// Bits of the firmware's flags: the past is 16 bits above the present.
const (
	flagUndervoltage = 1 << iota
	flagFreqCapped
	flagThrottled
	pastShift = 16
)

// UnmarshalJSON reads the device's form. The flags say all; their parsed form says the same in more words.
func (i *ThrottlingInfo) UnmarshalJSON(data []byte) error {
	var wire struct {
		RawFlags   loose `json:"raw_flags"`
		IgnorePast loose `json:"ignore_past"`
	}
	err := json.Unmarshal(data, &wire)
	flags := uint32(wire.RawFlags.int64())
	flag := func(bit uint32) ThrottlingFlag {
		return ThrottlingFlag{Now: flags&bit != 0, Past: flags&(bit<<pastShift) != 0}
	}
	*i = ThrottlingInfo{
		RawFlags:     flags,
		IgnorePast:   wire.IgnorePast.bool(),
		Undervoltage: flag(flagUndervoltage),
		FreqCapped:   flag(flagFreqCapped),
		Throttled:    flag(flagThrottled),
	}
	return err
}

// UnmarshalJSON reads the device's form.
func (i *ExtraInfo) UnmarshalJSON(data []byte) error {
	var wire struct {
		Name, Description, Icon, Path, Daemon string
		Place, Port, Enabled, Started         loose
	}
	err := json.Unmarshal(data, &wire)
	*i = ExtraInfo{
		Name: wire.Name, Description: wire.Description, Icon: wire.Icon, Path: wire.Path, Daemon: wire.Daemon,
		Place: int(wire.Place.int64()), Port: int(wire.Port.int64()),
		Enabled: wire.Enabled.bool(), Started: wire.Started.bool(),
		Raw: append(json.RawMessage(nil), data...),
	}
	return err
}

// readExtras reads the programs that can be read; nil if there are none.
func readExtras(text json.RawMessage) map[string]ExtraInfo {
	all := readPart[map[string]json.RawMessage](text)
	if all == nil {
		return nil
	}
	extras := make(map[string]ExtraInfo, len(*all))
	for name, text := range *all {
		if extra := readPart[ExtraInfo](text); extra != nil {
			extras[name] = *extra
		}
	}
	return extras
}

func inPart(name string, err error) error { return fmt.Errorf("in %s: %w", name, err) }
