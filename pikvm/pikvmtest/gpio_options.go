package pikvmtest

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// GPIOChannel is a channel that the owner of the device has set up. A channel that is no input and can neither be
// switched nor pulsed is a constant output.
type GPIOChannel struct {
	Name     string // letters, digits and _.-
	Input    bool
	Switch   bool          // it can be switched
	Pulse    time.Duration // length of a pulse; zero means that it makes none
	MinPulse time.Duration // zero means that of Pulse
	MaxPulse time.Duration // zero means that of Pulse
	Driver   string        // empty means "__gpio__"
	Pin      string
	On       bool // at the start
}

// defaultChannels are those of the recorded device.
var defaultChannels = []GPIOChannel{
	{Name: "led1", Input: true, Pin: "19"},
	{
		Name: "relay1", Switch: true, Pulse: 500 * time.Millisecond, MinPulse: 100 * time.Millisecond,
		MaxPulse: 2 * time.Second, Pin: "20",
	},
	{Name: "button1", Pulse: 100 * time.Millisecond, Pin: "26"},
	{Name: "cmd1", Pulse: 100 * time.Millisecond, Driver: "cmd1", Pin: "0"},
}

// ownChannel is the channel of the device itself.
var ownChannel = GPIOChannel{Name: "__v3_usb_breaker__", Switch: true, Driver: "__gpio__", Pin: "5", On: true}

var channelPattern = regexp.MustCompile(`\A[a-zA-Z_][a-zA-Z0-9_.-]*\z`)

// checkChannels returns a checked copy with defaults.
func checkChannels(channels []GPIOChannel) ([]GPIOChannel, error) {
	if channels == nil {
		channels = defaultChannels
	}
	channels = append(slices.Clone(channels), ownChannel)
	seen := make(map[string]bool)
	for i := range channels {
		ch := &channels[i]
		switch {
		case !channelPattern.MatchString(ch.Name) || len(ch.Name) > 255 || seen[ch.Name]:
			return nil, fmt.Errorf("pikvmtest: %q is no name of a channel, or another one has it", ch.Name)
		case ch.Pulse < 0 || ch.MinPulse < 0 || ch.MaxPulse < 0:
			return nil, fmt.Errorf("pikvmtest: a negative duration in the channel %s", ch.Name)
		}
		seen[ch.Name] = true
		ch.MinPulse, ch.MaxPulse = orDefault(ch.MinPulse, ch.Pulse), orDefault(ch.MaxPulse, ch.Pulse)
		if ch.Driver == "" {
			ch.Driver = "__gpio__"
		}
	}
	return channels, nil
}
