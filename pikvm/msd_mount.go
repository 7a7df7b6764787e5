package pikvm

import (
	"context"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// MountOptions are the optional settings of [MSD.Mount].
type MountOptions struct {
	// CDROM shows the image as a CD-ROM instead of a flash drive.
	CDROM bool

	// Writable lets the host write. It does not go with CDROM, and fails with an image that is not writable.
	Writable bool

	// BusyWait goes on asking a device that is busy, for at most this long. Zero means that it is [ErrBusy] at once.
	BusyWait time.Duration
}

// driveTimeout is how long the device may take to show the drive as it was told to.
const driveTimeout = 5 * time.Second

// Mount shows an image to the host: it plugs the drive out if need be, selects the image, plugs the drive in, and looks
// whether all that is so. An unknown image is [ErrNotFound], an incomplete one an [MSDError] with [StepCheck] before
// anything was changed. A drive that already shows the image in this way stays plugged in. Nil options mean the
// defaults.
func (m *MSD) Mount(ctx context.Context, image string, opts *MountOptions) error {
	const op = "msd.Mount"
	var o MountOptions
	if opts != nil {
		o = *opts
	}
	switch reason := checkImageName(image); {
	case reason != "":
		return configurationError(op, "image", reason)
	case o.CDROM && o.Writable:
		return configurationError(op, "Writable", "does not go with CDROM")
	case o.BusyWait < 0:
		return configurationError(op, "BusyWait", "negative")
	}
	name := storedName(image)
	want := func(s *MSDState) bool { return s.Drive.shows(name, &o) }
	state, err := m.whenReady(ctx, op, o.BusyWait)
	if err != nil || want(state) {
		return err
	}
	if listed, ok := state.Storage.Images[name]; ok {
		switch {
		case !listed.Complete:
			return m.failure(op, name, StepCheck, "the image is incomplete", errkit.Conflict|errkit.NotSent, nil)
		case o.Writable && !listed.Writable:
			return m.failure(op, name, StepCheck, "the image is not writable", errkit.Conflict|errkit.NotSent, nil)
		}
	}
	if state.Drive.Connected {
		if err := m.setConnected(ctx, op, false); err != nil {
			return err
		}
	}
	if err := m.setParams(ctx, op, &MSDParams{Image: &name, CDROM: &o.CDROM, Writable: &o.Writable}); err != nil {
		return err
	}
	if err := m.setConnected(ctx, op, true); err != nil {
		return err
	}
	return m.verifyDrive(ctx, op, name, want)
}

// EjectOptions are the optional settings of [MSD.Eject].
type EjectOptions struct {
	// BusyWait is as in [MountOptions].
	BusyWait time.Duration
}

// Eject plugs the drive out, deselects the image, and looks whether that is so. A drive that is out and empty is left
// alone. A host that holds the drive is [ErrBusy]; [MSD.Reset] takes it away from the host. Nil options mean the
// defaults.
func (m *MSD) Eject(ctx context.Context, opts *EjectOptions) error {
	const op = "msd.Eject"
	var o EjectOptions
	if opts != nil {
		o = *opts
	}
	if o.BusyWait < 0 {
		return configurationError(op, "BusyWait", "negative")
	}
	empty := func(s *MSDState) bool { return s.Drive != nil && !s.Drive.Connected && s.Drive.Image == nil }
	state, err := m.whenReady(ctx, op, o.BusyWait)
	if err != nil || empty(state) {
		return err
	}
	name := ""
	if state.Drive.Image != nil {
		name = state.Drive.Image.Name
	}
	if state.Drive.Connected {
		if err := m.setConnected(ctx, op, false); err != nil {
			return err
		}
	}
	none := ""
	if err := m.setParams(ctx, op, &MSDParams{Image: &none}); err != nil {
		return err
	}
	return m.verifyDrive(ctx, op, name, empty)
}

// whenReady is ready with patience for a busy device.
func (m *MSD) whenReady(ctx context.Context, op string, wait time.Duration) (*MSDState, error) {
	if wait == 0 {
		return m.ready(ctx, op)
	}
	var state *MSDState
	err := m.c.whileBusy(ctx, op, wait, func(ctx context.Context) (err error) {
		state, err = m.ready(ctx, op)
		return err
	})
	return state, err
}

// verifyDrive looks whether the drive became what was asked for.
func (m *MSD) verifyDrive(ctx context.Context, op, image string, want func(*MSDState) bool) error {
	_, err := m.await(ctx, op, image, driveTimeout, "the drive does not show it", want)
	if late, ok := err.(*MSDError); ok { //nolint:errorlint // made by await itself
		late.Step = StepDrive
	}
	return err
}

// shows reports whether the host sees this image in this way.
func (d *MSDDrive) shows(name string, o *MountOptions) bool {
	return d != nil && d.Connected && d.Image != nil && d.Image.Name == name && d.CDROM == o.CDROM &&
		d.Writable == o.Writable
}
