package smok

import (
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// The classes of errors of this module. Every error matches its class, the classes above it, [Err] and errkit.Err under
// errors.Is. An error of package ngtt that leaves this module matches ngtt.Err too.
var (
	// Err is matched by every error of the module. Used bare, with kind Canceled, it reports that the caller's context
	// was canceled.
	Err = smokerr.Err

	// ErrInvalidCredentials: the device's certificate or key cannot be used. See [InvalidCredentialsError].
	ErrInvalidCredentials = smokerr.ErrInvalidCredentials

	// ErrInstanceNotReady: something was used before it belonged to a device, or before its first synchronisation. See
	// [InstanceNotReadyError].
	ErrInstanceNotReady = smokerr.ErrInstanceNotReady

	// ErrUnavailable: the area is switched off in this device.
	ErrUnavailable = smokerr.ErrUnavailable

	// ErrSyncDisabled: the network is switched off in this device. It is below [ErrUnavailable].
	ErrSyncDisabled = smokerr.ErrSyncDisabled

	// ErrClosed: the device was closed. A call that was made after that has the kind NotSent; one that was under way
	// has it only if it certainly did not reach the hub.
	ErrClosed = smokerr.ErrClosed

	// ErrInvalidArgument: an option or an argument cannot be used. See [InvalidArgumentError].
	ErrInvalidArgument = smokerr.ErrInvalidArgument

	// ErrNotFound: there is no such pathpoint, sensor, BAOB, event or metadata. See [NotFoundError].
	ErrNotFound = smokerr.ErrNotFound

	// ErrStale: a value is not newer than the one that the pathpoint has. Nothing changed.
	ErrStale = smokerr.ErrStale

	// ErrResponse: the hub refused, or did not answer, or not as it should. See [ResponseError].
	ErrResponse = smokerr.ErrResponse

	// ErrNoLink: there was no answer. It is a [ResponseError].
	ErrNoLink = smokerr.ErrNoLink

	// ErrClientFault: the hub answered with a status of 400 to 499. It is a [ResponseError].
	ErrClientFault = smokerr.ErrClientFault

	// ErrBadAnswer: the answer is a success by its status and not what the interface promises: no JSON, another shape,
	// too large. It is a [ResponseError].
	ErrBadAnswer = smokerr.ErrBadAnswer

	// ErrBadEntry: one entry of an answer, or one order, cannot be used; the others can. See [EntryError].
	ErrBadEntry = smokerr.ErrBadEntry

	// ErrOperationFailed: a pathpoint could not be read or written. See [OperationFailedError].
	ErrOperationFailed = smokerr.ErrOperationFailed

	// ErrMalformed: the device behind the pathpoint answered nonsense. It is an [OperationFailedError].
	ErrMalformed = smokerr.ErrMalformed

	// ErrOperationTimeout: the device behind the pathpoint did not answer in time. It is an [OperationFailedError].
	ErrOperationTimeout = smokerr.ErrOperationTimeout

	// ErrBadPathpoint: the device behind the pathpoint knows nothing of it. It is an [OperationFailedError].
	ErrBadPathpoint = smokerr.ErrBadPathpoint

	// ErrType: the value does not fit the type of the pathpoint. It is an [OperationFailedError].
	ErrType = smokerr.ErrType

	// ErrNotRead: the pathpoint was never read. See [NotReadError].
	ErrNotRead = smokerr.ErrNotRead

	// ErrSync: an area could not be brought in step with the hub. See [SyncError].
	ErrSync = smokerr.ErrSync

	// ErrStore: the device's own store failed. See [StoreError].
	ErrStore = smokerr.ErrStore

	// ErrCorrupt: stored data is damaged. It was set aside. It is a [StoreError].
	ErrCorrupt = smokerr.ErrCorrupt

	// ErrConflict: the device and the hub have both changed something. The hub's change stands.
	ErrConflict = smokerr.ErrConflict

	// ErrInDoubt: an order or a macro had begun when the program ended, and whether it was carried out is not known. It is
	// not carried out again.
	ErrInDoubt = smokerr.ErrInDoubt

	// ErrMissed: a macro was not carried out at its time, and it is too late now.
	ErrMissed = smokerr.ErrMissed

	// ErrQueueFull: there is no room. See [QueueFullError].
	ErrQueueFull = smokerr.ErrQueueFull

	// ErrPanic: a function of the program that uses the device panicked.
	ErrPanic = smokerr.ErrPanic
)

// The typed errors of this module.
type (
	// InvalidCredentialsError reports a device's certificate or key that cannot be used.
	InvalidCredentialsError = smokerr.InvalidCredentialsError
	// InstanceNotReadyError reports the use of something before it belonged to a device, or before its first
	// synchronisation.
	InstanceNotReadyError = smokerr.InstanceNotReadyError
	// InvalidArgumentError reports an option or an argument that cannot be used.
	InvalidArgumentError = smokerr.InvalidArgumentError
	// NotFoundError reports a key that nothing is stored under.
	NotFoundError = smokerr.NotFoundError
	// ResponseError reports a call of the hub that failed.
	ResponseError = smokerr.ResponseError
	// EntryError reports one entry of an answer, or one order, that cannot be used and was skipped.
	EntryError = smokerr.EntryError
	// OperationFailedError reports that a pathpoint could not be read or written.
	OperationFailedError = smokerr.OperationFailedError
	// NotReadError reports that a pathpoint was never read. It is an [OperationFailedError].
	NotReadError = smokerr.NotReadError
	// SyncError reports that an area could not be brought in step with the hub.
	SyncError = smokerr.SyncError
	// StoreError reports that the device's own store failed.
	StoreError = smokerr.StoreError
	// QueueFullError reports that something bounded has no room.
	QueueFullError = smokerr.QueueFullError
)

// Reason says why an operation on a pathpoint failed, as the hub spells it; see [OperationFailedError].
type Reason = smokerr.Reason

// The reasons of an [OperationFailedError].
const (
	ReasonMalformed = smokerr.ReasonMalformed // the device behind the pathpoint answered nonsense
	ReasonTimeout   = smokerr.ReasonTimeout   // it did not answer in time
	ReasonInvalid   = smokerr.ReasonInvalid   // it knows nothing of this pathpoint
	ReasonType      = smokerr.ReasonType      // the value does not fit the type
)

// StatusNoReply is the status of a [ResponseError] for a request that got no reply.
const StatusNoReply = smokerr.StatusNoReply

// OperationFailed returns the error by which a handler of a pathpoint says that it could not be read or written at the
// given time. The zero time means now. The cause may be nil.
func OperationFailed(reason Reason, at time.Time, cause error) error {
	if at.IsZero() {
		at = time.Now()
	}
	return smokerr.OperationFailed("", "", reason, at, cause)
}
