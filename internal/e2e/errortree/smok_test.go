package errortree_test

import (
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/smok"
)

var smokTree = tree{
	pkg:  "smok",
	base: smok.Err,
	classes: map[string]*errkit.Class{
		"Err":                   smok.Err,
		"ErrBadAnswer":          smok.ErrBadAnswer,
		"ErrBadEntry":           smok.ErrBadEntry,
		"ErrBadPathpoint":       smok.ErrBadPathpoint,
		"ErrClientFault":        smok.ErrClientFault,
		"ErrClosed":             smok.ErrClosed,
		"ErrConflict":           smok.ErrConflict,
		"ErrCorrupt":            smok.ErrCorrupt,
		"ErrInDoubt":            smok.ErrInDoubt,
		"ErrInstanceNotReady":   smok.ErrInstanceNotReady,
		"ErrInvalidArgument":    smok.ErrInvalidArgument,
		"ErrInvalidCredentials": smok.ErrInvalidCredentials,
		"ErrMalformed":          smok.ErrMalformed,
		"ErrMissed":             smok.ErrMissed,
		"ErrNoLink":             smok.ErrNoLink,
		"ErrNotFound":           smok.ErrNotFound,
		"ErrNotRead":            smok.ErrNotRead,
		"ErrOperationFailed":    smok.ErrOperationFailed,
		"ErrOperationTimeout":   smok.ErrOperationTimeout,
		"ErrPanic":              smok.ErrPanic,
		"ErrQueueFull":          smok.ErrQueueFull,
		"ErrResponse":           smok.ErrResponse,
		"ErrStale":              smok.ErrStale,
		"ErrStore":              smok.ErrStore,
		"ErrSync":               smok.ErrSync,
		"ErrSyncDisabled":       smok.ErrSyncDisabled,
		"ErrType":               smok.ErrType,
		"ErrUnavailable":        smok.ErrUnavailable,
	},
	samples: []errkittest.Sample{
		bare(smok.ErrUnavailable, "switched off in this device", errkit.Unsupported|errkit.NotSent),
		bare(smok.ErrSyncDisabled, "the network is switched off in this device", errkit.Unsupported|errkit.NotSent),
		bare(smok.ErrClosed, "device closed", errkit.Closed),
		bare(smok.ErrConflict, "changed on both sides", errkit.Conflict),
		bare(smok.ErrStale, "not newer than the current value", errkit.Conflict|errkit.NotSent),
		bare(smok.ErrInDoubt, "begun before the restart, and not repeated", 0),
		bare(smok.ErrMissed, "not carried out in time", 0),
		bare(smok.ErrPanic, "panic in a callback", errkit.Internal),
		sample("credentials", errkit.Auth|errkit.Invalid|errkit.NotSent, "smok: op: invalid credentials: device_id",
			func(target string, cause error) error {
				return &smok.InvalidCredentialsError{
					Info: info(smok.ErrInvalidCredentials, "op", target, cause), Field: "device_id",
				}
			}, (*smok.InvalidCredentialsError)(nil)),
		sample("not ready", errkit.NotReady|errkit.NotSent, "smok: op: not ready",
			func(target string, cause error) error {
				return &smok.InstanceNotReadyError{Info: info(smok.ErrInstanceNotReady, "op", target, cause)}
			}, (*smok.InstanceNotReadyError)(nil)),
		sample("argument", errkit.Invalid|errkit.NotSent, "smok: op: invalid argument: Timeout: negative",
			func(target string, cause error) error {
				return &smok.InvalidArgumentError{
					Info: info(smok.ErrInvalidArgument, "op", target, cause), Field: "Timeout", Reason: "negative",
				}
			}, (*smok.InvalidArgumentError)(nil)),
		sample("not found", errkit.NotFound, `smok: op: not found: pathpoint "W1"`,
			func(target string, cause error) error {
				return &smok.NotFoundError{Info: info(smok.ErrNotFound, "op", target, cause), What: "pathpoint", Key: "W1"}
			}, (*smok.NotFoundError)(nil)),
		reply(smok.ErrResponse, "request failed", 503, errkit.Unavailable),
		reply(smok.ErrClientFault, "request refused", 422, errkit.Invalid),
		reply(smok.ErrBadAnswer, "unexpected answer", 200, errkit.Protocol),
		sample("no reply", errkit.Connection, "smok: op: no reply", func(target string, cause error) error {
			i := info(smok.ErrNoLink, "op", target, cause)
			i.Kind |= errkit.HTTPKind(smok.StatusNoReply)
			return &smok.ResponseError{Info: i, StatusCode: smok.StatusNoReply, Method: "GET", Path: "/v1/device"}
		}, (*smok.ResponseError)(nil)),
		sample("entry", errkit.Protocol, "smok: op: entry skipped: sensor 3: no fqts",
			func(target string, cause error) error {
				return &smok.EntryError{
					Info: info(smok.ErrBadEntry, "op", target, cause), What: "sensor", Index: 3, Reason: "no fqts",
				}
			}, (*smok.EntryError)(nil)),
		failed(smok.ErrOperationFailed, "operation failed", "purple", errkit.Protocol),
		failed(smok.ErrMalformed, "malformed answer", smok.ReasonMalformed, errkit.Protocol),
		failed(smok.ErrOperationTimeout, "no answer in time", smok.ReasonTimeout, errkit.Timeout),
		failed(smok.ErrBadPathpoint, "no such pathpoint", smok.ReasonInvalid, errkit.NotFound),
		failed(smok.ErrType, "value of a wrong type", smok.ReasonType, errkit.Invalid),
		sample("not read", errkit.NotReady, "smok: op: never read", func(target string, cause error) error {
			return &smok.NotReadError{OperationFailedError: smok.OperationFailedError{
				Info: info(smok.ErrNotRead, "op", target, cause),
			}}
		}, (*smok.NotReadError)(nil), (*smok.OperationFailedError)(nil)),
		sample("sync", 0, "smok: op: synchronisation failed: events", func(target string, cause error) error {
			return &smok.SyncError{Info: info(smok.ErrSync, "op", target, cause), What: "events"}
		}, (*smok.SyncError)(nil)),
		stored(smok.ErrStore, "store failed"),
		stored(smok.ErrCorrupt, "stored data is damaged"),
		sample("queue full", errkit.Full|errkit.NotSent, "smok: op: no room: 1024 sections",
			func(target string, cause error) error {
				return &smok.QueueFullError{
					Info: info(smok.ErrQueueFull, "op", target, cause), Queue: "sections", Size: 1024,
				}
			}, (*smok.QueueFullError)(nil)),
	},
}

// bare is the sample of a class whose errors have no fields of their own.
func bare(class *errkit.Class, text string, kinds errkit.Kind) errkittest.Sample {
	return sample(text, kinds, "smok: op: "+text, func(target string, cause error) error {
		return class.Wrap("op", redact.URLString(target), cause)
	}, (*errkit.Basic)(nil))
}

// reply is the sample of an answer with this status.
func reply(class *errkit.Class, text string, status int, kinds errkit.Kind) errkittest.Sample {
	s := sample(text, kinds, "smok: op: "+text+": no (HTTP "+strconv.Itoa(status)+")",
		func(target string, cause error) error {
			i := info(class, "op", target, cause)
			i.Kind |= kinds
			return &smok.ResponseError{
				Info: i, StatusCode: status, Status: "no", Method: "GET", Path: "/v1/device", Body: `{"status":"no"}`,
			}
		}, (*smok.ResponseError)(nil))
	return s
}

// failed is the sample of an operation that failed for this reason.
func failed(class *errkit.Class, text string, reason smok.Reason, kinds errkit.Kind) errkittest.Sample {
	return sample(text, kinds, "smok: op: "+text+": "+string(reason), func(target string, cause error) error {
		i := info(class, "op", target, cause)
		i.Kind |= kinds
		return &smok.OperationFailedError{Info: i, Reason: reason}
	}, (*smok.OperationFailedError)(nil))
}

// stored is the sample of a class that a StoreError carries.
func stored(class *errkit.Class, text string) errkittest.Sample {
	return sample(text, 0, "smok: op: "+text+": events", func(target string, cause error) error {
		return &smok.StoreError{Info: info(class, "op", target, cause), Area: "events"}
	}, (*smok.StoreError)(nil))
}
