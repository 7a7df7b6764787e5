package main

import (
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// totpSecret is that of the examples in RFC 6238; the simulated device asks for codes.
const totpSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

// bootCommand is what the simulated computer wants to hear in its boot menu.
const bootCommand = "cdrom autoinstall"

// simulated is a PiKVM in this process with a computer at its cables, a hub in another process, and the trouble that they
// make.
type simulated struct {
	device   *pikvmtest.Server
	computer *computer
	hub      *hub
	dir      string // of the hub
	line     *timeline
	haste    float64
	cut      bool // whether the event sockets were cut
	held     bool // whether somebody held the power button
}

func startSimulated(line *timeline, haste float64) (*simulated, error) {
	device := pikvmtest.New(&pikvmtest.Options{
		TLS:        true,
		Users:      map[string]string{"admin": "correct horse"},
		TOTPSecret: totpSecret,
		Host:       pikvmtest.HostOptions{PoweredOn: true, ShutdownDelay: hastily(time.Second, haste)},
		TimeScale:  haste,
	})
	if err := device.Start(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "fieldlink-demo-")
	if err != nil {
		return nil, errors.Join(err, device.Close())
	}
	h, err := startHub(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir), device.Close())
	}
	fingerprint := device.Fingerprint()
	line.say("device", "simulated PiKVM on %s, certificate %x…", device.URL(), fingerprint[:8])
	return &simulated{device: device, computer: startComputer(device), hub: h, dir: dir, line: line, haste: haste}, nil
}

// hastily returns what a hasty device takes for a time that others have to do something in, who are not hasty.
func hastily(d time.Duration, haste float64) time.Duration {
	return time.Duration(float64(d) * max(haste, 1))
}

func (s *simulated) close() error {
	s.computer.close()
	return errors.Join(s.hub.close(), os.RemoveAll(s.dir), s.device.Close())
}

// config returns how to reach the device, all of it right, with what else the demo was told.
func (s *simulated) config(told config) config {
	fingerprint := s.device.Fingerprint()
	told.url = s.device.URL()
	told.user = "admin"
	told.password = "correct horse"
	told.totpSecret = totpSecret
	told.fingerprint = hex.EncodeToString(fingerprint[:])
	told.allowPower, told.allowDrive = true, true
	told.boot = bootConfig{
		key: pikvm.KeyF12, menu: "boot menu", typed: bootCommand + "<enter>", result: "installation complete",
	}
	return told
}

// makeTrouble cuts the event sockets while the client waits for the LED to go out, and holds the power button just
// before the client wants to press it.
func (s *simulated) makeTrouble(step pikvm.PowerStep) {
	switch {
	case step.Err != nil:
	case step.Name == "wait off" && !s.cut:
		s.cut = true
		s.line.say("device", "resets the connections of all event sockets")
		s.device.DropSockets(0)
	case step.Name == "press on" && !s.held:
		s.held = true
		s.line.say("device", "somebody holds the power button for 1 s")
		s.device.HoldATX(pikvmtest.LinePower, hastily(time.Second, s.haste))
	}
}

// verdict compares what the device and the computer saw with what the client was asked for, and that the client had met
// the trouble that was made.
func (s *simulated) verdict() error {
	count := make(map[pikvmtest.PowerEventKind]int)
	for _, event := range s.device.PowerLog() {
		count[event.Kind]++
	}
	switch {
	case count[pikvmtest.HostOff] != 1 || count[pikvmtest.HostOn] != 1 || !s.device.HostPower():
		return errors.New("the computer was not power-cycled exactly once")
	case count[pikvmtest.HostReset] != 1:
		return errors.New("the computer was not reset exactly once")
	case !slices.Equal(s.computer.installations(), []string{imageName}):
		return errors.New("the computer did not install the image exactly once")
	case s.device.Drive().Connected || len(s.device.Images()) > 0:
		return errors.New("the drive was left behind")
	case len(s.device.Pressed()) > 0:
		return errors.New("keys were left pressed")
	case s.line.times(pikvm.ErrBusy) == 0:
		return errors.New("the busy line was not met")
	case s.line.times(pikvm.ErrWebSocket) == 0:
		return errors.New("the cut event socket was not met")
	}
	s.line.say("device", "agrees: off once, on once, reset once, %s installed once, nothing left behind", imageName)
	return nil
}
