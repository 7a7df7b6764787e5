package disk

import (
	"io"
	"sync"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// ErrLocked is the cause of [Lock]'s error for a file that is locked already. Its kind is Conflict.
var ErrLocked error = lockedError{}

type lockedError struct{}

func (lockedError) Error() string      { return "open already" }
func (lockedError) Kinds() errkit.Kind { return errkit.Conflict }
func (lockedError) Is(target error) bool {
	kind, ok := target.(errkit.Kind)
	return ok && errkit.Conflict.Has(kind)
}

// Lock locks a file, which it makes if need be, until the lock is closed or the process ends. Within the process a second
// lock is refused as well. The lock may be closed more than once.
func Lock(name string) (io.Closer, error) {
	f, err := lock(name)
	if err != nil {
		return nil, err
	}
	return &held{Closer: f}, nil
}

type held struct {
	io.Closer
	once sync.Once
}

func (h *held) Close() (err error) {
	h.once.Do(func() { err = h.Closer.Close() })
	return err
}
