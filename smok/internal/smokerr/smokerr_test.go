package smokerr_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

func TestMain(m *testing.M) { leak.Main(m) }

// TestResponse checks what a status means for the data that was to be sent.
func TestResponse(t *testing.T) {
	t.Parallel()
	type verdict struct {
		Class                                              *errkit.Class
		NoLink, ClientFault, Retryable, Rejected, Identity bool
	}
	for _, tc := range []struct {
		statuses []int
		want     verdict
	}{
		{[]int{400, 404, 405, 406, 409, 410, 413, 414, 415, 422}, verdict{
			Class: smokerr.ErrClientFault, ClientFault: true, Rejected: true,
		}},
		{[]int{408, 425, 429}, verdict{Class: smokerr.ErrClientFault, ClientFault: true, Retryable: true}},
		{[]int{401, 403, 407}, verdict{Class: smokerr.ErrClientFault, ClientFault: true, Identity: true}},
		{[]int{402, 418, 451}, verdict{Class: smokerr.ErrClientFault, ClientFault: true}},
		{[]int{500, 502, 503, 504, 507, 520, 598}, verdict{Class: smokerr.ErrResponse, Retryable: true}},
		{[]int{100, 204, 301, 302, 307, 308, 501, 505}, verdict{Class: smokerr.ErrResponse}},
		{[]int{smokerr.StatusNoReply}, verdict{Class: smokerr.ErrNoLink, NoLink: true, Retryable: true}},
	} {
		for _, status := range tc.statuses {
			t.Run(fmt.Sprint(status), func(t *testing.T) {
				t.Parallel()
				err := smokerr.Response(errkit.Info{Op: "op"}, smokerr.ResponseError{StatusCode: status})
				got := verdict{
					Class: err.Class, NoLink: err.NoLink(), ClientFault: err.ClientFault(), Retryable: err.Retryable(),
					Rejected: err.Rejected(), Identity: err.Identity(),
				}
				if d := cmp.Diff(tc.want, got, cmp.Comparer(func(a, b *errkit.Class) bool { return a == b })); d != "" {
					t.Errorf("-want +got\n%s", d)
				}
				if errkit.Transient(err) != err.Retryable() {
					t.Errorf("errkit.Transient is %v", errkit.Transient(err))
				}
			})
		}
	}
}

// TestResponseOfCanceledIsNotRetryable checks that nobody repeats what the caller ended.
func TestResponseOfCanceledIsNotRetryable(t *testing.T) {
	t.Parallel()
	err := smokerr.Response(errkit.Info{Kind: errkit.Canceled}, smokerr.ResponseError{StatusCode: smokerr.StatusNoReply})
	if err.Retryable() {
		t.Error("retryable")
	}
}

// TestOperationFailed checks the class of every reason, an unknown one included.
func TestOperationFailed(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1795326769000)
	for reason, class := range map[smokerr.Reason]*errkit.Class{
		smokerr.ReasonMalformed: smokerr.ErrMalformed,
		smokerr.ReasonTimeout:   smokerr.ErrOperationTimeout,
		smokerr.ReasonInvalid:   smokerr.ErrBadPathpoint,
		smokerr.ReasonType:      smokerr.ErrType,
		"purple":                smokerr.ErrOperationFailed,
	} {
		err := smokerr.OperationFailed("read", "W1", reason, at, nil)
		if err.Class != class || err.Reason != reason || !err.Time.Equal(at) {
			t.Errorf("%s: %v of class %v", reason, err, err.Class.Code())
		}
		if got := err.ErrorAttrs()[1].Value.Int64(); got != 1795326769000 {
			t.Errorf("%s: the timestamp is %d", reason, got)
		}
	}
	unknown := smokerr.OperationFailed("read", "W1", "purple", time.Time{}, nil)
	if !errors.Is(unknown, errkit.Protocol) || len(unknown.ErrorAttrs()) != 1 {
		t.Errorf("%v with %v", unknown, unknown.ErrorAttrs())
	}
}

// TestNotReadIsOperationFailed checks both questions of package errors.
func TestNotReadIsOperationFailed(t *testing.T) {
	t.Parallel()
	err := smokerr.NotRead("get", "W1")
	failed, ok := errors.AsType[*smokerr.OperationFailedError](err)
	if !ok || failed.Reason != "" || !errors.Is(err, smokerr.ErrOperationFailed) {
		t.Errorf("%v", err)
	}
}

// TestSync checks that an area's failure answers for its cause.
func TestSync(t *testing.T) {
	t.Parallel()
	reply := func(status int) error {
		return smokerr.Response(errkit.Info{}, smokerr.ResponseError{StatusCode: status})
	}
	for _, tc := range []struct {
		name                string
		cause               error
		noLink, clientFault bool
		transient           bool
	}{
		{"no reply", reply(smokerr.StatusNoReply), true, false, true},
		{"refused", reply(400), false, true, false},
		{"broken", reply(500), false, false, true},
		{"no order link", &ngtt.ConnectionFailedError{Info: errkit.Info{
			Class: ngtt.ErrConnectionFailed, Kind: errkit.Connection,
		}}, true, false, true},
		{"refused on the order link", &ngtt.DataStreamSyncFailedError{Info: errkit.Info{
			Class: ngtt.ErrDataStreamSyncFailed,
		}}, false, true, false},
		{"another", errors.New("boom"), false, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := smokerr.Sync("op", "logs", fmt.Errorf("while syncing: %w", tc.cause))
			sync, _ := errors.AsType[*smokerr.SyncError](err)
			if sync.NoLink() != tc.noLink || sync.ClientFault() != tc.clientFault || errkit.Transient(err) != tc.transient {
				t.Errorf("%v: no link %v, client's fault %v, transient %v",
					err, sync.NoLink(), sync.ClientFault(), errkit.Transient(err))
			}
		})
	}
}

// TestLink checks that every error of the order link matches both modules.
func TestLink(t *testing.T) {
	t.Parallel()
	if smokerr.Link("op", nil) != nil {
		t.Error("an error out of nothing")
	}
	for _, tc := range []struct {
		cause error
		want  *errkit.Class
	}{
		{&ngtt.InvalidCredentialsError{Info: errkit.Info{Class: ngtt.ErrInvalidCredentials}, Field: "key"}, smokerr.ErrInvalidCredentials},
		{&ngtt.ConfigurationError{Info: errkit.Info{Class: ngtt.ErrConfiguration}, Field: "Addr"}, smokerr.ErrInvalidArgument},
		{ngtt.ErrClosed.Wrap("op", "", nil), smokerr.ErrClosed},
		{ngtt.ErrJournal.Wrap("op", "", nil), smokerr.ErrSync},
		{&ngtt.ConnectionFailedError{Info: errkit.Info{Class: ngtt.ErrConnectionFailed}}, smokerr.ErrSync},
	} {
		err := smokerr.Link("op", tc.cause)
		for _, class := range []error{tc.want, smokerr.Err, ngtt.Err, errkit.Err} {
			if !errors.Is(err, class) {
				t.Errorf("%v does not match %v", err, class)
			}
		}
	}
}

// TestStore checks the kinds that a store takes over from its disk.
func TestStore(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		err   error
		class *errkit.Class
		kinds errkit.Kind
	}{
		{"disk full", smokerr.Store("put", "values", fmt.Errorf("write: %w", syscall.ENOSPC)), smokerr.ErrStore, errkit.Full},
		{"io error", smokerr.Store("put", "values", syscall.EIO), smokerr.ErrStore, 0},
		{"deadline", smokerr.Store("put", "values", context.DeadlineExceeded), smokerr.ErrStore, errkit.Timeout},
		{"damaged", smokerr.Corrupt("get", "values", errors.New("checksum")), smokerr.ErrCorrupt, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := tc.err.(*smokerr.StoreError)
			if got.Class != tc.class || got.Kinds() != tc.kinds || got.Area != "values" {
				t.Errorf("%v of kinds %v", got, got.Kinds())
			}
		})
	}
}

// TestConstructors checks the texts, and what the rest of the module relies on.
func TestConstructors(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for _, tc := range []struct {
		err   error
		class *errkit.Class
		kinds errkit.Kind
		text  string
	}{
		{smokerr.Closed("Run"), smokerr.ErrClosed, errkit.Closed | errkit.NotSent, "smok: Run: device closed"},
		{
			smokerr.Canceled("get", "https://h", errkit.NotSent, context.Canceled), smokerr.Err,
			errkit.Canceled | errkit.NotSent, "smok: get https://h: operation failed: context canceled",
		},
		{smokerr.Stale("set", "W1"), smokerr.ErrStale, errkit.Conflict | errkit.NotSent, "smok: set W1: not newer than the current value"},
		{smokerr.InstanceNotReady("get", "W1"), smokerr.ErrInstanceNotReady, errkit.NotReady | errkit.NotSent, "smok: get W1: not ready"},
		{smokerr.NotFound("get", "baob", "k\n"), smokerr.ErrNotFound, errkit.NotFound, `smok: get: not found: baob "k\n"`},
		{smokerr.QueueFull("execute", "sections", 3), smokerr.ErrQueueFull, errkit.Full | errkit.NotSent, "smok: execute: no room: 3 sections"},
		{
			smokerr.InvalidArgument("new", "Timeout", "negative", nil), smokerr.ErrInvalidArgument,
			errkit.Invalid | errkit.NotSent, "smok: new: invalid argument: Timeout: negative",
		},
		{smokerr.BadEntry("sensors", "sensor", 2, "no fqts", boom), smokerr.ErrBadEntry, errkit.Protocol, "smok: sensors: entry skipped: sensor 2: no fqts: boom"},
		{smokerr.Panic("read", "help"), smokerr.ErrPanic, errkit.Internal, "smok: read: panic in a callback: help"},
		{smokerr.Panic("read", boom), smokerr.ErrPanic, errkit.Internal, "smok: read: panic in a callback: boom"},
	} {
		info := tc.err.(errkit.Error).ErrorInfo()
		if info.Class != tc.class || info.Kinds() != tc.kinds || tc.err.Error() != tc.text {
			t.Errorf("%s of class %s and kinds %v, want %s", tc.err, info.Class.Code(), info.Kinds(), tc.text)
		}
	}
}
