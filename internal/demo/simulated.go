package main

import (
	"encoding/hex"
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// totpSecret is that of the examples in RFC 6238; the simulated device asks for codes.
const totpSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

// simulated is a PiKVM in this process, and the trouble that it makes.
type simulated struct {
	device *pikvmtest.Server
	line   *timeline
	held   bool // whether somebody held the power button
}

func startSimulated(line *timeline) (*simulated, error) {
	device := pikvmtest.New(&pikvmtest.Options{
		TLS:        true,
		Users:      map[string]string{"admin": "correct horse"},
		TOTPSecret: totpSecret,
		Host:       pikvmtest.HostOptions{PoweredOn: true},
	})
	if err := device.Start(); err != nil {
		return nil, err
	}
	fingerprint := device.Fingerprint()
	line.say("device", "simulated PiKVM on %s, certificate %x…", device.URL(), fingerprint[:8])
	return &simulated{device: device, line: line}, nil
}

// config returns how to reach the device, all of it right.
func (s *simulated) config() config {
	fingerprint := s.device.Fingerprint()
	return config{
		url:         s.device.URL(),
		user:        "admin",
		password:    "correct horse",
		totpSecret:  totpSecret,
		fingerprint: hex.EncodeToString(fingerprint[:]),
		allowPower:  true,
	}
}

// makeTrouble cuts the event sockets while the client waits for the LED to go out, and holds the power button just
// before the client wants to press it.
func (s *simulated) makeTrouble(step pikvm.PowerStep) {
	switch {
	case step.Err != nil:
	case step.Name == "wait off":
		s.line.say("device", "resets the connections of all event sockets")
		s.device.DropSockets(0)
	case step.Name == "press on" && !s.held:
		s.held = true
		s.line.say("device", "somebody holds the power button for 2 s")
		s.device.HoldATX(pikvmtest.LinePower, 2*time.Second)
	}
}

// verdict compares what the device did with what the client was asked for: the host was off once and on once,
// and the client had met the trouble that was made.
func (s *simulated) verdict() error {
	offs, ons := 0, 0
	for _, event := range s.device.PowerLog() {
		switch event.Kind {
		case pikvmtest.HostOff:
			offs++
		case pikvmtest.HostOn:
			ons++
		}
	}
	switch {
	case offs != 1 || ons != 1 || !s.device.HostPower():
		return errors.New("the host was not power-cycled exactly once")
	case s.line.times(pikvm.ErrBusy) == 0:
		return errors.New("the busy line was not met")
	case s.line.times(pikvm.ErrWebSocket) == 0:
		return errors.New("the cut event socket was not met")
	}
	s.line.say("device", "agrees: the host went off once and came on once")
	return nil
}
