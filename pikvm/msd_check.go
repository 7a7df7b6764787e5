package pikvm

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// ready looks whether the device would begin an operation on images, and returns the state, with its drive and storage.
// The errors are those by which the device would refuse, of kind NotSent.
func (m *MSD) ready(ctx context.Context, op string) (*MSDState, error) {
	state, err := m.state(ctx, op)
	if err != nil {
		return nil, err
	}
	switch {
	case !state.Enabled:
		return nil, m.foreseen(op, ErrDisabled, "MsdDisabledError", "MSD is disabled")
	case !state.Online || state.Drive == nil || state.Storage == nil:
		return nil, m.foreseen(op, ErrOffline, "MsdOfflineError", "MSD is not found")
	case state.Busy:
		return nil, m.foreseen(op, ErrBusy, "MsdIsBusyError", "Performing another MSD operation, please try again later")
	}
	return state, nil
}

// idle is ready for operations that need the drive disconnected.
func (m *MSD) idle(ctx context.Context, op string) (*MSDState, error) {
	state, err := m.ready(ctx, op)
	if err == nil && state.Drive.Connected {
		return nil, m.foreseen(op, ErrPrecondition, "MsdConnectedError",
			"MSD is connected to Server, but shouldn't for this operation")
	}
	return state, err
}

// room checks whether a new image fits. A negative size is not known yet. With replace, an image of the same name is
// removed first; the remains of one that was removed a moment ago are waited for.
func (m *MSD) room(ctx context.Context, op, name string, size int64, replace bool, wait time.Duration) error {
	state, err := m.idle(ctx, op)
	if err != nil {
		return err
	}
	name = storedName(name)
	if old, ok := state.Storage.Images[name]; ok {
		switch {
		case replace && !old.Ghost():
			if err := m.remove(ctx, op, name); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
		case !old.Ghost():
			return m.foreseen(op, ErrExists, "MsdImageExistsError", "This image is already exists")
		}
		if wait < 0 {
			wait = defaultListTimeout // the device would refuse a name that it still lists
		}
		if state, err = m.await(ctx, op, name, wait, "the old image is still listed", gone(name)); err != nil {
			return err
		}
	}
	part, ok := state.Storage.part(name)
	switch {
	case !ok:
	case !part.Writable:
		return m.failure(op, name, StepCheck, "the storage is not writable", errkit.Conflict|errkit.NotSent, nil)
	case size > part.Free:
		return m.failure(op, name, StepCheck, "not enough free space", errkit.Full|errkit.NotSent, nil)
	}
	return nil
}

// part returns the file system that an image is kept in.
func (s *MSDStorage) part(name string) (MSDPart, bool) {
	dir := name
	for {
		i := strings.LastIndexByte(dir, '/')
		dir = dir[:max(i, 0)]
		if part, ok := s.Parts[dir]; ok || dir == "" {
			return part, ok
		}
	}
}
