package pikvmtest

import (
	"strings"
	"time"
)

// setParams changes the drive.
func (m *msd) setParams(c *call) error {
	selected := c.arg("image")
	if selected.set && selected.value != "" {
		if strings.Contains(selected.value, "://") && m.version.atLeast(4, 177) {
			if m.opts.Disabled {
				return errMSDDisabled
			}
			return errMSDRemote
		}
		name, err := validImageName(selected.value)
		if err != nil {
			return err
		}
		selected.value = name
	}
	cdrom, err := c.arg("cdrom").optionalBool()
	if err != nil {
		return err
	}
	rw, err := c.arg("rw").optionalBool()
	if err != nil {
		return err
	}
	err = m.brief(func() error { return m.setDrive(selected, cdrom, rw) })
	if err != nil {
		return err
	}
	return c.ok(nil)
}

// setDrive is called with mu held.
func (m *msd) setDrive(selected arg, cdrom, rw *bool) error {
	if err := m.usable(); err != nil {
		return err
	}
	old := m.drive
	if selected.set {
		if selected.value != "" && m.images[selected.value] == nil {
			return errMSDUnknown
		}
		m.drive.image = selected.value
	}
	if cdrom != nil {
		m.drive.cdrom = *cdrom
	}
	if rw != nil {
		m.drive.rw = *rw
	}
	if m.drive.cdrom || m.drive.image != "" && !writable(m.drive.image) {
		m.drive.rw = false
	}
	if m.drive != old {
		m.publishDrive()
	}
	return nil
}

// setConnected plugs the drive in or out.
func (m *msd) setConnected(c *call) error {
	connected, err := c.arg("connected").bool()
	if err != nil {
		return err
	}
	if err := m.brief(func() error { return m.plug(connected) }); err != nil {
		return err
	}
	return c.ok(nil)
}

// plug is called with mu held.
func (m *msd) plug(connected bool) error {
	switch {
	case !m.online:
		return errMSDOffline
	case connected && m.drive.connected:
		return errMSDConnected
	case connected && m.drive.image == "":
		return errMSDNotSelected
	case connected && m.images[m.drive.image] == nil:
		return errMSDUnknown
	case !connected && !m.drive.connected:
		return errMSDDisconnected
	case !connected && m.locked:
		return m.lockedError()
	}
	m.drive.connected = connected
	m.publishDrive()
	return nil
}

// lockedError is the refusal to take the drive from a host that holds it. Before 4.169 the device just broke.
func (m *msd) lockedError() error {
	if !m.version.atLeast(4, 169) {
		return errTrouble
	}
	return errMSDLocked
}

// reset takes the drive from the host whatever it does.
func (m *msd) reset(c *call) error {
	err := m.brief(func() error {
		old := m.drive
		m.drive, m.locked = drive{}, false
		if m.drive != old {
			m.publishDrive()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.ok(nil)
}

// SetMSDOnline takes the storage away, or brings it back.
func (s *Server) SetMSDOnline(online bool) {
	m := s.msd
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.opts.Disabled || m.online == online {
		return
	}
	m.online = online
	m.publish(m.state())
}

// HoldMSD makes the storage busy for d, as somebody else's operation would. It does nothing while it is busy already.
func (s *Server) HoldMSD(d time.Duration) {
	m := s.msd
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.begin() != nil {
		return
	}
	m.publish(map[string]any{"busy": true})
	m.sched.after(d, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.busy = false
		m.publish(map[string]any{"busy": false})
	})
}

// LockDrive makes the host hold the drive, so that it cannot be plugged out, or lets go of it.
func (s *Server) LockDrive(locked bool) {
	s.msd.mu.Lock()
	defer s.msd.mu.Unlock()
	s.msd.locked = locked
}

// Drive is what the host sees of the mass storage.
type Drive struct {
	Connected bool
	Image     string // selected, connected or not; empty for none
	CDROM     bool
	Writable  bool
}

// Drive returns the drive.
func (s *Server) Drive() Drive {
	s.msd.mu.Lock()
	defer s.msd.mu.Unlock()
	d := s.msd.drive
	return Drive{Connected: d.connected, Image: d.image, CDROM: d.cdrom, Writable: d.rw}
}
