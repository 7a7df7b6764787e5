package smok

import (
	"context"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// SlaveDevice is a device behind this one, as the hub describes it.
type SlaveDevice = api.SlaveDevice

// SlaveState is what the hub knows of a slave device.
type SlaveState = api.SlaveState

// LinkState says whether a slave device can be reached.
type LinkState = api.LinkState

// Slave is a device behind this one, which this one reports on. All methods may be called from several goroutines. They
// ask the hub each time, also with the network switched off by [Device.SetOffline].
type Slave struct {
	SlaveDevice
	device *Device
}

// Slaves returns the slave devices that the hub has described last; see [Device.KnownInfo]. Before the hub has said
// anything the error is an *[InstanceNotReadyError].
func (d *Device) Slaves() ([]*Slave, error) {
	const op = "slaves"
	if err := d.allow(op, false); err != nil {
		return nil, err
	}
	known, ok := d.KnownInfo()
	if !ok {
		return nil, smokerr.InstanceNotReady(op, "")
	}
	all := make([]*Slave, 0, len(known.Slaves))
	for _, s := range known.Slaves {
		all = append(all, &Slave{SlaveDevice: s, device: d})
	}
	return all, nil
}

// Slave returns the slave device of that id, or a *[NotFoundError]; see [Device.Slaves].
func (d *Device) Slave(id string) (*Slave, error) {
	all, err := d.Slaves()
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if s.DeviceID == id {
			return s, nil
		}
	}
	return nil, smokerr.NotFound("slave", "slave device", id)
}

// Fetch asks the hub what it knows of the slave device. A link state that cannot be read is nil.
func (s *Slave) Fetch(ctx context.Context) (SlaveState, error) {
	if err := s.device.allow("slave.fetch", false); err != nil {
		return SlaveState{}, err
	}
	return s.device.api.Slave(ctx, s.DeviceID)
}

// SetLinkState tells the hub whether the slave device can be reached. It is tried once: with an error, the hub may or may
// not know it.
func (s *Slave) SetLinkState(ctx context.Context, state LinkState) error {
	if err := s.device.allow("slave.setLinkState", false); err != nil {
		return err
	}
	return s.device.api.PatchSlaveLinkState(ctx, s.DeviceID, state)
}

// SetInstrumentation tells the hub a text about the slave device. It is tried once: with an error, the hub may or may not
// know it.
func (s *Slave) SetInstrumentation(ctx context.Context, text string) error {
	if err := s.device.allow("slave.setInstrumentation", false); err != nil {
		return err
	}
	return s.device.api.PatchSlaveInstrumentation(ctx, s.DeviceID, text)
}
