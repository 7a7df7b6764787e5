package pikvm

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Switch works the PiKVM Switch, which puts several hosts behind one device. All methods may be called from several
// goroutines at once. It needs version 4.26.
//
// The device answers before the switch has done anything, and it answers the same when there is no switch, no such port,
// or a port that is busy: look at the state.
type Switch struct{ c *Client }

// Size of the largest switch: units in a chain, and ports of each.
const (
	switchUnits     = 5
	switchUnitPorts = 4
	switchPorts     = switchUnits * switchUnitPorts
)

// SwitchPortIndex returns the index of a port, which the methods of [Switch] want, from the numbers that are printed on
// the switch: unit 1 to 5 and channel 1 to 4. Others give -1, which the methods refuse.
func SwitchPortIndex(unit, channel int) int {
	if unit < 1 || unit > switchUnits || channel < 1 || channel > switchUnitPorts {
		return -1
	}
	return (unit-1)*switchUnitPorts + channel - 1
}

// State asks for the state. Errors are those of every request; see the package's documentation.
func (s *Switch) State(ctx context.Context) (*SwitchState, error) {
	state := new(SwitchState)
	if err := s.c.get(ctx, call{op: "switch.State", path: "/api/switch"}, state); err != nil {
		return nil, err
	}
	return state, nil
}

// SetActive selects a port, by its index from 0 to 19 in the chain.
func (s *Switch) SetActive(ctx context.Context, port int) error {
	const op = "switch.SetActive"
	query, err := portQuery(op, port)
	if err != nil {
		return err
	}
	return s.post(ctx, op, "set_active", query)
}

// SetActiveNext selects the port after the active one. It needs version 4.72.
func (s *Switch) SetActiveNext(ctx context.Context) error {
	return s.post(ctx, "switch.SetActiveNext", "set_active_next", nil)
}

// SetActivePrevious selects the port before the active one. It needs version 4.72.
func (s *Switch) SetActivePrevious(ctx context.Context) error {
	return s.post(ctx, "switch.SetActivePrevious", "set_active_prev", nil)
}

// SwitchBeacon names a lamp of the switch. Make one with [PortBeacon], [UplinkBeacon] or [DownlinkBeacon].
type SwitchBeacon struct {
	place string
	index int
	limit int
}

// PortBeacon is the lamp of a port, by its index from 0 to 19.
func PortBeacon(port int) SwitchBeacon { return SwitchBeacon{"port", port, switchPorts} }

// UplinkBeacon is the lamp of a unit's upstream side, by the unit's index from 0 to 4.
func UplinkBeacon(unit int) SwitchBeacon { return SwitchBeacon{"uplink", unit, switchUnits} }

// DownlinkBeacon is the lamp of a unit's downstream side, by the unit's index from 0 to 4.
func DownlinkBeacon(unit int) SwitchBeacon { return SwitchBeacon{"downlink", unit, switchUnits} }

// SetBeacon lets a lamp blink, or ends that.
func (s *Switch) SetBeacon(ctx context.Context, beacon SwitchBeacon, on bool) error {
	const op = "switch.SetBeacon"
	if beacon.place == "" || beacon.index < 0 || beacon.index >= beacon.limit {
		return configurationError(op, "beacon", "no such lamp")
	}
	query := url.Values{"state": {flag(on)}, beacon.place: {strconv.Itoa(beacon.index)}}
	return s.post(ctx, op, "set_beacon", query)
}

// SwitchPortParams are the settings of a port: see [Switch.SetPortParams]. What is nil stays as it is.
type SwitchPortParams struct {
	// EDID is the identity of a display, [DefaultEDID] or one of [SwitchState].EDIDs.
	EDID *string

	// Dummy keeps a display plugged in towards the host even if the port is not active. It needs version 4.72.
	Dummy *bool

	// Name is at most 255 printable characters. Empty takes it away.
	Name *string

	// PowerDelay, PowerLongDelay and ResetDelay are how long buttons are pressed, up to 10s. Zero means the default.
	PowerDelay, PowerLongDelay, ResetDelay *time.Duration
}

// maxClickDelay is the longest press of a button through the switch.
const maxClickDelay = 10 * time.Second

// maxSwitchName is how long names may be, in characters.
const maxSwitchName = 255

// SetPortParams changes the settings of a port, by its index. An unknown EDID is [ErrNotFound].
func (s *Switch) SetPortParams(ctx context.Context, port int, params *SwitchPortParams) error {
	const op = "switch.SetPortParams"
	query, err := portQuery(op, port)
	if err != nil {
		return err
	}
	var p SwitchPortParams
	if params != nil {
		p = *params
	}
	if p.EDID != nil {
		if *p.EDID != DefaultEDID && !edidID.MatchString(*p.EDID) {
			return configurationError(op, "EDID", "neither a UUID nor default")
		}
		query.Set("edid_id", *p.EDID)
	}
	setBool(query, "dummy", p.Dummy)
	if p.Name != nil {
		if !switchName(*p.Name) {
			return configurationError(op, "Name", "not printable, or over 255 characters")
		}
		query.Set("name", *p.Name)
	}
	for _, d := range []struct {
		field, name string
		value       *time.Duration
	}{
		{"PowerDelay", "atx_click_power_delay", p.PowerDelay},
		{"PowerLongDelay", "atx_click_power_long_delay", p.PowerLongDelay},
		{"ResetDelay", "atx_click_reset_delay", p.ResetDelay},
	} {
		if d.value == nil {
			continue
		}
		text, exact := seconds(*d.value)
		if !exact || *d.value < 0 || *d.value > maxClickDelay {
			return configurationError(op, d.field, "not 0 to 10s in whole microseconds")
		}
		query.Set(d.name, text)
	}
	return s.post(ctx, op, "set_port_params", query)
}

// switchName reports whether the device takes a text as a name.
func switchName(name string) bool {
	return utf8.ValidString(name) && utf8.RuneCountInString(name) <= maxSwitchName &&
		!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

// SwitchColorRole says what a colour is for.
type SwitchColorRole string

// Roles of the colours of the switch.
const (
	ColorInactive   SwitchColorRole = "inactive"
	ColorActive     SwitchColorRole = "active"
	ColorFlashing   SwitchColorRole = "flashing"
	ColorBeacon     SwitchColorRole = "beacon"
	ColorBootloader SwitchColorRole = "bootloader"
)

// SwitchColor is how a lamp shines.
type SwitchColor struct {
	Red, Green, Blue uint8
	Brightness       uint8
	Blink            time.Duration // in whole milliseconds, up to 65535; zero means steady
}

// SetColors changes colours.
func (s *Switch) SetColors(ctx context.Context, colors map[SwitchColorRole]SwitchColor) error {
	const op = "switch.SetColors"
	query := url.Values{}
	for role, c := range colors {
		switch {
		case !role.known():
			return configurationError(op, "colors", "unknown role")
		case c.Blink < 0 || c.Blink > 65535*time.Millisecond || c.Blink%time.Millisecond != 0:
			return configurationError(op, "Blink", "not 0 to 65535 whole milliseconds")
		}
		query.Set(string(role), c.wire())
	}
	return s.post(ctx, op, "set_colors", query)
}

// ResetColors gives the roles their default colours, all of them if none is named.
func (s *Switch) ResetColors(ctx context.Context, roles ...SwitchColorRole) error {
	const op = "switch.ResetColors"
	if len(roles) == 0 {
		roles = []SwitchColorRole{ColorInactive, ColorActive, ColorFlashing, ColorBeacon, ColorBootloader}
	}
	query := url.Values{}
	for _, role := range roles {
		if !role.known() {
			return configurationError(op, "roles", "unknown role")
		}
		query.Set(string(role), "default")
	}
	return s.post(ctx, op, "set_colors", query)
}

func (r SwitchColorRole) known() bool {
	switch r {
	case ColorInactive, ColorActive, ColorFlashing, ColorBeacon, ColorBootloader:
		return true
	}
	return false
}

// wire returns the form RRGGBB:BB:IIII of the device.
func (c SwitchColor) wire() string {
	return fmt.Sprintf("%02X%02X%02X:%02X:%04X", c.Red, c.Green, c.Blue, c.Brightness, c.Blink.Milliseconds())
}

// Reset starts a unit anew, by its index from 0 to 4. With bootloader it stays in its bootloader, ready for new firmware.
func (s *Switch) Reset(ctx context.Context, unit int, bootloader bool) error {
	const op = "switch.Reset"
	if unit < 0 || unit >= switchUnits {
		return configurationError(op, "unit", "not 0 to 4")
	}
	query := url.Values{"unit": {strconv.Itoa(unit)}}
	if bootloader {
		query.Set("bootloader", "1")
	}
	return s.post(ctx, op, "reset", query)
}

// Power performs a power action on the host at a port. As always here, success does not mean that anything happened.
func (s *Switch) Power(ctx context.Context, port int, action PowerAction) error {
	const op = "switch.Power"
	query, err := portQuery(op, port)
	if err != nil {
		return err
	}
	switch action {
	case PowerOn, PowerOff, PowerOffHard, PowerResetHard:
	default:
		return configurationError(op, "action", "unknown")
	}
	query.Set("action", string(action))
	return s.post(ctx, op, "atx/power", query)
}

// Click presses a button of the host at a port.
func (s *Switch) Click(ctx context.Context, port int, button Button) error {
	const op = "switch.Click"
	query, err := portQuery(op, port)
	if err != nil {
		return err
	}
	switch button {
	case ButtonPower, ButtonPowerLong, ButtonReset:
	default:
		return configurationError(op, "button", "unknown")
	}
	query.Set("button", string(button))
	return s.post(ctx, op, "atx/click", query)
}

// edidID is the text of a UUID (RFC 9562, section 4).
var edidID = regexp.MustCompile(`\A[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\z`)

func (s *Switch) post(ctx context.Context, op, path string, query url.Values) error {
	return s.c.post(ctx, call{op: op, path: "/api/switch/" + path, query: query})
}

// portQuery checks the index of a port. It is sent as an integer: 5.0 would do, 5.1 means unit 5 and channel 1.
func portQuery(op string, port int) (url.Values, error) {
	if port < 0 || port >= switchPorts {
		return nil, configurationError(op, "port", "not 0 to 19")
	}
	return url.Values{"port": {strconv.Itoa(port)}}, nil
}
