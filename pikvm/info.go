package pikvm

import (
	"context"
	"encoding/json"
	"net/url"
)

// Info tells what the device is and how it does. All methods may be called from several goroutines at once.
type Info struct{ c *Client }

// Parts of the information that may be asked for alone.
const (
	InfoAuth   = "auth"   // whether a password is needed
	InfoExtras = "extras" // programs beside the daemon
	InfoFan    = "fan"    // fan control
	InfoHealth = "health" // temperature, load, memory, undervoltage; version 4.53 and later
	InfoHW     = "hw"     // health and platform in one; only with Legacy
	InfoMeta   = "meta"   // what the owner wrote of the device
	InfoNode   = "node"   // name in the network; version 4.130 and later
	InfoSystem = "system" // versions and platform
	InfoUptime = "uptime" // version 4.125 and later
)

// InfoOptions are the optional settings of [Info.Get].
type InfoOptions struct {
	// Fields names the parts to ask for. None means all that the device has.
	Fields []string

	// Legacy asks for the form in which the device answers by default, with health and platform together in the
	// part "hw". Devices before version 4.128 know no other. The result is the same but for Raw.
	Legacy bool
}

// Get asks for information. Nil options mean all of it. A part that the device does not know is
// [ErrInvalidArgument].
func (i *Info) Get(ctx context.Context, opts *InfoOptions) (*InfoState, error) {
	var o InfoOptions
	if opts != nil {
		o = *opts
	}
	query := url.Values{"legacy": {"0"}}
	if o.Legacy {
		query.Del("legacy") // the default; old devices do not know the parameter
	}
	fields, ok := joinList(o.Fields)
	if !ok {
		return nil, configurationError("info.Get", "Fields", badList)
	}
	if fields != "" {
		query.Set("fields", fields)
	}
	state := new(InfoState)
	if err := i.c.get(ctx, call{op: "info.Get", path: "/api/info", query: query}, state); err != nil {
		return nil, err
	}
	return state, nil
}

// InfoState is what the device tells of itself. Parts that were not asked for, or that its version does not
// have, are nil.
type InfoState struct {
	Auth   *AuthInfo
	Extras map[string]ExtraInfo // by the name of the program
	Fan    *FanInfo
	Health *HealthInfo
	Meta   json.RawMessage // whatever the owner wrote, usually an object
	Node   *NodeInfo
	System *SystemInfo
	Uptime *UptimeInfo

	// Raw holds all parts as the device sent them, also those that this package does not know or cannot read.
	Raw map[string]json.RawMessage
}

// UnmarshalJSON reads the information in both forms, of REST answers and of events. A part of an unexpected
// shape is left nil, it is in Raw: an odd extra must not hide the temperature. Only what programs decide by must
// be right if it is there: the versions, the uptime and whether a password is needed.
func (s *InfoState) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	if raw == nil {
		return missing("object")
	}
	state := InfoState{Raw: raw}
	for _, part := range []struct {
		name   string
		target any
	}{
		{InfoAuth, &state.Auth},
		{InfoSystem, &state.System},
		{InfoUptime, &state.Uptime},
	} {
		if text, ok := raw[part.name]; ok {
			if err := json.Unmarshal(text, part.target); err != nil {
				return inPart(part.name, err)
			}
		}
	}
	state.Health = readPart[HealthInfo](raw[InfoHealth])
	state.Node = readPart[NodeInfo](raw[InfoNode])
	state.Fan = readPart[FanInfo](raw[InfoFan])
	state.Extras = readExtras(raw[InfoExtras])
	if meta := raw[InfoMeta]; string(meta) != "null" {
		state.Meta = meta
	}
	state.addHW()
	*s = state
	return nil
}

// addHW takes health and platform from the part in which the legacy form has them.
func (s *InfoState) addHW() {
	hw := readPart[struct {
		Health   json.RawMessage `json:"health"`
		Platform json.RawMessage `json:"platform"`
	}](s.Raw[InfoHW])
	if hw == nil {
		return
	}
	if s.Health == nil {
		s.Health = readPart[HealthInfo](hw.Health)
	}
	platform := readPart[PlatformInfo](hw.Platform)
	if platform == nil || s.System != nil && s.System.Platform != nil {
		return
	}
	if s.System == nil {
		s.System = new(SystemInfo)
	}
	s.System.Platform = platform
}

// readPart decodes a part; nil if it is absent, null or of another shape.
func readPart[T any](text json.RawMessage) *T {
	var part *T
	if len(text) == 0 || json.Unmarshal(text, &part) != nil {
		return nil
	}
	return part
}
