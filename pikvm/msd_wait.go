package pikvm

import (
	"context"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// await asks for the state until it is good, for at most limit. Passing trouble on the way does not end it.
func (m *MSD) await(
	ctx context.Context, op, image string, limit time.Duration, reason string, good func(*MSDState) bool,
) (*MSDState, error) {
	waited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	request, detach := withoutDeadline(waited)
	defer detach()
	tick := time.NewTicker(listPoll)
	defer tick.Stop()
	var trouble error
	for {
		state, err := m.state(request, op)
		switch {
		case err == nil && good(state):
			return state, nil
		case ctx.Err() == nil && waited.Err() != nil:
			late := m.failure(op, image, StepList, reason, errkit.Timeout, trouble)
			late.Limit = limit
			return nil, late
		case ctx.Err() != nil:
			return nil, m.interrupted(ctx, op, image)
		case err != nil && !errkit.Transient(err):
			return nil, err
		case err != nil:
			trouble = err
		}
		select {
		case <-tick.C:
		case <-waited.Done():
		case <-m.c.life.Done():
		}
	}
}

// interrupted returns the error of a caller's context that ended while the effect was awaited.
func (m *MSD) interrupted(ctx context.Context, op, image string) error {
	kind := errkit.Canceled
	if ctx.Err() == context.DeadlineExceeded { //nolint:errorlint // what contexts return
		kind = errkit.Timeout
	}
	return m.failure(op, image, StepList, "interrupted", kind, errkit.FromContext(ctx))
}

// listed is the state in which an image is complete.
func listed(name string, size int64) func(*MSDState) bool {
	return func(s *MSDState) bool {
		if s.Storage == nil {
			return false
		}
		image, ok := s.Storage.Images[name]
		return ok && image.Complete && image.Size == size && !image.Ghost()
	}
}

// gone is the state in which an image is not even a ghost.
func gone(name string) func(*MSDState) bool {
	return func(s *MSDState) bool {
		if s.Storage == nil {
			return false
		}
		_, ok := s.Storage.Images[name]
		return !ok
	}
}

// listTimeout returns the limit that an option asks for; negative means that nothing is awaited.
func listTimeout(option time.Duration) time.Duration {
	if option == 0 {
		return defaultListTimeout
	}
	return option
}
