package smokerr

import (
	"errors"
	"log/slog"
	"strconv"
	"syscall"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// The classes of what goes wrong inside the device.
var (
	// ErrSync: an area could not be brought in step with the hub. See [SyncError].
	ErrSync = Err.New("sync", "synchronisation failed", 0)

	// ErrStore: the device's own store failed. See [StoreError].
	ErrStore = Err.New("store", "store failed", 0)

	// ErrCorrupt: stored data is damaged. It was set aside. A [StoreError] carries it.
	ErrCorrupt = ErrStore.New("corrupt", "stored data is damaged", 0)

	// ErrConflict: the device and the hub have both changed something. The hub's change stands.
	ErrConflict = Err.New("conflict", "changed on both sides", errkit.Conflict)

	// ErrInDoubt: an order or a macro had begun when the program ended, and whether it was carried out is not known. It is
	// not carried out again.
	ErrInDoubt = Err.New("indoubt", "begun before the restart, and not repeated", 0)

	// ErrMissed: a macro was not carried out at its time, and it is too late now.
	ErrMissed = Err.New("missed", "not carried out in time", 0)

	// ErrQueueFull: there is no room. See [QueueFullError].
	ErrQueueFull = Err.New("queuefull", "no room", errkit.Full|errkit.NotSent)

	// ErrPanic: a function of the program that uses the device panicked.
	ErrPanic = Err.New("panic", "panic in a callback", errkit.Internal)
)

// SyncError reports that an area could not be brought in step with the hub. The cause is a [ResponseError] or an error of
// package ngtt; its kinds are those of the SyncError.
type SyncError struct {
	errkit.Info
	What string // the area: "pathpoints", "logs", "events", "predicates", "sensors", "baobs", "metadata", "orders"
}

// Sync returns a *[SyncError] of the area what.
func Sync(op, what string, cause error) error {
	return &SyncError{
		Info: errkit.Info{Class: ErrSync, Op: op, Kind: errkit.KindOf(cause), Err: errkit.CleanCause(cause)}, What: what,
	}
}

// Error returns one line with the area and the cause.
func (e *SyncError) Error() string { return errkit.Message(&e.Info, e.What) }

// ErrorAttrs returns the area for logs and reports.
func (e *SyncError) ErrorAttrs() []slog.Attr { return []slog.Attr{slog.String("what", e.What)} }

// NoLink reports whether the cause is that the hub could not be reached.
func (e *SyncError) NoLink() bool {
	if response, ok := errors.AsType[*ResponseError](e.Err); ok {
		return response.NoLink()
	}
	return lostLink(e.Err)
}

// ClientFault reports whether the cause is that the hub refused what was sent.
func (e *SyncError) ClientFault() bool {
	if response, ok := errors.AsType[*ResponseError](e.Err); ok {
		return response.ClientFault()
	}
	return refusedByLink(e.Err)
}

// StoreError reports that the device's own store failed: no space, an input or output error, damaged data.
type StoreError struct {
	errkit.Info
	Area string // what was to be stored or read: "values", "events", "metadata"
}

// Store returns a *[StoreError] for a failure of the disk or of the library beneath.
func Store(op, area string, cause error) error {
	return storeError(ErrStore, op, area, cause)
}

// Corrupt returns a *[StoreError] for damaged data.
func Corrupt(op, area string, cause error) error {
	return storeError(ErrCorrupt, op, area, cause)
}

// storeKinds are those that stay true of a store whose disk or library reports them.
const storeKinds = errkit.Canceled | errkit.Timeout | errkit.Closed | errkit.Conflict | errkit.Full | errkit.TooLarge |
	errkit.Invalid

func storeError(class *errkit.Class, op, area string, cause error) error {
	kind := errkit.KindOf(cause) & storeKinds
	if errors.Is(cause, syscall.ENOSPC) {
		kind |= errkit.Full
	}
	return &StoreError{
		Info: errkit.Info{Class: class, Op: op, Kind: kind, Err: errkit.CleanCause(cause)}, Area: area,
	}
}

// Error returns one line with the area and the cause.
func (e *StoreError) Error() string { return errkit.Message(&e.Info, e.Area) }

// ErrorAttrs returns the area for logs and reports.
func (e *StoreError) ErrorAttrs() []slog.Attr { return []slog.Attr{slog.String("area", e.Area)} }

// QueueFullError reports that something bounded has no room. Nothing was taken.
type QueueFullError struct {
	errkit.Info
	Queue string // "sections", "values"
	Size  int    // entries that it holds
}

// QueueFull returns a *[QueueFullError].
func QueueFull(op, queue string, size int) error {
	return &QueueFullError{Info: errkit.Info{Class: ErrQueueFull, Op: op}, Queue: queue, Size: size}
}

// Error returns one line with the queue and its size.
func (e *QueueFullError) Error() string {
	return errkit.Message(&e.Info, strconv.Itoa(e.Size)+" "+e.Queue)
}

// ErrorAttrs returns the fields for logs and reports.
func (e *QueueFullError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("queue", e.Queue), slog.Int("size", e.Size)}
}

// Panic returns the error of a callback of op that panicked with value.
func Panic(op string, value any) error {
	if err, ok := value.(error); ok {
		return ErrPanic.Wrap(op, "", err)
	}
	return ErrPanic.Errorf(op, "%v", value)
}
